"""How a kind of request is planned: found by its kind, to plan it again from fresh facts."""

from collections.abc import Mapping
from typing import Any, Protocol

from typing_extensions import TypeVar

from stackward.plan.plan import Blocked, Move, Plan
from stackward.ports.world import Timed, World

W_here = TypeVar("W_here", bound=Timed, default=World)


class Runbook(Protocol[W_here]):
    """One operation: reads its facts, then plans by a pure function."""

    def plan(self, world: W_here, request: Any, run_id: str | None, /) -> Plan[W_here]:  # noqa: ANN401  # its own kind
        """Plan the request from fresh facts; what the run `run_id` itself claims is its own."""
        ...

    def judge(
        self,
        world: W_here,
        request: Any,  # noqa: ANN401  # of its own kind
        move: Move[W_here],
        /,
    ) -> Blocked | None:
        """Judge one thing again on its fresh facts, just before its move begins."""
        ...


Runbooks = Mapping[str, Runbook[W_here]]
"""Runbooks by the kind of their request."""
