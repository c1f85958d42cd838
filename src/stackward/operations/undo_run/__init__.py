"""Take back what a run has changed, and leave what others have changed since."""

from stackward.facts.moved import Did
from stackward.moving.again import objection
from stackward.moving.columns import SERVER_MOVES
from stackward.moving.instance_ha import TELL
from stackward.operations import Operation, with_rights
from stackward.operations.undo_run.facts import read_one, read_undo
from stackward.operations.undo_run.plan import plan_undo
from stackward.plan import Blocked, Move
from stackward.policy.undo import NO_WAY_BACK
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.undo_run import UndoRequest


def _judge(world: World, journal: Journal, asked: UndoRequest, move: Move[World]) -> Blocked | None:
    """Judge one server again on fresh facts, or the node; not once that serves, as a return."""
    if move.how == TELL and not move.thing_id:
        return None
    run = world.acting.run if world.acting else None
    fresh = plan_undo(read_one(world, journal, asked, run, move.thing_id), asked)
    if move.thing_id:
        return objection(fresh, move)
    return next(iter(with_rights(fresh, world).blockers), None)


def _undo(did: Did, asked: UndoRequest) -> Blocked:  # noqa: ARG001 # for any request
    """Refuse: what it undid needs a new plan."""
    again = "; ".join(
        f"`stackward node drain {node}` takes `{node}` out, "
        f"`stackward node return {node} --bring-back` brings it back"
        for node in did.run.holds
    )
    usual = "`stackward node drain`, `stackward node return`"
    return NO_WAY_BACK.blocks(did.run.id, did.run.id, again=again or usual)


OPERATION = Operation(
    request=UndoRequest,
    read=read_undo,
    plan=plan_undo,
    judge=_judge,
    columns=SERVER_MOVES,
    undo=_undo,
)
