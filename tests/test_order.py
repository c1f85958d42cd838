"""The files that are to begin first are there."""

from order import LONGEST, TESTS


def test_each_file_that_begins_first_is_there() -> None:
    assert [each for each in LONGEST if not (TESTS / each).is_file()] == []
    assert len(set(LONGEST)) == len(LONGEST)
