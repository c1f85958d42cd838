"""What a blocker of a drain advises is carried out, and the next plan has that blocker no more.

Given a server, or a node, in a state that was made for real; when a plan says what to do; then
those commands, as printed, are run, and a look proves the state.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.drains import Drains
from lab.remedies import advice, carry_out, is_free, printed, return_advice, run
from real_lab import RealLab, until
from stackward.lab.load import wait_status

# A machine without a system: it obeys no ACPI.
STRAY = """virsh create /dev/stdin <<'END'
<domain type='qemu'><name>stray</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>
<os><type arch='x86_64'>hvm</type></os></domain>
END
"""
SUSPENDED = "virsh suspend {server}"
SAYS_RUNNING = "mariadb nova -e \"UPDATE instances SET power_state=1 WHERE uuid='{server}'\""
OF_NO_KNOWN_KIND = (
    "mariadb neutron -e \"UPDATE ml2_port_bindings SET vnic_type='baremetal'"
    " WHERE port_id='{port}'\""
)


@pytest.fixture(scope="module")
def node(nodes: tuple[str, str, str]) -> str:
    """Given a node that is to be drained."""
    return nodes[1]


@pytest.fixture(scope="module")
def server(lab: RealLab, node: str) -> Iterator[str]:
    """Given a server that runs on it."""
    drains = Drains(lab, Path())
    drains.remove_left_over("remedied-")
    made = drains.boot("remedied-1", node)
    drains.wait_for_guests([made])
    yield made
    drains.remove(made)


def test_a_port_that_is_bound_elsewhere_is_bound_anew(
    drains: Drains, node: str, server: str, nodes: tuple[str, str, str]
) -> None:
    [port] = drains.lab.cloud.network.ports(device_id=server)
    run(drains.lab, ["openstack", "port", "set", "--host", nodes[2], port.id])
    remedy = advice(drains, node, "port-elsewhere")

    assert "running" in run(drains.lab, printed(remedy, "virsh domstate").split(), on=node)
    carry_out(drains.lab, remedy, "openstack port set --host")

    until(lambda: is_free(drains, node))
    assert drains.place(server).bound_to == (node,)


def test_a_guest_that_is_gone_is_made_anew(drains: Drains, node: str, server: str) -> None:
    drains.lab.run("break", "domain-undefined", "remedied-1")
    remedy = advice(drains, node, "no-domain")

    carry_out(drains.lab, remedy, "openstack server reboot --hard")

    wait_status(drains.lab.cloud, server, "ACTIVE")
    until(lambda: drains.place(server).domain == "running")
    drains.lab.run("mend", "domain-undefined", "remedied-1")
    assert is_free(drains, node)


def test_a_guest_that_was_paused_behind_novas_back_runs_again(
    drains: Drains, node: str, server: str
) -> None:
    drains.lab.on(node, SUSPENDED.format(server=server))
    remedy = advice(drains, node, "states-disagree")

    assert "paused" in run(drains.lab, printed(remedy, "virsh domstate").split(), on=node)
    carry_out(drains.lab, remedy, "openstack server reboot --hard")

    wait_status(drains.lab.cloud, server, "ACTIVE")
    until(lambda: drains.place(server).domain == "running" and is_free(drains, node))


def test_a_guest_of_which_nova_says_otherwise_runs_again(
    drains: Drains, node: str, server: str
) -> None:
    drains.lab.on(node, SUSPENDED.format(server=server))
    until(lambda: drains.place(server).power_state != 1)
    drains.lab.on("ctl", SAYS_RUNNING.format(server=server))
    remedy = advice(drains, node, "domain-disagrees")

    assert "paused" in run(drains.lab, printed(remedy, "virsh domstate").split(), on=node)
    carry_out(drains.lab, remedy, "openstack server reboot --hard")

    wait_status(drains.lab.cloud, server, "ACTIVE")
    until(lambda: drains.place(server).domain == "running" and is_free(drains, node))


def test_a_port_of_no_known_kind_is_detached(drains: Drains, node: str, server: str) -> None:
    network = drains.lab.cloud.network
    made = network.create_port(network_id=network.find_network("lab-net").id, name="remedied")
    run(drains.lab, ["openstack", "server", "add", "port", server, made.id])
    until(lambda: network.get_port(made.id).status == "ACTIVE")
    drains.lab.on("ctl", OF_NO_KNOWN_KIND.format(port=made.id))
    remedy = advice(drains, node, "unknown-port")

    carry_out(drains.lab, remedy, "openstack server remove port")

    until(lambda: is_free(drains, node))
    network.delete_port(made.id, ignore_missing=True)
    assert drains.place(server).bound_to == (node,)


def test_a_guest_that_nova_does_not_know_is_shut_down_or_ended(
    drains: Drains, node: str, server: str
) -> None:
    drains.lab.on(node, STRAY)
    remedy = advice(drains, node, "stray-domain")

    assert server not in remedy
    carry_out(drains.lab, remedy, "virsh shutdown", on=node)
    carry_out(drains.lab, remedy, "virsh destroy", on=node)

    assert is_free(drains, node)
    assert drains.place(server).domain == "running"


# --- the node itself ---


@pytest.fixture
def empty(nodes: tuple[str, str, str]) -> str:
    """Given a node without servers."""
    return nodes[2]


def compute_service(drains: Drains, node: str, *words: str) -> None:
    """Have somebody change the node's service by hand."""
    run(drains.lab, ["openstack", "compute", "service", "set", *words, node, "nova-compute"])


def test_a_node_that_somebody_has_claimed_is_enabled_once_that_is_settled(
    drains: Drains, empty: str
) -> None:
    compute_service(drains, empty, "--disable", "--disable-reason", "new memory, ask Eve")
    remedy = advice(drains, empty, "claimed")
    back = return_advice(drains, empty, "foreign-claim")

    assert printed(back, "openstack") == printed(remedy, "openstack")
    carry_out(drains.lab, remedy, "openstack compute service set --enable")

    until(lambda: is_free(drains, empty))
    until(lambda: drains.is_in_service(empty))


def test_a_node_that_was_forced_down_is_up_again(drains: Drains, empty: str) -> None:
    compute_service(drains, empty, "--down")
    remedy = advice(drains, empty, "forced-down")

    carry_out(drains.lab, remedy, "openstack compute service set --up")

    until(lambda: is_free(drains, empty))
