"""How a cloud is judged: what is broken is named first, what it explains stands under it.

The nodes answer as those of a real lab did; each test changes one thing of that.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from fakes.apis import CTL, beat, no_answer
from fakes.clock import FakeClock
from fakes.nodes import NO_ROUTE, FakeNodes, refused, sample
from fakes.site import Site, soon
from stackward.errors import Refused, Uncertain
from stackward.facts.cloud_state import CheckRequest, node_called, time_for
from stackward.health import symptoms
from stackward.health.looking import check_cloud, check_node
from stackward.model import boot_gate
from stackward.model.cloud_state import (
    Answered,
    Endpoint,
    Failed,
    Failure,
    LivesOnSource,
    Rpc,
    RpcAnswer,
)
from stackward.model.health import Finding, Health, Kept, State
from stackward.model.hypervisor import Hypervisor
from stackward.model.identity import Itself
from stackward.model.maintenance import MAINTENANCE
from stackward.model.unread import Unread
from stackward.ports.deadline import Deadline
from stackward.ports.shell import Answer
from stackward.report.health import summary

COMPUTE, BROKER = "nova-compute.service", "rabbitmq-server.service"
POOLS = "/v3/scheduler-stats/get_pools?detail=true"
NFS_DOWN = RpcAnswer(outcome=Rpc.ANSWERED, took_s=0.5, down=("ctl@nfs",))
MEMINFO = "MemTotal:       24684092 kB\nMemAvailable:     600000 kB\n"


def roots(health: Health) -> list[tuple[str, str]]:
    return [(one.rule, one.where) for one in health.findings if one.under is None]


def proved() -> Site:
    """Given a cloud in which all that can be called over RPC answers."""
    site = Site()
    queues = ("conductor.ctl", "scheduler.ctl", "cinder-scheduler.ctl", "cinder-volume.ctl@nfs")
    for queue in (*queues, "q-plugin.ctl"):
        site.nodes.pings[queue] = {"outcome": "answered", "took_s": 0.01}
    return site


def state_of(health: Health, name: str) -> State:
    return next(one.state for one in health.components if one.name == name)


def only(health: Health) -> Finding:
    [finding] = health.findings
    return finding


def test_a_cloud_that_is_well_has_no_finding() -> None:
    health = proved().look()

    assert (health.state, health.findings) == (State.NOT_PROVED, ())
    assert {(gap.component, gap.kind) for gap in health.not_proved} == {
        ("machine", Kept.NO_QUESTION),  # of a container: the clock, the kernel log
        ("neutron-periodic-workers", Kept.NO_QUESTION),
    }
    assert health.unknown == ()


def test_what_runs_and_was_not_asked_is_said() -> None:
    """Seen: as an ordinary login nothing was asked of RabbitMQ, and nothing said so."""
    site = Site()
    for name in [one for one in site.told("ctl")["commands"] if one.startswith("rabbitmq")]:
        del site.told("ctl")["commands"][name]

    assert "what rabbitmq says of itself: its tool is not on the node" in {
        gap.says for gap in site.look().not_proved
    }


def test_what_a_container_shares_with_its_host_is_not_proved_and_no_finding() -> None:
    assert {gap.says for gap in Site().look().gaps if gap.component == "machine"} == {
        "the kernel log: the node is a container, and its host keeps these",
        "the clock: the node is a container, and its host keeps these",
    }


# --- the three words ----------------------------------------------------------------------------


def test_what_only_looks_alive_is_not_proved_and_what_would_prove_it_is_named() -> None:
    """Kolla-Ansible, OpenStack-Helm and Kayobe never set `rpc_ping_enabled`."""
    health = Site().look()

    silent = [gap for gap in health.not_proved if gap.kind is Kept.OFF]
    assert {gap.component for gap in silent} == {
        "nova-conductor", "nova-scheduler", "neutron-rpc-server",
    }  # fmt: skip
    assert {state_of(health, gap.component) for gap in silent} == {State.NOT_PROVED}
    assert all("rpc_ping_enabled" in gap.cure for gap in silent)


@pytest.mark.parametrize(
    ("says", "cure"),
    [
        pytest.param(
            "ERROR 1045 (28000): Access denied for user 'root'@'localhost' (using password: NO)",
            "unix_socket", id="MariaDB",
        ),
        pytest.param(
            "ERROR 1698 (28000): Access denied for user 'root'@'localhost'", "unix_socket",
            id="MariaDB, its socket's plugin",
        ),
        pytest.param("sudo: a password is required", "sudoers", id="sudo"),
    ],
)  # fmt: skip
def test_what_refuses_a_right_is_what_is_cured(says: str, cure: str) -> None:
    """A login that MariaDB refused was to be cured by a sudoers file, also as root."""
    site = Site()
    site.command("ctl", "mariadb", 1, err=says)

    [gap] = [one for one in site.look().gaps if one.component == "mariadb"]

    assert (gap.kind, cure in gap.cure) == (Kept.RIGHTS, True)


def test_what_may_not_be_asked_is_unknown_with_the_right_that_cures_it() -> None:
    site = Site()
    told = site.told("ctl")
    told["is_root"] = False
    site.command("ctl", "question ovn-northd 0", 1, err="sudo: a password is required\n")

    health = site.look()

    [gap] = health.unknown
    assert (gap.kind, gap.component, gap.where) == (Kept.RIGHTS, "ovn-northd", "ctl")
    assert "sudoers" in gap.cure
    assert state_of(health, "ovn-northd") is State.UNKNOWN
    assert (health.state, health.findings) == (State.NOT_PROVED, ())


def test_what_had_no_time_left_is_no_answer_of_the_cloud() -> None:
    site = Site()
    site.command("ctl", "rabbitmq vhosts", None, err="no answer in time")

    assert site.look().state is State.UNKNOWN


def test_a_report_written_while_we_looked_proves_the_only_conductor() -> None:
    site = Site()
    site.silence("nova-compute", "c01", is_up=True, age_s=1.0)

    assert state_of(site.look(), "nova-conductor") is State.OK


def test_the_proof_of_a_conductor_says_by_which_report() -> None:
    site = Site()
    site.silence("nova-compute", "c01", is_up=True, age_s=1.0)

    [found] = [one for one in site.look().components if one.name == "nova-conductor"]

    assert found.proof == "recorded a heartbeat of nova-compute 1 s ago"


@pytest.mark.parametrize(
    "ages",
    [
        pytest.param({"c01": 0.0, "c02": -3.0}, id="another is of the future: a clock is behind"),
        pytest.param({"c01": -3.0, "c02": 5.0}, id="it is of the future itself"),
    ],
)
def test_an_age_that_cannot_be_trusted_proves_no_conductor(ages: dict[str, float]) -> None:
    site = Site()
    for host, age_s in ages.items():
        site.silence("nova-compute", host, is_up=True, age_s=age_s)

    assert state_of(site.look(), "nova-conductor") is State.NOT_PROVED


def test_a_node_whose_clock_is_not_ours_proves_no_conductor() -> None:
    site = Site()
    site.silence("nova-compute", "c01", is_up=True, age_s=1.0)
    on_metal(site.told("ctl"))
    assert state_of(site.look(), "nova-conductor") is State.OK
    site.told("ctl")["now"] += 1.5  # no finding yet

    assert state_of(site.look(), "nova-conductor") is State.NOT_PROVED


def test_a_report_that_is_older_proves_no_conductor() -> None:
    """It may have been frozen since."""
    assert state_of(Site().look(), "nova-conductor") is State.NOT_PROVED


def test_an_api_of_several_processes_proves_none_of_them() -> None:
    """The balancer chose one; the other may be frozen."""
    site = Site()
    site.unit("c01", "glance-api.service", LoadState="loaded", ActiveState="active")
    site.unit("c01", "glance-api.service", WantedBy="multi-user.target", UnitFileState="enabled")
    site.told("ctl")["web"] = []

    health = site.look()

    [gap] = [gap for gap in health.not_proved if gap.component == "glance-api"]
    assert (gap.where, gap.why) == ("ctl", "it was not seen where it listens")


def test_each_process_of_an_api_is_proved_by_its_own_answer() -> None:
    site = Site()
    site.unit("c01", "glance-api.service", LoadState="loaded", ActiveState="active")
    site.unit("c01", "glance-api.service", WantedBy="multi-user.target", UnitFileState="enabled")

    assert [gap for gap in site.look().gaps if gap.component == "glance-api"] == []


def test_without_rpc_what_only_a_call_would_prove_is_not_proved() -> None:
    site = proved()

    health, _ = check_cloud(site.probes(), CheckRequest(rpc=False))

    assert state_of(health, "nova-compute") is State.NOT_PROVED
    assert {gap.why for gap in health.gaps if gap.kind is Kept.OFF} == {
        "calls over RPC are switched off by `--no-rpc`"
    }


# --- what is broken is found by name ------------------------------------------------------------


def stop_rabbitmq(site: Site) -> None:
    site.stop("ctl", BROKER)
    for name in ("cluster", "queues", "bindings"):
        site.command("ctl", f"rabbitmq {name}", 69, err="Error: unable to perform an operation")
    for node in ("ctl", "c01", "c02"):
        site.cut(node, 5672)
    for host in ("c01", "c02"):
        site.silence("nova-compute", host)


def stop_mariadb(site: Site) -> None:
    site.stop("ctl", "mariadb.service")
    site.command("ctl", "mariadb", 1, err="ERROR 2002 (HY000): Can't connect to local server")
    site.cut("ctl", 3306)
    site.apis.login = Failed(how=Failure.ERROR, says="An unexpected error", status=500)


def kill_compute(site: Site) -> None:
    site.unit("c01", COMPUTE, ActiveState="failed", SubState="failed", Result="signal")
    site.cut("c01", 5672)
    site.silence("nova-compute", "c01")


def stop_libvirt(site: Site) -> None:
    for unit in (
        "libvirtd.service",
        "libvirtd.socket",
        "libvirtd-ro.socket",
        "libvirtd-tcp.socket",
    ):
        site.stop("c01", unit)
    site.command("c01", "libvirt", 1, err="error: failed to connect to the hypervisor")
    site.silence(
        "nova-compute",
        "c01",
        is_up=True,
        is_enabled=False,
        reason="AUTO: Connection to libvirt lost",
    )


def deafen(site: Site) -> None:
    site.apis.rpc["c01"] = RpcAnswer(outcome=Rpc.SILENT, took_s=5.0)


def freeze_conductor(site: Site) -> None:
    site.nodes.pings["conductor.ctl"] = {"outcome": "silent", "took_s": 5.0}


def unbind(site: Site) -> None:
    bindings = site.told("ctl")["commands"]["rabbitmq bindings"]
    lines = bindings["out"].splitlines()
    bindings["out"] = "\n".join(each for each in lines if not each.startswith("nova\tcompute.c01"))


def unread(site: Site) -> None:
    queues = site.told("ctl")["commands"]["rabbitmq queues"]
    queues["out"] = queues["out"].replace("compute.c01\t0\t1", "compute.c01\t3\t0")


def mistype_password(site: Site) -> None:
    says = "The Keystone service is temporarily unavailable."
    site.apis.lists["compute"] = Failed(how=Failure.ERROR, says=says, status=503)
    site.apis.reports["compute"] = Failed(how=Failure.ERROR, says=says, status=503)


def refuse_some(site: Site) -> None:
    says = "The Keystone service is temporarily unavailable."
    site.apis.reports["compute"] = Failed(how=Failure.ERROR, says=says, status=503)


def fill_disk(site: Site) -> None:
    site.told("ctl")["filesystems"][0]["free"] = 0


def lose_node(site: Site) -> None:
    site.nodes.told["c01"] = NO_ROUTE
    site.silence("nova-compute", "c01")
    site.silence("ovn-controller", "c01")


@pytest.mark.parametrize(
    ("break_", "first", "state"),
    [
        pytest.param(stop_rabbitmq, "rabbitmq", State.BROKEN, id="RabbitMQ stopped"),
        pytest.param(stop_mariadb, "mariadb", State.BROKEN, id="MariaDB stopped"),
        pytest.param(kill_compute, "nova-compute", State.DEGRADED, id="nova-compute killed"),
        pytest.param(stop_libvirt, "libvirtd", State.DEGRADED, id="libvirt stopped"),
        pytest.param(deafen, "nova-compute", State.DEGRADED, id="nova-compute deaf"),
        pytest.param(freeze_conductor, "nova-conductor", State.BROKEN, id="conductor frozen"),
        pytest.param(unbind, "nova-compute", State.DEGRADED, id="its queue unbound"),
        pytest.param(unread, "nova-compute", State.DEGRADED, id="its queue unread"),
        pytest.param(mistype_password, "nova-api", State.BROKEN, id="wrong Keystone password"),
        pytest.param(fill_disk, "machine", State.DEGRADED, id="disk full"),
        pytest.param(lose_node, "machine", State.DEGRADED, id="node without power"),
    ],
)
def test_the_right_component_comes_first(
    break_: Callable[[Site], None], first: str, state: State
) -> None:
    site = Site()
    break_(site)

    health = site.look()

    assert (health.components[0].name, health.components[0].state) == (first, state)


@pytest.mark.parametrize(
    ("break_", "expected"),
    [
        pytest.param(stop_rabbitmq, [("unit-down", "rabbitmq on ctl")], id="RabbitMQ stopped"),
        pytest.param(stop_mariadb, [("unit-down", "mariadb on ctl")], id="MariaDB stopped"),
        pytest.param(
            kill_compute,
            [("unit-down", "nova-compute on c01")],
            id="nova-compute killed",
        ),
        pytest.param(deafen, [("rpc-deaf", "nova-compute on c01")], id="nova-compute deaf"),
        pytest.param(
            freeze_conductor, [("rpc-deaf", "nova-conductor on ctl")], id="conductor frozen"
        ),
        pytest.param(unbind, [("own-queue-unbound", "nova-compute on c01")], id="queue unbound"),
        pytest.param(unread, [("own-queue-unread", "nova-compute on c01")], id="queue unread"),
        pytest.param(mistype_password, [("list-failed", "nova-api")], id="wrong password"),
        pytest.param(refuse_some, [("list-failed", "nova-api")], id="some workers refuse"),
        pytest.param(fill_disk, [("disk-full", "machine on ctl")], id="disk full"),
        pytest.param(lose_node, [("node-unreachable", "machine on c01")], id="no power"),
    ],
)
def test_nothing_else_is_said_beside_it(
    break_: Callable[[Site], None], expected: list[tuple[str, str]]
) -> None:
    site = Site()
    break_(site)

    assert sorted(set(roots(site.look()))) == sorted(set(expected))


def test_what_a_broken_component_takes_down_stands_under_it() -> None:
    site = Site()
    stop_rabbitmq(site)

    health = site.look()

    under = {one.component for one in health.findings if one.under == "rabbitmq"}
    assert {"nova-compute", "nova-conductor", "cinder-volume", "neutron-rpc-server"} <= under


def test_of_two_causes_the_one_that_all_goes_on_without_explains_nothing() -> None:
    """Seen: a nova-compute that could not report stood under memcached, not under RabbitMQ."""
    site = Site()
    stop_rabbitmq(site)
    site.stop("ctl", "memcached.service")

    health = site.look()

    assert {"rabbitmq", "memcached"} <= {one.component for one in health.findings if not one.under}
    assert "memcached" not in {one.under for one in health.findings}


def test_what_rests_on_a_machine_stands_under_that_machine_only() -> None:
    site = Site()
    lose_node(site)
    kill_on_the_other = site.silence
    kill_on_the_other("nova-compute", "c02")

    health = site.look()

    lost = {one.node: one.under for one in health.findings if one.rule == "heartbeat-lost"}
    assert lost == {"c01": "machine on c01", "c02": None}


def test_what_explains_something_is_not_explained_itself() -> None:
    """Else it would stand under what is shown nowhere."""
    site = Site()
    stop_rabbitmq(site)
    stop_libvirt(site)
    site.stop("c01", "dbus.service")
    site.stop("c01", "dbus.socket")
    site.told("c01")["filesystems"][0]["free"] = 0
    site.told("ctl")["filesystems"][0]["free"] = 0

    health = site.look()

    shown = {name for rule, name in roots(health)}
    shown |= {one.component for one in health.findings if one.under is None}
    assert {one.under for one in health.findings if one.under} <= shown


def test_libvirt_explains_what_nova_says_of_its_compute() -> None:
    site = Site()
    stop_libvirt(site)

    [disabled] = [one for one in site.look().findings if one.rule == "auto-disabled"]

    assert disabled.under == "libvirtd on c01"


def test_the_exit_state_is_broken_only_where_a_component_does_not_work_at_all() -> None:
    site = Site()
    kill_compute(site)
    site.unit("c02", COMPUTE, ActiveState="failed", SubState="failed", Result="signal")

    assert site.look().state is State.BROKEN


# --- the machines -------------------------------------------------------------------------------


def of_machine(change: Callable[[dict[str, Any]], None]) -> Finding:
    site = Site()
    change(site.told("c01"))
    return only(site.look())


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        pytest.param({"free": 2**20}, "disk-full", id="full"),
        pytest.param({"free": 500 * 2**20}, "disk-filling", id="filling"),
        pytest.param({"inodes_free": 0}, "inodes-out", id="no inodes"),
        pytest.param({"inodes_free": 30_000}, "inodes-short", id="few inodes"),
        pytest.param({"read_only": True}, "read-only", id="read-only"),
        pytest.param({"error": "Input/output error"}, "disk-error", id="dead disk, still mounted"),
    ],
)
def test_file_systems(facts: dict[str, Any], rule: str) -> None:
    assert of_machine(lambda told: told["filesystems"][0].update(facts)).rule == rule


def test_memory_that_runs_out_is_found() -> None:
    assert of_machine(lambda told: told.update(memory=MEMINFO)).rule == "memory-short"


def on_metal(told: dict[str, Any]) -> None:
    told["container"] = ""
    told["clock"]["status"] = 0
    told["now"] = Site().clock.now().timestamp()
    told["commands"]["kernel"] = {"code": 0, "out": "", "err": ""}


def test_a_machine_with_a_kernel_of_its_own_is_known_whole() -> None:
    site = Site()
    on_metal(site.told("c01"))

    health = site.look()

    assert "c01" not in {note.where for note in health.unknown}
    assert health.findings == ()


def test_a_clock_that_nothing_sets_is_found() -> None:
    def free(told: dict[str, Any]) -> None:
        on_metal(told)
        told["clock"]["status"] = 0x40

    assert of_machine(free).rule == "clock-free"


def test_a_clock_that_is_off_is_found() -> None:
    def wrong(told: dict[str, Any]) -> None:
        on_metal(told)
        told["now"] += 7

    found = of_machine(wrong)

    reason = "its clock is +7 s off the clock of this machine"
    assert (found.rule, found.reason) == ("clock-astray", reason)


def test_a_serious_word_of_the_kernel_is_found_and_quoted() -> None:
    def ill(told: dict[str, Any]) -> None:
        on_metal(told)
        told["commands"]["kernel"]["out"] = "XFS (sdb): Shutting down filesystem.\n"

    found = of_machine(ill)

    assert (found.rule, found.evidence) == (
        "kernel-errors",
        ("XFS (sdb): Shutting down filesystem.",),
    )


def test_what_every_kernel_calls_an_error_is_none() -> None:
    site = Site()
    on_metal(site.told("c01"))
    site.told("c01")["commands"]["kernel"]["out"] = "ACPI BIOS Error (bug): Could not resolve\n"

    assert site.look().findings == ()


def test_a_unit_that_has_failed_and_is_no_components_is_named() -> None:
    def failed(told: dict[str, Any]) -> None:
        told["commands"]["failed"]["out"] = (
            "logrotate.service loaded failed failed Rotate log files"
        )

    found = of_machine(failed)

    assert found.rule == "other-unit-failed"
    assert "`logrotate.service`" in found.reason


# --- what cannot be looked at -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        pytest.param(
            refused("root@c01: Permission denied (publickey)."), "login-refused", id="key"
        ),
        pytest.param(refused("Host key verification failed."), "host-key-unknown", id="host key"),
        pytest.param(
            refused("Host key for c01 has changed and you have requested strict checking."),
            "host-key-changed",
            id="another host key",
        ),
        pytest.param(
            refused("/root/.ssh/config: line 3: Bad configuration option: forwardagnt"),
            "ssh-setting-wrong",
            id="ssh does not start here",
        ),
        pytest.param(
            refused("ssh: connect to host c01 port 22: Connection refused"),
            "ssh-lost",
            id="no sshd: its nova-compute reports",
        ),
        pytest.param(NO_ROUTE, "ssh-lost", id="only SSH is lost: its nova-compute reports"),
        pytest.param(Uncertain("`c01` gave no answer within 8 s"), "node-late", id="busy"),
    ],
)
def test_a_node_that_lives_and_cannot_be_looked_at(answer: Exception, rule: str) -> None:
    site = Site()
    site.nodes.told["c01"] = answer

    finding = only(site.look())

    assert (finding.rule, finding.state) == (rule, State.UNKNOWN)


def test_a_node_that_nobody_knows_how_to_reach_is_unknown_and_not_asked() -> None:
    why = "`ansible_host` is a template, which only Ansible can fill in"
    site = Site(unknown={"c01": why})
    site.nodes.told["c01"] = AssertionError("it was asked")

    finding = only(site.look())

    assert (finding.rule, finding.state) == ("node-unknown", State.UNKNOWN)
    assert finding.reason == f"its address is not known: {why}"


def test_python3_was_to_be_installed_on_a_switch() -> None:
    """A node that is not reached by ssh is left out of a check, and not missing either."""
    site = Site(left_out={"c01": "network_cli"})
    site.nodes.told["c01"] = AssertionError("it was asked")

    assert site.look().findings == ()


def test_a_check_of_a_node_that_is_left_out_says_how_it_is_reached() -> None:
    site = Site(left_out={"c01": "network_cli"})

    with pytest.raises(Refused) as refused_it:
        node_called(site.probes(), "c01", Deadline.after(site.clock, 4.0))

    assert "Ansible reaches it by `network_cli`" in refused_it.value.message


def test_a_node_of_which_one_service_is_down_already_is_dead_and_not_only_out_of_reach() -> None:
    """OVN's agents count as alive for minutes after their machine has lost its power."""
    site = Site()
    site.nodes.told["c01"] = NO_ROUTE
    site.silence("nova-compute", "c01")

    assert roots(site.look()) == [("node-unreachable", "machine on c01")]


