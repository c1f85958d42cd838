"""What a run asks of its operation: to plan the request again, and to judge one thing again."""

from typing import Any, Protocol

from typing_extensions import TypeVar

from stackward.plan.plan import Blocked, Move, Plan
from stackward.ports.world import Timed, World

W_here = TypeVar("W_here", bound=Timed, default=World)


class OperationInRun(Protocol[W_here]):
    """One operation, as a run needs it: it reads its facts, then plans by a pure function."""

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
