"""Read the servers that a drain of a node moved away, and how they stand."""

from stackward.facts.maintenance import read_way_back
from stackward.facts.moved import read_drained_by
from stackward.facts.named import find_node
from stackward.facts.observed import read_remembered
from stackward.kinds import KINDS
from stackward.model.maintenance import Homecoming
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.bring_back_servers import BringBackRequest


def read_homecoming(
    world: World,
    journal: Journal,
    asked: BringBackRequest,
    run_id: str | None,  # noqa: ARG001  # it claims nothing
) -> Homecoming:
    """Return what a drain of the node moved away and how it stands.

    The calls grow with the servers that were moved.
    """
    return _read(world, journal, asked, None)


def read_one(world: World, journal: Journal, asked: BringBackRequest, server: str) -> Homecoming:
    """Return the same with one of the servers only, by its id."""
    return _read(world, journal, asked, server)


def _read(world: World, journal: Journal, asked: BringBackRequest, only: str | None) -> Homecoming:
    remembered = read_remembered(world, journal)
    host = find_node(world, world.nova.services(), asked.node, remembered).service.host
    drained = read_drained_by(journal, KINDS, world.cloud.identity().id, host, asked.run)
    return read_way_back(world, journal, host, drained, only=only)
