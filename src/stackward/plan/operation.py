"""What an operation must answer: one value in each folder of `operations/`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic

from typing_extensions import TypeVar

from stackward.plan.plan import Blocked, Move, Plan, Request
from stackward.ports.journal import Journal
from stackward.ports.world import World

Asked = TypeVar("Asked", bound=Request)
Facts = TypeVar("Facts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[Asked, Facts]):
    """How one kind of request is planned: its facts are read, the rest is pure."""

    request: type[Asked]
    read: Callable[[World, Journal, Asked, str | None], Facts]
    """Read the facts now; the last is the run that asks: what it claims is its own."""
    plan: Callable[[Facts, Asked], Plan[World]]
    """Plan the request from facts alone: no reads, no changes."""
    judge: Callable[[World, Journal, Asked, Move[World]], Blocked | None]
    """Judge one thing again on its fresh facts, just before its move begins."""

    @property
    def kind(self) -> str:
        """Return the stored name of its requests; its folder is called so too."""
        return self.request.kind
