"""What a blocker advises of a server in an odd state is carried out, and the node is free of it.

Given a server that Nova really has in that state; when a plan says what to do; then its looks show
what they should, its commands, as printed, are run, and the next plan has that blocker no more.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import pytest

from lab.drains import INSTANCES, Drains, note, typed
from lab.remedies import advice, carry_out, is_free, printed, run
from real_lab import until
from stackward.errors import StackwardError
from stackward.lab.load import wait_status

CONF = "/etc/nova/nova.conf"


@pytest.fixture
def node(nodes: tuple[str, str, str]) -> str:
    """Given a node that is to be drained."""
    return nodes[1]


@pytest.fixture
def server(drains: Drains, node: str) -> Iterator[str]:
    """Given a server that runs on it; it is removed, whatever has become of it."""
    drains.remove_left_over("state-")
    made = drains.boot("state-1", node)
    drains.wait_for_guests([made])
    yield made
    if drains.lab.cloud.compute.find_server(made):
        drains.lab.cloud.compute.delete_server(made, force=True)
        drains.remove(made)


def answers(drains: Drains) -> bool:
    """Say whether Nova answers."""
    with suppress(StackwardError):
        return bool(list(drains.lab.cloud.compute.services()))
    return False


@contextmanager
def configured(drains: Drains, place: str, line: str, unit: str) -> Iterator[None]:
    """Have a unit of Nova's run with another line of its configuration."""

    def restart(change: str) -> None:
        last = None if place == "ctl" else drains.service(place).updated_at
        drains.lab.on(place, f"sed -i '{change}' {CONF} && systemctl restart {unit}")
        until(lambda: drains.reports_anew(place, last) if last else answers(drains))

    restart(f"/^\\[DEFAULT\\]/a {line}")
    try:
        yield
    finally:
        restart(f"/^{line}$/d")


# --- what its owner asked for and has not ended ---


@pytest.mark.parametrize("end", ["nova shelve-offload", "openstack server unshelve"])
def test_a_shelved_server_is_offloaded_or_brought_back(
    drains: Drains, node: str, server: str, end: str
) -> None:
    """The command `nova` is not installed here: its action is asked for by the SDK."""
    cloud = drains.lab.cloud
    with configured(drains, node, "shelved_offload_time = -1", "nova-compute"):
        cloud.compute.shelve_server(server)
        wait_status(cloud, server, "SHELVED")
        remedy = advice(drains, node, "shelved")

        assert "active" in carry_out(drains.lab, remedy, "openstack image list")
        if end.startswith("nova"):
            assert printed(remedy, end) == f"nova shelve-offload {server}"
            cloud.compute.shelve_offload_server(server)
            wait_status(cloud, server, "SHELVED_OFFLOADED")
            assert drains.directories(node) == []
        else:
            carry_out(drains.lab, remedy, end)

        until(lambda: is_free(drains, node))
    if end.startswith("nova"):
        cloud.compute.unshelve_server(server)
    wait_status(cloud, server, "ACTIVE")
    until(lambda: drains.place(server).domain == "running")


@pytest.mark.parametrize("end", ["openstack server restore", "openstack server delete --force"])
def test_a_soft_deleted_server_is_restored_or_removed_as_its_owner_says(
    drains: Drains, node: str, server: str, end: str
) -> None:
    cloud = drains.lab.cloud
    with configured(drains, "ctl", "reclaim_instance_interval = 36000", "nova-api"):
        cloud.compute.delete_server(server)
        remedy = advice(drains, node, "soft-deleted")

        carry_out(drains.lab, remedy, end)

        until(lambda: is_free(drains, node))
        if "restore" in end:
            until(lambda: drains.place(server).domain == "running")
        else:
            until(lambda: cloud.compute.find_server(server) is None)
            assert drains.directories(node) == []


@dataclass(frozen=True, kw_only=True)
class Resized:
    """A resize that is ended: asked for on one of its two nodes, in one of two ways."""

    rule: str
    end: str
    is_at_source: bool
    comes_home: bool


RESIZES = [
    Resized(
        rule=rule,
        end=f"openstack server resize {word}",
        is_at_source=rule == "awaits-confirmation",
        comes_home=word == "revert",
    )
    for rule in ("verify-resize", "awaits-confirmation")
    for word in ("confirm", "revert")
]


@pytest.mark.parametrize("case", RESIZES, ids=lambda case: f"{case.rule} {case.end}")
def test_a_resize_is_confirmed_or_reverted_as_its_owner_says(
    drains: Drains, node: str, server: str, case: Resized
) -> None:
    compute = drains.lab.cloud.compute
    larger = compute.find_flavor("larger") or compute.create_flavor(
        name="larger", ram=compute.find_flavor("tiny").ram + 16, vcpus=1, disk=1
    )
    compute.resize_server(server, larger.id)
    wait_status(drains.lab.cloud, server, "VERIFY_RESIZE")
    target = drains.place(server).node
    drained = node if case.is_at_source else target
    remedy = advice(drains, drained, case.rule)

    carry_out(drains.lab, remedy, case.end)

    wait_status(drains.lab.cloud, server, "ACTIVE")
    until(lambda: is_free(drains, node) and is_free(drains, target))
    place = drains.place(server)
    assert place.node == (node if case.comes_home else target)
    assert place.domain == "running"
    assert place.bound_to == (place.node,)
    left = target if case.comes_home else node
    until(lambda: drains.lab.on(left, f"ls {INSTANCES} | grep {server} || true") == "")


