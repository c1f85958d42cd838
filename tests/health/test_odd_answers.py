"""What tools answer in other forms than usual: read for what it is, or unknown; no false alarm.

Each is named after an incident on somebody's cloud; names and addresses are neutral.
"""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from fakes.site import Site
from stackward.facts.services_on_node import parse_running
from stackward.model.health import ComponentHealth, Finding, Health, State
from stackward.ports.shell import Answer

GIB = 2**30
MEMBERS = ("rabbit@n1", "rabbit@n2", "rabbit@n3")


def component(health: Health, name: str) -> ComponentHealth:
    return next(one for one in health.components if one.name == name)


def cluster(site: Site, **facts: Any) -> None:  # noqa: ANN401  # what RabbitMQ writes
    answer = site.told("ctl")["commands"]["rabbitmq cluster"]
    answer["out"] = json.dumps(json.loads(answer["out"]) | facts)


def of_rule(health: Health, rule: str) -> list[Finding]:
    return [finding for finding in health.findings if finding.rule == rule]


def harmful(health: Health) -> list[str]:
    words = ("forget", "delete", "purge", "reset", "restart", "bootstrap")
    return [one.rule for one in health.findings if any(word in one.remedy for word in words)]


# --- RabbitMQ 4.1.0 to 4.1.3: the members that run, in one text ---------------------------------


@pytest.mark.parametrize(
    ("given", "members", "running"),
    [
        pytest.param(
            "rabbit@n2rabbit@n1rabbit@n3", MEMBERS, {*MEMBERS}, id="three, as it writes them"
        ),
        pytest.param("rabbit@n1", ("rabbit@n1",), {"rabbit@n1"}, id="a cluster of one"),
        pytest.param(
            "rabbit@n1rabbit@n10",
            ("rabbit@n1", "rabbit@n10", "rabbit@n11"),
            {"rabbit@n1", "rabbit@n10"},
            id="a name that another begins with",
        ),
        pytest.param(["rabbit@n1"], MEMBERS, {"rabbit@n1"}, id="a list, as all others write it"),
    ],
)
def test_the_members_of_rabbitmq_4_1_are_found_in_one_text(
    given: object, members: Sequence[str], running: set[str]
) -> None:
    assert set(parse_running(given, members)) == running


@pytest.mark.parametrize(
    "given",
    [
        pytest.param("rabbit@n1rabbit@elsewhere", id="a name of nobody"),
        pytest.param("", id="empty"),
        pytest.param([], id="none: but one has answered"),
        pytest.param({"rabbit@n1": True}, id="an object"),
        pytest.param(["rabbit@n1", None], id="null among them"),
        pytest.param(3, id="a number"),
        pytest.param(None, id="null"),
    ],
)
def test_members_in_another_form_are_unknown_and_never_gone(given: object) -> None:
    site = Site()
    cluster(site, disk_nodes=["rabbit@n1"], running_nodes=given)

    health = site.look()

    [finding] = health.findings
    assert (finding.rule, finding.where) == ("answer-not-understood", "rabbitmq on ctl")
    assert health.state is State.UNKNOWN
    assert harmful(health) == []


def test_a_cluster_of_rabbitmq_4_1_is_well() -> None:
    site = Site()
    cluster(site, disk_nodes=MEMBERS, running_nodes="rabbit@n2rabbit@n1rabbit@n3")

    health = site.look()

    assert health.findings == ()
    assert component(health, "rabbitmq").proof.startswith("3 of 3 members")


def test_no_remedy_forgets_a_member_on_one_nodes_word() -> None:
    site = Site()
    cluster(site, disk_nodes=MEMBERS, running_nodes=["rabbit@n1", "rabbit@n2"])

    [finding] = site.look().findings

    assert (finding.rule, "forget" in finding.remedy) == ("rabbitmq-member-missing", False)


# --- virtual hosts ------------------------------------------------------------------------------


def of_nova(site: Site, queues: str | None) -> None:
    """Give Nova a virtual host of its own, as OpenStack-Ansible does, and what it tells."""
    site.command("ctl", "rabbitmq vhosts", 0, out="/\n/nova\n")
    if queues is not None:
        site.command("ctl", "rabbitmq queues of /nova", 0, out=queues)
        site.command("ctl", "rabbitmq bindings of /nova", 0, out="nova\tcompute.c01\tcompute.c01\n")


