"""Faults by which a server does not boot, each on a real server: the first cause is the right one.

Given a server that runs; when a fault is put into it, or into its node, and it is started again
where the fault does not do that; then its triage names the fault first. Mended, it runs.
"""

from collections.abc import Iterator

import pytest

from lab.drains import Drains
from lab.triaged import triaged
from real_lab import RealLab, until
from stackward.lab import proof

# Each fault, what it is put into, what is tried then, and the signature that comes first.
FAULTS = [
    pytest.param("disk-corrupt", "server", "", "disk-corrupt", id="disk"),
    pytest.param("binding-lost", "server", "", "binding-failed", id="binding"),
    pytest.param("guest-panic", "server", "", "guest-kernel-panic", id="panic"),
    pytest.param("guest-no-bootloader", "server", "", "guest-no-boot-disk", id="boot loader"),
    pytest.param("base-image-deleted", "server", "", "base-missing", id="base"),
    pytest.param("domain-undefined", "server", "", "domain-undefined", id="domain"),
    pytest.param("disk-permission", "server", "HARD", "disk-permission", id="rights"),
    pytest.param("libvirtd-stopped", "node", "", "libvirt-silent", id="libvirt"),
    pytest.param("nova-compute-killed", "node", "", "compute-down", id="nova-compute"),
    pytest.param("node-power-loss", "node", "", "compute-down", id="power"),
    pytest.param("disk-full", "node", "", "no-space", id="space"),
]


@pytest.fixture
def server(lab: RealLab, drains: Drains) -> Iterator[str]:
    """Given a server that runs."""
    made = drains.boot("triage-soak", lab.spec.compute_nodes[0].name)
    proof.wait_active(lab.cloud, made)
    drains.wait_for_guests([made])
    yield made
    drains.remove(made)


@pytest.mark.parametrize(("fault", "into", "tried", "name"), FAULTS)
def test_the_first_cause_is_the_right_one(  # noqa: PLR0913, PLR0917  # a row of the table
    lab: RealLab,
    drains: Drains,
    server: str,
    fault: str,
    into: str,
    tried: str,
    name: str,
) -> None:
    target = str(lab.server(server).hypervisor_hostname) if into == "node" else server
    lab.run("break", fault, target)
    try:
        if tried:
            lab.cloud.compute.reboot_server(server, tried)
            until(lambda: lab.server(server).task_state is None)
        found = triaged(drains, server)
    finally:
        lab.run("mend", fault, target)

    assert found.first[0][0] == name, found.servers[0]["causes"]


def test_a_server_that_runs_has_no_cause(drains: Drains, server: str) -> None:
    found = triaged(drains, server)

    assert (found.first, found.servers[0]["causes"]) == ([(None, None, "yes")], [])


def test_two_servers_are_told_by_themselves_with_where_it_was_seen(
    lab: RealLab, drains: Drains, server: str
) -> None:
    other = drains.boot("triage-other", lab.spec.compute_nodes[1].name)
    drains.wait_for_guests([other])
    lab.run("break", "disk-corrupt", server)
    lab.run("break", "guest-panic", other)
    try:
        found = triaged(drains, server, other)
    finally:
        lab.run("mend", "disk-corrupt", server)
        lab.run("mend", "guest-panic", other)
    drains.remove(other)

    assert found.code == 7
    assert found.first == [
        ("disk-corrupt", "certain", "no"),
        ("guest-kernel-panic", "certain", "no"),
    ]
    disk, guest = found.evidence
    assert {"disk", "log", "domain-log"} <= {one["in"] for one in disk}
    assert {one["in"] for one in guest} == {"console"}
    assert all(one["file"].endswith("/console.log") and one["line"] for one in guest)
