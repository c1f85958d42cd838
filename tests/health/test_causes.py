"""One cause, one finding: the real cause is first, and what it explains stands under it."""

import json
import re
from collections.abc import Callable
from time import process_time

import pytest

from fakes.apis import CTL, beat, no_answer
from fakes.clock import FakeClock
from fakes.nodes import NO_ROUTE, refused
from fakes.site import ANATOMY, Site, soon
from health.test_judge import stop_mariadb, stop_rabbitmq
from stackward.errors import Uncertain
from stackward.health.causes import TOGETHER, Known, explain, written_by
from stackward.health.symptoms import ALL
from stackward.model.cloud_state import CloudState, Endpoint, Failed, Failure
from stackward.model.health import Finding, Health, State
from stackward.model.login import Login
from stackward.report.health import MOST_AFFECTED, as_record, lines_of

GIB = 2**30


def roots(health: Health) -> list[tuple[str, str]]:
    return [(one.rule, one.where) for one in health.findings if one.under is None]


def all_fail(site: Site, how: Failed) -> None:
    """Let every API answer so."""
    site.apis.login = how
    for kind in ("image", "placement", "compute", "network", "volumev3"):
        site.apis.lists[kind] = how
        site.apis.reports[{"volumev3": "block-storage"}.get(kind, kind)] = how


def disk_full(site: Site) -> None:
    """Let what writes to the controller's disk fail: its database, its broker, its services."""
    site.told("ctl")["filesystems"][0]["free"] = 0
    alarm_and_more(site)


def disk_nearly_full(site: Site) -> None:
    """RabbitMQ raises its alarm long before the disk is full: that needs some bytes."""
    one = site.told("ctl")["filesystems"][0]
    one["free"] = one["size"] // 30
    answer = site.told("ctl")["commands"]["rabbitmq cluster"]
    alarms = {"alarms": [{"node": "rabbit@ctl", "type": "free_disk_space"}]}
    answer["out"] = json.dumps({**json.loads(answer["out"]), **alarms})
    for host in ("c01", "c02"):
        site.silence("nova-compute", host)


def alarm_and_more(site: Site) -> None:
    answer = site.told("ctl")["commands"]["rabbitmq cluster"]
    alarms = {"alarms": [{"node": "rabbit@ctl", "type": "free_disk_space"}]}
    answer["out"] = json.dumps({**json.loads(answer["out"]), **alarms})
    site.unit("ctl", "mariadb.service", ActiveState="failed", SubState="failed", Result="signal")
    site.command("ctl", "mariadb", 1, err="ERROR 2002 (HY000): Can't connect to local server")
    site.unit("ctl", "cinder-volume.service", ActiveState="failed", Result="exit-code")
    for host in ("c01", "c02"):
        site.silence("nova-compute", host)
    site.silence("nova-conductor", "ctl")
    site.silence("nova-scheduler", "ctl")
    site.silence("cinder-scheduler", "ctl")
    site.silence("cinder-volume", "ctl")
    how = Failed(how=Failure.ERROR, says="Internal Server Error", status=500)
    for kind in ("image", "placement", "compute", "network", "volumev3"):
        site.apis.lists[kind] = how


def controller_dead(site: Site) -> None:
    site.nodes.told["ctl"] = NO_ROUTE
    all_fail(site, no_answer("No route to host"))
    for node in ("c01", "c02"):
        for port in (5672, 6642, 3306):
            site.cut(node, port)


def database_read_only(site: Site) -> None:
    """Nothing can be written: what must write fails, and its reports grow old."""
    told = site.told("ctl")["commands"]["mariadb"]
    assert "read_only\tOFF" in told["out"]
    told["out"] = told["out"].replace("read_only\tOFF", "read_only\tON")
    for binary, host in (("nova-conductor", "ctl"), ("nova-compute", "c01"),
                         ("nova-compute", "c02"), ("cinder-volume", "ctl")):  # fmt: skip
        site.silence(binary, host)


def keystone_down(site: Site) -> None:
    site.stop("ctl", "keystone.service")
    site.apis.login = no_answer()


def clock_astray(site: Site) -> None:
    """Let the clock of a compute node run late: its reports look old."""
    told = site.told("c01")
    told["container"] = ""
    told["clock"]["status"] = 0
    told["now"] = site.clock.now().timestamp() - 300
    site.command("c01", "kernel", 0)
    site.silence("nova-compute", "c01")
    site.silence("ovn-controller", "c01")


