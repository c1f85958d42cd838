"""Repair how the volumes of a server are attached, each with the smallest change that does it."""

from stackward.facts.moved import Did
from stackward.moving.again import objection
from stackward.operations import Operation
from stackward.operations.reattach_volumes.facts import read_reattach
from stackward.operations.reattach_volumes.plan import plan_reattach
from stackward.operations.reattach_volumes.rules import NO_UNDO
from stackward.plan import Blocked, Columns, Json, Move
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.reattach_volumes import ReattachRequest
from stackward.requests.undo_run import UndoRequest


def _judge(
    world: World, journal: Journal, asked: ReattachRequest, move: Move[World]
) -> Blocked | None:
    """Judge the server and its volumes again on fresh facts."""
    run = world.acting.run if world.acting else None
    return objection(plan_reattach(read_reattach(world, journal, asked, run), asked), move)


def _undo(did: Did, asked: UndoRequest) -> Blocked:  # noqa: ARG001 # for any request
    """Refuse: what was removed was of no use."""
    return NO_UNDO.blocks(did.run.id, did.run.id)


def _row(move: Move[World]) -> tuple[Json, ...]:
    return (move.thing, move.thing_id, move.how, move.expects.get("volumes"))


OPERATION = Operation(
    request=ReattachRequest,
    read=read_reattach,
    plan=plan_reattach,
    judge=_judge,
    columns=Columns(
        names=("Server", "ID", "How", "Volumes"),
        row=_row,
        outcome=("Server", "ID", "How", "State", "Seconds"),
        each="repair",
        gives_way=("ID",),
    ),
    undo=_undo,
)