def test_messages_that_wait_for_a_dead_node_are_not_rabbitmqs_fault() -> None:
    site = Site()
    lose_node(site)
    queues = site.told("ctl")["commands"]["rabbitmq queues"]
    queues["out"] = queues["out"].replace("compute.c01\t0\t1", "compute.c01\t3\t0")

    assert roots(site.look()) == [("node-unreachable", "machine on c01")]


def test_a_node_that_hangs_is_found_and_the_others_are_looked_at() -> None:
    site = Site()
    lose_node(site)
    site.nodes.told["c01"] = Uncertain("`c01` gave no answer within 8 s")

    health = site.look()

    assert roots(health) == [("node-silent", "machine on c01")]
    assert ("nova-compute", ("c01", "c02")) in {(o.name, o.nodes) for o in health.components}


def test_a_node_of_the_inventory_that_no_longer_exists_is_named() -> None:
    site = Site()
    site.nodes.told["old-7"] = NO_ROUTE

    finding = only(site.look())

    assert (finding.where, finding.evidence) == (
        "machine on old-7",
        ("no service of the cloud reports from it",),
    )


def test_a_node_of_the_cloud_that_the_inventory_lacks_is_named_once() -> None:
    site = Site()
    site.apis.reports["compute"] += [beat("nova-compute", "c09")]  # type: ignore[operator]
    site.apis.reports["network"] += [beat("ovn-controller", "c09")]  # type: ignore[operator]

    assert ("not-in-inventory", "machine on c09") in roots(site.look())


