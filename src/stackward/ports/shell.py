"""What we may ask of a node itself: commands, as lists of words."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from stackward.model.identity import Directory, Itself
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

        As root only what `ports/root.py` declares: by itself where the login is root's (whatever
        its name), else through `sudo -n`; `refusal` says whether that refused it.
        `within_s` is for all of it, the way there included; else there is a usual limit.
        Raises `Unreachable` where it was not begun, `Uncertain` where the connection was lost
        while it ran.
        """
        ...

    def rights(self, node: str, commands: Sequence[Words], /) -> Rights:
        """Ask sudo which of these commands it would refuse; none of them is run.

        A command whose program is not on the node is none that is refused.
        Raises `Unreachable` or `Uncertain` as `run` does.
        """
        ...
