"""Repair what witnesses do not agree on: only what two looks have seen.

By API alone, except for guests that the request names to end.
"""

from dataclasses import replace

from stackward.facts.moved import Did
from stackward.moving.again import objection
from stackward.operations import Operation
from stackward.operations.reconcile_cloud.facts import read_reconcile
from stackward.operations.reconcile_cloud.plan import plan_reconcile
from stackward.operations.reconcile_cloud.rules import NO_UNDO
from stackward.plan import Blocked, Columns, Json, Move
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.reconcile_cloud import ReconcileRequest
from stackward.requests.undo_run import UndoRequest


def _judge(
    world: World, journal: Journal, asked: ReconcileRequest, move: Move[World]
) -> Blocked | None:
    """Look once more: it must still be so, and nothing may go on with it."""
    run = world.acting.run if world.acting else None
    # Only its own case: what blocks another case is no reason against this one.
    asked = replace(
        asked,
        cases=tuple(word for word in asked.cases or () if _is_of(word.split(" "), move)),
        orphans=None
        if asked.orphans is None
        else tuple(word for word in asked.orphans if _is_of(word.split(" "), move)),
        remove=tuple(given for given in asked.remove if given.partition("/")[0] == move.how),
    )
    return objection(plan_reconcile(read_reconcile(world, journal, asked, run), asked), move)


def _is_of(case: list[str], move: Move[World]) -> bool:
    return case[0] == move.how and move.thing_id.startswith(case[1])


def _undo(did: Did, asked: UndoRequest) -> Blocked:  # noqa: ARG001 # for any request
    """Refuse: what was removed was of no use."""
    return NO_UNDO.blocks(did.run.id, did.run.id)


def _row(move: Move[World]) -> tuple[Json, ...]:
    return (move.thing, move.thing_id, move.how, move.expects.get("says"))


OPERATION = Operation(
    request=ReconcileRequest,
    read=read_reconcile,
    plan=plan_reconcile,
    judge=_judge,
    columns=Columns(
        names=("Thing", "ID", "Class", "Says"),
        row=_row,
        outcome=("Server", "ID", "How", "State", "Seconds"),
        each="case",
        gives_way=("ID",),
    ),
    undo=_undo,
)
