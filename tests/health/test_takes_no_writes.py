"""Databases and queues that answer, and take nothing: found by name, and nothing beside them."""

import json
import re
from typing import Any

import pytest

from fakes.site import Site
from stackward.facts.services_on_node import SPEAKS_TLS
from stackward.model.health import Finding, Health, State


def told(site: Site, node: str = "ctl", **facts: object) -> None:
    """Let MariaDB on a node say otherwise; names with blanks are states of its statements."""
    answer = site.told("ctl")["commands"]["mariadb"]
    known = dict(line.split("\t", 1) for line in answer["out"].splitlines())
    known |= {name.replace("__", " "): str(value) for name, value in facts.items()}
    out = "".join(f"{name}\t{value}\n" for name, value in known.items())
    site.command(node, "mariadb", 0, out=out)


def second_server(site: Site, **facts: object) -> None:
    """Let c01 have a MariaDB, too."""
    units = site.told("c01")["commands"]["units"]
    blocks = site.told("ctl")["commands"]["units"]["out"].split("\n\n")
    own = next(block for block in blocks if "Id=mariadb.service" in block)
    kept = [block for block in units["out"].split("\n\n") if "Id=mariadb.service" not in block]
    units["out"] = "\n\n".join([*kept, own])
    site.told("c01")["sockets"]["out"] += (
        '\nLISTEN 0 80 *:3306 *:* users:(("mariadbd",pid=99999,fd=20))\n'
    )
    site.told("c01")["owners"]["99999"] = "/system.slice/mariadb.service"
    told(site, "c01", **facts)


def of_mariadb(health: Health) -> list[Finding]:
    return [finding for finding in health.findings if finding.component == "mariadb"]


# --- MariaDB ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "rule", "state", "says"),
    [
        pytest.param(
            {"read_only": "ON"},
            "mariadb-read-only",
            State.BROKEN,
            "it accepts no writes: `read_only` is set, and 48 sessions use it",
            id="read-only",
        ),
        pytest.param(
            {"innodb_read_only": "ON"},
            "mariadb-read-only",
            State.BROKEN,
            "it accepts no writes: `innodb_read_only` is set, and 48 sessions use it",
            id="InnoDB read-only",
        ),
        pytest.param(
            {"innodb_force_recovery": 4},
            "mariadb-read-only",
            State.BROKEN,
            "it accepts no writes: `innodb_force_recovery` is set, and 48 sessions use it",
            id="forced recovery takes no writes",
        ),
        pytest.param(
            {"innodb_force_recovery": 1},
            "mariadb-recovers",
            State.DEGRADED,
            "it runs with `innodb_force_recovery = 1`",
            id="forced recovery",
        ),
        pytest.param(
            {"offline_mode": "ON"},
            "mariadb-rejects",
            State.BROKEN,
            "it refuses its clients: `offline_mode` is set",
            id="MySQL offline",
        ),
        pytest.param(
            {"wsrep_reject_queries": "ALL"},
            "mariadb-rejects",
            State.BROKEN,
            "it refuses its clients: `wsrep_reject_queries` is set",
            id="Galera refuses",
        ),
        pytest.param(
            {"Waiting__for__backup__lock": "6 8"},
            "mariadb-locked",
            State.BROKEN,
            "writes wait: 6 statements, the first for 8 s (Waiting for backup lock)",
            id="a backup holds its lock",
        ),
        pytest.param(
            {"Waiting__for__global__read__lock": "1 600"},
            "mariadb-locked",
            State.BROKEN,
            "writes wait: 1 statement, the first for 600 s (Waiting for global read lock)",
            id="MySQL, and MariaDB before 10.5",
        ),
        pytest.param(
            {"Waiting__for__table__metadata__lock": "2 31"},
            "mariadb-table-locked",
            State.DEGRADED,
            "2 statements waiting for a table, the first for 31 s "
            "(Waiting for table metadata lock)",
            id="a table is held",
        ),
    ],
)
def test_a_server_that_answers_and_does_no_work_is_found(
    facts: dict[str, Any], rule: str, state: State, says: str
) -> None:
    site = Site()
    told(site, **facts)

    [found] = site.look().findings

    assert (found.rule, found.where, found.state) == (rule, "mariadb on ctl", state)
    assert found.reason == says


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({"Waiting__for__backup__lock": "40 4"}, id="a backup holds it for a moment"),
        pytest.param({"Waiting__for__table__metadata__lock": "2 29"}, id="a table for a while"),
    ],
)
def test_what_is_so_for_a_moment_is_no_finding(facts: dict[str, Any]) -> None:
    site = Site()
    told(site, **facts)

    assert site.look().findings == ()


