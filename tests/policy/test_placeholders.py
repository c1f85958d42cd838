"""A remedy is a command that can be pasted: what is known at that moment is filled in."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from builders import a_candidate, a_flavor, a_node, a_server, asking
from sources import walked
from stackward import policy
from stackward.health.presence import processes_by
from stackward.health.symptoms import RPC_DEAF, of_host
from stackward.model.health import Finding
from stackward.operations.drain_compute_node.plan import plan_drain

SOURCE = Path(policy.__file__).parents[1]
# Where operators' words are written.
ROOMS = (
    "policy",
    "health",
    "status",
    "checks",
    "steps",
    "moving",
    "operations",
    "plan",
    "facts",
    "ports",
)
COMMAND = re.compile(r"`([^`]+)`")
PLACEHOLDER = re.compile(r"(?<![\w$])[A-Z][A-Z_]+(?![\w=])")

# Each with the reason why nobody knows it at that moment.
ALLOWED = {
    "SEGMENT": "the instance-HA service, which alone knows it, could not be asked",
    "SERVER": "a share that is not mounted has its server in a file that only cinder may read",
    "REFERENCE": "where the owner's word can be read: the operator gets it only now",
    "CONNECTOR": "a file that the node makes itself: `nova-manage volume_attachment get_connector`",
    "FILE": "where the operator wants the plan",
    "NAME": "which cloud is meant: the operator's own clouds.yaml has its name",
}
# Not placeholders: words of SQL, signals, and names that are written so.
WORDS = {
    "SET", "GLOBAL", "SHOW", "PROCESSLIST", "FLUSH", "TABLES", "WITH", "READ", "LOCK", "STATUS",
    "OFF", "ON", "SELECT", "KILL", "GET", "POST", "CPU", "UUID", "SIGKILL", "CONT",
    "ACTIVE", "DISABLED", "ERROR", "SHUTOFF", "UNKNOWN",
}  # fmt: skip


def texts(path: Path) -> Iterator[str]:
    """Return the strings of a file, docstrings aside, each value that is filled in as `{}`."""
    nodes = walked(path.read_text())
    docs = {
        id(node.body[0].value)
        for node in nodes
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    parts = {id(one) for node in nodes if isinstance(node, ast.JoinedStr) for one in node.values}
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values
            )
        elif isinstance(node, ast.Constant) and id(node) not in docs | parts:
            yield str(node.value)


def placeholders() -> Iterator[tuple[str, str]]:
    """Return each word in capital letters of each command, with the command."""
    for room in ROOMS:
        for path in sorted((SOURCE / room).rglob("*.py")):
            for text in texts(path):
                for command in COMMAND.findall(text):
                    for word in PLACEHOLDER.findall(command):
                        if " " in command and word not in WORDS:
                            yield word, command


def test_no_command_keeps_a_placeholder_for_what_is_known() -> None:
    left = {command for word, command in placeholders() if word not in ALLOWED}

    assert left == set()


def test_each_placeholder_that_is_allowed_is_still_there() -> None:
    assert {word for word, _ in placeholders()} >= set(ALLOWED)


def a_finding() -> Finding:
    return RPC_DEAF.found("nova-compute", "c01", what="no answer", restart="systemctl restart it")


def test_the_moves_of_a_nova_compute_are_those_of_novas_name_for_its_host() -> None:
    moves = of_host(a_finding(), "c01.example").remedy

    assert "`openstack server migration list --host c01.example`" in moves
    assert "`openstack server migration list`" in a_finding().remedy  # Nova was not heard
    assert of_host(replace(a_finding(), component="libvirt"), "c01").remedy == a_finding().remedy


@pytest.mark.parametrize(
    ("restart", "shows"),
    [
        pytest.param(
            "systemctl restart nova-conductor",
            "ps -eo pid,stat,wchan:30,unit,cmd | grep nova-conductor",
            id="a unit",
        ),
        pytest.param(
            "docker restart nova_conductor",
            "docker top nova_conductor -eo pid,stat,wchan:30,cmd",
            id="a container",
        ),
        pytest.param(
            "systemctl kill --signal=KILL ovn-northd",
            "ps -eo pid,stat,wchan:30,unit,cmd | grep ovn-northd",
            id="one that is not restarted by a restart",
        ),
    ],
)
def test_what_a_silent_process_waits_for_is_shown_of_that_very_process(
    restart: str, shows: str
) -> None:
    assert processes_by(restart) == shows


def test_the_nodes_whose_capabilities_are_to_be_compared_are_named() -> None:
    wants = a_server(flavor=a_flavor(capabilities__hypervisor_type="QEMU"))
    node = a_node(wants, candidates=(a_candidate("compute-08"), a_candidate("compute-09")))

    [warning] = [
        each for each in plan_drain(node, asking()).warnings if each.worry == "capabilities-unseen"
    ]

    assert warning.remedy == (
        "compare the nodes that it may go to: `openstack hypervisor show compute-08`, "
        "`openstack hypervisor show compute-09`"
    )
