"""Empty a compute node that is alive, for maintenance."""

from stackward.moving.columns import SERVER_MOVES
from stackward.operations import Operation
from stackward.operations.drain_compute_node.facts import read_drain, read_one
from stackward.operations.drain_compute_node.plan import plan_drain
from stackward.operations.drain_compute_node.rules import judge_again
from stackward.operations.drain_compute_node.together import plan_drains
from stackward.operations.drain_compute_node.undo import undo_drain
from stackward.plan import Blocked, Move
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.drain_compute_node import DrainRequest


def _judge(
    world: World, journal: Journal, asked: DrainRequest, move: Move[World]
) -> Blocked | None:
    """Judge one server again; what is done to the node itself is looked at by its own steps."""
    if not move.thing_id:
        return None
    return next(judge_again(read_one(world, journal, asked, move.thing_id), asked, move), None)


OPERATION = Operation(
    request=DrainRequest,
    read=read_drain,
    plan=plan_drain,
    judge=_judge,
    columns=SERVER_MOVES,
    together=plan_drains,
    undo=undo_drain,
)