def test_that_something_be_removed_is_not_advised_for_what_reports() -> None:
    site = Site()
    site.apis.reports["compute"] += [beat("nova-compute", "c09", is_up=False)]  # type: ignore[operator]
    site.apis.reports["network"] += [beat("ovn-controller", "c09")]  # type: ignore[operator]

    [finding] = [one for one in site.look().findings if one.where == "machine on c09"]

    assert finding.rule == "not-in-inventory"
    assert "delete" not in finding.remedy


def test_what_is_down_and_not_in_the_inventory_is_removed_only_once_no_server_is_left() -> None:
    site = Site()
    site.apis.reports["compute"] += [beat("nova-compute", "c09", is_up=False)]  # type: ignore[operator]

    [finding] = [one for one in site.look().findings if one.where == "machine on c09"]

    assert finding.rule == "not-in-inventory-and-down"
    assert "`openstack server list --all-projects --host c09`" in finding.remedy


def test_a_host_all_of_whose_hypervisors_are_ironics_is_no_machine() -> None:
    """F25: Kolla calls that service `HOST-ironic`; to delete it was advised, and it is up."""
    site = Site()
    site.apis.reports["compute"] += [beat("nova-compute", "ctl1-ironic")]  # type: ignore[operator]
    site.apis.of_computes = [
        *(
            Hypervisor(id=f"id-{host}", name=host, host=host, kind="QEMU")
            for host in ("c01", "c02")
        ),
        Hypervisor(id="id-1", name="0b9d", host="ctl1-ironic", kind="ironic"),
        Hypervisor(id="id-2", name="7c1e", host="ctl1-ironic", kind="ironic"),
    ]
    commands = site.told("ctl")["commands"]
    commands["rabbitmq queues"]["out"] += "compute.ctl1-ironic\t0\t1\tclassic\n"
    commands["rabbitmq bindings"]["out"] += "nova\tcompute.ctl1-ironic\tcompute.ctl1-ironic\n"

    health = site.look()

    assert (health.findings, sorted(site.apis.called)) == ((), ["c01", "c02"])


