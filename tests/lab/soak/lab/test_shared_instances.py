"""A lab whose compute nodes share /var/lib/nova/instances: no disk is copied, none is lost.

A server is moved while it runs. Another is evacuated from a node that lost its power, and lives on
its own disk when that node comes back: Nova then removes what it takes for old copies.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from lab.drains import INSTANCES, Drains
from lab.evacuations import mark_of, restart_compute
from left_behind import left_behind
from real_lab import WITH_ONE_PATH, RealLab, until
from stackward.lab.guest import Tick
from stackward.lab.proof import boot, remove, wait_active

CLOCKS_S = 60  # by as much the clocks of two nodes may differ, for the plan of an evacuation


@pytest.fixture(scope="module")
def sharing(*, no_lab_of_before: bool) -> Iterator[RealLab]:
    """Given a lab of its own, with shared instances."""
    assert no_lab_of_before
    lab = RealLab(WITH_ONE_PATH)
    lab.run("up", "--install", "--shared-instances")
    yield lab
    lab.call("down", "--purge")  # the last test did, if it came to that


@dataclass(frozen=True, kw_only=True)
class Evacuated:
    """What the commands said, and the guest and its disk after each of them."""

    evacuated: tuple[int, str]
    returned: tuple[int, str]
    home: tuple[int, str]
    before: Tick
    ticks: list[Tick]  # elsewhere; after the return; at home; after a restart of nova-compute
    disks: list[str]  # the inode of its disk, at the same moments, and before
    hosts: tuple[str, str]  # elsewhere, and in the end


@pytest.fixture(scope="module")
def evacuated(sharing: RealLab, tmp_path_factory: pytest.TempPathFactory) -> Evacuated:
    """Given a node that lost its power, was evacuated, came back, and has its server again."""
    drains = Drains(sharing, tmp_path_factory.mktemp("journal"))
    other, node = (each.name for each in sharing.spec.compute_nodes)
    server = drains.boot("shared-kept", node)
    drains.wait_for_guests([server])
    # A disk that is no newer may be an old copy: its storage has no name that all nodes know.
    until(lambda: written_after_s(sharing, server) > CLOCKS_S)
    before, disks = sharing.tick(server), [disk_of(sharing, server)]
    assert drains.call("node", "check", node).returncode == 0
    sharing.run("power", "off", node)
    until(lambda: sharing.compute_state(node) == "down")
    asked = ("node", "evacuate", node, "--reason", "dead", "--only", server, "--yes")
    evacuated = said(drains, *asked)
    assert evacuated[0] == 0, evacuated[1]
    ticks, place = [sharing.tick(server)], sharing.server(server).hypervisor_hostname
    disks.append(disk_of(sharing, server))
    returned = said(drains, "node", "return", node, "--discard-old-disks", "--yes")
    ticks.append(drains.ticks_on(server, ticks[-1]))
    disks.append(disk_of(sharing, server))
    home = said(drains, "node", "return", node, "--bring-back", "--yes")
    ticks.append(drains.ticks_on(server, ticks[-1]))
    disks.append(disk_of(sharing, server))
    for each in (node, other):
        restart_compute(drains, each)
    ticks.append(drains.ticks_on(server, ticks[-1]))
    disks.append(disk_of(sharing, server))
    return Evacuated(
        evacuated=evacuated,
        returned=returned,
        home=home,
        before=before,
        ticks=ticks,
        disks=disks,
        hosts=(place, sharing.server(server).hypervisor_hostname),
    )


def disk_of(lab: RealLab, server: str) -> str:
    """Return the inode of a server's disk, which every node sees."""
    return lab.on("c01", f"stat -c %i {INSTANCES}/{server}/disk || echo gone").strip()


def written_after_s(lab: RealLab, server: str) -> float:
    """Return how long after the coming of a server to its node its disk was written last."""
    launched = datetime.fromisoformat(lab.server(server).launched_at).replace(tzinfo=UTC)
    return float(lab.on("c01", f"stat -c %Y {INSTANCES}/{server}/disk")) - launched.timestamp()


def said(drains: Drains, *words: str) -> tuple[int, str]:
    ended = drains.call(*words)
    return ended.returncode, ended.stdout + ended.stderr


def test_a_live_migration_over_the_shared_path_copies_no_disk(sharing: RealLab) -> None:
    server = wait_active(sharing.cloud, boot(sharing.cloud, "mover", "c01").id)
    before = sharing.tick(server.id)
    disk = disk_of(sharing, server.id)

    sharing.cloud.compute.live_migrate_server(server.id, host="c02", block_migration="auto")
    until(lambda: sharing.server(server.id).hypervisor_hostname == "c02", within_s=180)
    after = sharing.tick(server.id, lambda tick: tick.up_s > before.up_s)

    assert sharing.on("c02", f"stat -c %i {INSTANCES}/{server.id}/disk").strip() == disk
    assert (after.boot, after.boots) == (before.boot, before.boots)
    assert sharing.domains("c02")[server.instance_name] == "running"
    assert sharing.domains("c01") == {}
    remove(sharing.cloud, server.id)


def test_an_evacuation_over_the_shared_path_keeps_the_disk(evacuated: Evacuated) -> None:
    elsewhere = evacuated.ticks[0]

    assert evacuated.hosts[0] == "c01"
    assert mark_of(elsewhere) == mark_of(evacuated.before)
    # Nova boots it too, for some seconds, before it stops it: that may be too short to be counted.
    assert elsewhere.boots - evacuated.before.boots in {1, 2}


def test_the_return_of_the_node_ends_no_guest_and_removes_no_disk(evacuated: Evacuated) -> None:
    assert evacuated.returned[0] == 0, evacuated.returned[1]
    assert evacuated.home[0] == 0, evacuated.home[1]
    assert evacuated.hosts[1] == "c02"
    assert len({tick.boot for tick in evacuated.ticks}) == 1
    assert len({*evacuated.disks}) == 1


def test_a_purged_lab_leaves_nothing_on_the_host_or_the_disk(sharing: RealLab) -> None:
    spec = sharing.spec

    sharing.run("down", "--purge")

    assert left_behind(spec) == []
    assert not spec.folder.exists()
