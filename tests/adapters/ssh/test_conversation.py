"""Conversations with this machine and through a stand-in for ssh; how each side ends alone."""

import os
import signal
import subprocess  # noqa: TID251  # the node's side is a program of its own
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from contract.conversation import ECHO, ConversationContract, Opens, with_talk
from ssh_stand_in import RUNS, put_ssh, says_itself
from stackward.adapters.ssh import Ssh
from stackward.errors import Uncertain, Unreachable
from stackward.model.inventory import Inventory, Node
from stackward.ports.log_source import as_given
from stackward.ports.root import BOOTSTRAP
from stackward.ports.shell import Conversation, Pace

NODES = Inventory(
    source="inventory",
    nodes=(
        Node(name="here", address="here", is_local=True),
        Node(name="c01", address="10.77.1.11"),
    ),
)
PYTHON = (sys.executable, "-I", "-c", BOOTSTRAP)
QUICK = Pace(beat_s=0.1, silence_s=1.0)


@pytest.fixture
def shell() -> Iterator[Ssh]:
    opened = Ssh(NODES)
    yield opened
    opened.close()


class TestHere(ConversationContract):
    """The machine on which Stackward runs."""

    @pytest.fixture
    def opens(self, shell: Ssh) -> Opens:
        def open_it(script: str) -> AbstractContextManager[Conversation]:
            return shell.talk("here", PYTHON, script)

        return open_it


class TestOverSsh(ConversationContract):
    """A node that a login greets."""

    @pytest.fixture
    def opens(self, shell: Ssh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opens:
        put_ssh(tmp_path, RUNS)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

        def open_it(script: str) -> AbstractContextManager[Conversation]:
            return shell.talk("c01", PYTHON, script)

        return open_it


def test_a_node_that_is_not_there_is_unreachable(
    shell: Ssh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_ssh(tmp_path, says_itself("ssh: connect to host 10.77.1.11 port 22: No route to host"))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    with shell.talk("c01", PYTHON, "") as talk, pytest.raises(Unreachable) as caught:
        talk.hear(within_s=30)

    assert "No route to host" in str(caught.value.says)


def test_a_node_that_freezes_gives_no_sign_of_life(shell: Ssh) -> None:
    own = with_talk("import signal\nTalk()\nos.kill(os.getpid(), signal.SIGSTOP)\n")

    with (
        shell.talk("here", PYTHON, own, pace=QUICK) as talk,
        pytest.raises(Uncertain, match="no sign of life"),
    ):
        talk.hear(within_s=30)


def test_a_node_that_is_busy_and_lives_is_waited_for(shell: Ssh) -> None:
    own = with_talk("BEAT_S = 0.1\ntalk = Talk()\ntime.sleep(2)\ntalk.say(b'done')\n")

    with shell.talk("here", PYTHON, own, pace=QUICK) as talk:
        assert talk.hear(within_s=30) == b"done"


def test_both_sides_have_ended_when_it_is_closed(shell: Ssh) -> None:
    with shell.talk("here", PYTHON, with_talk(f"print_pid = 1\n{ECHO}")) as talk:
        talk.say(b"x")
        talk.hear(within_s=30)
        [child] = children()

    assert not Path(f"/proc/{child}").exists()


def children() -> list[int]:
    """Return the processes that this one has started and that still run."""
    found = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [int(one) for one in found]


OURS = """
import sys
from stackward.adapters.ssh import Ssh
from stackward.model.inventory import Inventory, Node
shell = Ssh(Inventory(source="i", nodes=(Node(name="here", address="here", is_local=True),)))
with shell.talk("here", tuple(sys.argv[1:5]), sys.argv[5]) as talk:
    talk.say(b"x")
    talk.hear(within_s=30)
    print("talks", flush=True)
    talk.hear(within_s=600)
"""


def test_the_nodes_side_ends_where_ours_is_killed(tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    own = with_talk(f"open({str(alive)!r}, 'w').write(str(os.getpid()))\n{ECHO}")
    with subprocess.Popen(  # noqa: S603  # our own script
        [sys.executable, "-c", OURS, *PYTHON, own], stdout=subprocess.PIPE, text=True
    ) as ours:
        assert ours.stdout is not None
        assert ours.stdout.readline() == "talks\n"
        ours.send_signal(signal.SIGKILL)

    assert ends(int(alive.read_text()), within_s=20)


def test_the_nodes_side_ends_where_the_way_is_cut_also_while_it_writes() -> None:
    """Nothing is closed, and nothing comes any more."""
    own = with_talk("SILENCE_S = 1.0\ntalk = Talk()\nwhile True: talk.say(b'x' * 65536)\n")
    with subprocess.Popen(  # noqa: S603  # our own script
        PYTHON, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as node:
        assert node.stdin is not None
        node.stdin.write(as_given(own, "").encode())
        node.stdin.flush()
        code = node.wait(60)

    assert code == 75


def ends(process: int, *, within_s: float) -> bool:
    """Wait for the end of a process that is nobody's child here."""
    limit = time.monotonic() + within_s
    watched = os.pidfd_open(process) if Path(f"/proc/{process}").exists() else None
    if watched is None:
        return True
    try:
        import select  # noqa: PLC0415  # it alone

        return bool(select.select([watched], [], [], max(0.0, limit - time.monotonic()))[0])
    finally:
        os.close(watched)
