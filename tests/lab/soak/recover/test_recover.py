"""A node loses its power and is back, with servers in every state: only those that ran run again.

The guests themselves show it: how often each disk was booted. The usual states are in the scene
`test_94_back.py`; here are those that a power loss does not end in the same way.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest

from lab.drains import Drains
from lab.soak.chain.test_chain import said
from real_lab import RealLab, until
from stackward.errors import ExitCode, StepFailed
from stackward.lab.guest import Tick
from stackward.lab.load import wait_status

RAN, LOST = "recovered-1", "recovered-lost"
PAUSED, SUSPENDED, RESCUED = "recovered-paused", "recovered-suspended", "recovered-rescued"
STOPPED_SINCE = "recovered-since"
BUSY = "recovered-busy"  # Nova has a task of it that nobody carries out
UP = (RAN, LOST, BUSY)


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """What the recovery said, and what became of the servers."""

    code: int
    said: str
    boots: dict[str, int]  # of those that ran: how often more each disk was booted
    orders: dict[str, list[str]]  # what Nova was asked for since the loss, of each server
    statuses: dict[str, str]
    refused: tuple[int, str]  # a recovery, while Nova has that task
    rebooted: tuple[int, str]  # that server, as the refusal advises
    again: int  # the code of a second recovery


@pytest.fixture(scope="module")
def recovery(
    lab: RealLab, nodes: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Recovery]:
    """Given a node that lost its power and was recovered."""
    drains, node = Drains(lab, tmp_path_factory.mktemp("journal")), nodes[0]
    compute = lab.cloud.compute
    drains.remove_left_over("recovered-")
    names = (*UP, PAUSED, SUSPENDED, RESCUED, STOPPED_SINCE)
    made = {name: drains.boot(name, node) for name in names}
    drains.wait_for_guests([*made.values()])
    compute.pause_server(made[PAUSED])
    compute.suspend_server(made[SUSPENDED])
    compute.rescue_server(made[RESCUED])
    for name, status in ((PAUSED, "PAUSED"), (SUSPENDED, "SUSPENDED"), (RESCUED, "RESCUE")):
        wait_status(lab.cloud, made[name], status)
    # Without its definition nothing of a guest is left by the loss, and Nova calls it ACTIVE still.
    lab.on(node, f"virsh undefine {lab.server(made[LOST]).instance_name}")
    before = {name: lab.tick(made[name]) for name in UP}
    lab.on(node, "systemctl kill -s STOP nova-compute")
    # Nova writes the task, and waits for an answer; its message is void once it waits no more.
    with suppress(StepFailed):
        compute.change_server_password(made[BUSY], "not-a-secret")
    until(lambda: lab.server(made[BUSY]).task_state == "updating_password")
    known = {name: orders_of(lab, server) for name, server in made.items()}
    lab.run("power", "off", node)
    compute.stop_server(made[STOPPED_SINCE])
    lab.run("power", "on", node)
    for name in (RAN, STOPPED_SINCE):
        until(lambda name=name: lab.server(made[name]).status == "SHUTOFF")  # type: ignore[misc]
    refused = said(drains, "node", "recover", node, "--yes")
    compute.reset_server_state(made[BUSY], "active")
    rebooted = said(drains, "server", "reboot", made[BUSY], "--hard", "--yes")
    ended = drains.call("node", "recover", node, "--yes")
    after = {name: tick_of_another_boot(lab, made[name], before[name]) for name in UP}
    yield Recovery(
        code=ended.returncode,
        said=" ".join((ended.stdout + ended.stderr).split()),
        boots={name: after[name].boots - before[name].boots for name in UP},
        orders={name: orders_of(lab, server)[len(known[name]) :] for name, server in made.items()},
        statuses={name: lab.server(server).status for name, server in made.items()},
        refused=(refused.code, " ".join(refused.said.split())),
        rebooted=(rebooted.code, rebooted.said),
        again=drains.call("node", "recover", node, "--yes").returncode,
    )
    drains.remove(*made.values())


def orders_of(lab: RealLab, server: str) -> list[str]:
    """Return what users have asked for, in the order of time."""
    found = sorted(
        (action.start_time, action.action)
        for action in lab.cloud.compute.server_actions(server)
        if action.user_id is not None
    )
    return [action for _, action in found]


def tick_of_another_boot(lab: RealLab, server: str, before: Tick) -> Tick:
    """Return the first sign of life of the guest's next boot."""
    return lab.tick(server, lambda tick: tick.boot != before.boot)


def test_each_that_ran_has_booted_once_more(recovery: Recovery) -> None:
    assert recovery.code == 0, recovery.said
    assert recovery.boots == dict.fromkeys(UP, 1)


def test_one_that_libvirt_has_lost_is_made_again_by_a_hard_reboot(recovery: Recovery) -> None:
    assert recovery.orders[LOST] == ["reboot"]
    assert recovery.orders[RAN] == ["start"]


def test_a_task_that_the_loss_has_ended_is_named_and_its_remedy_settles_it(
    recovery: Recovery,
) -> None:
    code, told = recovery.refused

    assert code == ExitCode.BLOCKED, told
    assert "recover/task-left" in told
    assert f"{BUSY} Nova calls it busy (updating_password) since" in told
    assert "openstack server set --auto-approve --state active" in told
    assert recovery.rebooted[0] == 0, recovery.rebooted[1]
    assert recovery.orders[BUSY] == ["resetState", "reboot"]
    assert recovery.statuses[BUSY] == "ACTIVE"


def test_what_its_owner_has_left_in_another_state_is_asked_for_nothing(recovery: Recovery) -> None:
    orders = {name: recovery.orders[name] for name in (PAUSED, SUSPENDED, RESCUED)}

    assert orders == {PAUSED: [], SUSPENDED: [], RESCUED: []}
    assert recovery.statuses[PAUSED] in {"PAUSED", "SHUTOFF"}
    assert recovery.statuses[SUSPENDED] == "SUSPENDED"
    assert recovery.statuses[RESCUED] == "RESCUE"


def test_one_that_its_owner_stopped_while_the_node_was_lost_stays_off(recovery: Recovery) -> None:
    assert recovery.orders[STOPPED_SINCE] == ["stop"]
    assert recovery.statuses[STOPPED_SINCE] == "SHUTOFF"


def test_a_second_recovery_has_nothing_to_do(recovery: Recovery) -> None:
    assert recovery.again == 0
