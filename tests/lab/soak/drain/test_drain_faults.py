"""Drains of a lab in trouble: each ends proved, or stops with a word on what it is about."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.drains import Drains, Going
from real_lab import RealLab, until
from stackward.errors import ExitCode
from stackward.lab.load import wait_status


@pytest.fixture(scope="module")
def pair(lab: RealLab, nodes: tuple[str, str, str]) -> Iterator[tuple[str, str]]:
    """Given two servers that must stay apart, so that each has one node to go to."""
    cloud, drains, (_, node, other) = lab.cloud, Drains(lab, Path()), nodes
    drains.remove_left_over("faulty-")
    group = cloud.compute.create_server_group(name="faulty-apart", policy="anti-affinity")
    apart = {"scheduler_hints": {"group": group.id}}
    one = drains.boot("faulty-1", node, **apart)
    another = drains.boot("faulty-2", other, **apart)
    drains.wait_for_guests([one, another])
    yield one, another
    drains.remove(one, another)
    cloud.compute.delete_server_group(group.id)


@pytest.fixture
def server(pair: tuple[str, str]) -> str:
    """Given the one of the pair that is moved."""
    return pair[0]


@pytest.fixture
def node(lab: RealLab, server: str) -> str:
    """Given the node that it is on, which is drained."""
    return str(lab.server(server).hypervisor_hostname)


@pytest.fixture
def target(lab: RealLab, nodes: tuple[str, str, str], pair: tuple[str, str]) -> str:
    """Given the only node that it can go to."""
    taken = {lab.server(each).hypervisor_hostname for each in pair}
    [free] = set(nodes) - taken
    return free


def begin_and_see_it_move(drains: Drains, node: str, server: str) -> Going:
    """Begin a drain and return once the server is on its way."""
    going = drains.begin(node)
    until(lambda: drains.lab.server(server).task_state == "migrating", within_s=300)
    return going


def test_a_restart_of_rabbitmq_in_the_middle_ends_proved_or_names_what_to_repair(
    drains: Drains, server: str, node: str
) -> None:
    """Nova may lose the call that prepares the target, and then calls the server ERROR."""
    before = drains.place(server)
    going = begin_and_see_it_move(drains, node, server)

    drains.lab.on("ctl", "systemctl restart rabbitmq-server")
    ended = going.ended()
    if ended.code == ExitCode.STOPPED:
        assert "live-migrate `faulty-1`" in ended.said
        assert "run resume" in ended.said
        assert drains.place(server).domain == "running"  # so it is only Nova's word
        drains.lab.cloud.compute.reset_server_state(server, "active")
        ended = drains.resume()

    assert ended.code == 0, ended.said
    assert drains.servers_on(node) == []
    assert drains.place(server).state == before.state


def test_a_target_that_loses_its_power_stops_the_drain_which_goes_on_once_it_is_back(
    drains: Drains, server: str, node: str, target: str
) -> None:
    going = begin_and_see_it_move(drains, node, server)

    drains.lab.run("break", "node-power-loss", target)
    stopped = going.ended()
    drains.lab.run("mend", "node-power-loss", target)
    until(lambda: drains.is_in_service(target))
    wait_status(drains.lab.cloud, server, "ACTIVE")
    ended = drains.resume()

    assert stopped.code == ExitCode.STOPPED, stopped.said
    assert "`faulty-1`" in stopped.said
    assert "run resume" in stopped.said
    assert ended.code == 0, ended.said
    assert drains.place(server).node == target
