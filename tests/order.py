"""The order of the tests: those of the lab last, and before all others the files that take longest.

With `pytest-xdist` a file is for one process: one that begins last and takes long is waited for
alone.
"""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent

# By CPU time (`pytest --costs`): ten seconds and more.
LONGEST = ("operations/test_killed.py",)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest first, and the lab's tests last: what takes seconds speaks before those."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    file = item.path.relative_to(TESTS).as_posix() if item.path.is_relative_to(TESTS) else ""
    if file.startswith("lab/"):
        return len(LONGEST) + 1
    return LONGEST.index(file) if file in LONGEST else len(LONGEST)
