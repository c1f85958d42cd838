"""The window of time that is asked for."""

from datetime import UTC, datetime, timedelta

import pytest

from stackward.errors import BadInput
from stackward.logs.window import is_span, read_time

NEWEST = datetime(2026, 11, 27, 22, 49, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "back"),
    [("90s", {"seconds": 90}), ("30m", {"minutes": 30}), ("6h", {"hours": 6}), ("2d", {"days": 2})],
)
def test_a_span_counts_back_from_the_newest(given: str, back: dict[str, int]) -> None:
    assert is_span(given)
    assert read_time(given, flag="--since", newest=NEWEST) == NEWEST - timedelta(**back)


def test_a_time_with_a_zone_is_that_time() -> None:
    found = read_time("2026-11-27T23:00+01:00", flag="--since", newest=NEWEST)

    assert found == datetime(2026, 11, 27, 22, 0, tzinfo=UTC)


def test_a_time_as_we_show_it_is_understood() -> None:
    found = read_time("2026-11-27 22:00:05 UTC", flag="--since", newest=NEWEST)

    assert found == datetime(2026, 11, 27, 22, 0, 5, tzinfo=UTC)


def test_a_time_without_a_zone_is_one_of_this_machine() -> None:
    found = read_time("2026-11-27T23:00", flag="--since", newest=NEWEST)

    assert found == datetime(2026, 11, 27, 23, 0).astimezone()  # as it is meant


@pytest.mark.parametrize("given", ["", "yesterday", "5", "5x", "-5m", "999999999w"])
def test_what_is_neither_is_refused_with_a_hint(given: str) -> None:
    with pytest.raises(BadInput, match="is no time") as caught:
        read_time(given, flag="--since", newest=NEWEST)

    assert "30m" in str(caught.value.hint)
