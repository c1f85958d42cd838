"""Each remedy of a finding that restarts, resets or removes something mends what was found.

Given a lab; when a fault is put into it for real and a look has found it; then the command that the
remedy prints is run, and a look proves that the cloud is well again.
"""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.looks import check, findings, is_well
from lab.remedies import carry_out, printed, run
from real_lab import RealLab, until
from stackward.lab.configuration import PASSWORD
from stackward.lab.faults import BINDING, LIBVIRT_UNITS

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
# What its application needs is away as it is loaded, and uWSGI goes on without it.
STARTED_WITHOUT_SETTINGS = """
is_empty() { python3 - <<'END'
import sys, urllib.error, urllib.request
try:
    urllib.request.urlopen("http://localhost:8776/", timeout=20)
except urllib.error.HTTPError as error:
    sys.exit(error.code != 500)
except OSError:
    pass
sys.exit(1)
END
}
is_empty && exit 0
chmod u-r,g-r /etc/cinder/cinder.conf
systemctl restart cinder-api
n=0; until is_empty; do n=$((n+1)); [ $n -lt 60 ] || break; sleep 0.5; done
chmod u+r,g+r /etc/cinder/cinder.conf
"""
CUT_SHORT = """
mariadb -e "CREATE DATABASE IF NOT EXISTS broken; CREATE TABLE IF NOT EXISTS broken.told
  (id INT PRIMARY KEY AUTO_INCREMENT, word VARCHAR(200)) ENGINE=MyISAM;
  INSERT INTO broken.told (word) SELECT REPEAT('x', 150) FROM mysql.help_topic LIMIT 50;
  FLUSH TABLES broken.told"
truncate -s 1000 /var/lib/mysql/broken/told.MYD
"""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A fault, the finding that must come of it, and the command that mends it."""

    rule: str
    component: str
    node: str | None
    unit: str
    does: str | tuple[str, ...] = "systemctl restart"  # how each command begins
    also: tuple[str, ...] = ()  # what the remedy leaves to the operator to name
    make: str = ""  # on the node, beside that its process is frozen
    freezes: bool = True
    on_controller: str = ""
    is_brief: bool = False  # once its heartbeat is too old, that is the finding
    asks: tuple[str, ...] = ()  # what a look is asked for beside
    clear: str = ""  # what the fault would leave on the node


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
    Case(
        rule="process-stopped", component="neutron-periodic-workers", node="ctl",
        unit="neutron-ovn-maintenance-worker", does="systemctl kill",
    ),
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
    Case(
        rule="off-the-bus", component="logind", node="ctl", unit="dbus", freezes=False,
        make="systemctl stop dbus.service 2>&1; systemctl restart systemd-networkd",
        clear="systemctl restart systemd-logind systemd-networkd",
    ),
    Case(
        rule="off-the-bus", component="machine", node="ctl", unit="dbus", freezes=False,
        make="systemctl stop dbus.service 2>&1; systemctl restart systemd-logind",
        clear="systemctl restart systemd-logind systemd-networkd",
    ),
    Case(
        rule="switched-off", component="nova-scheduler", node="ctl", unit="nova-scheduler",
        does=("systemctl unmask", "systemctl enable --now"), freezes=False,
        make="systemctl stop nova-scheduler; systemctl mask nova-scheduler",
        clear="systemctl unmask nova-scheduler; systemctl enable --now nova-scheduler",
    ),
    Case(
        rule="masked-but-runs", component="nova-scheduler", node="ctl", unit="nova-scheduler",
        does="systemctl unmask", freezes=False, make="systemctl mask nova-scheduler",
        clear="systemctl unmask nova-scheduler",
    ),
    Case(
        rule="application-not-loaded", component="cinder-api", node="ctl", unit="cinder-api",
        freezes=False, make=STARTED_WITHOUT_SETTINGS,
    ),
    Case(
        rule="table-broken", component="mariadb", node="ctl", unit="mariadb",
        does="mariadb-check --auto-repair", also=("broken",), asks=("--tables",), freezes=False,
        make=CUT_SHORT, clear="mariadb -e 'DROP DATABASE IF EXISTS broken'",
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
    seen = findings(check(lab, "cloud", "check", *case.asks)[1], explained=True)
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

        for begins in [case.does] if isinstance(case.does, str) else case.does:
            carry_out(well, finding["remedy"], begins, on=node, also=case.also)

        until(lambda: check(well, "cloud", "check", *case.asks)[0] == 0, within_s=240)
    finally:
        well.on(node, THAW.format(unit=case.unit))
        well.on(node, case.clear or "true")


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


# --- those whose fault takes more than one node, or more than one record ---


def of_rule(lab: RealLab, rule: str, node: str, *flags: str) -> dict[str, Any] | None:
    """Return the finding of a rule on a node, once a look has it."""
    seen = findings(check(lab, "cloud", "check", *flags)[1], explained=True)
    return next((one for one in seen if (one["rule"], one["node"]) == (rule, node)), None)


def record_ids(lab: RealLab, kind: str, host: str, *words: str) -> list[str]:
    """Return the ids of a host's records, as OpenStack's own client lists them."""
    column = "ID"
    listed = ["openstack", *kind.split(), "list", "--host", host, *words, "-f", "value", "-c"]
    return run(lab, [*listed, column]).split()


OTHER_NAME = "ctl.lab"
NAMED = "/etc/nova/nova.conf.d/named.conf"


def test_the_record_of_an_old_name_is_removed(well: RealLab) -> None:
    """Renamed, and back: each time the record of the name before stays behind."""
    named = {
        OTHER_NAME: f"printf '[DEFAULT]\\nhost = {OTHER_NAME}\\n' > {NAMED}",
        "ctl": f"rm -f {NAMED}",
    }
    for today, before in ((OTHER_NAME, "ctl"), ("ctl", OTHER_NAME)):
        well.on("ctl", f"{named[today]}; systemctl restart nova-scheduler")
        finding = until(lambda: of_rule(well, "old-name-down", "ctl"), within_s=240)
        remedy = finding["remedy"]

        assert carry_out(well, remedy, "openstack server list").strip() == ""
        assert "nova-scheduler" in carry_out(well, remedy, "openstack compute service list")
        [old] = record_ids(well, "compute service", before, "--service", "nova-scheduler")
        carry_out(well, remedy, "openstack compute service delete", also=[old])

        until(lambda: is_well(well), within_s=240)


@pytest.mark.parametrize(
    ("binary", "node"), [("nova-conductor", "ctl"), ("nova-compute", "c02")], ids=lambda one: one
)
def test_what_has_lost_its_record_while_it_ran_makes_one_when_it_is_started_anew(
    well: RealLab, binary: str, node: str
) -> None:
    """Nova's make their record only when they start: until then it stays away."""
    for each in record_ids(well, "compute service", node, "--service", binary):
        run(well, ["openstack", "compute", "service", "delete", each])
    try:
        finding = until(lambda: of_rule(well, "record-missing", node), within_s=240)
        assert finding["component"] == binary
        assert record_ids(well, "compute service", node, "--service", binary) == []

        carry_out(well, finding["remedy"], "systemctl restart", on=node)

        until(lambda: record_ids(well, "compute service", node, "--service", binary))
        if binary == "nova-compute":
            carry_out(well, finding["remedy"], "nova-manage cell_v2 discover_hosts")
        until(lambda: is_well(well), within_s=240)
    finally:
        if not record_ids(well, "compute service", node, "--service", binary):
            well.on(node, f"systemctl restart {binary}")