def secure(site: Site, days: int) -> None:
    kinds = [(one.kind, one.url) for one in site.apis.endpoints if one.interface == "public"]
    site.apis.endpoints = tuple(
        Endpoint(kind=kind, region="RegionOne", interface="public",
                 url=url.replace(CTL, "https://cloud.example"))
        for kind, url in kinds
    )  # fmt: skip
    for port in (5000, 9292, 8778, 8774, 9696, 8776):
        site.apis.certificates[f"cloud.example:{port}"] = soon(days)


def certificate_expired(site: Site) -> None:
    secure(site, -2)
    for kind in ("image", "placement", "compute", "network", "volumev3"):
        site.apis.lists[kind] = no_answer("certificate verify failed: certificate has expired")


def certificate_expires(site: Site) -> None:
    secure(site, 7)


def cell_down(site: Site) -> None:
    compute = site.apis.reports["compute"]
    assert isinstance(compute, list)
    compute += [
        beat("nova-compute", f"c9{n}", is_up=False, is_known=False, age_s=None) for n in range(4)
    ]


def rack(site: Site, count: int = 5) -> None:
    for n in range(count):
        site.nodes.told[f"r{n}"] = NO_ROUTE
        compute, network = site.apis.reports["compute"], site.apis.reports["network"]
        assert isinstance(compute, list)
        assert isinstance(network, list)
        compute.append(beat("nova-compute", f"r{n}", is_up=False, age_s=95.0))
        network.append(beat("ovn-controller", f"r{n}", is_up=False, age_s=95.0))


def jump_host(site: Site) -> None:
    """Lose the way to nodes that work."""
    for node in ("ctl", "c01", "c02"):
        site.nodes.told[node] = Uncertain(f"`{node}` gave no answer within 8 s")


def table_full(site: Site) -> None:
    """Let the controller drop every new connection."""
    site.told("ctl")["conntrack"] = ["262144", "262144"]
    all_fail(site, no_answer("timed out"))


def compute_masked(site: Site) -> None:
    site.stop("c01", "nova-compute.service")
    site.unit("c01", "nova-compute.service", LoadState="masked", UnitFileState="masked")
    site.told("c01")["installed"] = ["nova-compute.service"]
    site.silence("nova-compute", "c01")
    site.cut("c01", 5672)


def wait(site: Site, queue: str) -> None:
    """Let messages wait in a queue that nobody reads."""
    told = site.told("ctl")["commands"]["rabbitmq queues"]
    lines = [one for one in told["out"].splitlines() if not one.startswith(f"{queue}\t")]
    told["out"] = "\n".join([*lines, f"{queue}\t7\t0\tclassic"])


def conductor_stopped(site: Site) -> None:
    """Seen on a lab: nova-compute reports through its queue, which nobody reads."""
    site.stop("ctl", "nova-conductor.service")
    wait(site, "conductor")


def agents_unheard(site: Site) -> None:
    site.stop("ctl", "neutron-rpc-server.service")
    wait(site, "q-reports-plugin")


