"""What we may ask of a node itself: commands, as lists of words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from stackward.model.identity import Directory, Itself

# Needs no rights beyond a login, and can change nothing.
VIRSH = ("virsh", "--readonly", "--connect", "qemu:///system")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command wrote and how it ended."""

    code: int
    out: str
    err: str = ""


class Shell(Protocol):
    """The nodes that the inventory names, by their names there."""

    def directory(self) -> Directory:
        """Return the nodes by all that they may be known by; nothing is asked of them."""
        ...

    def itself(self, node: str, /) -> Itself | None:
        """Return what a node says of itself; None where it cannot be asked. It is asked once."""
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

        `within_s` is for all of it, the way there included; else there is a usual limit.
        Raises `Unreachable` where it was not begun, `Uncertain` where the connection was lost
        while it ran.
        """
        ...
