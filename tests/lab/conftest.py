"""The lab that these tests share: one, with three compute nodes.

STACKWARD_TEST_LAB=NAME takes a lab that is there and leaves it; else one is brought up and removed.
STACKWARD_TEST_KEEP=1 leaves that too, and takes the one that it left.
STACKWARD_TEST_NO_REPEAT=1 plays no scene a second time.
"""

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from lab.day import Day
from lab.drains import Drains, drains_in
from lab.fresh import purge
from lab.hold import Hold
from real_lab import SHARED, RealLab
from stackward.errors import StackwardError

DAY = pytest.StashKey[Day]()
HOLD = pytest.StashKey[Hold]()
# By one of these the labs that tests bring up are left alone at the beginning.
LABS_STAY = {"STACKWARD_TEST_LAB", "STACKWARD_TEST_KEEP", "STACKWARD_TEST_FRESH"}


def day_of(config: pytest.Config) -> Day:
    """Return the day of this run."""
    if DAY not in config.stash:
        terminal = config.pluginmanager.get_plugin("terminalreporter")
        assert terminal is not None
        lab = RealLab(os.environ.get("STACKWARD_TEST_LAB") or SHARED)
        may_repeat = not os.environ.get("STACKWARD_TEST_NO_REPEAT")
        config.stash[DAY] = Day(terminal, lab, may_repeat)
    return config.stash[DAY]


def hold_of(config: pytest.Config) -> Hold:
    """Return what keeps other runs from the lab of this one; it is not taken yet at first."""
    if HOLD not in config.stash:
        config.stash[HOLD] = Hold(day_of(config).lab.name)
    return config.stash[HOLD]


def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """Run the tests of a scene together, and all others one by one."""
    return day_of(item.config).play(item)


def pytest_terminal_summary(config: pytest.Config) -> None:
    """Tell how long the scenes took."""
    day_of(config).tell()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Remove the lab that the tests have brought up; never one that another run has."""
    hold = hold_of(session.config)
    if not hold.is_ours:
        return
    lab = day_of(session.config).lab
    is_left = os.environ.get("STACKWARD_TEST_LAB") or os.environ.get("STACKWARD_TEST_KEEP")
    if not is_left and lab.folder.exists():
        lab.call("down", "--purge")
    hold.release()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,  # noqa: ARG001  # pytest names it
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Have what a service said in the last lines of a run, where it is read first."""
    report = yield
    error = call.excinfo.value if call.excinfo else None
    if isinstance(error, StackwardError) and error.says:
        crash = getattr(report.longrepr, "reprcrash", None)
        if crash is not None:
            crash.message = ": ".join(crash.message.splitlines())
    return report


@pytest.fixture(scope="session")
def is_root() -> bool:
    """Skip what needs root; in CI that is a failure."""
    if os.geteuid() != 0:
        pytest.skip("a lab is machines: only root can start them")
    return True


@pytest.fixture(scope="session")
def no_lab_of_before(pytestconfig: pytest.Config, *, is_root: bool) -> bool:
    """Given none of the labs that tests bring up, except one that was made for this run.

    Where a lab is given, they are not this run's: another may be using them.
    """
    assert is_root
    hold_of(pytestconfig).take()
    if not LABS_STAY & os.environ.keys():
        purge()
    return True


@pytest.fixture(scope="session")
def lab(*, no_lab_of_before: bool) -> RealLab:
    """Given a lab that is up; it is removed when all tests are over."""
    assert no_lab_of_before
    given = os.environ.get("STACKWARD_TEST_LAB")
    shared = RealLab(given or SHARED)
    shared.run("up", "--install", *(() if given else ("--computes", "3")))
    return shared


@pytest.fixture(scope="module")
def nodes(lab: RealLab) -> tuple[str, str, str]:
    """Given its compute nodes; all are in service."""
    first, second, third = (node.name for node in lab.spec.compute_nodes)
    return first, second, third


@pytest.fixture
def drains(lab: RealLab, tmp_path: Path) -> Iterator[Drains]:
    """Given drains with a journal of their own; what they took out of service is put back."""
    with drains_in(lab, tmp_path) as drains:
        yield drains