def test_the_service_of_an_old_name_is_not_to_be_restarted() -> None:
    """Nova keeps the record of a machine that was renamed; to restart it would mend nothing."""
    site = Site()
    site.apis.reports["compute"] += [beat("nova-compute", "c01.old.example", is_up=False)]  # type: ignore[operator]

    finding = only(site.look())

    assert (finding.rule, finding.state) == ("old-name-down", State.DEGRADED)
    assert "restart" not in finding.remedy
    assert "`openstack server list --all-projects --host c01.old.example`" in finding.remedy


def test_a_node_is_checked_by_novas_word_for_it() -> None:
    site = Site()
    rename(site, "c01", "rack1-c01")
    site.nodes.addresses["rack1-c01"] = "192.0.2.11"
    site.apis.of_computes = [
        Hypervisor(id="id-c01", name="c01", host="c01", kind="QEMU", address="192.0.2.11")
    ]

    assert node_called(site.probes(), "c01", Deadline.after(site.clock, 4.0)) == "rack1-c01"


@dataclass
class Slow(FakeNodes):
    """Nodes that do not say what they call themselves, for as long as they are waited for."""

    clock: FakeClock = field(default_factory=FakeClock)
    waited: list[float] = field(default_factory=list)

    @override
    def itself(self, node: str, /, *, within_s: float | None = None) -> Itself | None:
        assert within_s is not None, "it would be waited for beyond the deadline"
        self.waited.append(within_s)
        self.clock.wait(within_s)
        return None


def slow_site(*names: str) -> tuple[Site, Slow]:
    """Given nodes, all like c01, that do not tell what they call themselves."""
    clock = FakeClock()
    nodes = Slow({name: sample("c01") for name in names}, clock=clock)
    return Site(nodes=nodes, clock=clock), nodes


def test_the_time_that_finding_a_node_took_is_taken_off_its_look() -> None:
    site, nodes = slow_site("c01")
    began = site.clock.monotonic()

    _, state = check_node(site.probes(), "c01.example.org", CheckRequest())

    assert state.only == "c01"
    assert nodes.waited == [pytest.approx(0.4 * time_for(1))]
    assert site.clock.monotonic() - began <= time_for(1)


def test_who_was_not_heard_in_time_is_unknown_and_named() -> None:
    site, nodes = slow_site("c01.a.example", "c01.b.example")

    with pytest.raises(Refused) as refused_it:
        check_node(site.probes(), "c01", CheckRequest())

    assert "2 nodes of the inventory may be `c01`" in refused_it.value.message
    silent = "no word in time of what it calls itself: `c01.a.example`, `c01.b.example`"
    assert refused_it.value.says == silent
    assert max(nodes.waited) <= 0.4 * time_for(1)


@pytest.mark.parametrize("what", ["login", "of_computes"])
def test_that_nova_did_not_tell_is_no_word_that_there_is_no_such_node(what: str) -> None:
    site = Site()
    setattr(site.apis, what, no_answer())

    with pytest.raises(Refused) as refused_it:
        check_node(site.probes(), "compute-07", CheckRequest())

    assert "Nova did not say whether it has such a host" in refused_it.value.message
    assert refused_it.value.says == no_answer().says


def test_a_nova_that_hangs_is_given_up_while_the_node_is_looked_for() -> None:
    site = Site()
    site.together.hanging.add(("called", "compute-07"))

    with pytest.raises(Refused) as refused_it:
        check_node(site.probes(), "compute-07", CheckRequest())

    assert refused_it.value.says == "no answer in time"


def rename(site: Site, node: str, alias: str) -> None:
    """Let the inventory have another name for a node, which goes on calling itself as before."""
    site.nodes.told[alias] = site.nodes.told.pop(node)


def test_an_alias_of_a_controller_breaks_nothing() -> None:
    """F17: RabbitMQ was said to have no queue `q-plugin.rack1-ctl`, and a restart was advised."""
    site = Site()
    rename(site, "ctl", "rack1-ctl")
    rename(site, "c01", "rack1-c01")

    health = site.look()

    assert health.findings == ()
    places = {one.name: one.nodes for one in health.components}
    assert places["nova-conductor"] == ("rack1-ctl",)
    assert set(places["nova-compute"]) == {"rack1-c01", "c02"}


def test_a_queue_bears_the_host_of_the_settings() -> None:
    """`[DEFAULT] host` of the service is in the names of its queues."""
    site = Site()
    site.told("ctl")["hosts"] = {"/etc/neutron/neutron.conf": "net-1"}
    queues = site.told("ctl")["commands"]["rabbitmq queues"]
    queues["out"] = queues["out"].replace("q-plugin.ctl\t", "q-plugin.net-1\t")
    bindings = site.told("ctl")["commands"]["rabbitmq bindings"]
    bindings["out"] = bindings["out"].replace("q-plugin.ctl", "q-plugin.net-1")

    assert site.look().findings == ()


def test_a_queue_of_no_known_name_may_be_that_of_settings_that_cannot_be_read() -> None:
    """No restart is advised on the word of a name that is only guessed."""
    site = Site()
    for name in ("rabbitmq queues", "rabbitmq bindings"):
        told = site.told("ctl")["commands"][name]
        told["out"] = told["out"].replace("q-plugin.ctl", "q-plugin.net-1")

    health = site.look()

    assert health.findings == ()
    assert any("`q-plugin.net-1` is nobody else's" in note.says for note in health.unknown)


def test_a_node_that_calls_itself_as_another_is_called_is_found_by_its_own_word() -> None:
    site = Site()
    site.told("c01")["hostname"], site.told("c02")["hostname"] = "c02", "c01"

    health = site.look()

    assert health.findings == ()


def test_nobody_is_asked_a_second_time_what_it_calls_itself() -> None:
    site = Site()
    rename(site, "c01", "rack1-c01")

    site.look()

    assert site.nodes.asked_names == []


def test_refused_sudo_is_said_and_the_rest_is_judged() -> None:
    site = Site()
    told = site.told("ctl")
    told["is_root"] = False
    told["sockets"]["refused"] = "sudo: a password is required\n"
    told["commands"]["units"]["err"] = "sudo: unable to resolve host ctl\n"
    site.command("ctl", "mariadb", 1, err="sudo: a password is required\n")
    site.stop("ctl", "memcached.service")

    health = site.look()

    assert {rule for rule, _ in roots(health)} == {"unit-down"}
    assert {gap.why for gap in health.unknown} == {"sudo refuses: sudo: a password is required"}