ASIDE = [
    pytest.param({"read_only": "ON", "Slave_running": "ON"}, id="a replica"),
    pytest.param({"read_only": "ON", "sessions": 0}, id="nobody uses it"),
    pytest.param({"innodb_force_recovery": 5, "sessions": 0}, id="forced recovery"),
]


@pytest.mark.parametrize("facts", ASIDE)
def test_a_server_that_takes_no_writes_is_no_finding_where_another_takes_them(
    facts: dict[str, Any],
) -> None:
    site = Site()
    second_server(site, **facts)

    assert "mariadb-read-only" not in {one.rule for one in of_mariadb(site.look())}
    assert "mariadb-read-only-here" not in {one.rule for one in of_mariadb(site.look())}


@pytest.mark.parametrize("facts", ASIDE)
def test_where_no_server_takes_writes_that_is_found_whoever_uses_them(
    facts: dict[str, Any],
) -> None:
    site = Site()
    told(site, **facts)

    assert [one.rule for one in of_mariadb(site.look())] == ["mariadb-read-only"]


@pytest.mark.parametrize("facts", ASIDE)
def test_who_has_not_seen_all_cannot_say_that_no_server_takes_writes(
    facts: dict[str, Any],
) -> None:
    site = Site()
    told(site, **facts)

    assert "mariadb-read-only" not in {one.rule for one in of_mariadb(site.look(only="ctl"))}
    second_server(site)
    site.command("c01", "mariadb", 1, err="sudo: a password is required")
    assert "mariadb-read-only" not in {one.rule for one in of_mariadb(site.look())}


def test_a_replica_that_is_read_only_is_told_of() -> None:
    site = Site()
    told(site, read_only="ON", Slave_running="ON")

    notes = {(note.where, note.says) for note in site.look().notes}

    assert ("ctl", "MariaDB is read-only: it follows another server") in notes


@pytest.mark.parametrize(
    ("other", "rules"),
    [
        pytest.param(
            {"read_only": "OFF"}, [("mariadb-read-only-here", "ctl")], id="one takes them"
        ),
        pytest.param(
            {"read_only": "ON"},
            [("mariadb-read-only", "c01"), ("mariadb-read-only", "ctl")],
            id="none takes them",
        ),
    ],
)
def test_of_two_servers_one_that_takes_no_writes_is_not_the_end(
    other: dict[str, Any], rules: list[tuple[str, str]]
) -> None:
    site = Site()
    second_server(site, **other)
    told(site, read_only="ON")

    found = [(one.rule, one.node) for one in of_mariadb(site.look())]

    assert sorted(found) == rules


GALERA = {
    "wsrep_on": "ON",
    "wsrep_ready": "ON",
    "wsrep_cluster_status": "Primary",
    "wsrep_cluster_size": 1,
    "wsrep_local_state_comment": "Synced",
    "wsrep_flow_control_paused": "0.000012",
}


@pytest.mark.parametrize(
    ("facts", "rules"),
    [
        pytest.param({}, [], id="in step"),
        pytest.param(
            {"wsrep_local_state_comment": "Donor/Desynced"}, ["galera-member-behind"], id="donor"
        ),
        pytest.param(
            {"wsrep_local_state_comment": "Donor/Desynced", "wsrep_desync": "ON"},
            [],
            id="desynced on purpose",
        ),
        pytest.param({"wsrep_flow_control_paused": "0.31"}, ["galera-slowed"], id="flow control"),
        pytest.param({"wsrep_ready": "OFF"}, ["galera-not-ready"], id="no quorum"),
    ],
)
def test_a_member_of_galera(facts: dict[str, Any], rules: list[str]) -> None:
    """Galera is not in the lab: words as MariaDB 10.11 writes them."""
    site = Site()
    told(site, **{**GALERA, **facts})

    assert [one.rule for one in site.look().findings] == rules


