"""Servers of the lab are real: they run, move and are attached to things as in any cloud.

The guests are the witnesses: what they tell on their consoles cannot be had from Nova's records.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from real_lab import RealLab, until
from stackward.lab.load import wait_status
from stackward.lab.proof import boot, remove, wait_active

PLACES = {"witness-1": "c01", "witness-2": "c02", "witness-3": "c01"}
ADDRESSES = {
    "witness-1": "192.168.50.11",
    "witness-2": "192.168.50.97",
    "witness-3": "192.168.50.13",
}


@pytest.fixture(scope="module")
def witnesses(lab: RealLab) -> Iterator[dict[str, str]]:
    """Given three servers, two on c01 and one on c02; their ids by their names."""
    for left_over in lab.cloud.compute.servers(name="^witness-"):
        remove(lab.cloud, left_over.id)
    ids = {
        name: boot(lab.cloud, name, node, address=ADDRESSES[name]).id
        for name, node in PLACES.items()
    }
    for server_id in ids.values():
        wait_active(lab.cloud, server_id)
    yield ids
    for server_id in ids.values():
        remove(lab.cloud, server_id)


def completed(lab: RealLab, server_id: str) -> list[tuple[str, str]]:
    """Return the kind and the state of each migration of a server, the oldest first."""
    answer = lab.cloud.compute.get(f"/os-migrations?instance_uuid={server_id}")
    found = sorted(answer.json()["migrations"], key=lambda one: str(one["created_at"]))
    return [(one["migration_type"], one["status"]) for one in found]


def other(node: str) -> str:
    """Return the compute node that is not this one."""
    return {"c01": "c02", "c02": "c01"}[node]


def moved(lab: RealLab, server_id: str, node: str, status: str = "ACTIVE") -> Any:  # noqa: ANN401  # the SDK's own
    """Wait until a server is on a node, at rest, and return it."""

    def there() -> Any:  # noqa: ANN401  # as above
        server = lab.server(server_id)
        is_there = (server.hypervisor_hostname, server.status) == (node, status)
        return server if is_there and server.task_state is None else None

    return until(there, within_s=180)


def test_a_live_migration_keeps_the_guest_running(lab: RealLab, witnesses: dict[str, str]) -> None:
    """The disk is copied: the nodes share no storage for it."""
    server = lab.server(witnesses["witness-1"])
    source, target = server.hypervisor_hostname, other(server.hypervisor_hostname)
    before = lab.tick(server.id)

    lab.cloud.compute.live_migrate_server(server.id, host=target, block_migration="auto")
    moved(lab, server.id, target)
    after = lab.tick(server.id, lambda tick: tick.up_s > before.up_s)
    # Nova writes its record last.
    until(lambda: completed(lab, server.id)[-1] == ("live-migration", "completed"))

    assert (after.boot, after.boots) == (before.boot, before.boots)
    assert [disk.mark for disk in after.disks] == [disk.mark for disk in before.disks]
    assert after.number > before.number
    assert lab.domains(target)[server.instance_name] == "running"
    assert server.instance_name not in lab.domains(source)


def test_a_cold_migration_is_done_when_confirmed_and_keeps_the_disk(
    lab: RealLab, witnesses: dict[str, str]
) -> None:
    server = lab.server(witnesses["witness-3"])
    source, target = server.hypervisor_hostname, other(server.hypervisor_hostname)
    before = lab.tick(server.id)

    lab.cloud.compute.migrate_server(server.id)
    moved(lab, server.id, target, "VERIFY_RESIZE")
    lab.cloud.compute.confirm_server_resize(server.id)
    wait_status(lab.cloud, server.id, "ACTIVE")
    after = lab.tick(server.id, lambda tick: tick.boot != before.boot)

    assert after.boots == before.boots + 1
    assert [disk.mark for disk in after.disks] == [disk.mark for disk in before.disks]
    assert completed(lab, server.id)[-1] == ("migration", "confirmed")
    assert server.instance_name not in lab.domains(source)


def test_a_node_powered_off_by_its_bmc_is_down_for_nova_and_serves_again_once_on(
    lab: RealLab, witnesses: dict[str, str]
) -> None:
    server = lab.server(witnesses["witness-2"])
    node = server.hypervisor_hostname
    before = lab.tick(server.id)

    off = lab.run("power", "off", node)
    births = lab.births_of_living()
    until(lambda: lab.compute_state(node) == "down")
    on = lab.run("power", "on", node)
    wait_status(lab.cloud, server.id, "SHUTOFF")
    lab.cloud.compute.start_server(server.id)
    wait_status(lab.cloud, server.id, "ACTIVE")
    after = lab.tick(server.id, lambda tick: tick.boot != before.boot)

    assert (off, node in births, on) == ("off\n", False, "on\n")
    assert (after.boots, after.boot != before.boot) == (before.boots + 1, True)
    assert lab.compute_state(node) == "up"


def test_a_node_that_is_reset_boots_again(lab: RealLab) -> None:
    births = lab.births()

    lab.run("power", "reset", "c02")

    until(lambda: "c02" in lab.births_of_living())
    again = lab.births()
    assert again["c02"] != births["c02"]
    assert (again["ctl"], again["c01"]) == (births["ctl"], births["c01"])
    assert until(lambda: lab.call("status").returncode == 0)
