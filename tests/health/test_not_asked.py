"""What a login may not ask, or had no time for, is a gap for every tool, and never a finding."""

from typing import Any

import pytest

from fakes.site import Site
from stackward.model.cloud_state import NO_TIME
from stackward.model.health import Gap, Health, Kept, State

SUDO = "sudo: a password is required"
DOCKER = (
    "permission denied while trying to connect to the Docker daemon socket at "
    "unix:///var/run/docker.sock"
)
GOT_DOCKER = "Got permission denied while trying to connect to the Docker daemon socket"
TOOLS = [
    pytest.param("libvirt", "c01", "libvirtd", id="libvirt"),
    pytest.param("mariadb", "ctl", "mariadb", id="MariaDB"),
    pytest.param("rabbitmq cluster", "ctl", "rabbitmq", id="RabbitMQ"),
]


def gaps(health: Health, name: str) -> list[Gap]:
    return [gap for gap in health.gaps if gap.component == name and "says of itself" in gap.what]


def state_of(health: Health, name: str) -> State:
    return next(one.state for one in health.components if one.name == name)


@pytest.mark.parametrize(("command", "node", "name"), TOOLS)
@pytest.mark.parametrize(
    ("code", "err"),
    [
        pytest.param(1, SUDO, id="sudo wants a password"),
        pytest.param(1, f"sudo: unable to resolve host x\n{SUDO}", id="sudo, after a remark"),
        pytest.param(None, "sudo: there is none on this node", id="no sudo"),
        pytest.param(1, "Sorry, user ops is not allowed to execute it", id="not in sudoers"),
        pytest.param(1, DOCKER, id="Docker's socket"),
        pytest.param(1, GOT_DOCKER, id="Docker's socket, in older words"),
        pytest.param(1, "error: Permission denied", id="the system, with a capital"),
        pytest.param(1, "PERMISSION DENIED", id="in capitals"),
        pytest.param(1, "a first line\nsocket: Operation not permitted", id="on its second line"),
    ],
)
def test_what_the_login_may_not_ask_is_a_gap_for_every_tool(
    command: str, node: str, name: str, code: int | None, err: str
) -> None:
    site = Site()
    site.command(node, command, code, err=err)

    health = site.look()

    assert health.findings == ()
    assert [one.kind for one in gaps(health, name)] == [Kept.RIGHTS]


@pytest.mark.parametrize(
    ("command", "node", "name", "err"),
    [
        pytest.param(
            "libvirt", "c01", "libvirtd",
            "error: authentication unavailable: no polkit agent available to authenticate action "
            "'org.libvirt.unix.monitor'", id="polkit has no agent",
        ),
        pytest.param(
            "libvirt", "c01", "libvirtd",
            "error: failed to connect to the hypervisor\nerror: authentication failed: access "
            "denied by policy", id="polkit says no",
        ),
        pytest.param(
            "libvirt", "c01", "libvirtd",
            "error: Failed to connect socket to '/var/run/libvirt/libvirt-sock-ro': Permission "
            "denied", id="libvirt's socket",
        ),
        pytest.param(
            "mariadb", "ctl", "mariadb",
            "ERROR 1698 (28000): Access denied for user 'root'@'localhost'", id="no such user",
        ),
        pytest.param(
            "mariadb", "ctl", "mariadb",
            "ERROR 2002 (HY000): Can't connect to local server through socket "
            "'/run/mysqld/mysqld.sock' (13)", id="MariaDB's socket",
        ),
        pytest.param(
            "rabbitmq cluster", "ctl", "rabbitmq", "Only root or rabbitmq can run rabbitmqctl",
            id="RabbitMQ's own words",
        ),
    ],
)  # fmt: skip
def test_so_it_is_in_a_tools_own_words(command: str, node: str, name: str, err: str) -> None:
    site = Site()
    site.command(node, command, 1, err=err)

    health = site.look()

    assert health.findings == ()
    assert [one.kind for one in gaps(health, name)] == [Kept.RIGHTS]


