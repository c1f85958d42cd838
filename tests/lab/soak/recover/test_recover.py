"""A node loses its power and is back: exactly the servers that ran run again, in their order.

The guests themselves tell: how often each disk was booted.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab.drains import Drains
from real_lab import RealLab, until
from stackward.lab.guest import Tick

RAN, WAS_OFF, PAUSED = ("recovered-1", "recovered-2"), "recovered-off", "recovered-paused"
FIRST, SECOND = RAN


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """What the recovery said, and what became of the servers."""

    code: int
    said: str
    boots: dict[str, tuple[int, int]]  # of those that ran: before and after
    started: list[str]  # the names of those that Nova was asked to start, in the order of time
    statuses: dict[str, str]
    again: int  # the code of a second recovery


@pytest.fixture(scope="module")
def recovery(
    lab: RealLab, nodes: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Recovery]:
    """Given a node that lost its power and was recovered."""
    drains, node = Drains(lab, tmp_path_factory.mktemp("journal")), nodes[0]
    drains.remove_left_over("recovered-")
    made = {name: drains.boot(name, node) for name in (*RAN, WAS_OFF, PAUSED)}
    drains.wait_for_guests([*made.values()])
    # The first by its name is the last by its priority.
    for name, priority in ((FIRST, "20"), (SECOND, "10")):
        lab.cloud.compute.set_server_metadata(made[name], **{"stackward:priority": priority})
    drains.stop(made[WAS_OFF])
    lab.cloud.compute.pause_server(made[PAUSED])
    until(lambda: lab.server(made[PAUSED]).status == "PAUSED")
    before = {name: lab.tick(made[name]) for name in RAN}
    lose_power(lab, node)
    until(lambda: lab.server(made[FIRST]).status == "SHUTOFF")
    ended = drains.call("node", "recover", node, "--yes")
    started = starts_of(lab, made)
    after = {name: _tick_of_another_boot(lab, made[name], before[name]) for name in RAN}
    yield Recovery(
        code=ended.returncode,
        said=ended.stdout + ended.stderr,
        boots={name: (before[name].boots, after[name].boots) for name in RAN},
        started=started,
        statuses={name: lab.server(server).status for name, server in made.items()},
        again=drains.call("node", "recover", node, "--yes").returncode,
    )
    drains.remove(*made.values())


def lose_power(lab: RealLab, node: str) -> None:
    lab.run("power", "off", node)
    lab.run("power", "on", node)


def starts_of(lab: RealLab, made: dict[str, str]) -> list[str]:
    """Return the names of those that Nova was asked to start, in the order of time."""
    starts = [
        (action.start_time, name)
        for name, server in made.items()
        for action in lab.cloud.compute.server_actions(server)
        if action.action == "start"
    ]
    return [name for _, name in sorted(starts)]


def _tick_of_another_boot(lab: RealLab, server: str, before: Tick) -> Tick:
    return lab.tick(server, lambda tick: tick.boot != before.boot)


def test_each_that_ran_has_booted_once_more(recovery: Recovery) -> None:
    assert recovery.code == 0, recovery.said
    assert [after - before for before, after in recovery.boots.values()] == [1, 1]


def test_the_lower_priority_is_started_first_and_nobody_else_is_started(
    recovery: Recovery,
) -> None:
    assert recovery.started == [SECOND, FIRST]


def test_what_was_off_stays_off(recovery: Recovery) -> None:
    assert recovery.statuses[WAS_OFF] == "SHUTOFF"
    assert recovery.statuses[PAUSED] in {"PAUSED", "SHUTOFF"}


def test_libvirts_logs_were_a_witness(recovery: Recovery) -> None:
    assert "libvirt's log: its guest was started at" in " ".join(recovery.said.split())


def test_a_second_recovery_has_nothing_to_do(recovery: Recovery) -> None:
    assert recovery.again == 0