@pytest.mark.parametrize(
    ("given", "cause", "affected"),
    [
        pytest.param(disk_full, ("disk-full", "machine on ctl"), 12, id="disk full"),
        pytest.param(
            disk_nearly_full, ("disk-filling", "machine on ctl"), 3, id="disk nearly full"
        ),
        pytest.param(
            controller_dead, ("node-unreachable", "machine on ctl"), 3, id="dead controller"
        ),
        pytest.param(stop_rabbitmq, ("unit-down", "rabbitmq on ctl"), 9, id="RabbitMQ down"),
        pytest.param(stop_mariadb, ("unit-down", "mariadb on ctl"), 5, id="MariaDB down"),
        pytest.param(
            database_read_only, ("mariadb-read-only", "mariadb on ctl"), 4, id="read-only"
        ),
        pytest.param(keystone_down, ("unit-down", "keystone on ctl"), 1, id="Keystone down"),
        pytest.param(clock_astray, ("clock-astray", "machine on c01"), 1, id="clock astray"),
        pytest.param(certificate_expired, ("certificate-expired", "keystone"), 10, id="expired"),
        pytest.param(certificate_expires, ("certificate-expires", "keystone"), 5, id="expires"),
        pytest.param(cell_down, ("cell-down", "nova-api"), 4, id="cell down"),
        pytest.param(rack, ("nodes-lost", "machine"), 15, id="a switch"),
        pytest.param(jump_host, ("nodes-unseen", "machine"), 3, id="the way to the nodes"),
        pytest.param(table_full, ("conntrack-full", "machine on ctl"), 1, id="no connection more"),
        pytest.param(compute_masked, ("switched-off", "nova-compute on c01"), 1, id="masked"),
        pytest.param(
            conductor_stopped, ("unit-down", "nova-conductor on ctl"), 1, id="no conductor"
        ),
        pytest.param(
            agents_unheard, ("unit-down", "neutron-rpc-server on ctl"), 1, id="what agents report"
        ),
    ],
)
def test_each_real_cause_is_shown_once_and_first(
    given: Callable[[Site], None], cause: tuple[str, str], affected: int
) -> None:
    site = Site()
    given(site)

    health = site.look()

    under = [one for one in health.findings if one.under is not None]
    assert roots(health) == [cause]
    assert health.findings[0].rule == cause[0]
    assert len(under) >= affected
    assert {(one.under, one.by) for one in under} <= {
        (name, cause[0]) for name in (cause[1], cause[1].partition(" on ")[0])
    }


@pytest.mark.parametrize("given", [disk_full, rack, stop_rabbitmq])
def test_nothing_is_hidden_in_json_and_the_number_is_told(given: Callable[[Site], None]) -> None:
    site = Site()
    given(site)

    health = site.look()

    record, lines = as_record(health), list(lines_of(health))
    told = [one for each in record["components"] for one in each["findings"]]  # type: ignore[attr-defined]
    under = [one for one in told if one["under"]]
    assert len(told) == len(health.findings)
    assert f"  affects {len(under)} other findings:" in lines
    shown = [line for line in lines if line.startswith(" " * 10 + "- ")]
    kinds = {(one["component"], one["rule"]) for one in under}
    assert len(shown) == len(kinds) if len(kinds) <= MOST_AFFECTED + 1 else MOST_AFFECTED


def elsewhere(site: Site) -> None:
    """Fill a disk to which none of the services writes."""
    disk = site.told("c01")["filesystems"][0]
    site.told("c01")["filesystems"].append(
        {**disk, "type": "ext4", "mount": "/srv/backup", "free": 0}
    )
    site.unit("c01", "nova-compute.service", ActiveState="failed", Result="signal")


def test_a_folder_that_is_mounted_aside_is_no_disk_of_its_own() -> None:
    """Seen on a lab: two findings for one disk, by its mount and by that of its instances."""
    site = Site()
    disk = site.told("c01")["filesystems"][0]
    disk["free"] = 0
    aside = {**disk, "type": "ext4", "mount": "/var/lib/nova/instances"}
    site.told("c01")["filesystems"].append(aside)

    health = site.look()

    full = [one for one in health.findings if one.rule == "disk-full"]
    assert [(one.about, one.under) for one in full] == [
        ("/", None), ("/var/lib/nova/instances", "machine on c01"),
    ]  # fmt: skip


def two_causes(site: Site) -> None:
    """Mask a service while RabbitMQ is down: that was somebody's doing."""
    stop_rabbitmq(site)
    site.stop("ctl", "cinder-volume.service")
    site.unit("ctl", "cinder-volume.service", LoadState="masked", UnitFileState="masked")
    site.told("ctl")["installed"] = ["cinder-volume.service"]


def conductor_stopped_among_others(site: Site) -> None:
    site.stop("ctl", "nova-conductor.service")
    wait(site, "conductor")
    wait(site, "notifications.info")


def queues_of_what_runs(site: Site) -> None:
    wait(site, "conductor")
    wait(site, "notifications.info")


def two_dead(site: Site) -> None:
    site.nodes.told["c09"] = NO_ROUTE
    site.nodes.told["c08"] = NO_ROUTE


