"""A process that runs and does not answer is found, whatever systemd says of it."""

import copy
import json

import pytest

from fakes.nodes import NO_ROUTE
from fakes.site import Site
from stackward.model.health import Finding, Health, Kept, State

ALARM = "fatal_signal|WARN|terminating with signal 14 (Alarm clock)"


def roots(health: Health) -> list[tuple[str, str, State]]:
    return [(one.rule, one.where, one.state) for one in health.findings if one.under is None]


def only(health: Health) -> Finding:
    [finding] = health.findings
    return finding


def said_of(health: Health) -> list[str]:
    return [f"{one.where}: {one.says}" for one in health.gaps]


@pytest.mark.parametrize(
    ("node", "question", "code", "restart"),
    [
        pytest.param(
            "ctl", "ovn-northd 0", -14, "systemctl kill --signal=KILL ovn-northd", id="ovn-northd"
        ),
        pytest.param(
            "ctl", "ovn-databases 0", 142, "systemctl restart ovn-ovsdb-server-nb",
            id="OVN's northbound database, through sudo",
        ),
        pytest.param(
            "ctl", "ovn-databases 1", -14, "systemctl restart ovn-ovsdb-server-sb",
            id="OVN's southbound database",
        ),
        pytest.param(
            "c01", "openvswitch 0", -14, "systemctl restart ovs-vswitchd", id="ovs-vswitchd"
        ),
        pytest.param(
            "c01", "openvswitch 1", -14, "systemctl restart ovsdb-server", id="ovsdb-server"
        ),
        pytest.param(
            "c01", "ovn-controller 0", -14, "systemctl restart ovn-controller", id="ovn-controller"
        ),
        pytest.param("c01", "virtlogd 0", 124, "systemctl restart virtlogd", id="virtlogd"),
        pytest.param(
            "c01", "dbus 0", None, "systemctl restart dbus", id="D-Bus, given up by the look itself"
        ),
        pytest.param(
            "c01", "machine 0", 124, "systemctl restart systemd-networkd", id="systemd-networkd"
        ),
        pytest.param("ctl", "logind 0", 124, "systemctl restart systemd-logind", id="logind"),
        pytest.param("c01", "polkit 0", 124, "systemctl restart polkit", id="polkit"),
    ],
)  # fmt: skip
def test_a_frozen_process_is_found_with_what_starts_it_anew(
    node: str, question: str, code: int | None, restart: str
) -> None:
    """Seen: each of these was frozen, and the answer was that the cloud is ok."""
    site = Site()
    site.command(node, f"question {question}", code, err=ALARM)

    finding = next(one for one in site.look().findings if one.under is None)

    assert (finding.rule, finding.component, finding.node) == (
        "process-silent",
        question.partition(" ")[0],
        node,
    )
    assert f"`{restart}` only if" in finding.remedy


def test_a_node_whose_network_another_manages_is_not_asked_of_networkd() -> None:
    site = Site()
    gone = {"ActiveState": "inactive", "UnitFileState": "disabled", "WantedBy": ""}
    site.unit("c01", "systemd-networkd.service", **gone)
    site.command("c01", "question machine 0", None)

    health = site.look()

    assert health.findings == ()
    assert not any("managed" in gap.what for gap in health.gaps)


NO_NAME = 'Call failed: Name "org.freedesktop.{}1" does not exist'


@pytest.mark.parametrize("says", [
    pytest.param(NO_NAME, id="the daemon of reference"),
    pytest.param("Call failed: Destination does not exist", id="dbus-broker"),
    pytest.param(
        "Call failed: The name org.freedesktop.{}1 was not provided by any .service files",
        id="a bus that cannot start it",
    ),
])  # fmt: skip
@pytest.mark.parametrize(
    ("component", "number", "name", "unit"),
    [
        ("logind", 0, "login", "systemd-logind"),
        ("machine", 1, "network", "systemd-networkd"),
        ("polkit", 0, "PolicyKit", "polkit"),
    ],
    ids=["logind", "networkd", "polkit"],
)
def test_who_is_not_on_the_message_bus_any_more_is_found_by_name(
    component: str, number: int, name: str, unit: str, says: str
) -> None:
    """Seen: the bus was started anew by its socket without them, and the cloud was called ok."""
    site = Site()
    site.command("c01", f"question {component} {number}", 1, err=says.format(name))

    finding = only(site.look())

    assert (finding.rule, finding.where) == ("off-the-bus", f"{component} on c01")
    assert finding.reason.startswith(f"`{unit}` runs, but is not on D-Bus")
    assert f"`systemctl restart {unit}`" in finding.remedy


