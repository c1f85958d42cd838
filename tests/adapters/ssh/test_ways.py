"""What keeps a plan from a node: from the words of ssh, or of the node, to blocker and remedy."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from builders import a_node, a_server, a_service
from ssh_stand_in import answers, put_ssh, says_itself
from stackward.adapters.ssh import Ssh
from stackward.facts.domains import read_domains
from stackward.facts.maintenance import read_marks
from stackward.model.inventory import Inventory, Node, SshAccess
from stackward.model.unread import Unread
from stackward.plan import Blocked
from stackward.policy.node import judge_service
from stackward.ports.login import way_to

ACCESS = SshAccess(user="ops", port=2222, options=("-J", "jump"))
BY_HAND = "ssh -p 2222 -J jump ops@192.0.2.12 true`"
HANGS = f"see whether it takes a login, and what hangs there: `{BY_HAND}"
VERBOSE = "`ssh -v -p 2222 -J jump ops@192.0.2.12 true`"
NODES = Inventory(
    source="inventory",
    nodes=(
        Node(name="c02", address="192.0.2.12", ssh=ACCESS),
        Node(name="sw1", address="sw1", left_out="network_cli"),
    ),
)


@pytest.fixture
def shell() -> Iterator[Ssh]:
    opened = Ssh(NODES)
    yield opened
    opened.close()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def stand_in(path: Path, script: str) -> None:
    """Put a program called `ssh` first on the PATH."""
    put_ssh(path, script)
    (path / "bin").mkdir(exist_ok=True)
    (path / "bin/env").symlink_to("/usr/bin/env")  # and no other program is there


def blocker(shell: Ssh, node: str = "c02", *, is_up: bool = True) -> Blocked:
    """Return what stands against a plan of a node whose guests are read so."""
    read = replace(
        a_node(a_server(), service=a_service(is_up=is_up)), domains=read_domains(shell, node)
    )
    [verdict, *_] = judge_service(read)
    assert isinstance(verdict, Blocked)
    return verdict


NO_WAY = [
    pytest.param(
        "ops@192.0.2.12: Permission denied (publickey).",
        f"see which user and which keys are offered: {VERBOSE}; then set `ansible_user`",
        id="not let in",
    ),
    pytest.param(
        "No ED25519 host key is known for 192.0.2.12 and you have requested strict checking.\n"
        "Host key verification failed.",
        f"log in once by hand: `{BY_HAND}; before you answer yes",
        id="host key unknown",
    ),
    pytest.param(
        "Host key for 192.0.2.12 has changed and you have requested strict checking.\n"
        "Host key verification failed.",
        "forget the old key: `ssh-keygen -R '[192.0.2.12]:2222'`",
        id="host key changed",
    ),
    pytest.param(
        "ssh: connect to host 192.0.2.12 port 2222: No route to host",
        f"see how far ssh comes: {VERBOSE}",
        id="no route",
    ),
    pytest.param(
        "ssh: connect to host 192.0.2.12 port 2222: Connection refused",
        f"see how far ssh comes: {VERBOSE}",
        id="no sshd",
    ),
    pytest.param(
        "/root/.ssh/config: line 3: Bad configuration option: foo",
        "correct `ansible_ssh_common_args` in the inventory, or your own "
        f"`~/.ssh/config`; then try it with: `{BY_HAND}",
        id="ssh does not start",
    ),
    pytest.param(
        "client_loop: send disconnect: Broken pipe",
        HANGS,
        id="lost midway",
    ),
]


@pytest.mark.parametrize(("words", "remedy"), NO_WAY)
def test_where_ssh_does_not_lead_to_the_node_the_remedy_has_the_real_login(
    shell: Ssh, path: Path, words: str, remedy: str
) -> None:
    stand_in(path, says_itself(words))

    up, down = blocker(shell), blocker(shell, is_up=False)
    marks = read_marks(shell, "c02")

    assert (up.worry, down.worry) == ("domains-unreached", "node-dead")
    assert remedy in up.remedy
    assert remedy in down.remedy
    assert isinstance(marks, Unread)
    assert remedy in way_to(marks)


@pytest.mark.parametrize(
    ("script", "worry", "remedy"),
    [
        pytest.param(
            'for last; do :; done; PATH="${0%/*}/bin"; eval "$last"',
            "virsh-missing",
            "install `virsh` there (the package `libvirt-clients`",
            id="no virsh: the words of a real shell and a real env",
        ),
        pytest.param(
            answers("error: failed to connect to the hypervisor", 1),
            "domains-unread",
            "see there why libvirt does not answer (`virsh --readonly --connect qemu:///system",
            id="libvirt refuses",
        ),
        pytest.param(
            "echo nonsense",
            "domains-unread",
            "see there why libvirt does not answer",
            id="an answer that is not understood",
        ),
    ],
)
def test_a_machine_that_lets_us_in_is_not_told_to_make_ssh_work(
    shell: Ssh, path: Path, script: str, worry: str, remedy: str
) -> None:
    stand_in(path, script)

    up, down = blocker(shell), blocker(shell, is_up=False)

    assert (up.worry, down.worry) == (worry, "node-down")
    assert remedy in up.remedy
    assert "ssh" not in up.remedy


def test_a_node_that_hangs_is_looked_at_with_the_real_login(
    shell: Ssh, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stackward.adapters.ssh._TIMEOUT_S", 0.2)
    stand_in(path, "exec sleep 60")

    found = blocker(shell)

    assert found.worry == "domains-unreached"
    assert found.remedy.startswith(HANGS)


def test_a_node_that_ssh_does_not_reach_keeps_the_hint_of_its_own(shell: Ssh) -> None:
    found = blocker(shell, "sw1")

    assert found.worry == "domains-unreached"
    assert found.remedy.startswith("if it has ssh, set `ansible_connection` to `ssh`")
