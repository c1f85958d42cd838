"""A node is drained, rebooted and returned, and its servers come home: four runs of one item.

The guests themselves tell: none of them was booted again.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab.drains import Drains
from lab.soak.reboot.test_node_reboot import first_process
from real_lab import RealLab

RAN, WAS_OFF = "emptied-1", "emptied-off"


@dataclass(frozen=True, kw_only=True)
class Reboot:
    """What the reboot said, and what became of the node and its servers."""

    code: int
    said: str
    booted: tuple[str, str]
    boots: tuple[int, int]  # of the one that ran: before and after
    nodes: dict[str, str]
    statuses: dict[str, str]
    in_service: bool


@pytest.fixture(scope="module")
def reboot(
    lab: RealLab, nodes: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Reboot]:
    """Given a node that was emptied, rebooted and filled again."""
    drains, node = Drains(lab, tmp_path_factory.mktemp("journal")), nodes[0]
    drains.remove_left_over("emptied-")
    made = {name: drains.boot(name, node) for name in (RAN, WAS_OFF)}
    drains.wait_for_guests([*made.values()])
    drains.stop(made[WAS_OFF])
    before, began = lab.tick(made[RAN]), first_process(lab, node)
    ended = drains.call("node", "reboot", node, "--drain", "--network", "lab-net", "--yes")
    after = drains.ticks_on(made[RAN], before)
    servers = {name: lab.server(server) for name, server in made.items()}
    yield Reboot(
        code=ended.returncode,
        said=ended.stdout + ended.stderr,
        booted=(began, first_process(lab, node)),
        boots=(before.boots, after.boots),
        nodes={name: one.hypervisor_hostname for name, one in servers.items()},
        statuses={name: one.status for name, one in servers.items()},
        in_service=drains.is_in_service(node),
    )
    drains.remove(*made.values())


def test_the_node_has_booted_again_and_is_in_service(reboot: Reboot) -> None:
    before, after = reboot.booted

    assert reboot.code == 0, reboot.said
    assert before != after
    assert reboot.in_service


def test_the_servers_are_home_as_they_were_and_none_was_booted(
    reboot: Reboot, nodes: tuple[str, str, str]
) -> None:
    assert set(reboot.nodes.values()) == {nodes[0]}
    assert reboot.statuses == {RAN: "ACTIVE", WAS_OFF: "SHUTOFF"}
    assert reboot.boots[0] == reboot.boots[1]