@pytest.mark.parametrize(
    ("code", "err"),
    [
        pytest.param(124, "", id="it is frozen"),
        pytest.param(1, "Failed to connect to bus: Connection refused", id="it does not run"),
    ],
)
def test_what_a_silent_message_bus_keeps_from_answering_is_no_finding_of_its_own(
    code: int, err: str
) -> None:
    site = Site()
    for each in ("dbus 0", "logind 0", "polkit 0", "machine 1"):
        site.command("c01", f"question {each}", code, err=err)

    health = site.look()

    assert {one.component for one in health.findings} == {"dbus"}
    assert "c01: logind: its seats: dbus, by way of which it is asked, does not answer" in said_of(
        health
    )


def test_a_networkd_that_is_frozen_is_one_finding_however_it_is_asked() -> None:
    site = Site()
    site.command("c01", "question machine 0", 124)
    site.command("c01", "question machine 1", 124)

    assert only(site.look()).rule == "process-silent"


def test_a_frozen_bus_is_found_though_systemd_is_asked_by_way_of_it() -> None:
    """Seen: for a login that is not root `systemctl` hangs too, and the node was called useless."""
    site = Site()
    site.command("ctl", "units", None, err="no answer in time")
    site.command("ctl", "question dbus 0", 124)

    [finding] = [one for one in site.look().findings if one.under is None]

    assert (finding.rule, finding.where) == ("process-silent", "dbus on ctl")
    assert "systemd does not answer: no answer in time" in finding.evidence


@pytest.mark.parametrize("how", ["masked", "disabled"])
def test_a_network_that_nobody_manages_any_more_is_found(how: str) -> None:
    """Seen: stopped and masked, and the cloud was called ok: its addresses stay, until a change."""
    site = Site()
    load = "masked" if how == "masked" else "loaded"
    gone = {"ActiveState": "inactive", "UnitFileState": how, "LoadState": load, "WantedBy": ""}
    site.unit("c01", "systemd-networkd.service", **gone)
    site.told("c01")["paths"].append("/run/systemd/netif/state")

    finding = only(site.look())

    assert (finding.rule, finding.where) == ("network-unmanaged", "machine on c01")
    assert "enable --now systemd-networkd" in finding.remedy


def test_a_network_that_another_manages_is_well() -> None:
    site = Site()
    gone = {"ActiveState": "inactive", "UnitFileState": "masked", "LoadState": "masked"}
    site.unit("c01", "systemd-networkd.service", WantedBy="", **gone)

    assert site.look().findings == ()


def test_what_a_process_says_against_itself_is_found() -> None:
    site = Site()
    site.command("c01", "question ovn-controller 0", 0, "not connected\n")

    finding = only(site.look())

    assert (finding.rule, finding.where) == ("process-ill", "ovn-controller on c01")
    assert "it answers `not connected`" in finding.reason


@pytest.mark.parametrize("only_ctl", ["ctl", None])
def test_an_ovn_northd_that_is_paused_is_never_well(only_ctl: str | None) -> None:
    """It stands by for nobody: it goes on only once somebody resumes it."""
    site = Site()
    site.command("ctl", "question ovn-northd 0", 0, "Status: paused\n")

    health = site.look(only=only_ctl)

    finding = only(health)
    assert (finding.rule, finding.where) == ("process-ill", "ovn-northd on ctl")
    assert "it answers `Status: paused`" in finding.reason


def test_of_ovn_northd_exactly_one_must_be_active() -> None:
    site = Site()
    site.command("ctl", "question ovn-northd 0", 0, "Status: standby\n")

    finding = only(site.look())

    assert (finding.rule, finding.where) == ("not-one-active", "ovn-northd")
    assert "none of 1 are active" in finding.reason


