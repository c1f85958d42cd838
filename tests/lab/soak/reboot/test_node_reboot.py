"""A node is rebooted with its servers on it: stopped in their order, exactly those started again.

The guests themselves tell: how often each disk was booted.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab.drains import Drains
from real_lab import RealLab, until
from stackward.lab.guest import Tick

RAN, WAS_OFF = ("rebooted-1", "rebooted-2"), "rebooted-off"
FIRST, SECOND = RAN
TIER = "stackward:tier"


@dataclass(frozen=True, kw_only=True)
class Reboot:
    """What the reboot said, and what became of the node and its servers."""

    code: int
    said: str
    booted: tuple[str, str]  # when the node's first process began: before and after
    boots: dict[str, tuple[int, int]]  # of those that ran: before and after
    actions: list[tuple[str, str]]  # what Nova was asked for, in the order of time, and of whom
    statuses: dict[str, str]
    in_service: bool
    listed: str  # what is on the node's list
    recovered: int  # the code of a recovery afterwards


@pytest.fixture(scope="module")
def reboot(
    lab: RealLab, nodes: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Reboot]:
    """Given a node that was rebooted in place, with servers of two tiers, and one that is off."""
    drains, node = Drains(lab, tmp_path_factory.mktemp("journal")), nodes[0]
    drains.remove_left_over("rebooted-")
    drains.environment["STACKWARD_TIERS"] = "database"
    compute = lab.cloud.compute
    usual = compute.find_flavor("tiny", ignore_missing=False)
    left = compute.find_flavor("rebooted-tier")
    flavor = left or compute.create_flavor(
        name="rebooted-tier", ram=usual.ram, vcpus=usual.vcpus, disk=usual.disk
    )
    compute.create_flavor_extra_specs(flavor, {TIER: "database"})
    network = lab.cloud.network.find_network("lab-net", ignore_missing=False)
    # The second by its name is of a tier: it is started first, and stopped last.
    tiered = compute.create_server(
        name=SECOND,
        flavor_id=flavor.id,
        image_id=lab.cloud.image.find_image("guest", ignore_missing=False).id,
        networks=[{"uuid": network.id}],
        host=node,
    )
    made = {
        FIRST: drains.boot(FIRST, node),
        SECOND: tiered.id,
        WAS_OFF: drains.boot(WAS_OFF, node),
    }
    drains.wait_for_guests([*made.values()])
    drains.stop(made[WAS_OFF])
    until(lambda: lab.server(made[WAS_OFF]).status == "SHUTOFF")
    before = {name: lab.tick(made[name]) for name in RAN}
    began = first_process(lab, node)
    ended = drains.call("node", "reboot", node, "--in-place", "--yes")
    after = {name: _tick_of_another_boot(lab, made[name], before[name]) for name in RAN}
    yield Reboot(
        code=ended.returncode,
        said=ended.stdout + ended.stderr,
        booted=(began, first_process(lab, node)),
        boots={name: (before[name].boots, after[name].boots) for name in RAN},
        actions=actions_since_boot(lab, made),
        statuses={name: lab.server(server).status for name, server in made.items()},
        in_service=drains.is_in_service(node),
        listed=lab.on(node, "cat /var/lib/stackward/who-ran"),
        recovered=drains.call("node", "recover", node, "--yes").returncode,
    )
    drains.remove(*made.values())
    compute.delete_flavor(flavor.id)


def first_process(lab: RealLab, node: str) -> str:
    """Return when the first process of a node began, in ticks of the kernel."""
    return lab.on(node, "cut -d' ' -f22 /proc/1/stat").strip()


def actions_since_boot(lab: RealLab, made: dict[str, str]) -> list[tuple[str, str]]:
    """Return what Nova was asked for of those that ran, but for their making."""
    found = [
        (action.start_time, name, action.action)
        for name, server in made.items()
        if name in RAN
        for action in lab.cloud.compute.server_actions(server)
        if action.action != "create"
    ]
    return [(name, action) for _, name, action in sorted(found)]


def _tick_of_another_boot(lab: RealLab, server: str, before: Tick) -> Tick:
    return lab.tick(server, lambda tick: tick.boot != before.boot)


def test_the_node_has_booted_again_and_is_in_service(reboot: Reboot) -> None:
    before, after = reboot.booted

    assert reboot.code == 0, reboot.said
    assert before != after
    assert reboot.in_service


def test_each_that_ran_has_booted_once_more(reboot: Reboot) -> None:
    assert [after - before for before, after in reboot.boots.values()] == [1, 1]


def test_the_tier_is_stopped_last_and_started_first(reboot: Reboot) -> None:
    assert reboot.actions == [
        (FIRST, "stop"), (SECOND, "stop"), (SECOND, "start"), (FIRST, "start"),
    ]  # fmt: skip


def test_what_was_off_stays_off(reboot: Reboot) -> None:
    assert reboot.statuses == {FIRST: "ACTIVE", SECOND: "ACTIVE", WAS_OFF: "SHUTOFF"}


def test_the_kernel_of_a_container_is_no_failure(reboot: Reboot) -> None:
    assert "it is a container, and runs its host's kernel" in " ".join(reboot.said.split())


def test_the_list_outlives_the_boot_and_a_recovery_has_nothing_to_do(reboot: Reboot) -> None:
    assert '"ran"' in reboot.listed
    assert reboot.recovered == 0
