"""Put a boot gate before a node's nova-compute, take it away, or open it for this boot."""

from stackward.moving.columns import NODE_CHANGES
from stackward.operations import Operation
from stackward.operations.change_boot_gate.facts import read_gated_node
from stackward.operations.change_boot_gate.plan import plan_gate
from stackward.operations.change_boot_gate.undo import undo_gate
from stackward.plan import Blocked, Move
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.change_boot_gate import GateRequest


def _judge(world: World, journal: Journal, asked: GateRequest, move: Move[World]) -> Blocked | None:  # noqa: ARG001  # there is one
    """Judge the node again on fresh facts."""
    run = world.acting.run if world.acting else None
    return next(iter(plan_gate(read_gated_node(world, journal, asked, run), asked).blockers), None)


OPERATION = Operation(
    request=GateRequest,
    read=read_gated_node,
    plan=plan_gate,
    judge=_judge,
    columns=NODE_CHANGES,
    undo=undo_gate,
)