def test_a_queue_in_a_virtual_host_of_its_own_is_seen_to_be_unread() -> None:
    site = Site()
    own = site.told("ctl")["commands"]["rabbitmq queues"]
    own["out"] = own["out"].replace("compute.c01\t0\t1\tclassic\n", "")
    of_nova(site, "compute.c01\t412\t0\tclassic\nconductor\t98000\t0\tclassic\n")

    found = {finding.rule: finding for finding in site.look().findings}

    assert found["own-queue-unread"].where == "nova-compute on c01"
    assert found["queues-unread"].evidence == (
        "`conductor` of virtual host `/nova`: 98000 messages",
    )


def test_a_queue_that_is_read_in_its_virtual_host_is_well() -> None:
    site = Site()
    own = site.told("ctl")["commands"]["rabbitmq queues"]
    own["out"] = own["out"].replace("compute.c01\t0\t1\tclassic\n", "compute.c01\t0\t0\tclassic\n")
    of_nova(site, "compute.c01\t0\t1\tclassic\n")

    assert site.look().findings == ()


def test_a_virtual_host_whose_queues_are_not_told_is_not_known_and_nothing_is_missing() -> None:
    site = Site()
    own = site.told("ctl")["commands"]["rabbitmq queues"]
    own["out"] = own["out"].replace("compute.c01\t0\t1\tclassic\n", "")
    of_nova(site, None)

    health = site.look()

    assert health.findings == ()
    says = {gap.says for gap in health.unknown}
    assert "RabbitMQ's queues of the virtual host `/nova`: no answer in time" in says
    assert "at least" in component(health, "rabbitmq").proof


def test_virtual_hosts_that_are_not_told_are_not_known() -> None:
    site = Site()
    site.command("ctl", "rabbitmq vhosts", None, err="no answer in time")

    says = {note.says for note in site.look().unknown}

    assert "which virtual hosts RabbitMQ has besides `/`: no answer in time" in says


# --- streams and fanouts ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "queue",
    [
        pytest.param("cinder-backup_fanout\t37\t0\tstream", id="a stream of a fanout"),
        pytest.param("cinder-backup_fanout\t37\t0\tclassic", id="its name alone"),
        pytest.param("audit\t37\t0\tstream", id="a stream of another name"),
        pytest.param("compute_fanout_5d0158ec\t37\t0\tclassic", id="a fanout of old"),
    ],
)
def test_what_a_fanout_or_a_stream_keeps_is_nobodys_backlog(queue: str) -> None:
    site = Site()
    site.told("ctl")["commands"]["rabbitmq queues"]["out"] += f"{queue}\n"

    assert site.look().findings == ()


# --- the overlays of containers -----------------------------------------------------------------


def a_disk(mount: str, kind: str, percent_free: int, size: int = 100 * GIB) -> dict[str, Any]:
    free = size * percent_free // 100
    figures = {"size": size, "free": free, "inodes": 6_553_600, "inodes_free": 6_000_000}
    return {"mount": mount, "type": kind, "source": "-", "read_only": False, **figures}


def test_a_full_disk_under_thirty_containers_is_one_finding_on_its_own_place() -> None:
    site = Site()
    overlays = [a_disk(f"/var/lib/docker/overlay2/{n:04}/merged", "overlay", 8) for n in range(30)]
    site.told("c01")["filesystems"] = [*overlays, a_disk("/", "ext4", 8)]

    [finding] = site.look().findings

    assert (finding.rule, "`/` is 92 % full" in finding.reason) == ("disk-filling", True)


def test_overlays_in_another_place_are_the_disk_below_them_too() -> None:
    site = Site()
    overlays = [a_disk(f"/srv/engine/{n:04}/merged", "overlay", 8) for n in range(3)]
    site.told("c01")["filesystems"] = [a_disk("/", "ext4", 50, 40 * GIB), *overlays]
    site.told("c01")["filesystems"].append(a_disk("/srv", "xfs", 8))

    [finding] = site.look().findings

    assert "`/srv` is 92 % full" in finding.reason


