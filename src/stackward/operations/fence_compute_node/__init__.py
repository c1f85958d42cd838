"""Fence a compute node: cut its power, and prove that it is dead."""

from stackward.health.members import read_fence_with_members
from stackward.moving.columns import NODE_CHANGES
from stackward.moving.fencing import FENCE
from stackward.operations import Operation
from stackward.operations.fence_compute_node.plan import plan_fence
from stackward.operations.fence_compute_node.undo import undo_fence
from stackward.plan import Blocked, Move
from stackward.policy.fence import UNNEEDED
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.fence_compute_node import FenceRequest


def _judge(
    world: World, journal: Journal, asked: FenceRequest, move: Move[World]
) -> Blocked | None:
    """Judge the node again on fresh facts, just before its power is cut.

    A member of RabbitMQ or MariaDB may have broken since: nodes that are well fall silent then.
    What a flag was needed for may have passed by itself: a node that has died since is fenced.
    """
    if move.how != FENCE:
        return None
    run = world.acting.run if world.acting else None
    fresh = plan_fence(read_fence_with_members(world, journal, asked, run), asked)
    return next((each for each in fresh.blockers if each.worry != UNNEEDED.name), None)


OPERATION = Operation(
    request=FenceRequest,
    read=read_fence_with_members,
    plan=plan_fence,
    judge=_judge,
    columns=NODE_CHANGES,
    undo=undo_fence,
)
