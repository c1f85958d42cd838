"""The order of the tests: those of the lab last, and before all others the files that take longest.

With `pytest-xdist` a file is for one process: one that begins last and takes long is waited for
alone. The tests of these files are marked `long`: `make fast` leaves them to `make long`. The files
that look through the product's own code are all for the same process, which parses it once.
"""

from functools import cache
from pathlib import Path

import pytest
from typing_extensions import override
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

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

# Those that look through the product's code share its trees, and what was found in them.
READ_THE_CODE = (
    "docs/test_*.py",
    "mutants/test_mutants.py",
    "operations/*/test_remedies.py",
    "plan/test_path.py",
    "policy/test_placeholders.py",
    "policy/test_shared.py",
    "report/test_tables.py",
    "test_wording.py",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest first, and the lab's tests last: what takes seconds speaks before those."""
    items.sort(key=lambda item: _turn(item.path))
    for item in items:
        if _turn(item.path) < len(LONGEST):
            item.add_marker(pytest.mark.long)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even read the files that take long where all of their tests would be left out."""
    is_left_out = "not long" in config.getoption("markexpr") and collection_path.suffix == ".py"
    return True if is_left_out and _turn(collection_path) < len(LONGEST) else None


@cache
def _turn(path: Path) -> int:
    file = path.relative_to(TESTS).as_posix() if path.is_relative_to(TESTS) else ""
    if file.startswith("lab/"):
        return len(LONGEST) + 1
    return LONGEST.index(file) if file in LONGEST else len(LONGEST)


@cache
def reads_the_code(file: str) -> bool:
    """Say whether a file, named as below `tests/`, looks through the product's code."""
    return any(Path(file).match(each) for each in READ_THE_CODE)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """Give the files to processes in our own way, where they are given as files."""
    return FilesForProcesses(config, log) if config.getoption("dist") == "loadfile" else None


class FilesForProcesses(LoadFileScheduling):  # type: ignore[misc]  # xdist ships no types
    """Gives each file to one process, as xdist does, but looks up where its tests are.

    To search all tests for each of them takes the process that gives them out seconds.
    """

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        super().__init__(config, log)
        self._places = dict[str, int]()  # of the tests, among all: each process has the same

    @override
    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "the code" if reads_the_code(file.removeprefix("tests/")) else file

    @override
    def _assign_work_unit(self, node: WorkerController) -> None:
        name, unit = self.workqueue.popitem(last=False)
        under_way = {
            name: each for name, each in self.assigned_work[node].items() if not all(each.values())
        }
        self.assigned_work[node] = under_way | {name: unit}
        if not self._places:
            self._places = {test: at for at, test in enumerate(self.collection)}
        node.send_runtest_some(
            [self._places[test] for test, is_done in unit.items() if not is_done]
        )
