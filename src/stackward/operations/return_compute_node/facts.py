"""Read a node that is to return to service."""

from stackward.facts.maintenance import read_returning_node
from stackward.facts.observed import keep_names
from stackward.kinds import KINDS
from stackward.model.maintenance import ReturningNode
from stackward.model.unread import Unread
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.return_compute_node import ReturnRequest


def read_return(
    world: World, journal: Journal, asked: ReturnRequest, run_id: str | None
) -> ReturningNode:
    """Return the node as it is now; the journal tells who holds it, and what left it."""
    facts = read_returning_node(world, journal, KINDS, asked, but=run_id)
    if not isinstance(facts.marks, Unread):
        keep_names(world, journal, facts.name, facts.host)
    return facts
