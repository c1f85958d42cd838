"""The order of the tests: those of the lab last, and before all others the files that take longest.

With `pytest-xdist` a file is for one process: one that begins last and takes long is waited for
alone. The tests of these files are marked `long`: `make fast` leaves them to `make long`.
"""

from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

# Those of ten seconds of CPU time and more (`pytest --costs`), and those that wait for processes.
LONGEST = (
    "operations/test_killed.py",
    "operations/test_killed_on_the_way_back.py",
    "operations/test_killed_chain.py",
    "engine/test_chains_of_workers.py",
    "engine/test_chains.py",
    "engine/test_crash.py",
    "cli/test_undo.py",
    "engine/test_workers.py",
    "operations/test_given_up.py",
    "cli/test_return.py",
    "engine/test_commands.py",
    "cli/test_drain.py",
    "adapters/inventory/test_ansible.py",
    "stored/test_stored.py",
    "engine/test_instead.py",
    "engine/test_slow.py",
    "cli/test_terminal.py",
    "cli/test_deadline.py",
    "engine/test_waking.py",
    "fuzz/test_changed_answers.py",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest first, and the lab's tests last: what takes seconds speaks before those."""
    items.sort(key=lambda item: _turn(item.path))
    for item in items:
        if _turn(item.path) < len(LONGEST):
            item.add_marker(pytest.mark.long)


@cache
def _turn(path: Path) -> int:
    file = path.relative_to(TESTS).as_posix() if path.is_relative_to(TESTS) else ""
    if file.startswith("lab/"):
        return len(LONGEST) + 1
    return LONGEST.index(file) if file in LONGEST else len(LONGEST)
