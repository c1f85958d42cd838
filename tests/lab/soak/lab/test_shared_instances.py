"""A lab whose compute nodes share /var/lib/nova/instances moves servers without copying disks."""

from collections.abc import Iterator

import pytest

from left_behind import left_behind
from real_lab import WITH_ONE_PATH, RealLab, until
from stackward.lab.proof import boot, wait_active


@pytest.fixture(scope="module")
def sharing(*, no_lab_of_before: bool) -> Iterator[RealLab]:
    """Given a lab of its own, with shared instances."""
    assert no_lab_of_before
    lab = RealLab(WITH_ONE_PATH)
    lab.run("up", "--install", "--shared-instances")
    yield lab
    lab.call("down", "--purge")  # the last test did, if it came to that


def test_a_live_migration_over_the_shared_path_copies_no_disk(sharing: RealLab) -> None:
    server = wait_active(sharing.cloud, boot(sharing.cloud, "mover", "c01").id)
    disk = f"stat -c %i /var/lib/nova/instances/{server.id}/disk"
    before = sharing.tick(server.id)
    inode = sharing.on("c01", disk)

    sharing.cloud.compute.live_migrate_server(server.id, host="c02", block_migration="auto")
    until(lambda: sharing.server(server.id).hypervisor_hostname == "c02", within_s=180)
    after = sharing.tick(server.id, lambda tick: tick.up_s > before.up_s)

    assert sharing.on("c02", disk) == inode
    assert (after.boot, after.boots) == (before.boot, before.boots)
    assert sharing.domains("c02")[server.instance_name] == "running"
    assert sharing.domains("c01") == {}


def test_a_purged_lab_leaves_nothing_on_the_host_or_the_disk(sharing: RealLab) -> None:
    spec = sharing.spec

    sharing.run("down", "--purge")

    assert left_behind(spec) == []
    assert not spec.folder.exists()
