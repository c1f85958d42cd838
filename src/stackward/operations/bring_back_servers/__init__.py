"""Bring the servers home that a drain moved away."""

from stackward.moving.again import objection
from stackward.moving.back import servers_back
from stackward.moving.columns import SERVER_MOVES
from stackward.operations import Operation
from stackward.operations.bring_back_servers.facts import (
    read_homecoming,
    read_homecoming_after,
    read_one,
)
from stackward.operations.bring_back_servers.plan import plan_bring_back
from stackward.plan import Blocked, Move
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.bring_back_servers import BringBackRequest


def _judge(
    world: World, journal: Journal, asked: BringBackRequest, move: Move[World]
) -> Blocked | None:
    """Judge one server again on fresh facts."""
    fresh = plan_bring_back(read_one(world, journal, asked, move.thing_id), asked)
    return objection(fresh, move)


OPERATION = Operation(
    request=BringBackRequest,
    read=read_homecoming,
    plan=plan_bring_back,
    judge=_judge,
    read_after=read_homecoming_after,
    columns=SERVER_MOVES,
    undo=servers_back,
)