def test_a_script_of_init_d_whose_process_has_ended_is_found_and_started_anew(
    well: RealLab,
) -> None:
    """Seen: systemd calls it active for ever, and so did the check."""
    unit = "neutron-ovn-maintenance-worker"
    well.on("ctl", f"systemctl kill --kill-whom=all -s KILL {unit}")
    try:
        finding = until(lambda: of_rule(well, "unit-ended", "ctl"), within_s=240)
        assert finding["component"] == "neutron-periodic-workers"

        carry_out(well, finding["remedy"], "systemctl restart", on="ctl")

        until(lambda: is_well(well), within_s=240)
    finally:
        well.on("ctl", f"pgrep -f {unit} >/dev/null || systemctl restart {unit}")


# Nova's scheduler, of the code that every node has.
SECOND_SCHEDULER = """
printf 'from nova.cmd.scheduler import main\\nmain()\\n' > /usr/local/lib/nova-scheduler
cat > /etc/nova/second.conf
systemd-run --quiet --unit=nova-scheduler --uid=nova /usr/bin/python3 \
  /usr/local/lib/nova-scheduler --config-file=/etc/nova/nova.conf \
  --config-file=/etc/nova/nova-compute.conf --config-file=/etc/nova/second.conf
"""


@pytest.fixture
def second(well: RealLab) -> Iterator[str]:
    """Given a node that runs a second scheduler, while the controller's is retired."""
    node = "c01"
    settings = well.on("ctl", "cat /etc/nova/nova.conf.d/control.conf")
    script = SECOND_SCHEDULER.replace("second.conf\n", f"second.conf <<'END'\n{settings}\nEND\n", 1)
    well.on(node, script)
    until(lambda: record_ids(well, "compute service", node, "--service", "nova-scheduler"))
    well.on("ctl", "systemctl stop nova-scheduler; systemctl mask nova-scheduler")
    for each in record_ids(well, "compute service", "ctl", "--service", "nova-scheduler"):
        run(well, ["openstack", "compute", "service", "delete", each])
    yield node
    well.on("ctl", "systemctl unmask nova-scheduler; systemctl enable --now nova-scheduler")
    well.on(node, "systemctl stop nova-scheduler; rm -f /etc/nova/second.conf")
    for each in record_ids(well, "compute service", node, "--service", "nova-scheduler"):
        run(well, ["openstack", "compute", "service", "delete", each])