@pytest.mark.parametrize(
    ("other", "rules"),
    [
        pytest.param({"wsrep_on": "OFF"}, [], id="one that stands alone is no member"),
        pytest.param(
            {**GALERA}, ["galera-member-missing", "galera-member-missing"],
            id="two that do not see each other",
        ),
    ],
)  # fmt: skip
def test_only_what_may_be_a_member_of_galera_is_missed(
    other: dict[str, Any], rules: list[str]
) -> None:
    site = Site()
    second_server(site, **other)
    told(site, "ctl", **GALERA)

    assert [one.rule for one in of_mariadb(site.look())] == rules


# --- RabbitMQ -----------------------------------------------------------------------------------


def cluster(site: Site, **facts: Any) -> None:  # noqa: ANN401  # what RabbitMQ writes
    answer = site.told("ctl")["commands"]["rabbitmq cluster"]
    answer["out"] = json.dumps(json.loads(answer["out"]) | facts)


@pytest.mark.parametrize("what", ["memory", "disk"])
def test_an_alarm_blocks_publishers(what: str) -> None:
    site = Site()
    alarm = {"node": "rabbit@ctl", "type": "resource_limit", "resource": what}
    cluster(site, alarms=[alarm])

    [found] = site.look().findings

    assert (found.rule, found.where, found.state) == (
        "rabbitmq-alarm",
        "rabbitmq on ctl",
        State.BROKEN,
    )
    assert found.reason == f"its publishers are blocked: an alarm is raised ({what} on rabbit@ctl)"


def test_a_virtual_host_that_is_down_is_found() -> None:
    site = Site()
    queues = [
        line.split("\t")
        for line in site.told("ctl")["commands"]["rabbitmq queues"]["out"].splitlines()
    ]
    bindings = [
        line.split("\t")[:2]
        for line in site.told("ctl")["commands"]["rabbitmq bindings"]["out"].splitlines()
    ]
    vhosts = [
        {"vhost": "/", "up": True, "queues": queues, "bindings": bindings},
        {"vhost": "/heat", "up": False, "queues": [], "bindings": []},
    ]
    site.command("ctl", "rabbitmq all", 0, out=json.dumps(vhosts) + "\nok\n")

    [found] = site.look().findings

    assert (found.rule, found.where, found.state) == (
        "rabbitmq-vhost-down",
        "rabbitmq on ctl",
        State.BROKEN,
    )
    assert "--vhost /heat" in found.remedy


def test_a_queue_of_an_unknown_form_does_not_hide_a_missing_member() -> None:
    site = Site()
    cluster(site, disk_nodes=["rabbit@ctl", "rabbit@c09"])
    site.told("ctl")["commands"]["rabbitmq queues"]["out"] += "odd\tmany\t?\n"

    found = {one.rule for one in site.look().findings}

    assert found == {"rabbitmq-member-missing", "answer-not-understood"}


def test_a_frozen_rabbitmq_is_found_though_its_clients_are_still_connected() -> None:
    site = Site()
    site.command("ctl", "rabbitmq cluster", None, err="no answer in time")
    [place] = site.told("ctl")["amqp"]
    place["error"] = "no answer in time"

    [found] = [one for one in site.look().findings if one.under is None]

    assert (found.rule, found.where) == ("rabbitmq-silent", "rabbitmq on ctl")


def test_a_frozen_mariadb_is_found_though_its_clients_are_still_connected() -> None:
    site = Site()
    site.command("ctl", "mariadb", None, err="no answer in time")

    [found] = [one for one in site.look().findings if one.under is None]

    assert (found.rule, found.where) == ("mariadb-silent", "mariadb on ctl")


# --- it takes no clients ------------------------------------------------------------------------

AMQP = 5672
LISTENS = re.compile(rf"(?m)^LISTEN +\d+ +\d+ +\S+:{AMQP} .*$")


def suspended(site: Site) -> None:
    """Let RabbitMQ listen for clients no more, as after `suspend_listeners`."""
    told = site.told("ctl")
    told["sockets"]["out"] = LISTENS.sub("", told["sockets"]["out"])
    told["amqp"] = []


