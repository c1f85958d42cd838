"""Reboot a server where it is: softly, or by switching it off and on."""

from stackward.facts.moved import Did
from stackward.moving.again import objection
from stackward.operations import Operation
from stackward.operations.reboot_server.facts import read_reboot
from stackward.operations.reboot_server.plan import plan_reboot
from stackward.operations.reboot_server.rules import NO_UNDO
from stackward.plan import Blocked, Columns, Json, Move
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.reboot_server import RebootRequest
from stackward.requests.undo_run import UndoRequest


def _judge(
    world: World, journal: Journal, asked: RebootRequest, move: Move[World]
) -> Blocked | None:
    """Judge the server again on fresh facts."""
    run = world.acting.run if world.acting else None
    return objection(plan_reboot(read_reboot(world, journal, asked, run), asked), move)


def _undo(did: Did, asked: UndoRequest) -> Blocked:  # noqa: ARG001 # for any request
    """Refuse: nothing takes a reboot back."""
    return NO_UNDO.blocks(did.run.id, did.run.id)


def _row(move: Move[World]) -> tuple[Json, ...]:
    return (move.thing, move.thing_id, move.how, move.expects.get("host"))


OPERATION = Operation(
    request=RebootRequest,
    read=read_reboot,
    plan=plan_reboot,
    judge=_judge,
    columns=Columns(
        names=("Server", "ID", "How", "On"),
        row=_row,
        outcome=("Server", "ID", "How", "State", "Seconds"),
        gives_way=("ID",),
    ),
    undo=_undo,
)