def test_one_of_two_that_is_switched_off_is_retired_or_brought_back(
    well: RealLab, second: str
) -> None:
    assert second != "ctl"
    finding = until(lambda: of_rule(well, "switched-off-here", "ctl"), within_s=240)
    remedy = finding["remedy"]

    carry_out(well, remedy, "systemctl unmask", on="ctl")
    carry_out(well, remedy, "systemctl disable", on="ctl")
    carry_out(well, remedy, "rabbitmqctl delete_queue", on="ctl")
    until(lambda: of_rule(well, "switched-off-here", "ctl") is None)
    carry_out(well, remedy, "systemctl enable --now", on="ctl")

    until(lambda: record_ids(well, "compute service", "ctl", "--service", "nova-scheduler"))
    assert of_rule(well, "switched-off-here", "ctl") is None


def test_what_a_machine_that_is_gone_left_behind_is_removed(well: RealLab, tmp_path: Path) -> None:
    """A third node that is in no inventory, and has no power: `stackward lab up --computes 3`."""
    gone = well.spec.compute_nodes[-1].name
    known = yaml.safe_load(well.spec.inventory.read_text())
    take_out(known, gone)
    others = tmp_path / "inventory.yaml"
    others.write_text(yaml.safe_dump(known))
    asked = ("--inventory", str(others))
    well.run("break", "node-power-loss", gone)
    try:
        finding = until(lambda: of_rule(well, RULE_OF_GONE, gone, *asked), within_s=240)
        remedy = finding["remedy"]

        assert carry_out(well, remedy, "openstack server list").strip() == ""
        services = record_ids(well, "compute service", gone)
        carry_out(well, remedy, "openstack compute service delete", also=services)
        if agents := record_ids(well, "network agent", gone):
            carry_out(well, remedy, "openstack network agent delete", also=agents)

        until(lambda: check(well, "cloud", "check", *asked)[0] == 0, within_s=240)
    finally:
        well.run("mend", "node-power-loss", gone)


RULE_OF_GONE = "not-in-inventory-and-down"


def take_out(known: Any, name: str) -> None:  # noqa: ANN401  # YAML
    """Take a host out of an inventory, wherever it is named."""
    if isinstance(known, dict):
        known.pop(name, None)
        for each in known.values():
            take_out(each, name)


LOST = "Cannot update service status on host"
LOG = "/var/log/nova/nova-compute.log"


def test_a_node_that_nova_disabled_and_did_not_enable_again_is_enabled_by_a_restart(
    well: RealLab,
) -> None:
    """Its word is lost where the conductor is away at the moment when libvirt comes back."""
    node = "c01"
    well.run("break", "libvirtd-stopped", node)
    before = int(well.on(node, f"grep -c '{LOST}' {LOG} || true"))
    well.on("ctl", "systemctl stop nova-conductor")
    try:
        well.on(node, f"systemctl start {LIBVIRT_UNITS}")
        until(lambda: int(well.on(node, f"grep -c '{LOST}' {LOG} || true")) > before, within_s=300)
    finally:
        well.on("ctl", "systemctl start nova-conductor")
    until(lambda: well.compute_state(node) == "up", within_s=240)
    finding = until(lambda: of_rule(well, "auto-disabled", node), within_s=240)
    remedy = finding["remedy"]

    assert "libvirt" in carry_out(well, remedy, "virsh version", on=node)
    moves = shlex.split(printed(remedy, f"openstack server migration list --host {node}"))
    assert run(well, moves).strip() == ""
    carry_out(well, remedy, "systemctl restart", on=node)

    well.run("mend", "libvirtd-stopped", node)
    until(lambda: is_well(well), within_s=240)