def test_a_login_that_is_refused_does_not_keep_the_nodes_from_being_judged() -> None:
    site = Site()
    site.apis.login = Failed(how=Failure.REFUSED, says="wrong password", status=401)
    site.stop("c01", COMPUTE)

    assert {rule for rule, _ in roots(site.look())} == {"credentials-refused", "unit-down"}


def test_a_login_that_cannot_be_used_hides_the_apis_and_no_node() -> None:
    site = Site()
    site.apis.login = Failed(how=Failure.UNUSABLE, says="[Errno 2] No such file: '/nowhere/ca.pem'")
    site.stop("ctl", "rabbitmq-server.service")

    assert {rule for rule, _ in roots(site.look())} == {"login-unusable", "unit-down"}


def test_where_nothing_could_be_looked_at_nothing_is_said_to_be_well() -> None:
    site = Site()
    site.apis.login = Failed(how=Failure.REFUSED, says="wrong password", status=401)
    for node in site.nodes.told:
        site.nodes.told[node] = refused("Permission denied (publickey).")

    assert site.look().state is State.UNKNOWN


def test_keystone_that_is_gone_with_its_node_stands_under_that_node() -> None:
    site = Site()
    site.nodes.told["ctl"] = NO_ROUTE
    site.apis.login = no_answer("No route to host")

    assert roots(site.look()) == [("node-unreachable", "machine on ctl")]


# --- processes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        pytest.param(
            {"ActiveState": "activating", "SubState": "auto-restart", "NRestarts": "9"},
            "unit-restarting",
            id="falls again and again",
        ),
        pytest.param(
            {"ActiveState": "activating", "SubState": "start"}, "unit-starting", id="starts"
        ),
        pytest.param(
            {"UnitFileState": "disabled", "WantedBy": ""}, "not-at-boot", id="not enabled"
        ),
        pytest.param({"ActiveState": "inactive", "SubState": "dead"}, "unit-down", id="stopped"),
    ],
)
def test_units(facts: dict[str, str], rule: str) -> None:
    site = Site()
    site.unit("c01", COMPUTE, **facts)

    assert (rule, "nova-compute on c01") in roots(site.look())


def test_a_unit_that_is_down_is_shown_with_its_last_words_and_how_to_run_it_by_hand() -> None:
    site = Site()
    kill_compute(site)
    site.command("c01", f"log {COMPUTE}", 0, out="Failed to connect to D-Bus\n")

    [down] = [one for one in site.look().findings if one.rule == "unit-down"]

    assert down.evidence == ("Failed to connect to D-Bus",)
    assert "as `nova`: `/etc/init.d/nova-compute systemd-start`" in down.remedy


@pytest.mark.parametrize(
    ("paths", "rules"),
    [
        ([boot_gate.DROP_IN], {"gate-shut"}),
        ([boot_gate.DROP_IN, boot_gate.OPENED], {"heartbeat-lost"}),
        ([boot_gate.DROP_IN, MAINTENANCE], {"heartbeat-lost"}),
    ],
    ids=["shut", "open", "drained"],
)
def test_a_nova_compute_that_waits_at_its_gate_is_named_so(
    paths: list[str], rules: set[str]
) -> None:
    """Seen: systemd says that a condition was not met, and the check took that for a drain."""
    site = Site()
    down = {"SubState": "dead", "ConditionResult": "no", "Result": "exec-condition"}
    site.unit("c01", COMPUTE, ActiveState="inactive", **down)
    site.cut("c01", 5672)
    site.silence("nova-compute", "c01")
    site.told("c01")["paths"] += paths

    health = site.look()

    assert {rule for rule, _ in roots(health)} == rules
    is_noted = any("a condition of its own is not met" in note.says for note in health.notes)
    assert is_noted is ("gate-shut" not in rules)


def test_a_unit_in_maintenance_is_told_and_no_finding() -> None:
    site = Site()
    site.unit("c01", COMPUTE, ActiveState="inactive", SubState="dead", ConditionResult="no")
    claim = "stackward 01J9 by ada on bastion since 2026-11-25T10:44:04Z: bad DIMM"
    site.silence("nova-compute", "c01", is_enabled=False, reason=claim)
    site.cut("c01", 5672)

    health = site.look()

    assert health.findings == ()
    assert [note.says for note in health.notes] == [
        "nova-compute is disabled by ada, run `01J9`, and down: bad DIMM",
        "`nova-compute.service` is not started: a condition of its own is not met",
    ]


def test_one_that_died_just_now_is_not_called_over_rpc() -> None:
    """Seen: its call held nova-api's only worker, and its healthy neighbour was called deaf."""
    site = Site()
    site.unit("c01", COMPUTE, ActiveState="failed", SubState="failed", Result="signal")
    site.cut("c01", 5672)

    assert roots(site.look()) == [("unit-down", "nova-compute on c01")]
    assert site.apis.called == ["c02"]


def test_what_was_drained_just_now_is_not_called_deaf_while_nova_still_calls_it_up() -> None:
    """Seen right after a drain: "broken: nobody reads its queue", with a remedy to restart it."""
    site = Site()
    site.unit("c01", COMPUTE, ActiveState="inactive", SubState="dead", LoadState="masked")
    claim = "stackward 01J9 by ada on bastion since 2026-11-25T10:44:04Z: bad DIMM"
    site.silence("nova-compute", "c01", is_up=True, age_s=12.0, is_enabled=False, reason=claim)
    site.cut("c01", 5672)
    unread(site)

    health = site.look()

    assert (health.findings, site.apis.called) == ((), ["c02"])
    assert [one for one in health.gaps if one.component == "nova-compute"] == []
    assert [one.where for one in health.notes if "disabled by ada" in one.says] == ["c01"]


def test_a_service_that_somebody_else_disabled_is_told_with_the_reason() -> None:
    site = Site()
    site.silence("nova-compute", "c01", is_up=True, is_enabled=False, reason="new disk")

    assert [note.says for note in site.look().notes] == [
        "nova-compute is disabled by others: new disk"
    ]


def test_a_socket_that_is_listened_on_may_start_its_service_later() -> None:
    site = Site()
    site.stop("c01", "virtlogd.service")

    assert site.look().findings == ()


def test_a_process_that_listens_on_nothing_is_found_though_its_unit_is_active() -> None:
    site = Site()
    sockets = site.told("ctl")["sockets"]
    sockets["out"] = "\n".join(line for line in sockets["out"].splitlines() if ":9292 " not in line)

    assert ("port-closed", "glance-api on ctl") in roots(site.look())


def test_a_process_that_looks_alive_and_has_lost_rabbitmq_is_found() -> None:
    """The chapter's nova-compute that does not reconnect after a controller's reboot."""
    site = Site()
    site.cut("c01", 5672)

    finding = only(site.look())

    assert (finding.rule, finding.where) == ("connection-missing", "nova-compute on c01")


def test_a_connection_of_which_the_other_side_knows_nothing_is_found() -> None:
    site = Site()
    sockets = site.told("ctl")["sockets"]
    sockets["out"] = "\n".join(
        line for line in sockets["out"].splitlines() if "10.77.1.11" not in line or ":6642 " in line
    )

    assert ("connection-half-open", "nova-compute on c01") in roots(site.look())


def test_nova_compute_that_is_known_to_be_deaf_is_not_called() -> None:
    """A call that stays unanswered holds a worker of nova-api for a minute."""
    site = Site()
    unbind(site)

    site.look()

    assert site.apis.called == ["c02"]


def test_nobody_is_called_while_rabbitmq_does_not_run() -> None:
    site = Site()
    site.stop("ctl", BROKER)

    site.look()

    assert site.apis.called == []


@pytest.mark.parametrize(
    ("told", "rule"),
    [
        pytest.param(
            {"alarms": [{"node": "rabbit@ctl", "type": "disk"}]}, "rabbitmq-alarm", id="alarm"
        ),
        pytest.param(
            {"partitions": {"rabbit@ctl": ["rabbit@ctl2"]}}, "rabbitmq-partition", id="split"
        ),
        pytest.param(
            {"disk_nodes": ["rabbit@ctl", "rabbit@ctl2"]}, "rabbitmq-member-missing", id="2nd"
        ),
    ],
)
def test_rabbitmq(told: dict[str, Any], rule: str) -> None:
    site = Site()
    answer = site.told("ctl")["commands"]["rabbitmq cluster"]
    answer["out"] = json.dumps({**json.loads(answer["out"]), **told})

    assert (rule, "rabbitmq on ctl") in roots(site.look())


