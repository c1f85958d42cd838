"""Begin runs one after the other, each planned from fresh facts just before its turn."""

from stackward.operations import Operation
from stackward.operations.chain.facts import read_chain
from stackward.operations.chain.plan import plan_chain
from stackward.operations.chain.undo import undo_chain
from stackward.plan import Blocked, Columns, Json, Move
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.chain import ChainRequest


def _judge(
    world: World,  # noqa: ARG001  # as each operation is asked
    journal: Journal,  # noqa: ARG001
    asked: ChainRequest,  # noqa: ARG001
    move: Move[World],  # noqa: ARG001
) -> Blocked | None:
    """Object to nothing: each run is planned from fresh facts when it starts."""
    return None


def _row(move: Move[World]) -> tuple[Json, ...]:
    return (move.thing, move.how)


OPERATION = Operation(
    request=ChainRequest,
    read=read_chain,
    plan=plan_chain,
    judge=_judge,
    columns=Columns(names=("Item", "How"), row=_row, outcome=()),
    undo=undo_chain,
)
