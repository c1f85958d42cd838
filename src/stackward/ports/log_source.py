"""Where logs are: the nodes of a cloud, or what was collected of them."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from stackward.model.clock_offset import Offset
from stackward.model.values import Json
from stackward.ports.shell import Conversation

BEGINS = '{"version"'  # the scanner's answer


def as_given(script: str, asked: str) -> str:
    """Return what the bootstrap reads: how long the script is, the script, and what it is asked.

    Of a conversation it is the script alone: what it is asked is said then.
    """
    return f"{len(script.encode())}\n{script}{asked}"


class LogSource(Protocol):
    """Answers the scanner, `facts/on_node/scan.py`, about the logs of each node."""

    @property
    def nodes(self) -> Sequence[str]:
        """Return the nodes whose logs there are."""
        ...

    @property
    def is_collected(self) -> bool:
        """Say whether these are files that were collected: nothing is asked of a cloud."""
        ...

    def scan(self, node: str, script: str, asked: Mapping[str, Json], *, within_s: float) -> str:
        """Run the scanner on the logs of a node and return what it prints.

        Raises `Unreachable` or `Uncertain` where that is not possible.
        """
        ...

    def offset(self, node: str, /) -> Offset | None:
        """Return how far a node's clock is from ours; None where that is not known. Asked once."""
        ...


class LiveLogs(Protocol):
    """Logs of living nodes, which are followed in a conversation."""

    @property
    def nodes(self) -> Sequence[str]:
        """Return the nodes whose logs there are."""
        ...

    def talk(
        self, node: str, script: str, /, *, as_root: bool
    ) -> AbstractContextManager[Conversation]:
        """Start a script there and talk to it; as root where sudo allows that."""
        ...

    def offset(self, node: str, /, *, is_anew: bool = False) -> Offset | None:
        """Return how far a node's clock is from ours; None where that is not known.

        Asked once; and again where that is wanted, as the clock may have been set since.
        """
        ...