def test_a_tool_that_is_late_on_a_busy_machine_is_unknown_while_clients_are_connected() -> None:
    site = Site()
    site.command("ctl", "rabbitmq cluster", None, err="no answer in time")

    health = site.look()

    assert health.findings == ()
    assert "what rabbitmq says of itself: no answer in time" in {n.says for n in health.unknown}


def test_messages_that_nobody_reads_are_found_with_their_queues() -> None:
    site = Site()
    site.told("ctl")["commands"]["rabbitmq queues"]["out"] += (
        "notifications.info\t4711\t0\tclassic\n"
    )

    found = only(site.look())

    assert (found.rule, found.evidence) == (
        "queues-unread",
        ("`notifications.info`: 4711 messages",),
    )


def test_replies_to_a_caller_that_is_gone_are_no_finding() -> None:
    site = Site()
    site.told("ctl")["commands"]["rabbitmq queues"]["out"] += "reply_0815\t2\t0\tclassic\n"

    assert site.look().findings == ()


MARIADB = (
    "max_connections\t600\nversion\t11.8\nwsrep_on\t{on}\nThreads_connected\t{used}\n"
    "wsrep_ready\t{ready}\nwsrep_cluster_status\t{status}\nwsrep_cluster_size\t{size}\n"
    "wsrep_local_state_comment\tSynced\nread_only\tOFF\nsessions\t40\n"
)


@pytest.mark.parametrize(
    ("told", "rule"),
    [
        pytest.param({"used": 590}, "connections-near-limit", id="no connection left"),
        pytest.param({"ready": "OFF"}, "galera-not-ready", id="not ready"),
        pytest.param({"status": "non-Primary"}, "galera-not-ready", id="no quorum"),
        pytest.param({"size": 0}, "galera-member-missing", id="member missing"),
    ],
)
def test_mariadb(told: dict[str, Any], rule: str) -> None:
    site = Site()
    usual = {"on": "ON", "used": 40, "ready": "ON", "status": "Primary", "size": 1}
    site.command("ctl", "mariadb", 0, out=MARIADB.format(**{**usual, **told}))

    assert (rule, "mariadb on ctl") in roots(site.look())


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param("innodb_snapshot_isolation\tON\nsessions\t48\n", True, id="services use it"),
        pytest.param("innodb_snapshot_isolation\tON\nsessions\t0\n", False, id="nobody uses it"),
        pytest.param(
            "innodb_snapshot_isolation\tON\nread_only\tON\nSlave_running\tON\nsessions\t9\n",
            False, id="it is only read",
        ),
        pytest.param("innodb_snapshot_isolation\tOFF\nsessions\t48\n", False, id="switched off"),
        pytest.param("sessions\t48\n", False, id="before 10.6.18, and MySQL"),
    ],
)  # fmt: skip
def test_a_mariadb_that_refuses_who_writes_second(told: str, *, expected: bool) -> None:
    site = Site()
    out = f"Threads_connected\t49\nmax_connections\t600\n{told}"
    site.command("ctl", "mariadb", 0, out=out)

    found = roots(site.look())

    assert (("mariadb-rejects-second-writers", "mariadb on ctl") in found) is expected


def test_a_broken_table_is_found_when_tables_are_asked_for() -> None:
    site = Site()
    site.command("ctl", "tables", 0, out="nova.instances\nerror    : Corrupt\n")

    assert roots(site.look(tables=True)) == [("table-broken", "mariadb on ctl")]


# --- APIs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        pytest.param(no_answer(), "list-unanswered", id="closed"),
        pytest.param(
            Failed(how=Failure.REFUSED, says="Unauthorized", status=401),
            "token-not-accepted",
            id="a good token is refused",
        ),
        pytest.param(
            Failed(how=Failure.ERROR, says="slow down", status=429), "rate-limited", id="limited"
        ),
        pytest.param(
            Failed(how=Failure.NOT_UNDERSTOOD, says="a page of HTML"),
            "api-answer-not-understood",
            id="a proxy's page",
        ),
        pytest.param(Answered(took_s=9.0), "list-slow", id="slow"),
    ],
)
def test_lists(answer: Answered | Failed, rule: str) -> None:
    site = Site()
    site.apis.lists["image"] = answer

    assert roots(site.look()) == [(rule, "glance-api")]


def test_a_list_that_this_login_may_not_ask_for_is_unknown_and_no_finding() -> None:
    site = Site()
    site.told("ctl")["web"] = []
    site.apis.lists["image"] = Failed(how=Failure.REFUSED, says="Policy", status=403)

    health = site.look()

    [gap] = health.unknown
    assert (gap.component, gap.kind, health.findings) == ("glance-api", Kept.RIGHTS, ())
    assert gap.cure == "use a login that is an administrator's"
    assert state_of(health, "glance-api") is State.UNKNOWN


def test_an_endpoint_that_only_other_services_use_is_found_too() -> None:
    site = Site()
    inner = "http://10.0.0.5:9292"
    site.apis.endpoints += (
        Endpoint(kind="image", region="RegionOne", interface="internal", url=inner),
    )
    site.apis.doors[inner] = no_answer()

    finding = only(site.look())

    assert finding.rule == "endpoint-unanswered"
    assert finding.reason == (
        f"its internal endpoint in RegionOne does not answer: {inner}: Connection refused"
    )


def test_an_endpoint_whose_list_failed_already_is_not_said_twice() -> None:
    site = Site()
    site.apis.lists["image"] = no_answer()
    site.apis.doors[f"{CTL}:9292"] = no_answer()

    assert roots(site.look()) == [("list-unanswered", "glance-api")]


def test_a_service_without_an_endpoint_for_our_interface_is_unknown() -> None:
    site = Site()
    image = Endpoint(kind="image", region="RegionOne", interface="internal", url=f"{CTL}:9292")
    site.apis.endpoints = (image, *(one for one in site.apis.endpoints if one.kind != "image"))

    health = site.look()

    assert (health.state, roots(health)) == (State.UNKNOWN, [("no-endpoint", "glance-api")])


def test_a_catalog_without_an_api_that_we_know_is_unknown() -> None:
    site = Site()
    stray = Endpoint(kind="metric", region="RegionOne", interface="public", url=f"{CTL}:8041")
    site.apis.endpoints = (stray,)

    health = site.look()

    assert health.state is State.UNKNOWN
    assert ("no-api", "keystone") in roots(health)


@pytest.mark.parametrize(
    ("days", "rules"),
    [
        pytest.param(-2, ["certificate-expired"], id="expired"),
        pytest.param(12, ["certificate-expires"], id="soon"),
        pytest.param(60, [], id="not yet"),
    ],
)
def test_certificates(days: int, rules: list[str]) -> None:
    site = Site()
    url = "https://cloud.example:9292"
    door = Endpoint(kind="image", region="RegionOne", interface="public", url=url)
    site.apis.endpoints = (door, *(one for one in site.apis.endpoints if one.kind != "image"))
    site.apis.certificates["cloud.example:9292"] = soon(days)

    assert [rule for rule, _ in roots(site.look())] == rules


def test_object_storage_is_asked_for_its_account_where_there_is_one() -> None:
    site = Site()
    swift = Endpoint(kind="object-store", region="RegionOne", interface="public", url=f"{CTL}:8080")
    site.apis.endpoints += (swift,)

    [proxy] = [one for one in site.look().components if one.name == "swift-proxy"]

    assert proxy.proof == "swift stat in 0.25 s"


# --- RPC ----------------------------------------------------------------------------------------


def crowd(count: int) -> Site:
    """Return a cloud with many compute nodes, whose queues cannot be seen."""
    site = Site()
    site.command("ctl", "rabbitmq queues", 1, err="Error: unknown virtual host")
    site.apis.reports["compute"] = [beat("nova-compute", f"n{n}") for n in range(count)]
    return site


