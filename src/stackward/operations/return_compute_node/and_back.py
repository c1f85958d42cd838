"""A return after which servers are brought back: two runs on one node, or the second of them."""

from collections.abc import Sequence

from stackward.operations import plan_request
from stackward.operations.return_compute_node.rules import NOTHING_TO_RETURN
from stackward.plan import Blocked, Request
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.bring_back_servers import bring_back_request
from stackward.requests.how_to_move import HowToMove
from stackward.requests.return_compute_node import ReturnRequest


def return_and_back(
    world: World, journal: Journal, asked: ReturnRequest, how: HowToMove
) -> tuple[Request, ...]:
    """Return what is asked of a node: to return, then that its servers come back.

    The second alone where it serves. `Refused` where no drain of the node is known.
    """
    plan = plan_request(world, journal, asked)
    back = bring_back_request(plan.request, how)
    return (back,) if _is_in_service(plan.blockers) else (plan.request, back)


def _is_in_service(blockers: Sequence[Blocked]) -> bool:
    """Say whether the only blocker of a return is that there is nothing to return."""
    return {each.worry for each in blockers} == {NOTHING_TO_RETURN.name}