def northd(site: Site, node: str, database: str, status: str) -> None:
    """Let one more controller run an ovn-northd, with a database at an address."""
    told = copy.deepcopy(site.told("ctl"))
    told["hostname"] = node
    told["sockets"]["out"] = told["sockets"]["out"].replace("10.77.1.10:", f"{database}:")
    site.nodes.told[node] = told
    site.command(node, "question ovn-northd 0", 0, f"Status: {status}\n")


@pytest.mark.parametrize(
    ("others", "evidence"),
    [
        pytest.param([("10.77.1.10", "standby")], None, id="one waits for the other"),
        pytest.param([("10.77.1.10", "active")], {"ctl", "ctl1"}, id="two on the same database"),
        pytest.param([("10.88.1.10", "active")], None, id="one in each of two deployments"),
        pytest.param(
            [("10.88.1.10", "standby")], {"ctl1"}, id="none in the second of two deployments"
        ),
        pytest.param(
            [("10.88.1.10", "active"), ("10.88.1.10", "standby")], None,
            id="two deployments, one with a standby",
        ),
        pytest.param(
            [("10.88.1.10", "active"), ("10.88.1.10", "active")], {"ctl1", "ctl2"},
            id="two in the second of two deployments",
        ),
        pytest.param(
            [("10.88.1.10", "active"), ("127.0.0.1", "standby")], None,
            id="whose deployment one is of is not seen",
        ),
        pytest.param([("127.0.0.1", "standby")], None, id="one beside it, not seen where"),
    ],
)  # fmt: skip
def test_in_each_deployment_exactly_one_ovn_northd_must_be_active(
    others: list[tuple[str, str]], evidence: set[str] | None
) -> None:
    """Two clouds in one inventory were "broken": 2 of 2 were active."""
    site = Site()
    for number, (database, status) in enumerate(others, 1):
        northd(site, f"ctl{number}", database, status)

    found = [one for one in site.look().findings if one.rule == "not-one-active"]

    named = [{says.split("`")[1] for says in one.evidence} for one in found]
    assert named == ([] if evidence is None else [evidence])


@pytest.mark.parametrize(
    ("code", "out", "err", "says"),
    [
        pytest.param(0, "Zustand: aktiv\n", "", "it answers `Zustand: aktiv`", id="another form"),
        pytest.param(
            1, "", "cannot read pidfile", "it answers `cannot read pidfile`", id="its tool fails"
        ),
    ],
)
def test_what_is_not_understood_is_neither_well_nor_broken(
    code: int, out: str, err: str, says: str
) -> None:
    site = Site()
    site.command("ctl", "question ovn-northd 0", code, out, err)

    finding = only(site.look())

    assert (finding.rule, finding.where) == ("answer-not-understood", "ovn-northd on ctl")
    assert (finding.state, finding.evidence) == (State.UNKNOWN, (says,))


def test_what_may_not_be_asked_is_unknown_and_no_finding() -> None:
    site = Site()
    site.command("ctl", "question ovn-northd 0", 1, err="sudo: a password is required")

    health = site.look()

    assert health.findings == ()
    assert "ctl: ovn-northd: its status: sudo: a password is required" in said_of(health)


def test_a_process_that_does_not_run_is_not_blamed_twice() -> None:
    site = Site()
    site.stop("ctl", "ovn-northd.service")
    site.command("ctl", "question ovn-northd 0", -14, err=ALARM)

    assert [rule for rule, _, _ in roots(site.look())] == ["unit-down"]


def test_what_has_answered_is_shown_by_that() -> None:
    shown = {one.name: one.proof for one in Site().look().components}

    assert shown["openvswitch"] == "2 of 2 answer when asked"
    assert shown["ovn-northd"] == "1 of 1 answer when asked"
    assert shown["neutron-periodic-workers"] == "looks alive: 1 of 1 running"


@pytest.mark.parametrize("node", ["ctl", "c01", "c02"])
def test_without_sudo_nothing_is_called_frozen(node: str) -> None:
    """Seen: four healthy processes were "broken", with a remedy that restarts them."""
    site = Site()
    for name in [one for one in site.told(node)["commands"] if one.startswith("question ")]:
        site.command(node, name, None, err="sudo: there is none on this node")

    assert [rule for rule, _, _ in roots(site.look()) if rule == "process-silent"] == []


