"""Nodes through the system's own OpenSSH client, as the port `Shell`.

The operator's ssh_config and the inventory's settings hold, host keys are always checked, nothing
asks for a password, and one connection per node serves all commands. A command is a list of words:
each is quoted for the node's shell here and nowhere else.
"""

import re
import shlex
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from stackward.adapters.ssh.conversation import Talk
from stackward.adapters.ssh.processes import (
    MOST_BYTES,
    Closed,
    Cut,
    NotInTime,
    Processes,
    TooMuch,
    text,
)
from stackward.errors import BadInput, NotStarted, StackwardError, Uncertain, Unreachable
from stackward.model.identity import Directory, Itself, Known
from stackward.model.inventory import Inventory, Node
from stackward.model.unread import Unread
from stackward.ports.login import ended_on_the_way, hint_for, hint_to_look, why_not
from stackward.ports.machines import read_itself
from stackward.ports.root import Words, must_be_declared
from stackward.ports.shell import Answer, Pace, Rights, refusal

_CONNECT_TIMEOUT_S = 10
_TIMEOUT_S = 120
_TO_CONNECT = 0.6
_LEAVE_S = 5
_SSH_FAILED = 255
# A socket's path has 107 bytes; ssh and `mkdtemp` need 77 of them for names of their own.
_MOST_OF_A_PATH = 30
_OWN = "ssh"  # the file for its own words
_NO_FILE = (1, "Couldn't open logfile ")  # how ssh ends that cannot write its own words
_NO_PASSWORD = "!authenticate"  # noqa: S105  # how sudo lists NOPASSWD
_ENDED = "=ended="  # before the code of each question of one script


