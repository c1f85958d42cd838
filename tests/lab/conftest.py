"""The lab that these tests share.

STACKWARD_TEST_LAB=NAME takes a lab that is there and leaves it; else one is brought up and removed.
STACKWARD_TEST_DRAIN_LAB=NAME does so for the lab of the drains, which has three compute nodes.
STACKWARD_TEST_KEEP=1 leaves those too, and takes those that it left.
"""

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from lab.drains import Drains, drains_in
from real_lab import FOR_DRAINS, OF_TESTS, SHARED, RealLab
from stackward.errors import StackwardError


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the drains come last: they have a lab of their own."""
    items.sort(key=lambda item: "drain_lab" in getattr(item, "fixturenames", ()))


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
def no_lab_of_before(*, is_root: bool) -> bool:
    """Given none of the labs that tests bring up: a run that was killed leaves what it did there.

    Its nodes are still in maintenance, and its machines take the time of those that are tested.
    """
    assert is_root
    if not os.environ.get("STACKWARD_TEST_KEEP"):
        for before in map(RealLab, OF_TESTS):
            if before.folder.exists():
                before.run("down", "--purge")
    return True


@pytest.fixture(scope="session")
def lab(*, no_lab_of_before: bool) -> Iterator[RealLab]:
    """Given a lab that is up."""
    assert no_lab_of_before
    given = os.environ.get("STACKWARD_TEST_LAB")
    shared = RealLab(given or SHARED)
    shared.run("up", "--install")
    yield shared
    if not given and not os.environ.get("STACKWARD_TEST_KEEP"):
        shared.run("down", "--purge")


@pytest.fixture(scope="session")
def drain_lab(*, no_lab_of_before: bool) -> Iterator[RealLab]:
    """Given a lab with three compute nodes."""
    assert no_lab_of_before
    given = os.environ.get("STACKWARD_TEST_DRAIN_LAB")
    shared = RealLab(given or FOR_DRAINS)
    if not given:
        RealLab(SHARED).call("down")  # its tests are over; two labs would starve each other
        shared.run("up", "--install", "--computes", "3")
    yield shared
    if not given and not os.environ.get("STACKWARD_TEST_KEEP"):
        shared.run("down", "--purge")


@pytest.fixture(scope="module")
def nodes(drain_lab: RealLab) -> tuple[str, str, str]:
    """Given its compute nodes; all are in service."""
    first, second, third = (node.name for node in drain_lab.spec.compute_nodes)
    return first, second, third


@pytest.fixture
def drains(drain_lab: RealLab, tmp_path: Path) -> Iterator[Drains]:
    """Given drains with a journal of their own; what they took out of service is put back."""
    with drains_in(drain_lab, tmp_path) as drains:
        yield drains
