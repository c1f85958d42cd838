"""The lab is reached as an operator's login that has the shipped sudoers file, and no more."""

from collections.abc import Iterator

import pytest

from real_lab import RealLab
from stackward.adapters.inventory import read_inventory
from stackward.adapters.ssh import Ssh
from stackward.ports.root import ALL, FILL_DROP_IN
from stackward.ports.shell import refusal

WORDS = FILL_DROP_IN[2].split(" ")


@pytest.fixture(scope="module")
def shell(lab: RealLab) -> Iterator[Ssh]:
    opened = Ssh(read_inventory(lab.spec.inventory))
    yield opened
    opened.close()


def test_the_login_is_not_root(lab: RealLab, shell: Ssh) -> None:
    said = {node.name: shell.run(node.name, ["id", "-un"]).out.strip() for node in lab.spec.nodes}

    assert set(said.values()) == {"ops"}


def test_sudo_takes_every_declared_command_without_a_password(lab: RealLab, shell: Ssh) -> None:
    refused = {node.name: shell.rights(node.name, [one.words for one in ALL]).refused
               for node in lab.spec.nodes}  # fmt: skip

    assert all(each == {} for each in refused.values()), refused


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["systemctl", "reboot"], id="another command"),
        pytest.param(["systemctl", "stop", "libvirtd.service"], id="of another unit"),
        pytest.param(["env", "LC_ALL=C", "systemctl", "daemon-reload"], id="behind env"),
        pytest.param(["sh", "-c", "id"], id="another script"),
        pytest.param(["rm", "-f", "/etc/passwd"], id="another file"),
        pytest.param(["journalctl", "-u", "x", "-n", "3"], id="a unit of one's choice"),
    ],
)
def test_nothing_else_is_run_as_root(lab: RealLab, shell: Ssh, command: list[str]) -> None:
    node = lab.spec.compute_nodes[0].name

    answer = shell.run(node, ["sudo", "-n", "--", *command])

    assert refusal(answer) == "sudo: a password is required"


@pytest.mark.parametrize("kept", range(1, len(WORDS)))
def test_the_words_of_the_drop_in_cut_otherwise_do_nothing(
    lab: RealLab, shell: Ssh, kept: int
) -> None:
    """Sudo compares the words joined by blanks; so it may let these pass, and the shell stops."""
    node = lab.spec.compute_nodes[0].name
    cut = [" ".join(WORDS[:kept]), *WORDS[kept:]]

    answer = shell.run(node, ["sudo", "-n", "--", "sh", "-c", *cut])

    assert (answer.code != 0, answer.out) == (True, "")
