"""What is asked of a chain: the requests of its runs, in order, and how far it goes at once."""

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainItem:
    """One thing that is done: the request of its run, as that is stored.

    Or of several, which have the same nodes one after the other: `then` has those that follow.
    """

    name: str
    asked: dict[str, Any]
    then: tuple[dict[str, Any], ...] = ()

    @property
    def requests(self) -> tuple[dict[str, Any], ...]:
        """Return the requests of its runs, in their order."""
        return (self.asked, *self.then)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainRequest:
    """What the operator asked for."""

    kind: ClassVar[str] = "chain"

    what: str  # is done to each item, in a word: "drain"
    items: tuple[ChainItem, ...]
    at_once: int = 1
    canary: int = 0  # so many go first, and all else only if they have ended well
    needs_well: bool = False  # each item is started only while the cloud is well
    undoes: str | None = None  # the chain whose runs are undone