def dead_compute(site: Site) -> None:
    """Lose a compute node, and a connection to a broker outside of the inventory elsewhere."""
    del site.told("ctl")["commands"]["rabbitmq cluster"]
    units = site.told("ctl")["commands"]["units"]
    units["out"] = units["out"].replace("Id=rabbitmq-server.service", "Id=other.service")
    site.nodes.told["c01"] = NO_ROUTE
    site.silence("nova-compute", "c01")
    site.cut("c02", 5672)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(
            elsewhere,
            {("disk-full", "machine on c01"), ("unit-down", "nova-compute on c01")},
            id="a full disk that nobody writes to",
        ),
        pytest.param(
            two_causes,
            {("unit-down", "rabbitmq on ctl"), ("switched-off", "cinder-volume on ctl")},
            id="what was done on purpose beside it",
        ),
        pytest.param(
            conductor_stopped_among_others,
            {("unit-down", "nova-conductor on ctl"), ("queues-unread", "rabbitmq")},
            id="what waits for another than the one that is down",
        ),
        pytest.param(
            queues_of_what_runs, {("queues-unread", "rabbitmq")}, id="who should read it runs"
        ),
        pytest.param(
            two_dead,
            {("node-unreachable", "machine on c09"), ("node-unreachable", "machine on c08")},
            id="two dead machines are two",
        ),
    ],
)
def test_what_is_no_effect_of_a_cause_stays_a_finding_of_its_own(
    given: Callable[[Site], None], expected: set[tuple[str, str]]
) -> None:
    site = Site()
    given(site)

    assert set(roots(site.look())) == expected


def test_a_dead_compute_node_is_no_cause_of_what_a_controller_would_have() -> None:
    site = Site()
    dead_compute(site)

    lost = [one for one in site.look().findings if one.rule == "connection-missing"]

    assert {(one.where, one.under) for one in lost} >= {("nova-compute on c02", None)}


def test_what_many_nodes_share_is_told_with_a_count() -> None:
    site = Site()
    rack(site, 12)

    [first, *_] = site.look().findings

    assert first.reason == ("12 of 15 nodes cannot be reached, all at once: r0, r1, r2 and 9 more")
    assert (first.rule, first.state) == ("nodes-lost", State.DEGRADED)


def test_clocks_that_are_off_alike_are_one_finding() -> None:
    site = Site()
    for node in ("ctl", "c01", "c02"):
        told = site.told(node)
        told["container"] = ""
        told["clock"]["status"] = 0
        told["now"] = site.clock.now().timestamp() + 60
        site.command(node, "kernel", 0)

    health = site.look()

    assert roots(health) == [("clocks-astray", "machine")]
    assert health.findings[0].reason == "the clocks of 3 of 3 nodes are off ours, by +60 to +60 s"


@pytest.mark.parametrize(
    ("says", "rule", "reason", "commands"),
    [
        pytest.param(
            "No ED25519 host key is known for {to} and you have requested strict checking.",
            "host-keys-unknown",
            "the host keys of 3 of 3 nodes are not known here: ctl, c01, c02",
            ('for to in ops@192.0.2.0 ops@192.0.2.1 ops@192.0.2.2; do ssh "$to" true; done',),
            id="unknown host keys",
        ),
        pytest.param(
            "Host key for {to} has changed and you have requested strict checking.",
            "host-keys-changed",
            "the host keys of 3 of 3 nodes are not those that are known here: ctl, c01, c02",
            (
                'for to in 192.0.2.0 192.0.2.1 192.0.2.2; do ssh-keygen -R "$to"; done',
                'for to in ops@192.0.2.0 ops@192.0.2.1 ops@192.0.2.2; do ssh "$to" true; done',
            ),
            id="changed host keys",
        ),
        pytest.param(
            "ops@{to}: Permission denied (publickey).",
            "logins-refused",
            "3 of 3 nodes refuse the SSH login: ctl, c01, c02",
            ("ssh -v ops@192.0.2.0 true",),
            id="no key",
        ),
        pytest.param(
            "Can't open user config file /etc/cloud/ssh_config: Permission denied",
            "ssh-settings-wrong",
            "ssh cannot start on the machine where Stackward runs, for 3 of 3 nodes: ctl, c01, c02",
            ("ssh ops@192.0.2.0 true",),
            id="no right to its settings",
        ),
        pytest.param(
            "ssh: connect to host {to} port 22: Connection timed out",
            "nodes-unseen",
            "3 of 3 nodes are alive (services report from them), but were not seen: ctl, c01, c02",
            ("ssh -v ops@192.0.2.0 true",),
            id="no way",
        ),
        pytest.param(
            "ssh: connect to host {to} port 22: Connection refused",
            "nodes-unseen",
            "3 of 3 nodes are alive (services report from them), but were not seen: ctl, c01, c02",
            ("ssh -v ops@192.0.2.0 true",),
            id="nothing listens",
        ),
    ],
)
def test_what_keeps_ssh_from_all_nodes_is_one_finding_that_can_be_typed_as_it_stands(
    says: str, rule: str, reason: str, commands: tuple[str, ...]
) -> None:
    site = Site()
    for at, node in enumerate(list(site.nodes.told)):
        to = f"192.0.2.{at}"
        site.logins[node] = Login(address=to, user="ops")
        site.nodes.told[node] = refused(says.format(to=to))

    health = site.look()

    assert roots(health) == [(rule, "machine")]
    first = health.findings[0]
    assert (first.reason, first.state) == (
        reason, State.DEGRADED if rule == "nodes-lost" else State.UNKNOWN
    )  # fmt: skip
    assert all(f"`{command}`" in first.remedy for command in commands)
    under = [one for one in health.findings if one.under]
    assert {(one.node, one.by) for one in under} == {(node, rule) for node in site.nodes.told}
    assert all(f"192.0.2.{at}" in one.remedy for at, one in enumerate(
        sorted(under, key=lambda one: site.logins[str(one.node)].address)
    ))  # fmt: skip


