"""Each remedy of a finding that restarts, resets or removes something mends what was found.

Given a lab; when a fault is put into it for real and a look has found it; then the command that the
remedy prints is run, and a look proves that the cloud is well again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from lab.remedies import carry_out
from lab.test_check import check, findings, is_well
from real_lab import RealLab, until
from stackward.lab.configuration import PASSWORD
from stackward.lab.faults import BINDING

pytestmark = pytest.mark.soak

FREEZE = "systemctl kill --kill-whom=all -s STOP {unit}"
THAW = "systemctl kill --kill-whom=all -s CONT {unit} 2>/dev/null || true"
# A process that is frozen keeps its sockets; RabbitMQ gives up its consumers with them.
LEFT_BY = """
rabbitmqctl -q list_connections pid peer_host client_properties |
grep -F '{address}' | grep -F '{name}' | cut -f 1 |
while read -r pid; do rabbitmqctl -q close_connection "$pid" "a test"; done
"""
# The other end is closed, and nobody hears of it: as behind a firewall that forgets.
HALF_CLOSED = """
iptables -I OUTPUT -d {address} -p tcp --sport 5672 -j DROP
ss -K dst {address} sport = 5672 >/dev/null 2>&1
iptables -D OUTPUT -d {address} -p tcp --sport 5672 -j DROP
"""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A fault, the finding that must come of it, and the command that mends it."""

    rule: str
    component: str
    node: str | None
    unit: str
    does: str = "systemctl restart"
    make: str = ""  # on the node, beside that its process is frozen
    freezes: bool = True
    on_controller: str = ""
    is_brief: bool = False  # once its heartbeat is too old, that is the finding


CASES = [
    Case(rule="rpc-deaf", component="nova-conductor", node="ctl", unit="nova-conductor"),
    Case(rule="memcached-silent", component="memcached", node="ctl", unit="memcached"),
    Case(
        rule="process-silent", component="ovn-northd", node="ctl", unit="ovn-northd",
        does="systemctl kill",
    ),
    Case(
        rule="process-silent", component="ovn-databases", node="ctl", unit="ovn-ovsdb-server-sb"
    ),
    Case(rule="process-silent", component="openvswitch", node="c01", unit="ovs-vswitchd"),
    Case(rule="process-silent", component="openvswitch", node="c01", unit="ovsdb-server"),
    Case(rule="process-silent", component="ovn-controller", node="c01", unit="ovn-controller"),
    Case(rule="process-silent", component="virtlogd", node="c01", unit="virtlogd"),
    Case(rule="libvirt-silent", component="libvirtd", node="c01", unit="libvirtd"),
    Case(rule="rabbitmq-silent", component="rabbitmq", node="ctl", unit="rabbitmq-server"),
    Case(rule="heartbeat-lost", component="nova-compute", node="c01", unit="nova-compute"),
    Case(
        rule="own-queue-missing", component="nova-compute", node="c01", unit="nova-compute",
        on_controller="rabbitmqctl -q delete_queue compute.c01 || true", is_brief=True,
    ),
    Case(
        rule="own-queue-unread", component="nova-compute", node="c01", unit="nova-compute",
        on_controller=LEFT_BY, is_brief=True,
    ),
    Case(
        rule="connection-missing", component="nova-compute", node="c01", unit="nova-compute",
        make="ss -K dport = 5672",
    ),
    Case(
        rule="own-queue-unbound", component="nova-compute", node="c01", unit="nova-compute",
        freezes=False,
        on_controller=BINDING.format(password=PASSWORD, node="c01", change="unbind"),
    ),
    Case(
        rule="connection-half-open", component="nova-compute", node="c01", unit="nova-compute",
        on_controller=HALF_CLOSED, is_brief=True,
    ),
    Case(
        rule="other-unit-failed", component="machine", node="c01", unit="stackward-lab-backup",
        does="systemctl reset-failed", freezes=False,
        make="systemd-run --quiet --wait --unit=stackward-lab-backup false || true",
    ),
]  # fmt: skip


@pytest.fixture
def well(lab: RealLab) -> Iterator[RealLab]:
    """Given a lab that is well, before and after."""
    until(lambda: is_well(lab), within_s=240)
    yield lab
    until(lambda: is_well(lab), within_s=240)


def found(lab: RealLab, case: Case) -> dict[str, Any] | None:
    """Return the finding, once a look has it."""
    seen = findings(check(lab)[1], explained=True)
    return next(
        (
            one
            for one in seen
            if (one["rule"], one["component"], one["node"])
            == (case.rule, case.component, case.node)
        ),
        None,
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule} {case.unit}")
def test_the_command_of_a_remedy_mends_what_was_found(well: RealLab, case: Case) -> None:
    node = case.node or "ctl"
    try:
        finding = until(lambda: made_and_found(well, case, node), within_s=400)

        carry_out(well, finding["remedy"], case.does, on=node)

        until(lambda: is_well(well), within_s=240)
    finally:
        well.on(node, THAW.format(unit=case.unit))


def made_and_found(lab: RealLab, case: Case, node: str) -> dict[str, Any] | None:
    """Make the fault, and look for it; what is seen for a moment only is made anew."""
    if case.is_brief:
        lab.on(node, THAW.format(unit=case.unit))
        until(lambda: lab.compute_state(node) == "up")
    if case.freezes:
        lab.on(node, FREEZE.format(unit=case.unit))
    if case.make:
        lab.on(node, case.make)
    if case.on_controller:
        address = str(lab.spec.node(node).address)
        script = case.on_controller.replace("{address}", address).replace("{name}", case.unit)
        lab.on("ctl", script)
    return found(lab, case)
