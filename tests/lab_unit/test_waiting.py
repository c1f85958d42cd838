"""A state is waited for; what was seen last is told, also when it never came."""

from collections.abc import Iterator

import pytest

from stackward.lab.waiting import last_seen


@pytest.fixture
def numbers() -> Iterator[int]:
    return iter(range(100))


def test_what_is_so_is_returned(numbers: Iterator[int]) -> None:
    assert last_seen(lambda: next(numbers), lambda number: number == 0, within_s=60) == 0


def test_what_never_became_so_is_returned_as_it_was_last(numbers: Iterator[int]) -> None:
    assert last_seen(lambda: next(numbers), lambda _: False, within_s=-1) == 0