def without_sudo(site: Site) -> None:
    """Let the login of the controller be an ordinary one, without any right."""
    told, says = site.told("ctl"), "sudo: a password is required"
    told["is_root"] = False
    told["sockets"].update(refused=says, out=re.sub(r"users:.*", "", told["sockets"]["out"]))
    for name in ("rabbitmq cluster", "mariadb"):
        site.command("ctl", name, 1, err=says)


def test_a_rabbitmq_that_listens_for_no_clients_is_found_though_it_answers_its_tool() -> None:
    site = Site()
    suspended(site)

    [found] = site.look().findings

    assert (found.rule, found.where, found.state) == (
        "rabbitmq-takes-no-clients", "rabbitmq on ctl", State.BROKEN,
    )  # fmt: skip
    assert "it does not listen where they come (5672)" in found.reason


def test_one_cause_is_found_once_where_it_answers_neither_its_tool_nor_a_client() -> None:
    site = Site()
    suspended(site)
    site.command("ctl", "rabbitmq cluster", 69, err="Error: no connection")

    assert [one.rule for one in site.look().findings if one.under is None] == ["rabbitmq-silent"]


def gaps_of(site: Site) -> set[str]:
    return {gap.says for gap in site.look().gaps if gap.component == "rabbitmq"}


def test_what_speaks_tls_and_lets_nobody_in_is_not_proved() -> None:
    site = Site()
    site.told("ctl")["amqp"][0].update(port=5671, error=SPEAKS_TLS)

    health = site.look()

    assert health.findings == ()
    assert f"whether rabbitmq takes clients at `127.0.0.1:5671`: {SPEAKS_TLS}" in gaps_of(site)


def test_without_sudo_an_answer_to_a_client_proves_less_and_that_is_said() -> None:
    site = Site()
    without_sudo(site)

    health = site.look()

    [rabbitmq] = [one for one in health.components if one.name == "rabbitmq"]
    assert (rabbitmq.proof, rabbitmq.findings) == ("answers its clients", ())
    assert any(says.startswith("what rabbitmq says of itself: sudo") for says in gaps_of(site))


def test_without_sudo_a_rabbitmq_that_answers_no_client_is_found() -> None:
    site = Site()
    without_sudo(site)
    site.told("ctl")["amqp"][0]["error"] = "no answer in time"

    found = [one.rule for one in site.look().findings if one.under is None]

    assert found == ["rabbitmq-takes-no-clients"]


def test_without_sudo_it_is_not_known_whether_a_load_balancer_has_answered() -> None:
    site = Site()
    without_sudo(site)
    balancer = "\n\nId=haproxy.service\nLoadState=loaded\nActiveState=active\nSubState=running\n"
    site.told("ctl")["commands"]["units"]["out"] += balancer

    [rabbitmq] = [one for one in site.look().components if one.name == "rabbitmq"]

    assert rabbitmq.state is State.UNKNOWN


def test_without_sudo_nothing_that_listens_is_no_finding_but_unknown() -> None:
    site = Site()
    without_sudo(site)
    suspended(site)

    health = site.look()

    assert [one for one in health.findings if one.component == "rabbitmq"] == []
    assert any(says.startswith("whether rabbitmq takes clients:") for says in gaps_of(site))


SOCKET = "/run/mysqld/mysqld.sock"


def test_without_sudo_a_greeting_of_mariadb_proves_less_and_that_is_said() -> None:
    site = Site()
    without_sudo(site)
    site.told("ctl")["greeting"] = [{"address": SOCKET, "port": 0, "error": None}]

    health = site.look()

    [mariadb] = [one for one in health.components if one.name == "mariadb"]
    assert (mariadb.proof, mariadb.findings) == ("answers its clients", ())
    assert any(gap.says.startswith("what mariadb says of itself: sudo") for gap in health.gaps)


@pytest.mark.parametrize(
    "error", ["no answer in time", "Connection refused", "it greets nobody: it refuses all clients"]
)
def test_without_sudo_a_mariadb_that_greets_nobody_is_found(error: str) -> None:
    site = Site()
    without_sudo(site)
    site.told("ctl")["greeting"] = [{"address": SOCKET, "port": 0, "error": error}]

    [found] = [one for one in site.look().findings if one.under is None]

    assert (found.rule, found.where) == ("mariadb-silent", "mariadb on ctl")
    assert f"`{SOCKET}`: {error}" in found.reason
