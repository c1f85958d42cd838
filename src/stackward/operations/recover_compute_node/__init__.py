"""A node is back after it was lost: the servers that ran are brought up, in their order."""

from stackward.facts.moved import Did
from stackward.moving.again import objection
from stackward.moving.bringing_up import STARTS
from stackward.operations import Operation
from stackward.operations.recover_compute_node.facts import read_recovery
from stackward.operations.recover_compute_node.plan import plan_recovery
from stackward.operations.recover_compute_node.rules import NO_UNDO
from stackward.plan import Blocked, Move
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.recover_compute_node import RecoverRequest
from stackward.requests.undo_run import UndoRequest


def _judge(
    world: World, journal: Journal, asked: RecoverRequest, move: Move[World]
) -> Blocked | None:
    """Judge one server again on fresh facts."""
    run = world.acting.run if world.acting else None
    facts = read_recovery(world, journal, asked, run, move.thing_id)
    return objection(plan_recovery(facts, asked), move)


def _undo(did: Did, asked: UndoRequest) -> Blocked:  # noqa: ARG001 # for any request
    """Refuse: an operator who wants a server off stops it."""
    return NO_UNDO.blocks(did.run.id, did.run.id)


OPERATION = Operation(
    request=RecoverRequest,
    read=read_recovery,
    plan=plan_recovery,
    judge=_judge,
    columns=STARTS,
    undo=_undo,
)
