"""The commands that read a lab, and those that change nothing when nothing is to be done.

With what an operator's login may do on its nodes: it has the shipped sudoers file, and no more.
"""

import json
import os
import subprocess
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.stage import Stage, scene
from real_lab import STACKWARD, RealLab
from stackward.adapters.inventory import read_inventory
from stackward.adapters.ssh import Ssh
from stackward.errors import ExitCode
from stackward.ports.root import ALL, FILL_DROP_IN, SCAN_LOGS, TALK
from stackward.ports.shell import Answer, refusal

NODES = ["ctl", "c01", "c02", "c03"]
WORDS = FILL_DROP_IN[2].split(" ")
NOT_ALLOWED = {
    "another command": ["systemctl", "list-units"],  # harmless, should it be allowed one day
    "of another unit": ["systemctl", "stop", "libvirtd.service"],
    "behind env": ["env", "LC_ALL=C", "systemctl", "daemon-reload"],
    "another script": ["sh", "-c", "id"],
    "another file": ["rm", "-f", "/etc/passwd"],
    "a unit of one's choice": ["journalctl", "-u", "x", "-n", "3"],
}


@dataclass(frozen=True, kw_only=True)
class Reads:
    """What the commands told, and what they left as it was."""

    name: str
    births: tuple[dict[str, str], dict[str, str]]  # before and after
    status: Any
    hostnames: tuple[str, str]
    code_of_exit_41: int
    exec_environment: str
    nodes: list[dict[str, Any]]
    where_stackward_is: str
    openrc: dict[str, str]
    exec_as_openrc: str
    no_such_program: subprocess.CompletedProcess[str]
    taken: subprocess.CompletedProcess[str]
    damaged: tuple[str, subprocess.CompletedProcess[str]]
    as_nobody: subprocess.CompletedProcess[str]
    logins: set[str]
    refused: dict[str, Any]
    not_allowed: dict[str, Answer]
    cut: dict[int, Answer]


@scene(budget_s=20)
def reads(stage: Stage) -> Generator[Reads]:
    """Call every command that reads, and `up` on a lab that is up."""
    lab = stage.lab
    stage.begins()
    before = lab.births()
    lab.run("up")
    openrc = dict(
        line.removeprefix("export ").split("=") for line in lab.run("openrc").splitlines()
    )
    shell = Ssh(read_inventory(lab.spec.inventory))
    node = stage.nodes[0]
    yield Reads(
        name=lab.name,
        status=lab.read("status"),
        hostnames=(lab.run("ssh", node, "hostname"), lab.run("ssh", node, "--", "hostname")),
        code_of_exit_41=lab.call("ssh", node, "sh", "-c", "exit 41").returncode,
        exec_environment=lab.run("exec", "printenv", "OS_CLOUD", "STACKWARD_LAB"),
        nodes=json.loads(lab.run("exec", "stackward", "node", "list", "-f", "json")),
        where_stackward_is=lab.run("exec", "/bin/sh", "-c", "command -v stackward"),
        openrc=openrc,
        exec_as_openrc=lab.run("exec", "printenv", *openrc),
        no_such_program=lab.call("exec", "no-such-program"),
        taken=lab.call("up", "--computes", "2"),
        damaged=refused_when_damaged(lab),
        as_nobody=up_as_nobody(),
        logins={shell.run(each.name, ["id", "-un"]).out.strip() for each in lab.spec.nodes},
        refused={
            each.name: shell.rights(each.name, [one.words for one in ALL]).refused
            for each in lab.spec.nodes
        },
        not_allowed={
            what: shell.run(node, ["sudo", "-n", "--", *words])
            for what, words in NOT_ALLOWED.items()
        },
        cut={
            kept: shell.run(
                node, ["sudo", "-n", "--", "sh", "-c", " ".join(WORDS[:kept]), *WORDS[kept:]]
            )
            for kept in range(1, len(WORDS))
        },
        births=(before, lab.births()),
    )
    shell.close()


def refused_when_damaged(lab: RealLab) -> tuple[str, subprocess.CompletedProcess[str]]:
    """Return the name of a cached layer, and what `up` says while a file of it is another one."""
    [layer] = lab.spec.cache.glob("layers/base-*")
    with damaged(layer / "tree/etc/issue.net"):
        return layer.name, lab.call("up")