@pytest.mark.parametrize(("command", "node", "name"), TOOLS)
def test_what_no_time_was_left_for_is_a_gap_for_every_tool(
    command: str, node: str, name: str
) -> None:
    site = Site()
    site.command(node, command, None, err=NO_TIME)

    health = site.look()

    assert health.findings == ()
    assert [one.kind for one in gaps(health, name)] == [Kept.DEADLINE]
    assert health.state is State.UNKNOWN


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        pytest.param(NO_TIME, Kept.DEADLINE, id="no time"),
        pytest.param("[Errno 13] Permission denied", Kept.RIGHTS, id="no right"),
    ],
)
def test_memcached_that_was_not_asked_is_a_gap(error: str, kind: Kept) -> None:
    site = Site()
    site.told("ctl")["memcached"] = {"error": error}

    health = site.look()

    assert health.findings == ()
    assert [one.kind for one in gaps(health, "memcached")] == [kind]


@pytest.mark.parametrize(
    ("command", "node", "rule", "code", "err"),
    [
        pytest.param("libvirt", "c01", "libvirt-silent", None, "no answer in time", id="it hangs"),
        pytest.param(
            "libvirt", "c01", "libvirt-silent", 1,
            "error: Failed to connect socket to '/var/run/libvirt/libvirt-sock': Connection "
            "refused", id="nobody listens",
        ),
        pytest.param(
            "mariadb", "ctl", "mariadb-silent", 1,
            "sudo: unable to resolve host ctl: Name or service not known\n"
            "ERROR 2002 (HY000): Can't connect to local server through socket "
            "'/run/mysqld/mysqld.sock' (111)", id="a remark of sudo is no refusal",
        ),
        pytest.param(
            "rabbitmq cluster", "ctl", "rabbitmq-silent", 69,
            "Error: unable to perform an operation on node 'rabbit@ctl'. Please see diagnostics "
            "information and suggestions below.\n\nMost common reasons for this are:\n\n"
            " * CLI tool fails to authenticate with the server (e.g. due to CLI tool's Erlang "
            "cookie not matching that of the server)", id="RabbitMQ with all of its advice",
        ),
    ],
)  # fmt: skip
def test_what_was_asked_and_did_not_answer_is_a_finding(
    command: str, node: str, rule: str, code: int | None, err: str
) -> None:
    site = Site()
    site.command(node, command, code, err=err)

    [finding] = [one for one in site.look().findings if one.rule == rule]

    assert (finding.node, "sudo" in finding.reason) == (node, False)


def only_of_the_server(site: Site, came: dict[str, Any]) -> None:
    for one in site.told("ctl")["web"]:
        if one["name"] == "glance-api":
            one.update(path="*", came=came)


def test_the_web_server_alone_says_nothing_of_its_application() -> None:
    site = Site()
    only_of_the_server(site, {"status": 200, "is_own": False, "has_request_id": False, "says": ""})

    health = site.look()

    assert health.findings == ()
    assert state_of(health, "glance-api") is not State.BROKEN


def test_a_web_server_that_is_silent_is_found_though_nothing_else_was_asked() -> None:
    site = Site()
    only_of_the_server(site, {"error": "no answer in time"})

    [finding] = site.look().findings

    assert (finding.rule, finding.where) == ("process-silent", "glance-api on ctl")


def test_units_that_no_time_was_left_for_accuse_nobody_and_leave_nothing_ok() -> None:
    site = Site()
    site.command("c01", "units", None, err=NO_TIME)

    health = site.look()

    assert health.findings == ()
    assert health.state is State.UNKNOWN
    left = [gap for gap in health.unknown if gap.where == "c01" and gap.kind is Kept.DEADLINE]
    assert ("which units run", NO_TIME) in [(gap.what, gap.why) for gap in left]


@pytest.mark.parametrize("node", ["ctl", "c01", "c02"])
def test_a_node_that_had_no_time_for_any_command_accuses_nobody(node: str) -> None:
    """It was asked last, on a busy machine: what had less than a fair time is no silence."""
    site = Site()
    told = site.nodes.told[node]
    assert isinstance(told, dict)
    for command in told["commands"]:
        site.command(node, command, None, err=NO_TIME)
    told["sockets"] = {"code": None, "out": "", "err": NO_TIME}
    told["web"] = [{**one, "came": {"error": NO_TIME}} for one in told["web"]]
    told["memcached"] = {}

    health = site.look()

    assert {finding.node for finding in health.findings} <= {None}
    assert health.state not in {State.OK, State.NOT_PROVED}