class Ssh:
    """The inventory's nodes; close it to end the connections."""

    def __init__(self, inventory: Inventory) -> None:
        self._nodes = {node.name: node for node in inventory.nodes}
        self._source = inventory.source
        self._sockets = Path(tempfile.mkdtemp(prefix="stackward-", dir=_short()))
        self._processes = Processes()
        self._directory = Directory(map(_known, inventory.nodes))
        self._itself: dict[str, Itself | None] = {}
        self._one_at_a_time = threading.Lock()
        self._roots: dict[str, bool] = {}  # whether the login there is root's, once that is known

    def directory(self) -> Directory:
        """Return the nodes by all that they may be known by, what they have said included."""
        return self._directory

    def itself(self, node: str, /, *, within_s: float | None = None) -> Itself | None:
        """Return what a node says of itself; None where it cannot be asked. It is asked once."""
        if node not in self._itself:
            said = self._itself[node] = read_itself(self, node, within_s)
            if said:
                with self._one_at_a_time:  # another node's answer may come at the same moment
                    self._directory = self._directory.with_said({node: said})
        return self._itself[node]

    def groups_of(self, node: str, /) -> tuple[str, ...]:
        """Return the groups of the inventory that a node is in."""
        return self._nodes[node].groups if node in self._nodes else ()

    def failure_domain(self, node: str, /) -> str | Unread | None:
        """Return what the inventory says that a node shares with those that fail with it."""
        return self._nodes[node].failure_domain if node in self._nodes else None

    def run(  # what a command has
        self,
        node: str,
        command: Sequence[str],
        /,
        *,
        as_root: bool = False,
        given: str = "",
        within_s: float | None = None,
    ) -> Answer:
        """Run a command on a node and return its answer, with any exit code."""
        asked = self._node(node)
        refuse_unreached(asked)
        limit_s = within_s or _TIMEOUT_S
        ends = time.monotonic() + limit_s
        words = self._words(asked, command, limit_s, as_root=as_root)
        left_s = max(0.0, ends - time.monotonic())
        if asked.is_local:
            return self._start(words, node, given, left_s, limit_s)
        with _own_words(node) as own:
            ssh = [*self._ssh(asked, left_s), "-E", str(own), "--", asked.address]
            answer = self._start([*ssh, shlex.join(words)], node, given, left_s, limit_s)
            if (ended := _ended_by_itself(answer, own)) is None:
                return answer
        says = f"{answer.err}\n{ended.says}".strip()  # a jump host's words are in the first
        if ended.on_the_way:
            raise _unreachable(asked, says)
        raise Uncertain(
            f"the connection to `{node}` was lost during `{command[0]}`",
            service="ssh",
            says=says or None,
            hint=hint_to_look(asked.login),
        )

    def _words(
        self, node: Node, command: Sequence[str], limit_s: float | None, *, as_root: bool
    ) -> list[str]:
        words = ["env", "LC_ALL=C", *command]
        if not as_root:
            return words
        must_be_declared(command)
        # `env` comes before `sudo`: behind it, a sudoers file would have to allow `env`.
        is_root = self._is_root(node, limit_s)
        return words if is_root else [*words[:2], "sudo", "-n", "--", *command]

    @contextmanager
    def talk(
        self,
        node: str,
        command: Sequence[str],
        script: str,
        /,
        *,
        as_root: bool = False,
        pace: Pace = Pace(),  # noqa: B008  # frozen
    ) -> Iterator[Talk]:
        """Start a script behind a bootstrap that reads it, and talk to it."""
        asked = self._node(node)
        refuse_unreached(asked)
        words = self._words(asked, command, None, as_root=as_root)
        with _own_words(node) as own, tempfile.TemporaryFile() as err:

            def why(code: int) -> StackwardError:
                err.seek(0)
                answer = Answer(code, "", text(err.read()))
                ended = None if asked.is_local else _ended_by_itself(answer, own)
                says = f"{answer.err}\n{ended.says if ended else ''}".strip()
                if ended and ended.on_the_way:
                    return _unreachable(asked, says)
                return Uncertain(f"the talk with `{node}` was broken off", says=says or None)

            if not asked.is_local:
                ssh = [*self._ssh(asked), "-E", str(own), "--", asked.address]
                words = [*ssh, shlex.join(words)]
            try:
                with self._processes.open(words, err) as process:
                    talk = Talk(node, process, script, pace, why)
                    try:
                        yield talk
                    finally:
                        talk.close()
            except OSError as error:
                raise _not_started(node, words[0], error) from error
            except (Closed, Cut) as error:
                raise Unreachable(f"`{node}` was not asked: connections are closed") from error

    def _is_root(self, node: Node, within_s: float | None = None) -> bool:
        """Say whether the login is root's, by its number: root may have any name. Asked once."""
        if node.name not in self._roots:
            answer = self.run(node.name, ["id", "-u"], within_s=within_s)
            # The last line: a login may print a greeting first.
            self._roots[node.name] = answer.code == 0 and answer.out.splitlines()[-1:] == ["0"]
        return self._roots[node.name]

    def rights(self, node: str, commands: Sequence[Words], /) -> Rights:
        """Ask sudo for all of them in one round trip; `-l` runs nothing.

        Only sudo 1.9.15 and newer say that a command is allowed, but needs a password.
        """
        if self._is_root(self._node(node)):
            return Rights("root")
        sudo = ["sudo", "-n"]
        asks = [["id", "-un"], [*sudo, "-l"], *([*sudo, "-ll", "--", *each] for each in commands)]
        script = "; ".join(f"{shlex.join(each)} 2>&1; echo {_ENDED}$?" for each in asks)
        out = self.run(node, ["sh", "-c", script]).out
        said = re.split(rf"^{_ENDED}(\d+)\n", out, flags=re.MULTILINE)
        told = [Answer(int(code), out) for out, code in zip(said[::2], said[1::2], strict=False)]
        if len(told) != len(asks):
            raise Uncertain(f"`{node}` did not say what may be run as root there", says=out)
        login, own, *answers = told
        asks_for_none = _NO_PASSWORD in own.out.partition("User ")[0]
        refused = _refused(zip(commands, answers, strict=True), asks_for_none=asks_for_none)
        return Rights(login.out.strip(), dict(refused))

    def close(self) -> None:
        """End what still runs, and the connections that were opened, side by side."""
        self._processes.close()
        _leave(self._sockets)

    def log_in_anew(self) -> None:
        """End the connections that are open: the next command logs in again.

        An open connection goes on also where nobody can log in now.
        """
        before = self._sockets
        if any(before.iterdir()):
            self._sockets = Path(tempfile.mkdtemp(prefix="stackward-", dir=_short()))
            _leave(before)

    def _node(self, name: str) -> Node:
        if name not in self._nodes:
            raise BadInput(
                f"the inventory does not name `{name}`",
                hint=f"add it to `{self._source}`; `stackward node list` shows what is in it",
            )
        return self._nodes[name]

    def _start(
        self, words: Sequence[str], node: str, given: str, within_s: float, limit_s: float
    ) -> Answer:
        try:
            return self._processes.run(words, given, within_s)
        except FileNotFoundError as error:
            if words[0] != "ssh":
                raise
            raise Unreachable(
                f"cannot reach `{node}`: this machine has no `ssh`", hint="install openssh-client"
            ) from error
        except OSError as error:
            raise _not_started(node, words[0], error) from error
        except NotInTime as error:
            raise Uncertain(
                f"`{node}` gave no answer within {limit_s:g} s",
                hint=hint_to_look(self._nodes[node].login),
            ) from error
        except TooMuch as error:
            raise Uncertain(
                f"`{node}` writes without end: it was left after {MOST_BYTES >> 20} MiB"
            ) from error
        except Cut as error:
            raise Uncertain(
                f"`{node}` was left before it had answered: the connections were closed"
            ) from error
        except Closed as error:
            raise Unreachable(f"`{node}` was not asked: the connections are closed") from error

    def _ssh(self, node: Node, within_s: float | None = None) -> list[str]:
        # Less than all of the time: so a node that is not there differs from one that hangs.
        connect_s = min(_CONNECT_TIMEOUT_S, max(1, int((within_s or _TIMEOUT_S) * _TO_CONNECT)))
        # ssh takes the first value that it meets, so what must hold comes first.
        words = ["ssh", "-T", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"]
        words += ["-o", f"ConnectTimeout={connect_s}"]
        words += ["-o", "ControlMaster=auto", "-o", "ControlPersist=60"]
        words += ["-o", f"ControlPath={self._sockets}/%C"]
        words += ["-p", str(node.ssh.port)] if node.ssh.port else []
        words += ["-l", node.ssh.user] if node.ssh.user else []
        words += ["-i", node.ssh.key_file] if node.ssh.key_file else []
        return [*words, *node.ssh.options]


def _leave(sockets: Path) -> None:
    """End the connections of a folder, side by side, and remove it."""
    if (ssh := shutil.which("ssh")) and sockets.is_dir():
        leaving = [
            subprocess.Popen(  # noqa: S603  # a list of words
                [ssh, "-F", "none", "-o", f"ControlPath={socket}", "-O", "exit", "--", "it"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for socket in sorted(sockets.iterdir())
        ]
        ends = time.monotonic() + _LEAVE_S  # of all of them
        for process in leaving:
            try:
                process.wait(max(0.0, ends - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    shutil.rmtree(sockets, ignore_errors=True)


def _refused(
    told: Iterable[tuple[Words, Answer]], *, asks_for_none: bool
) -> Iterator[tuple[Words, str]]:
    for words, answer in told:
        if answer.code != 0:
            if f"sudo: {words[0]}: command not found" not in answer.out:
                says = refusal(Answer(answer.code, "", answer.out))
                yield words, says or "its sudoers file does not name it"
        elif not asks_for_none and "Matched: " in answer.out and _NO_PASSWORD not in answer.out:
            yield words, "sudo: a password is required"


def _known(node: Node) -> Known:
    return Known(
        name=node.name,
        address=node.address,
        by=(str(node.ssh.port or ""), *node.ssh.options),
        is_local=node.is_local,
    )


def refuse_unreached(node: Node) -> None:
    """Raise Unreachable for a node that is reached otherwise, or nobody knows how."""
    if node.left_out is not None:
        raise Unreachable(
            f"cannot reach `{node.name}`: Ansible reaches it by `{node.left_out}`, and Stackward "
            "uses ssh",
            hint="if it has ssh, set `ansible_connection` to `ssh` in the inventory",
        )
    if node.unknown is not None:
        raise Unreachable(
            f"cannot reach `{node.name}`: {node.unknown}",
            hint="write the value itself in the inventory",
        )


def _short() -> str:
    """Return where temporary files may be with a path that leaves room for a socket's name."""
    usual = tempfile.gettempdir()
    return usual if len(usual) <= _MOST_OF_A_PATH else "/tmp"  # noqa: S108  # mkdtemp is safe there


@contextmanager
def _own_words(node: str) -> Iterator[Path]:
    """Give a place for what ssh itself says; what it says is deleted afterwards.

    Among the words of a command nobody could recognise it: a command may write `Connection refused`
    too, and so may the greeting at a login.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix="stackward-"))
    except OSError as error:
        raise _not_started(node, "ssh", error) from error
    own = folder / _OWN
    try:
        yield own
    finally:  # without opening anything: there may be no file left for that
        with suppress(OSError):
            own.unlink(missing_ok=True)
            folder.rmdir()


@dataclass(frozen=True, slots=True)
class _Ended:
    """How it was that ssh did not bring the answer of a command."""

    says: str
    on_the_way: bool  # for certain: the command was not sent


def _ended_by_itself(answer: Answer, own: Path) -> _Ended | None:
    """Return how ssh ended without an answer of the command; None where the answer is one.

    It opens the file for its own words once it has understood how it was called, and before it
    connects: where there is no file, nothing was sent.
    """
    code, words = _NO_FILE
    if answer.code == code and words in answer.err and not own.exists():
        return _Ended("", on_the_way=True)
    if 0 <= answer.code != _SSH_FAILED:
        return None
    try:
        says = text(own.read_bytes())
    except FileNotFoundError:
        return _Ended("", on_the_way=answer.code == _SSH_FAILED)
    except OSError:  # nothing is known by it
        return _Ended("", on_the_way=False)
    return _Ended(says, on_the_way=answer.code == _SSH_FAILED and ended_on_the_way(says))


def _not_started(node: str, program: str, error: OSError) -> NotStarted:
    return NotStarted(
        f"`{node}` was not asked: this machine cannot run `{program}`",
        says=f"this machine cannot run `{program}`: {error.strerror}",
    )


def _unreachable(node: Node, says: str) -> Unreachable:
    lines = [line for line in says.splitlines() if not line.startswith("Warning:")]
    kind, _ = why_not(says)
    return Unreachable(
        f"cannot log in to `{node.name}`",
        service="ssh",
        says="\n".join(lines).strip(),
        hint=hint_for(kind, node.login),
    )
