"""Put a drained or evacuated compute node back into service, once it is proved to work."""

from stackward.moving.columns import SERVER_MOVES
from stackward.moving.instance_ha import TELL
from stackward.operations import Operation, plan_request
from stackward.operations.return_compute_node.facts import read_return, read_return_after
from stackward.operations.return_compute_node.plan import plan_return
from stackward.operations.return_compute_node.rules import NEEDLESS_DISCARD
from stackward.operations.return_compute_node.undo import undo_return
from stackward.plan import Blocked, Move
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.return_compute_node import ReturnRequest

_PASSED = {NEEDLESS_DISCARD.name}  # what it was needed for has passed, by this very run


def _judge(
    world: World, journal: Journal, asked: ReturnRequest, move: Move[World]
) -> Blocked | None:
    """Judge the node again on fresh facts; not once it serves, when that is only reported."""
    if move.how == TELL:
        return None
    run = world.acting.run if world.acting else None
    found = plan_request(world, journal, asked, run).blockers
    return next((each for each in found if each.worry not in _PASSED), None)


OPERATION = Operation(
    request=ReturnRequest,
    read=read_return,
    plan=plan_return,
    judge=_judge,
    read_after=read_return_after,
    columns=SERVER_MOVES,
    undo=undo_return,
)
