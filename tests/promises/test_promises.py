"""No promise is lost unnoticed: each test of the list is there, or an entry says what keeps it."""

from collections import Counter

import pytest

from promises.kept import KEPT, MOVED, TESTS, Moved, collected, is_there, lost, moves, promises

HERE = "promises/test_promises.py::test_each_promise_is_kept"


def test_each_promise_is_kept(request: pytest.FixtureRequest) -> None:
    """How many tests there are of a name is compared where its whole file was collected."""
    counts = request.config.stash[collected]

    assert list(lost(promises(KEPT.read_text()), [*moves(MOVED.read_text())], counts)) == []


def test_what_has_moved_is_of_the_list_and_whoever_keeps_it_is_there() -> None:
    before, moved = dict(promises(KEPT.read_text())), [*moves(MOVED.read_text())]

    assert moved
    for one in moved:
        assert one.why
        assert one.by
        assert [each for each in one.by if not _exists(each)] == []
        assert [each for each, left in one.left.items() if left >= before[each]] == []


def _exists(keeper: str) -> bool:
    return is_there(keeper) if "::" in keeper else (TESTS / keeper).is_file()


def test_the_whole_list_is_read() -> None:
    assert len(list(promises(KEPT.read_text()))) == 2455


@pytest.mark.parametrize(
    ("promise", "count", "found", "moved", "says"),
    [
        pytest.param(HERE, 1, {HERE: 1}, {}, None, id="it is kept"),
        pytest.param(HERE, 1, {}, {}, None, id="it is there, and was not asked for"),
        pytest.param(f"{HERE}_no_more", 1, {}, {}, "no such test", id="it is gone"),
        pytest.param("no/test_no.py::test_no", 1, {}, {}, "no such test", id="its file is gone"),
        pytest.param(HERE, 3, {HERE: 2}, {}, "2 tests; there were 3", id="a parameter is gone"),
        pytest.param(HERE, 3, {HERE: 2}, {HERE: 2}, None, id="others keep one of them"),
        pytest.param(f"{HERE}_no_more", 1, {}, {f"{HERE}_no_more": 0}, None, id="others keep it"),
    ],
)
def test_a_promise_that_nobody_keeps_is_named(
    promise: str, count: int, found: dict[str, int], moved: dict[str, int], says: str | None
) -> None:
    counts = Counter({f"tests/{each}": number for each, number in found.items()})

    told = list(lost(iter([(promise, count)]), [Moved("so", ("here",), moved)], counts))

    assert [says in each for each in told if says] == ([True] if says else [])
    assert bool(told) == bool(says)


def test_one_of_a_class_is_found_where_the_class_has_it_from() -> None:
    named = "contract/test_fakes.py::TestFakeCloud"

    assert is_there(f"{named}::test_what_is_not_there_is_none_or_nothing")
    assert not is_there(f"{named}::test_no")
