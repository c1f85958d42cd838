"""Faults by which witnesses disagree: each is named by its class, and gone once it is mended.

What is left of a server or a node that is gone is removed by a plan, and asked of placement itself.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lab.drains import Drains
from lab.reconciled import broken, look, place_of
from real_lab import RealLab, until
from stackward.lab import proof

# Each fault; its class has its name.
FAULTS = (
    "allocation-orphan",
    "allocation-double",
    "domain-elsewhere",
    "domain-of-deleted",
    "attachment-one-sided",
    "volume-stuck",
)


@pytest.fixture
def server(lab: RealLab, drains: Drains) -> Iterator[str]:
    """Given a server that runs."""
    made = drains.boot("reconcile-soak", lab.spec.compute_nodes[0].name)
    proof.wait_active(lab.cloud, made)
    yield made
    drains.remove(made)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_disagreement_is_named_by_its_class_until_it_is_mended(
    lab: RealLab, drains: Drains, server: str, fault: str
) -> None:
    before = look(drains).classes
    with broken(lab, [(fault, place_of(fault, lab.spec.compute_nodes[1].name, server))]):
        found = look(drains).classes

    assert found == sorted([*before, fault])
    assert look(drains).classes == before


@pytest.fixture
def ending(lab: RealLab) -> Iterator[str]:
    """Given that the login may end guests on the second node, as the plan's remedy says."""
    node = lab.spec.compute_nodes[1].name
    lab.run("ssh", node, "gpasswd", "-a", "ops", "libvirt")
    yield node
    lab.run("ssh", node, "gpasswd", "-d", "ops", "libvirt")


def test_a_guest_that_was_left_behind_is_ended_and_the_other_runs_on(
    lab: RealLab, drains: Drains, server: str, ending: str
) -> None:
    drains.wait_for_guests([server])
    lab.run("break", "domain-elsewhere", server)
    repair = ("cloud", "reconcile", "--repair", "domain-elsewhere", "--yes")
    unnamed = drains.call(*repair)
    own = drains.call(*repair, "--kill-domain", f"{lab.spec.compute_nodes[0].name}/{server}")
    named = drains.call(*repair, "--kill-domain", f"{ending}/{server}")
    lab.run("mend", "domain-elsewhere", server)

    assert (unnamed.returncode, own.returncode) == (3, 3), own.stderr
    assert named.returncode == 0, named.stderr
    assert "domain-elsewhere" not in look(drains).classes
    assert lab.server(server).status == "ACTIVE"


def test_a_guest_that_nobody_is_known_to_have_deleted_is_not_ended(
    lab: RealLab, drains: Drains, ending: str
) -> None:
    lab.run("break", "domain-of-deleted", ending)
    try:
        listed = orphans(drains)
        [left] = [one for one in listed if one["kind"] == "guest"]
        refused = drains.call(
            "cloud", "reconcile", "--repair", "domain-of-deleted", "--yes",
            "--kill-domain", f"{ending}/{left['id']}",
        )  # fmt: skip
    finally:
        lab.run("mend", "domain-of-deleted", ending)

    assert (refused.returncode, "reconcile/not-deleted" in refused.stderr) == (3, True)
    assert left["hosts"] == [ending]


REMOVE = ("cloud", "reconcile", "--orphans", "--yes", "--remove")
PLACEMENT = {"OpenStack-API-Version": "placement 1.28"}


def held_by(lab: RealLab, consumer: str) -> dict[str, Any]:
    """Return what placement itself says of a consumer."""
    answer = lab.cloud.placement.get(f"/allocations/{consumer}", headers=PLACEMENT)
    assert answer.ok, answer.text
    return dict(answer.json())


@pytest.fixture
def deleted(lab: RealLab, drains: Drains) -> Iterator[str]:
    """Given a server that was deleted, and that placement still counts.

    Its nova-compute is stopped: one that lives deletes what a deleted server holds of its node,
    each minute (nova 31.0 compute/resource_tracker.py, _remove_deleted_instances_allocations).
    """
    node = lab.spec.compute_nodes[0].name
    made = drains.boot("orphan-soak", node)
    proof.wait_active(lab.cloud, made)
    held = held_by(lab, made)
    drains.remove(made)
    until(lambda: not held_by(lab, made)["allocations"])
    lab.on(node, "systemctl stop nova-compute")
    try:
        again = {**held, "consumer_generation": None}
        answer = lab.cloud.placement.put(f"/allocations/{made}", json=again, headers=PLACEMENT)
        assert answer.ok, answer.text
        yield made
    finally:
        if held_by(lab, made)["allocations"]:
            lab.cloud.placement.delete(f"/allocations/{made}")
        lab.on(node, "systemctl start nova-compute")
        until(lambda: lab.compute_state(node) == "up", within_s=120)


