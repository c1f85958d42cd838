"""What we may ask of a node itself: commands, as lists of words."""

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from stackward.model.identity import Directory, Itself
from stackward.model.unread import Unread
from stackward.ports.root import Words

# Needs no rights beyond a login, and can change nothing.
VIRSH = ("virsh", "--readonly", "--connect", "qemu:///system")

_NO_SUDO = re.compile(r"sudo['\u2018\u2019]?: (No such file or directory|(command )?not found)")
_REFUSES = ("sudo: ", "Sorry, user ", "sudo-rs: ")
_KNOWS_NOT = re.compile(r"\S+ is not (in the sudoers file|allowed to run sudo on )")
_REMARKS = ("sudo: unable to resolve host", "sudo: setrlimit", "sudo: unable to send audit message")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command wrote and how it ended."""

    code: int
    out: str
    err: str = ""


@dataclass(frozen=True, slots=True)
class Rights:
    """What a login may not run as root on a node, of the commands that were asked for."""

    login: str
    refused: Mapping[Words, str] = field(default_factory=dict)  # each with sudo's words


def refusal(answer: Answer) -> str | None:
    """Return why a command was not run as root, in the words of sudo; None where it was run.

    A code of 0 is the command's own: sudo may warn (of a name that it cannot resolve) and go on.
    """
    if answer.code == 0:
        return None
    for line in answer.err.splitlines():
        if "sudo" in line and _NO_SUDO.search(line):
            return "there is no `sudo` on it"
        if line.startswith(_REMARKS):
            continue
        if line.startswith(_REFUSES) or _KNOWS_NOT.match(line):
            return line
    return None


class Shell(Protocol):
    """The nodes that the inventory names, by their names there."""

    def directory(self) -> Directory:
        """Return the nodes by all that they may be known by; nothing is asked of them."""
        ...

    def itself(self, node: str, /, *, within_s: float | None = None) -> Itself | None:
        """Return what a node says of itself; None where it cannot be asked. It is asked once.

        Several nodes may be asked side by side. Without `within_s` there is a usual limit.
        """
        ...

    def groups_of(self, node: str, /) -> tuple[str, ...]:
        """Return the groups of the inventory that a node is in; none where it is not named."""
        ...

    def failure_domain(self, node: str, /) -> str | Unread | None:
        """Return what a node shares with those that fail with it; None: it is not known."""
        ...

    def run(
        self,
        node: str,
        command: Sequence[str],
        /,
        *,
        as_root: bool = False,
        given: str = "",
        within_s: float | None = None,
    ) -> Answer:
        """Run a command on a node, with `given` to read, and return its answer and code.

        As root only what `ports/root.py` declares. If the login is root's (under any name), it runs
        by itself; otherwise through `sudo -n`, and `refusal` says whether sudo refused it.
        `within_s` is for all of it, with the way there; without it there is a usual limit. Raises
        `Unreachable` if it was not started, `Uncertain` if the connection was lost while it ran.
        """
        ...

    def rights(self, node: str, commands: Sequence[Words], /) -> Rights:
        """Ask sudo which of these commands it would refuse; none of them is run.

        A command whose program is not on the node is none that is refused.
        Raises `Unreachable` or `Uncertain` as `run` does.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often each side of a conversation gives a sign of life, and how long one is waited for.

    The node's side has its own, in `facts/on_node/talk.py`.
    """

    beat_s: float = 2.0
    silence_s: float = 10.0


class Conversation(Protocol):
    """Bytes to and from a script that runs on a node."""

    def say(self, given: bytes, /) -> None:
        """Send bytes, which come as one piece.

        Raises `Uncertain` where the node's side has ended or its connection was lost.
        """
        ...

    def hear(self, *, within_s: float) -> bytes | None:
        """Wait for bytes that were sent as one piece; None where the script has ended.

        Raises `Unreachable` if the way to the node failed. Raises `Uncertain` if the way was broken
        off, if nothing comes in that time, or if there is no sign of life for longer than the pace
        allows.
        """
        ...


class Talks(Protocol):
    """The nodes that the inventory names, for conversations."""

    def talk(
        self, node: str, command: Sequence[str], script: str, /, *, as_root: bool = False
    ) -> AbstractContextManager[Conversation]:
        """Start a script behind a bootstrap that reads it, and talk to it.

        At the end of the context both sides are ended. Where this process is killed or the way is
        cut, the node's side ends by itself. `as_root` as for a command.
        """
        ...


class TalkingShell(Shell, Talks, Protocol):
    """A shell that can talk too."""
