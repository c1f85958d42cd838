"""Whatever an `ssh` does, it ends with its time, and nothing that it started is left."""

import os
import signal
import subprocess  # noqa: TID251  # to come between
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from late import late_s
from stackward.adapters.ssh import Ssh
from stackward.adapters.ssh.processes import MOST_BYTES
from stackward.errors import StackwardError, Uncertain, Unreachable
from stackward.lab.waiting import wait_until
from stackward.model.inventory import Inventory, Node
from stackward.ports.root import RELOAD

NODES = Inventory(source="inventory", nodes=(Node(name="c01", address="192.0.2.11"),))
WITHIN_S = 1.0

# Each notes its own process first, and those that it starts.
HANGS = {
    "hangs before it says anything": "sleep 300",
    "hangs in the midst of an answer": "echo '{'; sleep 300",
    "heeds no signal": "trap '' TERM INT HUP PIPE; sleep 300",
    "leaves a process behind that holds the answer open": "sleep 300 & echo $! >> {noted}; exit 0",
    "waits for a jump host of its own": "sleep 300 & echo $! >> {noted}; wait",
    "writes a byte, and another, for ever": "while :; do printf x; sleep 0.2; done",
    "closes its outputs and stays": "exec >&- 2>&-; sleep 300",
}


class StandIn:
    """A program called `ssh`, and what it started."""

    def __init__(self, folder: Path) -> None:
        self._program, self._noted = folder / "ssh", folder / "noted"

    def does(self, script: str) -> None:
        own = script.replace("{noted}", str(self._noted))
        self._program.write_text(f"#!/bin/sh\necho $$ >> {self._noted}\n{own}\n")
        self._program.chmod(0o755)

    def started(self) -> list[int]:
        return [int(pid) for pid in self._noted.read_text().split()] if self._noted.exists() else []

    def left(self) -> list[int]:
        """Return what still runs; our own that has ended and was not fetched counts too."""
        return [pid for pid in self.started() if _is_there(pid)]


def _is_there(pid: int) -> bool:
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return False
    return state != "Z" or int(parent) == os.getpid()


@pytest.fixture
def shell() -> Iterator[Ssh]:
    opened = Ssh(NODES)
    yield opened
    opened.close()


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    made = StandIn(tmp_path)
    yield made
    for pid in made.left():
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("script", HANGS.values(), ids=HANGS)
def test_one_that_hangs_is_ended_in_time_with_all_that_it_started(
    shell: Ssh, ssh: StandIn, script: str
) -> None:
    ssh.does(script)
    began = time.monotonic()

    with pytest.raises(Uncertain, match="`c01` gave no answer within 1 s"):
        shell.run("c01", ["true"], within_s=WITHIN_S)

    assert time.monotonic() - began < WITHIN_S + late_s()
    assert ssh.started()
    assert wait_until(lambda: not ssh.left(), within_s=late_s(), every_s=0.01)


@pytest.mark.parametrize("to", ["1", "2"], ids=["its answer", "its complaints"])
def test_one_that_writes_without_end_is_left(shell: Ssh, ssh: StandIn, to: str) -> None:
    ssh.does(f"exec cat /dev/zero >&{to}")

    with pytest.raises(Uncertain, match=f"it was left after {MOST_BYTES >> 20} MiB"):
        shell.run("c01", ["true"], within_s=60)

    assert ssh.left() == []


def test_one_that_does_not_read_what_it_is_given_is_no_hindrance(shell: Ssh, ssh: StandIn) -> None:
    ssh.does("echo told")

    assert shell.run("c01", ["python3", "-"], given="x" * 2**20, within_s=30).out == "told\n"


def test_what_is_given_is_written_while_the_answer_is_read(shell: Ssh, ssh: StandIn) -> None:
    """More in both ways than two pipes hold: one after the other would wait for ever."""
    ssh.does("exec cat")
    given = "0123456789abcdef" * 2**16

    assert shell.run("c01", ["cat"], given=given, within_s=30).out == given


def test_who_is_root_is_asked_within_the_same_time(shell: Ssh, ssh: StandIn) -> None:
    ssh.does("sleep 300")
    began = time.monotonic()

    with pytest.raises(Uncertain):
        shell.run("c01", RELOAD, as_root=True, within_s=WITHIN_S)

    assert time.monotonic() - began < WITHIN_S + late_s()


def test_what_runs_when_the_connections_are_closed_ends_at_once(shell: Ssh, ssh: StandIn) -> None:
    """Ctrl-C in a look: threads that nobody waits for leave no process behind."""
    ssh.does("sleep 300 & echo $! >> {noted}; wait")
    asking = Asking(shell)
    assert wait_until(lambda: len(ssh.started()) == 2, within_s=30, every_s=0.01)

    shell.close()

    assert isinstance(asking.raised(late_s()), Uncertain)
    assert wait_until(lambda: not ssh.left(), within_s=late_s(), every_s=0.01)


def test_what_has_begun_is_not_called_unasked_although_all_was_closed_while_it_was_started(
    ssh: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine the close came between: what ran already counted as never started."""
    ssh.does("sleep 300 & echo $! >> {noted}; wait")
    shell, popen = Ssh(NODES), subprocess.Popen

    def closed_meanwhile(words: Sequence[str], **how: Any) -> subprocess.Popen[bytes]:  # noqa: ANN401
        started = popen(words, **how)
        assert wait_until(lambda: len(ssh.started()) == 2, within_s=30, every_s=0.01)
        monkeypatch.setattr("subprocess.Popen", popen)
        shell.close()
        return started

    monkeypatch.setattr("subprocess.Popen", closed_meanwhile)

    with pytest.raises(Uncertain, match="the connections were closed"):
        shell.run("c01", ["true"], within_s=300)

    assert wait_until(lambda: not ssh.left(), within_s=late_s(), every_s=0.01)


class Asking:
    """A question that is asked in a thread."""

    def __init__(self, shell: Ssh) -> None:
        self._shell = shell
        self._raised: StackwardError | None = None
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def raised(self, within_s: float) -> StackwardError | None:
        """Return what it ended with."""
        self._thread.join(within_s)
        assert not self._thread.is_alive()
        return self._raised

    def _ask(self) -> None:
        try:
            self._shell.run("c01", ["true"], within_s=300)
        except StackwardError as error:
            self._raised = error


def test_nothing_is_started_once_they_are_closed(shell: Ssh, ssh: StandIn) -> None:
    ssh.does("sleep 300")
    shell.close()

    with pytest.raises(Unreachable, match="the connections are closed"):
        shell.run("c01", ["true"], within_s=300)

    assert ssh.left() == []


# A master leaves its socket where the next command finds it.
SHARES = """
for word; do case $word in ControlPath=*) at=${word#ControlPath=}; esac; done
case "$*" in *"-O exit"*) rm "$at"; echo left >> {noted}.ways; exit 0;; esac
[ -e "$at" ] && how=goes-on || how=logs-in
echo $how >> {noted}.ways
: > "$at"
"""


def test_a_connection_is_shared_until_all_log_in_anew(
    shell: Ssh, ssh: StandIn, tmp_path: Path
) -> None:
    """Seen: of a node whose sshd was frozen after the first look the next ones still told."""
    ssh.does(SHARES)
    ways = tmp_path / "noted.ways"

    shell.run("c01", ["true"])
    shell.run("c01", ["true"])
    shell.log_in_anew()
    shell.log_in_anew()  # there is nothing to leave
    shell.run("c01", ["true"])

    assert ways.read_text().split() == ["logs-in", "goes-on", "left", "logs-in"]
