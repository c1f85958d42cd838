"""Put a drained compute node back into service, once it is proved to work."""

from stackward.moving.columns import SERVER_MOVES
from stackward.moving.instance_ha import TELL
from stackward.operations import Operation, plan_request
from stackward.operations.return_compute_node.facts import read_return
from stackward.operations.return_compute_node.plan import plan_return
from stackward.operations.return_compute_node.undo import undo_return
from stackward.plan import Blocked, Move
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.return_compute_node import ReturnRequest


def _judge(
    world: World, journal: Journal, asked: ReturnRequest, move: Move[World]
) -> Blocked | None:
    """Judge the node again on fresh facts; not once it serves, when that is only told."""
    if move.how == TELL:
        return None
    run = world.acting.run if world.acting else None
    return next(iter(plan_request(world, journal, asked, run).blockers), None)


OPERATION = Operation(
    request=ReturnRequest,
    read=read_return,
    plan=plan_return,
    judge=_judge,
    columns=SERVER_MOVES,
    undo=undo_return,
)