def test_two_nodes_with_unknown_keys_are_one_finding_and_one_alone_is_its_own() -> None:
    site = Site()
    says = "No ED25519 host key is known for c01 and you have requested strict checking."
    site.nodes.told["c01"] = refused(says)
    assert roots(site.look()) == [("host-key-unknown", "machine on c01")]

    site.nodes.told["c02"] = refused(says)
    assert roots(site.look()) == [("host-keys-unknown", "machine")]


def test_no_remedy_for_a_lost_node_has_a_word_that_somebody_must_fill_in() -> None:
    """Which user and which address is in the inventory."""
    site = Site()
    for says in (
        "No ED25519 host key is known for c01 and you have requested strict checking.",
        "Host key for c01 has changed and you have requested strict checking.",
        "ops@c01: Permission denied (publickey).",
        "ssh: connect to host c01 port 22: Connection refused",
        "ssh: connect to host c01 port 22: Connection timed out",
    ):
        for node in ("c01", "c02", "ctl"):
            site.nodes.told[node] = refused(says)
        remedies = [one.remedy for one in site.look().findings]
        assert remedies, says
        for one in remedies:
            assert not re.search(r"\b(USER|ADDRESS|HOST|NODE|PORT)\b|[{}]", one), one


def test_of_one_node_alone_nothing_is_told_of_many() -> None:
    site = Site()
    rack(site)

    assert "nodes-lost" not in {one.rule for one in site.look(only="r1").findings}


def test_what_explains_many_names_rules_that_there_are() -> None:
    names = {one.name for one in ALL}

    assert set(TOGETHER) <= names
    assert set().union(*TOGETHER.values()) <= names


def test_the_services_that_keep_data_say_where() -> None:
    """Else a full disk under a database of its own would explain nothing."""
    keeps = {"mariadb", "rabbitmq", "nova-compute", "glance-api", "cinder-volume", "ovn-databases"}

    assert {name for name in keeps if any(
        path.startswith("/var/lib/") for path in written_by(ANATOMY[name], None)
    )} == keeps  # fmt: skip


def test_thousands_of_findings_are_explained_in_a_second() -> None:
    """A rack of a large cloud: 400 dead nodes, with eight findings each."""
    state = CloudState(read_at=FakeClock().now())
    rules = ("heartbeat-lost", "own-queue-unread", "rpc-deaf", "connection-missing")
    findings = [
        Finding(rule=rule, state=State.BROKEN, component=component, node=f"n{n}", reason="",
                remedy="")
        for n in range(400)
        for component in ("nova-compute", "ovn-controller")
        for rule in (*rules, "node-unreachable")
    ]  # fmt: skip
    findings.append(
        Finding(rule="nodes-lost", state=State.DEGRADED, component="machine", node=None,
                reason="", remedy="")
    )  # fmt: skip
    began = process_time()

    explained = explain(
        Known(findings=findings, states={}, anatomy=ANATOMY, state=state, present={})
    )

    assert len(explained) == len(findings)
    assert process_time() - began < 5
