"""A check of a real cloud with one fault: it is found by name, and nothing beside it.

Given a lab; when a fault is put into it; then one look names the component that was broken first,
and nothing beside it.
"""

from collections.abc import Iterator

import pytest

from lab.looks import check, findings, is_well
from real_lab import RealLab, until


@pytest.fixture
def well(lab: RealLab) -> Iterator[RealLab]:
    """Given a lab that is well, before and after."""
    until(lambda: is_well(lab), within_s=240)
    yield lab
    until(lambda: is_well(lab), within_s=240)


# What each fault is: its target, the component that must come first, and the rules that may be
# said beside it. Faults of servers touch no service.
FAULTS = [
    pytest.param(
        "node-power-loss",
        "c01",
        "machine",
        {"node-unreachable"},
        id="power",
    ),
    pytest.param(
        "node-network-loss",
        "c01",
        "machine",
        {"node-unreachable"},
        id="network",
    ),
    pytest.param(
        "nova-compute-killed",
        "c01",
        "nova-compute",
        {"unit-down", "heartbeat-lost"},
        id="killed",
    ),
    pytest.param(
        "nova-compute-deaf",
        "c01",
        "nova-compute",
        {"own-queue-unbound", "rpc-deaf"},
        id="deaf",
    ),
    pytest.param("rabbitmq-stopped", "ctl", "rabbitmq", {"unit-down"}, id="RabbitMQ"),
    pytest.param(
        "mariadb-stopped", "ctl", "mariadb", {"unit-down"}, id="MariaDB", marks=pytest.mark.soak
    ),
    pytest.param(
        "libvirtd-stopped",
        "c01",
        "libvirtd",
        {"unit-down", "libvirt-silent"},
        id="libvirt",
    ),
    pytest.param(
        "wrong-keystone-password",
        "ctl",
        "nova-api",
        {"list-failed"},
        id="password",
    ),
    pytest.param("disk-full", "c01", "machine", {"disk-full"}, id="disk"),
]


@pytest.mark.parametrize(("fault", "target", "component", "rules"), FAULTS)
def test_a_fault_is_found_by_name_and_nothing_beside_it(
    well: RealLab, fault: str, target: str, component: str, rules: set[str]
) -> None:
    well.run("break", fault, target)
    try:
        code, told = check(well)
    finally:
        well.run("mend", fault, target)

    found = findings(told)
    assert code in {6, 7}
    assert told["components"][0]["name"] == component
    assert {one["rule"] for one in found} <= rules
    assert {one["component"] for one in found} == {component}
    assert {one["node"] for one in found} <= {target, None}


@pytest.mark.parametrize("component", ["nova-conductor", "cinder-volume", "neutron-rpc-server"])
def test_a_service_that_hears_nothing_is_found_while_it_still_reports(
    well: RealLab, component: str
) -> None:
    well.on("ctl", f"systemctl kill -s STOP {component}")
    try:
        code, told = check(well)
    finally:
        well.on("ctl", f"systemctl kill -s CONT {component}")

    [found] = findings(told)
    assert code == 7
    assert (found["rule"], found["component"], found["node"]) == ("rpc-deaf", component, "ctl")