# --- what a move that went wrong has left ---

# As libvirt leaves it where it has ended a migration and Nova has not: the guest runs on, there.
AWAY = """
virsh dumpxml --security-info {server} > /root/{server}.xml
virsh undefine {server} && virsh destroy {server}
cp /root/{server}.xml {instances}/{server}/libvirt.xml
"""
THERE = """
su -s /bin/sh nova -c "scp -rqo StrictHostKeyChecking=no {source}:{instances}/{server} {instances}/"
virsh define {instances}/{server}/libvirt.xml && virsh start {server}
"""
BRING_BACK = """
su -s /bin/sh nova -c "scp -qo StrictHostKeyChecking=no {away}:{instances}/{server}/disk /tmp/"
cp /tmp/disk {instances}/{server}/disk && rm /tmp/disk
"""


def live_migrate(drains: Drains, server: str, target: str) -> None:
    """Have Nova move a server, and wait until it is there."""
    words = ["openstack", "--os-compute-api-version", "2.30", "server", "migrate"]
    run(drains.lab, [*words, "--live-migration", "--host", target, server])
    until(lambda: drains.place(server).node == target)
    wait_status(drains.lab.cloud, server, "ACTIVE")


@pytest.mark.parametrize("end", ["virsh shutdown", "virsh destroy"])
def test_a_guest_that_libvirt_has_moved_and_nova_has_not_comes_home_with_its_data(
    drains: Drains, node: str, server: str, nodes: tuple[str, str, str], end: str
) -> None:
    home, lab = nodes[2], drains.lab
    live_migrate(drains, server, home)
    names = {"server": server, "instances": INSTANCES, "source": home, "away": node}
    lab.on(home, AWAY.format(**names))
    lab.on(node, THERE.format(**names))
    lab.on(node, typed(server, server, "abroad"))
    remedy = advice(drains, home, "guest-elsewhere")

    carry_out(lab, remedy, end, on=node)
    until(lambda: "shut off" in lab.on(node, f"virsh domstate {server}"))
    carry_out(lab, remedy, "virsh undefine", on=node)
    lab.on(home, BRING_BACK.format(**names))
    left = printed(remedy, INSTANCES)
    lab.on(node, f"mv {left} {left}.aside")
    carry_out(lab, remedy, "openstack server reboot --hard")

    wait_status(lab.cloud, server, "ACTIVE")
    until(lambda: drains.place(server).domain == "running" and is_free(drains, home))
    assert note(lab.tick(server)) == "abroad"
    live_migrate(drains, server, node)  # nothing is left there that would refuse it
    lab.on(node, f"rm -r {left}.aside")


# A move that fails before it begins leaves a record, and its server where it was. The target cleans
# up behind it, after the server is ACTIVE again, and writes that last.
REFUSE = f"mkdir {INSTANCES}/{{server}}"
FAILED = {("live-migration", "error"), ("live-migration", "failed")}
CLEANED = "mariadb nova -Ne \"SELECT cleaned FROM instances WHERE uuid='{server}'\""
CLOSED_TOO_EARLY = """mariadb nova -e "
UPDATE migrations SET status='completed', created_at=UTC_TIMESTAMP() - INTERVAL 10 MINUTE,
updated_at=UTC_TIMESTAMP() - INTERVAL 9 MINUTE WHERE instance_uuid='{server}';
UPDATE instances SET task_state='migrating', updated_at=UTC_TIMESTAMP() - INTERVAL 9 MINUTE
WHERE uuid='{server}'"
"""


def test_a_server_that_stayed_although_its_move_is_completed_is_let_go_and_moves(
    drains: Drains, node: str, server: str, nodes: tuple[str, str, str]
) -> None:
    lab, target = drains.lab, nodes[2]
    lab.on(target, REFUSE.format(server=server))
    lab.cloud.compute.live_migrate_server(server, host=target, block_migration="auto")
    until(lambda: set(drains.migrations(server).values()) & FAILED)
    wait_status(lab.cloud, server, "ACTIVE")
    until(lambda: lab.on("ctl", CLEANED.format(server=server)).strip() == "1")
    lab.on(target, f"test ! -e {INSTANCES}/{server}")
    lab.on("ctl", CLOSED_TOO_EARLY.format(server=server))
    remedy = advice(drains, node, "stuck")

    assert f"nothing has moved: its guest is on `{node}`" in remedy
    assert "running" in lab.on(node, f"virsh domstate {server}")
    carry_out(lab, remedy, "openstack server set --auto-approve --state active")

    until(lambda: is_free(drains, node))
    ended = drains.drain(node)
    assert ended.code == 0, ended.said
    assert drains.place(server).domain == "running"
