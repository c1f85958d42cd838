"""Start servers that are off, in waves, and prove that they run."""

from stackward.facts.moved import Did
from stackward.moving.again import objection
from stackward.moving.bringing_up import STARTS
from stackward.operations import Operation
from stackward.operations.start_servers.facts import read_start
from stackward.operations.start_servers.plan import plan_start
from stackward.operations.start_servers.rules import NO_UNDO
from stackward.plan import Blocked, Move
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.start_servers import StartRequest
from stackward.requests.undo_run import UndoRequest


def _judge(
    world: World, journal: Journal, asked: StartRequest, move: Move[World]
) -> Blocked | None:
    """Judge one server again on fresh facts."""
    run = world.acting.run if world.acting else None
    return objection(plan_start(read_start(world, journal, asked, run, move.thing_id), asked), move)


def _undo(did: Did, asked: UndoRequest) -> Blocked:  # noqa: ARG001 # for any request
    """Refuse: an operator who wants a server off stops it."""
    return NO_UNDO.blocks(did.run.id, did.run.id)


OPERATION = Operation(
    request=StartRequest,
    read=read_start,
    plan=plan_start,
    judge=_judge,
    columns=STARTS,
    undo=_undo,
)
