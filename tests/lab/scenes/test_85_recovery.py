"""A node loses its power and is back: exactly the servers that ran run again, in their order.

The guests themselves tell: how often each disk was booted, and when.
"""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime

from lab.stage import Stage, scene
from real_lab import until
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


@scene(budget_s=100, is_later=True)
def recovery(stage: Stage) -> Generator[Recovery]:
    """Cut a node's power, and recover it."""
    lab, drains, node = stage.lab, stage.drains, stage.nodes[0]
    stage.all_in_service()
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
    since = datetime.fromisoformat(lab.on(node, "date -u +%FT%T").strip())
    stage.begins()
    lab.run("power", "off", node)
    lab.run("power", "on", node)
    until(lambda: lab.server(made[FIRST]).status == "SHUTOFF")
    ended = drains.call("node", "recover", node, "--yes")
    starts = [
        (action.start_time, name)
        for name, server in made.items()
        for action in lab.cloud.compute.server_actions(server)
        if action.action == "start" and datetime.fromisoformat(action.start_time) >= since
    ]
    after = {name: _tick_of_another_boot(stage, made[name], before[name]) for name in RAN}
    yield Recovery(
        code=ended.returncode,
        said=ended.stdout + ended.stderr,
        boots={name: (before[name].boots, after[name].boots) for name in RAN},
        started=[name for _, name in sorted(starts)],
        statuses={name: lab.server(server).status for name, server in made.items()},
        again=drains.call("node", "recover", node, "--yes").returncode,
    )
    drains.remove(*made.values())


def _tick_of_another_boot(stage: Stage, server: str, before: Tick) -> Tick:
    return stage.lab.tick(server, lambda tick: tick.boot != before.boot)


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