@contextmanager
def damaged(file: Path) -> Iterator[None]:
    """Let a file be another one for a while."""
    content, times = file.read_bytes(), file.stat()
    file.write_bytes(content + b"x")
    try:
        yield
    finally:
        file.write_bytes(content)
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def up_as_nobody() -> subprocess.CompletedProcess[str]:
    """Return what `up` says to who is not root."""
    return subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", STACKWARD, "lab", "up"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_no_command_restarts_a_node(reads: Reads) -> None:
    before, after = reads.births

    assert sorted(before) == sorted(NODES)
    assert after == before


def test_the_status_tells_that_all_is_well_and_what_stands_in(reads: Reads) -> None:
    assert reads.status["state"] == "done"
    assert [node["node"] for node in reads.status["nodes"]] == NODES
    assert set(reads.status["apis"].values()) == {True}
    assert reads.status["faults"] == []
    assert "network-storage" in {each["name"] for each in reads.status["stand_ins"]}


def test_a_command_on_a_node_runs_there_and_its_exit_code_is_its_own(reads: Reads) -> None:
    assert reads.hostnames == ("c01\n", "c01\n")
    assert reads.code_of_exit_41 == 41


def test_clients_run_with_the_lab_as_their_cloud(reads: Reads) -> None:
    cloud = f"lab-{reads.name}" if reads.name != "lab" else "lab"

    assert reads.exec_environment.split() == [cloud, reads.name]


def test_stackward_reads_the_inventory_that_the_lab_wrote(reads: Reads) -> None:
    assert sorted(node["Name"] for node in reads.nodes) == sorted(NODES)


def test_exec_finds_our_own_programs_without_a_path_to_them(reads: Reads) -> None:
    assert reads.where_stackward_is == f"{STACKWARD}\n"


def test_the_lines_of_openrc_are_the_environment_of_exec(reads: Reads) -> None:
    assert reads.exec_as_openrc.splitlines() == [each.strip("'") for each in reads.openrc.values()]
    assert reads.openrc


def test_a_program_that_is_not_there_is_an_error_of_the_caller(reads: Reads) -> None:
    assert reads.no_such_program.returncode == ExitCode.USAGE
    assert "there is no program `no-such-program`" in reads.no_such_program.stderr


def test_a_name_that_is_taken_is_refused(reads: Reads) -> None:
    assert reads.taken.returncode == ExitCode.BLOCKED
    assert f"the lab `{reads.name}` is there, and not as asked for" in reads.taken.stderr
    assert "computes: is 3, asked for 2" in reads.taken.stderr


def test_a_damaged_layer_is_refused_by_its_name(reads: Reads) -> None:
    layer, refused = reads.damaged

    assert refused.returncode == ExitCode.BLOCKED
    assert f"the cached layer `{layer}` is damaged" in refused.stderr
    assert "hint: " in refused.stderr


def test_what_is_not_root_is_told_so(reads: Reads) -> None:
    assert reads.as_nobody.returncode != 0
    assert "root" in reads.as_nobody.stderr


# --- the login of an operator ---


def test_the_login_is_not_root(reads: Reads) -> None:
    assert reads.logins == {"ops"}


def test_sudo_takes_every_declared_command_without_a_password(reads: Reads) -> None:
    """But for the one that equals root: the shipped file has it behind a `#`."""
    assert {node: set(refused) for node, refused in reads.refused.items()} == {
        node: {SCAN_LOGS, TALK} for node in NODES
    }


@pytest.mark.parametrize("command", NOT_ALLOWED)
def test_nothing_else_is_run_as_root(reads: Reads, command: str) -> None:
    assert refusal(reads.not_allowed[command]) == "sudo: a password is required"


def test_the_words_of_the_drop_in_cut_otherwise_do_nothing(reads: Reads) -> None:
    """Sudo compares the words joined by blanks; so it may let these pass, and the shell stops."""
    done = {kept for kept, answer in reads.cut.items() if answer.code == 0 or answer.out}

    assert (done, len(reads.cut)) == (set(), len(WORDS) - 1)