def test_a_warning_of_sudo_is_no_refusal() -> None:
    site = Site()
    said = f"sudo: unable to resolve host ctl: Name or service not known\n{ALARM}"
    site.command("ctl", "question ovn-northd 0", 142, err=said)

    assert only(site.look()).rule == "process-silent"


def test_one_node_alone_does_not_tell_that_none_is_active() -> None:
    """The active one may be on another controller."""
    site = Site()
    site.command("ctl", "question ovn-northd 0", 0, "Status: standby\n")

    assert site.look(only="ctl").findings == ()


def test_a_node_that_was_not_seen_may_have_the_active_one() -> None:
    site = Site()
    site.command("ctl", "question ovn-northd 0", 0, "Status: standby\n")
    site.nodes.told["c01"] = NO_ROUTE

    assert "not-one-active" not in {rule for rule, _, _ in roots(site.look())}


def test_a_queue_of_a_member_that_is_down_hides_nothing() -> None:
    """RabbitMQ prints no figures of it; the member that is missing is the finding."""
    site = Site()
    queues = site.told("ctl")["commands"]["rabbitmq queues"]
    queues["out"] += "notifications.info\t\t\tclassic\n"
    cluster = site.told("ctl")["commands"]["rabbitmq cluster"]
    told = json.loads(cluster["out"])
    told["disk_nodes"].append("rabbit@ctl2")
    cluster["out"] = json.dumps(told)

    assert [rule for rule, _, _ in roots(site.look())] == ["rabbitmq-member-missing"]


VIRTLOGD = "error: Failed to connect socket to '/var/run/libvirt/virtlogd-admin-sock': "
NO_COMMANDS = "506 Cannot talk to daemon\n"


@pytest.mark.parametrize(
    ("question", "out", "err"),
    [
        pytest.param("virtlogd 0", "", f"{VIRTLOGD}No such file or directory", id="no socket"),
        pytest.param("virtlogd 0", "", f"{VIRTLOGD}Connection refused", id="nobody behind it"),
        pytest.param("chrony 0", NO_COMMANDS, "", id="chronyd with `cmdport 0`"),
    ],
)
def test_where_nobody_need_listen_nothing_was_asked(question: str, out: str, err: str) -> None:
    """Each compute node of Kolla without a virtlogd was "unknown" for ever, with exit 6."""
    site = Site()
    component = question.partition(" ")[0]
    if component == "chrony":
        clock(site, "c01")
    site.command("c01", f"question {question}", 1, out, err)

    health = site.look()

    assert health.findings == ()
    [gap] = [one for one in health.gaps if (one.component, one.where) == (component, "c01")]
    assert (gap.kind, gap.why.partition(":")[0]) == (Kept.NO_QUESTION, "nobody listens")


def clock(site: Site, node: str) -> None:
    units = site.told(node)["commands"]["units"]
    units["out"] += (
        "\n\nId=chrony.service\nLoadState=loaded\nActiveState=active\nSubState=running\n"
        "UnitFileState=enabled\nActiveEnterTimestampMonotonic=1000000\n"
    )


@pytest.mark.parametrize(
    ("question", "code", "out", "err", "rule"),
    [
        pytest.param(
            "virtlogd 0", 1, "", "error: Failed to connect socket to '/run/x': Permission granted",
            "answer-not-understood", id="another error of virtlogd's tool",
        ),
        pytest.param(
            "virtlogd 0", 0, "", f"{VIRTLOGD}Connection refused", "answer-not-understood",
            id="a tool that does not fail",
        ),
        pytest.param("virtlogd 0", 124, "", f"{VIRTLOGD}x", "process-silent", id="frozen"),
        *(
            pytest.param(
                question, 1, "",
                'ovs-appctl: cannot connect to "/run/x/y.17.ctl" (Connection refused)',
                "process-ill", id=f"{question}, dead while its unit runs",
            )
            for question in ("openvswitch 0", "openvswitch 1", "ovn-controller 0")
        ),
    ],
)  # fmt: skip
def test_where_somebody_must_listen_a_refusal_is_held_against_it(
    question: str, code: int, out: str, err: str, rule: str
) -> None:
    site = Site()
    site.command("c01", f"question {question}", code, out, err)

    assert [name for name, _, _ in roots(site.look())] == [rule]