def test_calls_over_rpc_stop_at_the_second_that_is_not_answered() -> None:
    """Fifty deaf nodes must not take all workers of nova-api."""
    site = crowd(50)
    site.apis.rpc = {f"n{n}": RpcAnswer(outcome=Rpc.SILENT, took_s=5) for n in range(50)}

    health = site.look()

    assert len(site.apis.called) == 2
    assert sum("answers RPC" in gap.says for gap in health.unknown) == 48


def test_one_deaf_node_does_not_keep_the_others_from_being_called() -> None:
    site = crowd(50)
    site.apis.rpc = {"n7": RpcAnswer(outcome=Rpc.SILENT, took_s=5)}

    site.look()

    assert len(site.apis.called) == 50


def test_what_is_proved_and_what_only_looks_alive_are_told_apart() -> None:
    shown = {one.name: one.proof for one in Site().look().components}

    assert (shown["nova-compute"], shown["nova-scheduler"]) == (
        "2 of 2 answer over RPC, within 0.50 s",
        "looks alive: heartbeat 3 s old, its queue is read, connected",
    )


# --- one node -----------------------------------------------------------------------------------


def test_one_node_is_looked_at_alone_and_called_alone() -> None:
    site = Site()

    health = site.look(only="c01")

    assert (site.nodes.asked, site.apis.called) == (["c01"], ["c01"])
    assert {node for one in health.components for node in one.nodes} == {"c01"}


def test_what_is_broken_elsewhere_does_not_touch_a_node() -> None:
    site = Site()
    kill_compute(site)

    health = site.look(only="c02")

    assert (health.findings, health.unknown) == ((), ())
    assert {one.state for one in health.components} == {State.OK}


def test_what_is_broken_on_the_only_node_looked_at_is_broken() -> None:
    site = Site()
    kill_compute(site)

    assert site.look(only="c01").state is State.BROKEN


# --- the rest of the rules ----------------------------------------------------------------------


def no_python(site: Site) -> None:
    site.nodes.said["c01"] = Answer(127, "", "env: 'python3': No such file or directory")


def kolla(site: Site, state: str, status: str) -> None:
    line = {"ID": "4f1c0e5b7d2a", "Names": "neutron_l3_agent", "State": state, "Status": status}
    site.command("c01", "containers of docker", 0, out=json.dumps(line))


def no_queue(site: Site) -> None:
    queues = site.told("ctl")["commands"]["rabbitmq queues"]
    queues["out"] = queues["out"].replace("compute.c01\t0\t1\tclassic\n", "")


@pytest.mark.parametrize(
    ("break_", "rule", "where"),
    [
        pytest.param(no_python, "node-useless", "machine on c01", id="no python3"),
        pytest.param(
            lambda site: site.command("ctl", "rabbitmq cluster", 0, out="{}"),
            "answer-not-understood", "rabbitmq on ctl", id="RabbitMQ in an unknown form",
        ),
        pytest.param(
            lambda site: kolla(site, "exited", "Exited (1) 5 minutes ago"),
            "container-down", "neutron-l3-agent on c01", id="container exited",
        ),
        pytest.param(
            lambda site: kolla(site, "running", "Up 3 weeks (unhealthy)"),
            "container-unhealthy", "neutron-l3-agent on c01", id="container unhealthy",
        ),
        pytest.param(
            lambda site: site.command("ctl", "rabbitmq cluster", 69, err="Error: no connection"),
            "rabbitmq-silent", "rabbitmq on ctl", id="RabbitMQ silent",
        ),
        pytest.param(
            lambda site: site.told("ctl")["amqp"][0].update(error="Connection refused"),
            "rabbitmq-takes-no-clients", "rabbitmq on ctl", id="RabbitMQ takes no clients",
        ),
        pytest.param(no_queue, "own-queue-missing", "nova-compute on c01", id="no queue"),
        pytest.param(
            lambda site: site.command("ctl", "mariadb", 1, err="ERROR 2002 (HY000): Can't connect"),
            "mariadb-silent", "mariadb on ctl", id="MariaDB silent",
        ),
        pytest.param(
            lambda site: site.told("ctl").update(memcached={"error": "timed out"}),
            "memcached-silent", "memcached on ctl", id="memcached silent",
        ),
        pytest.param(
            lambda site: site.command("c01", "libvirt", None, err="no answer in time"),
            "libvirt-silent", "libvirtd on c01", id="libvirt hangs",
        ),
        pytest.param(
            lambda site: site.silence("nova-compute", "c01", is_forced_down=True),
            "forced-down", "nova-compute on c01", id="forced down",
        ),
        pytest.param(
            lambda site: site.apis.lives_on_source.append(
                LivesOnSource(server="s", name="db-01", host="c01", record=7, status="done")
            ),
            "lives-on-source", "nova-compute on c01", id="lives on the source of its evacuation",
        ),
        pytest.param(
            lambda site: site.apis.calls.update({POOLS: NFS_DOWN}),
            "backend-down", "cinder-volume on ctl", id="backend down",
        ),
        pytest.param(
            lambda site: setattr(site.apis, "login", no_answer()),
            "login-unanswered", "keystone on ctl", id="Keystone silent",
        ),
        pytest.param(
            lambda site: setattr(
                site.apis, "login", Failed(how=Failure.ERROR, says="no fernet key", status=500)
            ),
            "login-failed", "keystone on ctl", id="Keystone fails",
        ),
        pytest.param(
            lambda site: site.apis.doors.update(
                {f"{CTL}:9696": Failed(how=Failure.ERROR, says="bad gateway", status=502)}
            ),
            "endpoint-failed", "neutron-api", id="endpoint fails",
        ),
    ],
)  # fmt: skip
def test_each_of_these_is_found(break_: Callable[[Site], None], rule: str, where: str) -> None:
    site = Site()
    break_(site)

    assert (rule, where) in roots(site.look())


# --- older clouds, and cells that are down ------------------------------------------------------


def test_a_nova_older_than_we_know_is_not_known_and_never_broken() -> None:
    """F14: "broken: nova-api ... 406 ... mostly a wrong password"."""
    site = Site()
    site.apis.lists["compute"] = Failed(how=Failure.TOO_OLD, says="no version 2.1", status=406)

    health = site.look()

    assert (health.state, health.findings) == (State.NOT_PROVED, ())
    assert [gap.says for gap in health.not_proved if gap.where == "nova-api"] == [
        "the server list: it is older than Stackward knows: no version 2.1"
    ]


def test_a_list_of_services_that_makes_no_sense_is_unknown() -> None:
    site = Site()
    site.apis.reports["compute"] = Failed(how=Failure.NOT_UNDERSTOOD, says="it is not JSON")

    health = site.look()

    assert ("api-answer-not-understood", "nova-api") in roots(health)
    assert health.state is State.UNKNOWN


def test_a_cell_that_is_down_is_found_with_its_hosts() -> None:
    """F08: rows with three keys ended the whole check with a KeyError."""
    site = Site()
    compute = site.apis.reports["compute"]
    assert isinstance(compute, list)
    compute.append(beat("nova-compute", "c90", is_up=False, is_known=False, age_s=None))

    health = site.look()

    assert roots(health) == [("cell-down", "nova-api")]
    [host] = [one for one in health.findings if one.rule == "host-in-down-cell"]
    assert (host.where, host.under) == ("nova-compute on c90", "nova-api")
    [cell] = [one for one in health.findings if one.rule == "cell-down"]
    assert cell.evidence == ("`c90`",)
    assert site.apis.called == ["c01", "c02"]


# --- the rules ----------------------------------------------------------------------------------


def test_every_rule_is_met_by_a_test() -> None:
    lists = "test_remedies_are_safe.py"  # names them, and meets none
    files = [each for each in Path(__file__).parent.glob("test_*.py") if each.name != lists]
    text = "".join(each.read_text() for each in files)

    assert [one.name for one in symptoms.ALL if f'"{one.name}"' not in text] == []


def test_the_names_of_the_rules_are_their_own() -> None:
    names = [symptom.name for symptom in symptoms.ALL]

    assert len(names) == len(set(names))


# --- what was not shown, and what is no fault ---------------------------------------------------

ADMINS_ONLY = Failed(how=Failure.REFUSED, says="Policy does not allow it", status=403)


