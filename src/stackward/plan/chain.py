"""A chain as a plan: each of its steps begins a run of its own, planned from fresh facts by then.

What is approved are the plans of these runs as of now, how many go on at a time, and what may pass.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from stackward.plan.plan import Move, Plan
from stackward.ports.children import InItem

AS_OF_NOW = "plans as of now"
"""In the facts of a chain's plan: those of its runs, as they would be now; never compared."""

NOT_UNDONE = "not undone"
"""In the facts of a plan that undoes a chain: the runs of that chain which it leaves, and why."""

PAST_RUNS = "past runs"
"""In the facts of the plan of a run of a chain: how long such runs took, and how many."""

DOMAIN, APART = "failure domain", "not together with"
"""In the facts of the plan of a run that shuts its node down beside others: what the node shares
with those that fail with it, and the nodes of the same chain that are never down beside it."""


@runtime_checkable
class BeginsRun(Protocol):
    """A step that begins a run of a chain."""

    @property
    def place(self) -> InItem:
        """Return where in its chain the run is."""
        ...

    @property
    def how(self) -> str:
        """Return what it does, in a word; empty: what the chain does."""
        ...

    @property
    def domain(self) -> str:
        """Return the failure domain of its item; empty: items of any domain may go on with it."""
        ...

    @property
    def apart(self) -> Sequence[str]:
        """Return the items that never go on together with its own."""
        ...

    @property
    def asked(self) -> Mapping[str, Any]:
        """Return the request of the run, as it is stored."""
        ...

    @property
    def decisions(self) -> Mapping[str, str]:
        """Return the decisions of its plan that was approved with the chain."""
        ...


def is_chain(plan: Plan[Any]) -> bool:
    """Say whether a run of the plan begins other runs, and does nothing else."""
    return any(isinstance(step, BeginsRun) for _, move in plan.moves() for step in move.steps)


def are_together(one: Move[Any], other: Move[Any]) -> bool:
    """Say whether two items may go on at the same time."""
    domains = [{each.domain for each in begins_runs(move)} for move in (one, other)]
    apart = {name for move in (one, other) for each in begins_runs(move) for name in each.apart}
    return domains[0] == domains[1] and not apart & {one.thing, other.thing}


def begins_runs(move: Move[Any]) -> Iterator[BeginsRun]:
    """Return the steps of a move that begin runs."""
    return (each for each in move.steps if isinstance(each, BeginsRun))