def test_what_a_deleted_server_still_holds_is_removed_by_a_plan(
    lab: RealLab, drains: Drains, deleted: str
) -> None:
    [left] = [one for one in orphans(drains) if one["id"] == deleted]
    early = drains.call(*REMOVE, f"allocation/{deleted}")
    before = held_by(lab, deleted)["allocations"]
    removed = drains.call(*REMOVE, f"allocation/{deleted}", "--min-age", "0")

    assert (left["kind"], bool(left["since"]), bool(left["owner"])) == ("allocation", True, True)
    assert (early.returncode, "reconcile/too-young" in early.stderr, bool(before)) == (
        3,
        True,
        True,
    )
    assert removed.returncode == 0, removed.stderr
    assert held_by(lab, deleted)["allocations"] == {}
    assert deleted not in {one["id"] for one in orphans(drains)}


GONE = "gone-1"
# Its address is of no node: else it would be taken for the one on which it runs.
START = f"""
mkdir -p /etc/nova/fake /var/lib/nova/{GONE}/instances
cat > /etc/nova/fake/{GONE}.conf <<'CONF'
[DEFAULT]
host = {GONE}
my_ip = 192.0.2.9
compute_driver = fake.FakeLiveMigrateDriver
state_path = /var/lib/nova/{GONE}
instances_path = /var/lib/nova/{GONE}/instances
CONF
chown -R nova: /var/lib/nova/{GONE}
systemd-run --unit={GONE} --uid=nova /usr/bin/nova-compute --config-file=/etc/nova/nova.conf \\
    --config-file=/etc/nova/fake/{GONE}.conf --log-file=/var/lib/nova/{GONE}/log
"""
STOP = f"systemctl kill --signal=KILL {GONE} || true; systemctl reset-failed {GONE} || true"


def services_of(lab: RealLab, host: str) -> list[Any]:
    """Return what Nova lists of a host."""
    return [one for one in lab.cloud.compute.services() if one.host == host]


def providers_of(lab: RealLab, host: str) -> list[str]:
    """Return what placement has of a host."""
    return [str(one.id) for one in lab.cloud.placement.resource_providers(name=host)]


@pytest.fixture
def gone(lab: RealLab) -> Iterator[str]:
    """Given a nova-compute without guests that has reported, and does not exist any more.

    Its driver is Nova's own fake one, and no inventory names its host.
    """
    node = lab.spec.compute_nodes[1].name
    try:
        lab.on(node, START)
        # Its age is known only once it has reported: its row has no time of an update before.
        until(lambda: [one for one in services_of(lab, GONE) if one.updated_at], within_s=120)
        until(lambda: providers_of(lab, GONE), within_s=120)
        lab.on("ctl", "nova-manage cell_v2 discover_hosts")
        lab.on(node, STOP)
        until(lambda: [one.state for one in services_of(lab, GONE)] == ["down"], within_s=120)
        yield GONE
    finally:
        lab.on(node, f"{STOP}; rm -rf /etc/nova/fake /var/lib/nova/{GONE}")
        for one in services_of(lab, GONE):
            lab.cloud.compute.delete(f"/os-services/{one.id}", microversion="2.53")


def test_what_a_node_that_is_gone_has_left_is_removed_by_a_plan_and_placement_has_it_no_more(
    lab: RealLab, drains: Drains, gone: str
) -> None:
    [left] = [one for one in orphans(drains) if one["hosts"] == [gone]]
    early = drains.call(*REMOVE, "service")
    before = providers_of(lab, gone)
    removed = drains.call(*REMOVE, f"service/{left['id']}", "--min-age", "0")

    assert (left["kind"], left["name"], bool(before)) == ("service", "nova-compute", True)
    assert (early.returncode, "reconcile/too-young" in early.stderr) == (3, True)
    assert removed.returncode == 0, removed.stderr
    assert (services_of(lab, gone), providers_of(lab, gone)) == ([], [])
    assert gone not in {host for one in orphans(drains) for host in one["hosts"]}


def orphans(drains: Drains) -> list[dict[str, Any]]:
    """Return what `cloud reconcile --orphans` lists."""
    told = json.loads(drains.call("cloud", "reconcile", "--orphans", "-f", "json").stdout)
    return list(told["orphans"])
