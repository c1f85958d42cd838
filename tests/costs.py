"""What the tests cost: at their end a line of all CPU time, and with `--costs` each file's.

CPU time is that of all processes, those that the tests started too, as far as they have ended. On a
busy machine it says more than the time of a clock.
"""

import os
from collections import defaultdict
from collections.abc import Generator

import pytest

_COST = "cpu_s"
_by_file: dict[str, float] = defaultdict(float)
_began = pytest.StashKey[float]()
_ended: list[float] = []  # when the last test of this process did: to ask takes time


def _cpu_s() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a person ask for more than the line."""
    parser.addoption("--costs", action="store_true", help="show the CPU time of each file of tests")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Look at the time before the first fixture is made."""
    item.stash[_began] = _ended[-1] if _ended else _cpu_s()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Send the cost of a test with its last report: it may have run in another process."""
    report = yield
    if report.when == "teardown" and _began in item.stash:
        _ended[:] = [_cpu_s()]
        report.user_properties.append((_COST, _ended[-1] - item.stash[_began]))
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up what each file has cost."""
    for name, cost in report.user_properties:
        if name == _COST and report.when == "teardown" and isinstance(cost, float):
            _by_file[report.nodeid.partition("::")[0]] += cost


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it at the end."""
    if terminalreporter.config.getoption("--costs"):
        terminalreporter.section("CPU time of each file")
        for cost, file in sorted(((cost, file) for file, cost in _by_file.items()), reverse=True):
            terminalreporter.write_line(f"{cost:7.1f} s  {file}")
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    cores = os.cpu_count()
    terminalreporter.write_line(f"CPU time {_cpu_s():.0f} s; load {load} on {cores} cores")