# --- other forms of all the rest ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "out", "where"),
    [
        pytest.param("units", "one two three\n", "machine on ctl", id="systemctl show"),
        pytest.param(
            "units", "Id=a.service\nLoadState=loaded\nActiveState=perhaps\n", "machine on ctl",
            id="a state of no unit",
        ),
        pytest.param("failed", "Failed to get it\n", "machine on ctl", id="systemctl --failed"),
        pytest.param("containers of docker", "{}\n", "machine on ctl", id="a container, empty"),
        pytest.param(
            "containers of podman", '{"Id": "4f", "Names": ["a"], "State": 3, "Status": "Up"}\n',
            "machine on ctl", id="a container in state 3",
        ),
        pytest.param("mariadb", "wsrep_on\tON\n", "mariadb on ctl", id="MariaDB, half"),
        pytest.param("mariadb", "welcome\n", "mariadb on ctl", id="MariaDB, a banner"),
        pytest.param("rabbitmq queues", "compute.c01\t0\n", "rabbitmq on ctl", id="half a queue"),
        pytest.param("rabbitmq bindings", "nova\n", "rabbitmq on ctl", id="half a binding"),
        pytest.param("rabbitmq cluster", '{"disk_nodes": ', "rabbitmq on ctl", id="half of it"),
        pytest.param("libvirt", "Running against: it\n", "libvirtd on ctl", id="virsh"),
    ],
)  # fmt: skip
def test_an_answer_in_an_unknown_form_is_unknown_and_no_alarm(
    name: str, out: str, where: str
) -> None:
    site = Site()
    site.command("ctl", name, 0, out=out)

    health = site.look()

    assert where in {one.where for one in of_rule(health, "answer-not-understood")}
    assert health.state is State.UNKNOWN
    assert harmful(health) == []


def test_an_odd_line_of_sockets_takes_no_connection_away() -> None:
    site = Site()
    sockets = site.told("ctl")["sockets"]
    sockets["out"] = "Error: cannot open netlink\n" + sockets["out"][: len(sockets["out"]) // 2]

    health = site.look()

    assert {one.rule for one in health.findings} == {"answer-not-understood"}
    assert of_rule(health, "answer-not-understood")[0].evidence == ("Error: cannot open netlink",)


def test_half_of_the_scripts_own_answer_is_unknown() -> None:
    site = Site()
    whole = json.dumps(site.told("c01"))
    site.nodes.said["c01"] = Answer(0, whole[: len(whole) // 2])

    [finding] = site.look().findings

    assert (finding.rule, finding.where) == ("answer-not-understood", "machine on c01")
    assert len(finding.evidence[0]) < 300


def test_what_a_logins_shell_writes_before_the_answer_is_no_harm() -> None:
    site = Site()
    site.nodes.said["c01"] = Answer(0, "Welcome to c01\n" + json.dumps(site.told("c01")))

    assert site.look().findings == ()


def test_an_answer_of_another_program_is_unknown_and_shown() -> None:
    site = Site()
    site.nodes.said["c01"] = Answer(0, "This account is currently not available.\n")

    [finding] = site.look().findings

    assert (finding.rule, finding.where) == ("answer-not-understood", "machine on c01")
    assert "This account is currently not available." in finding.evidence[0]


def test_what_was_read_is_shown_without_its_secrets() -> None:
    site = Site()
    site.command("ctl", "rabbitmq cluster", 0, out="amqp://nova:hush-hush@ctl is not JSON")

    [finding] = site.look().findings

    assert finding.evidence[0].startswith("amqp://nova:***@ctl is not JSON")


def test_an_engine_that_tells_no_containers_is_not_known() -> None:
    site = Site()
    site.command("c01", "containers of docker", 1, err="Cannot connect to the Docker daemon")

    says = {note.says for note in site.look().unknown}

    assert "what runs under docker: `docker ps` says: Cannot connect to the Docker daemon" in says


def test_bytes_that_are_not_utf8_are_replaced_and_that_is_said() -> None:
    site = Site()
    site.told("ctl")["commands"]["rabbitmq queues"]["out"] += "caf\ufffd\t0\t1\tclassic\n"

    [gap] = [one for one in site.look().not_proved if "UTF-8" in one.says]

    assert (gap.where, "rabbitmq queues" in gap.says) == ("ctl", True)
