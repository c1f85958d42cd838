"""A chain as a plan: each of its steps begins a run of its own, planned from fresh facts by then.

What is approved are the plans of these runs as of now, how many go on at a time, and what may pass.
"""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from stackward.plan.plan import Plan
from stackward.ports.children import InItem

AS_OF_NOW = "plans as of now"
"""In the facts of a chain's plan: those of its runs, as they would be now; never compared."""


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
