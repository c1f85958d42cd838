"""Read the servers that a drain of a node moved away, and how they are now."""

from dataclasses import replace

from stackward.facts.maintenance import read_way_back
from stackward.facts.moved import read_drained_by, read_drained_in_chain
from stackward.facts.named import find_node
from stackward.facts.observed import read_remembered
from stackward.kinds import KINDS
from stackward.model.maintenance import BringBackFacts, MovedServers
from stackward.moving.once_open import once_open
from stackward.plan import Request
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.bring_back_servers import BringBackRequest
from stackward.requests.return_compute_node import ReturnRequest

_NOT_YET = MovedServers(run="", servers=())  # its drain is still to come


def read_homecoming(
    world: World,
    journal: Journal,
    asked: BringBackRequest,
    run_id: str | None,  # noqa: ARG001  # it claims nothing
) -> BringBackFacts:
    """Return what a drain of the node moved away, and how that is now.

    The calls grow with the servers that were moved.
    """
    return _read(world, journal, asked, None)


def read_homecoming_after(
    world: World, journal: Journal, asked: BringBackRequest, before: Request
) -> BringBackFacts:
    """Return the same as it will be once the node has returned to service, if that comes before."""
    home = _read(world, journal, asked, None)
    if not isinstance(before, ReturnRequest):
        return home
    account = world.placement.provider(home.hypervisor.id)
    service = replace(home.service, is_enabled=True, is_up=True)
    return replace(once_open(home, account, service.zone), service=service)


def read_one(
    world: World, journal: Journal, asked: BringBackRequest, server: str
) -> BringBackFacts:
    """Return the same with one of the servers only, by its id."""
    return _read(world, journal, asked, server)


def _read(
    world: World, journal: Journal, asked: BringBackRequest, only: str | None
) -> BringBackFacts:
    remembered = read_remembered(world, journal)
    host = find_node(world, world.nova.services(), asked.node, remembered).service.host
    cloud = world.cloud.identity().id
    drained = (
        read_drained_by(journal, KINDS, cloud, host, asked.run)
        if asked.run
        else read_drained_in_chain(journal, KINDS, cloud, host) or _NOT_YET
    )
    return read_way_back(world, journal, host, drained, only=only)
