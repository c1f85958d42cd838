"""What is advised where Nova and Cinder disagree on a volume is carried out, and they agree.

Given a server with a volume on real NFS storage; when its record is what a lost call leaves behind,
and a plan says what to do; then those commands, as printed, let the next plan move the server.
"""

import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from lab.drains import Drains
from lab.remedies import blockers, carry_out, printed, run
from real_lab import until
from stackward.lab.load import attach_volume, wait_status, wait_volume

SET_STATUS = "mariadb cinder -e \"UPDATE volumes SET status='{status}' WHERE id='{volume}'\""
# As long after the call: what Cinder has just written may still go on.
AGED = """mariadb cinder -e "
UPDATE volumes SET updated_at=UTC_TIMESTAMP() - INTERVAL 1 HOUR WHERE id='{volume}'"
"""
# As after a purge of Cinder's database, or a restore of an older backup of it.
FORGET = """mariadb cinder -e "
UPDATE volume_attachment SET deleted=1 WHERE volume_id='{volume}';
UPDATE volumes SET deleted=1, status='deleted' WHERE id='{volume}'"
"""
REMEMBER = """mariadb cinder -e "
UPDATE volume_attachment SET deleted=0 WHERE volume_id='{volume}';
UPDATE volumes SET deleted=0, status='in-use' WHERE id='{volume}'"
"""
# As after the restore of an older backup; its API leaves that to Nova (CVE-2023-2088).
DROP_ATTACHMENT = """mariadb cinder -e "
UPDATE volume_attachment SET deleted=1, attach_status='detached' WHERE volume_id='{volume}';
UPDATE volumes SET status='available', attach_status='detached' WHERE id='{volume}'"
"""
RESET = "openstack volume set --state in-use"
REMOVE = "openstack server remove volume"


@pytest.fixture(scope="module")
def node(nodes: tuple[str, str, str]) -> str:
    """Given a node that is to be drained."""
    return nodes[1]


@pytest.fixture
def server(drains: Drains, node: str) -> str:
    """Given a server on it."""
    drains.remove_left_over("volumes-")
    made = drains.boot("volumes-1", node)
    drains.wait_for_guests([made])
    return made


@pytest.fixture
def volume(drains: Drains, server: str) -> Iterator[str]:
    """Given its volume, which its guest sees; both are removed."""
    cloud = drains.lab.cloud
    made = attach_volume(cloud, cloud.compute.get_server(server))
    yield str(made.id)
    drains.remove(server)
    cloud.block_storage.reset_volume_status(made, status="available")
    cloud.block_storage.delete_volume(made)


def attached_to(cloud: Any, server: str) -> list[Any]:  # noqa: ANN401  # the SDK's own
    """Return the volumes that Nova calls attached."""
    return list(cloud.compute.volume_attachments(server))


def advice(drains: Drains, node: str, rule: str) -> str:
    """Return what to do about the one thing that stands against a drain of the node."""
    [found] = blockers(drains, node)
    assert found["worry"] == rule, found
    return str(found["remedy"])


def guest_has(drains: Drains, node: str, remedy: str, volume: str) -> bool:
    """Look as the remedy says whether the guest has the volume."""
    look = printed(remedy, "virsh dumpxml")
    return f"<serial>{volume}</serial>" in drains.lab.on(node, look)


def detach_behind_novas_back(drains: Drains, node: str, server: str) -> None:
    """Take the second disk from the guest, as where a detach was lost after libvirt's part."""
    drains.lab.on(node, f"virsh detach-disk {server} vdb --live --persistent")


STATES = [
    pytest.param(("backing-up", "volume-busy"), id="a backup whose process died"),
    pytest.param(("error_detaching", "volume-in-error"), id="a detach that failed"),
    pytest.param(("error", "volume-in-error"), id="in error"),
    pytest.param(("error_restoring", "volume-in-error"), id="a restore that failed"),
    pytest.param(("available", "volume-apart"), id="called available by hand"),
]


@pytest.mark.parametrize("state", STATES)
def test_a_volume_that_its_guest_has_is_in_use_again(
    drains: Drains, node: str, volume: str, state: tuple[str, str]
) -> None:
    status, rule = state
    drains.lab.on("ctl", SET_STATUS.format(status=status, volume=volume))
    remedy = advice(drains, node, rule)

    if "virsh dumpxml" in remedy:
        assert guest_has(drains, node, remedy, volume)
    carry_out(drains.lab, remedy, RESET)

    assert blockers(drains, node) == []


def test_a_detach_that_was_lost_is_taken_back(drains: Drains, node: str, volume: str) -> None:
    drains.lab.on("ctl", SET_STATUS.format(status="detaching", volume=volume))
    drains.lab.on("ctl", AGED.format(volume=volume))
    remedy = advice(drains, node, "volume-busy")

    carry_out(drains.lab, remedy, "stackward volume reattach", also=["--yes"])

    assert blockers(drains, node) == []


def test_a_volume_that_its_guest_has_lost_is_detached(
    drains: Drains, node: str, server: str, volume: str
) -> None:
    detach_behind_novas_back(drains, node, server)
    drains.lab.on("ctl", SET_STATUS.format(status="error_detaching", volume=volume))
    remedy = advice(drains, node, "volume-in-error")

    assert not guest_has(drains, node, remedy, volume)
    carry_out(drains.lab, remedy, RESET)
    carry_out(drains.lab, remedy, REMOVE)

    wait_volume(drains.lab.cloud, volume, "available")
    assert blockers(drains, node) == []


def make_anew(drains: Drains, node: str, server: str, remedy: str) -> None:
    """Stop the server and make the attachment anew, as the remedy says."""
    drains.stop(server)
    get_connector = shlex.split(printed(remedy, "nova-manage volume_attachment get"))
    connector = run(drains.lab, get_connector, on=node)
    drains.lab.on("ctl", f"cat > /root/CONNECTOR <<'END'\n{connector}\nEND")
    carry_out(drains.lab, remedy, "nova-manage volume_attachment refresh")


def test_a_stale_attachment_is_made_anew(
    drains: Drains, node: str, server: str, volume: str
) -> None:
    drains.lab.on("ctl", DROP_ATTACHMENT.format(volume=volume))
    remedy = advice(drains, node, "volume-apart")
    assert guest_has(drains, node, remedy, volume)

    make_anew(drains, node, server, remedy)
    drains.lab.cloud.compute.start_server(server)
    wait_status(drains.lab.cloud, server, "ACTIVE")

    wait_volume(drains.lab.cloud, volume, "in-use")
    assert blockers(drains, node) == []


def test_a_stale_attachment_that_its_guest_has_lost_is_removed(
    drains: Drains, node: str, server: str, volume: str
) -> None:
    detach_behind_novas_back(drains, node, server)
    drains.lab.on("ctl", DROP_ATTACHMENT.format(volume=volume))
    remedy = advice(drains, node, "volume-apart")
    assert not guest_has(drains, node, remedy, volume)

    make_anew(drains, node, server, remedy)
    carry_out(drains.lab, remedy, REMOVE)

    wait_volume(drains.lab.cloud, volume, "available")
    until(lambda: attached_to(drains.lab.cloud, server) == [])
    assert blockers(drains, node) == []


def test_a_volume_that_cinder_has_forgotten_is_not_removed_by_nova_but_found_again(
    drains: Drains, node: str, volume: str
) -> None:
    drains.lab.on("ctl", FORGET.format(volume=volume))
    remedy = advice(drains, node, "volume-gone")
    drains.lab.on("ctl", REMEMBER.format(volume=volume))

    assert "has to come back from a backup of its database" in remedy
    assert blockers(drains, node) == []