def test_a_login_that_may_see_no_service_is_a_missing_right_and_no_fault() -> None:
    """Seen: `node check` ended with 6, for no API had been asked, though each had answered."""
    site = Site()
    for kind in ("compute", "network", "block-storage"):
        site.apis.reports[kind] = ADMINS_ONLY

    health = site.look(only="c01")

    assert (health.state, health.findings) == (State.NOT_PROVED, ())
    assert {gap.kind for gap in health.unknown} <= {Kept.RIGHTS, Kept.SPARED}


@pytest.mark.parametrize(
    ("kind", "state", "sub", "expected"),
    [
        pytest.param("forking", "active", "exited", True, id="a script of init.d, and its end"),
        pytest.param("simple", "active", "exited", True, id="one that is to remain after its exit"),
        pytest.param("forking", "active", "running", False, id="it runs"),
        pytest.param("oneshot", "active", "exited", False, id="it has done its work"),
        pytest.param("", "active", "exited", False, id="systemd does not tell"),
    ],
)
def test_a_process_that_has_ended_while_systemd_calls_it_active_is_found(
    kind: str, state: str, sub: str, *, expected: bool
) -> None:
    """Seen of neutron-ovn-maintenance-worker, which Debian has as a script of /etc/init.d."""
    site = Site()
    unit = "nova-scheduler.service"
    site.unit("ctl", unit, ActiveState=state, SubState=sub)
    told = site.told("ctl")["commands"]["units"]
    named = f"Id={unit}"
    assert named in told["out"]
    told["out"] = told["out"].replace(named, f"{named}\nType={kind}" if kind else named)

    found = roots(site.look())

    assert (found == [("unit-ended", "nova-scheduler on ctl")]) is expected
    assert (found == []) is not expected


@pytest.mark.parametrize(
    ("binary", "node"),
    [
        ("nova-compute", "c02"),
        ("nova-conductor", "ctl"),
        ("cinder-volume", "ctl"),
        ("ovn-controller", "c02"),
    ],
)
def test_what_runs_and_has_no_record_in_the_list_of_its_api_is_found(
    binary: str, node: str
) -> None:
    """Such a nova-compute gets no servers, and the answer was "ok as far as asked"."""
    site = Site()
    site.forget(binary, node)

    health = site.look()

    [found] = [one for one in health.findings if one.under is None]
    assert (found.rule, found.component, found.node) == ("record-missing", binary, node)
    assert binary in found.reason
    assert f"`systemctl restart {binary}` makes it create another" in found.remedy
    assert ("discover_hosts" in found.remedy) is (binary == "nova-compute")


def test_a_machine_that_the_inventory_names_twice_has_one_record_only() -> None:
    site = Site()
    site.nodes.told["c03"] = sample("c01")

    found = {(one.rule, one.component) for one in site.look().findings if one.node == "c03"}

    assert ("record-missing", "nova-compute") in found


@pytest.mark.parametrize("answer", [ADMINS_ONLY, no_answer()], ids=["not allowed", "no answer"])
def test_a_list_that_was_not_read_has_no_missing_record(answer: Failed) -> None:
    site = Site()
    site.apis.reports["compute"] = answer

    assert "record-missing" not in {one.rule for one in site.look().findings}


def test_a_record_whose_host_leads_to_no_node_may_be_the_one() -> None:
    """Cinder's `backend_host`, or an alias, is a name of its own."""
    site = Site()
    site.forget("cinder-volume", "ctl")
    assert isinstance(site.apis.reports["block-storage"], list)
    site.apis.reports["block-storage"].append(beat("cinder-volume", "ha-volumes@nfs"))

    assert "record-missing" not in {one.rule for one in site.look().findings}


def test_agents_of_a_kind_that_neutron_does_not_list_are_not_in_use() -> None:
    site = Site()
    for node in ("ctl", "c01", "c02"):
        site.forget("ovn-controller", node)

    assert "record-missing" not in {one.rule for one in site.look().findings}


def test_a_service_that_only_another_region_has_is_no_part_of_this_one() -> None:
    site = Site()
    swift = Endpoint(kind="object-store", region="RegionTwo", interface="public", url="http://two")
    site.apis.endpoints = (*site.apis.endpoints, swift)

    assert site.look().findings == ()


def test_a_node_that_is_not_reached_by_ssh_is_named() -> None:
    site = Site(left_out={"c02": "winrm"})

    health = site.look()

    [gap] = [one for one in health.not_proved if one.where == "c02" and "winrm" in one.why]
    assert "ansible_connection" in gap.cure


@pytest.mark.parametrize(
    ("size", "free", "rule"),
    [
        pytest.param(1_000_000, 19_900, "disk-filling", id="98.01 percent are not 99"),
        pytest.param(1_000_000, 10_000, "disk-full", id="99 percent"),
        pytest.param(450 * 2**40, 4 * 2**40, "disk-filling", id="4 TiB are room, whatever part"),
    ],
)
def test_a_disk_is_full_where_nothing_more_has_room(size: int, free: int, rule: str) -> None:
    site = Site()
    disk = site.told("c01")["filesystems"][0]
    disk |= {"size": size, "free": free}

    assert [one.rule for one in site.look().findings if one.node == "c01"] == [rule]


def test_a_password_in_the_words_of_a_service_is_shown_nowhere() -> None:
    site = Site()
    site.apis.lists["image"] = Failed(
        how=Failure.REFUSED, says="see http://admin:hunter2secret@proxy/", status=403
    )
    site.silence(
        "nova-compute", "c02", is_up=True, is_enabled=False, reason="password=hunter3secret"
    )

    health = site.look()

    said = [*(gap.says for gap in health.gaps), *(note.says for note in health.notes)]
    assert any("http://admin:***@proxy/" in one for one in said)
    assert not any("hunter" in one for one in said)


def test_what_somebody_has_stopped_is_explained_by_no_cache() -> None:
    """Seen: a stopped Keystone stood under a frozen memcached, with a remedy for the cache."""
    site = Site()
    site.told("ctl").update(memcached={"error": "timed out"})
    site.stop("ctl", "glance-api.service")

    assert ("unit-down", "glance-api on ctl") in roots(site.look())


def test_where_nothing_was_reached_that_is_what_is_said() -> None:
    site = Site()
    for node in site.nodes.told:
        site.nodes.told[node] = NO_ROUTE
    site.apis.login = no_answer()

    assert summary(site.look()).startswith("nothing was reached: no node and no API")


# --- what nodes once said of themselves ---

THEN = datetime(2026, 11, 20, 3, tzinfo=UTC)
ALIAS = "rack1-node2"


def dead_alias(remembered: dict[str, Itself] | Unread) -> Site:
    """Given a node whose name in the inventory nobody else knows, switched off."""
    site = Site(remembered=remembered)
    del site.nodes.told["c02"]
    site.nodes.told[ALIAS] = NO_ROUTE
    for binary in ("nova-compute", "ovn-controller"):
        site.silence(binary, "c02")
    return site


def test_a_dead_node_is_no_machine_that_is_gone_where_it_once_said_who_it_is() -> None:
    """The remedy of `not-in-inventory-and-down` removes its services from Nova and Neutron."""
    site = dead_alias({ALIAS: Itself(names=("c02",), seen_at=THEN)})

    health = site.look()

    rules = {(one.rule, one.node) for one in health.findings}
    assert ("node-unreachable", ALIAS) in rules
    assert not {rule for rule, _ in rules} & {"not-in-inventory", "not-in-inventory-and-down"}
    [note] = [one for one in health.notes if one.where == ALIAS]
    assert note.says == (
        "it is taken for the host `c02` by what it called itself at 2026-11-20T03:00:00Z[UTC]"
    )


def test_a_node_that_answers_needs_no_old_word() -> None:
    site = Site(remembered={"c01": Itself(names=("c02",), seen_at=THEN)})

    health = site.look()

    assert health.findings == ()
    assert [one for one in health.notes if "it is taken for" in one.says] == []


def test_a_journal_that_cannot_be_read_is_a_gap_and_fails_no_look() -> None:
    site = dead_alias(Unread("it is no database"))

    health = site.look()

    assert "not-in-inventory-and-down" in {one.rule for one in health.findings}
    [gap] = [one for one in health.not_proved if "database of runs" in one.why]
    why = "the database of runs was not read: it is no database"
    assert gap.says == f"what they once called themselves: {why}"
