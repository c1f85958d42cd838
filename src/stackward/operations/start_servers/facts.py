"""Read the servers to start, and their nodes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from stackward.facts.bringing_up import find_server, read_tags, read_to_bring_up
from stackward.facts.maintenance import read_holders
from stackward.model.bringing_up import ServerToBringUp
from stackward.model.maintenance import Holder
from stackward.model.server import IN_DOWN_CELL
from stackward.model.service import ComputeService
from stackward.policy.waves import Tags
from stackward.ports.journal import Journal
from stackward.ports.together import ask_all
from stackward.ports.world import World
from stackward.requests.start_servers import StartRequest
from stackward.status.lookups import service_of


@dataclass(frozen=True, slots=True, kw_only=True)
class StartFacts:
    """Servers to be started, and all that decides whether they may be; read once."""

    servers: tuple[ServerToBringUp, ...]
    read_at: datetime
    services: Mapping[str, ComputeService | None] = field(default_factory=dict)  # by host
    holders: Mapping[str, tuple[Holder, ...]] = field(default_factory=dict)  # same: its runs
    tags: Tags = field(default_factory=dict)


def read_start(
    world: World,
    journal: Journal,
    asked: StartRequest,
    run_id: str | None,
    only: str | None = None,
) -> StartFacts:
    """Return the servers as they are now; with `only` the one of that id."""
    words = [word for word in asked.servers if only in {None, word}]
    # A run knows them by their ids; one that was deleted since needs no start.
    find = partial(find_server, world) if run_id is None else world.nova.server
    found = ask_all(world.together, {word: partial(find, word) for word in words}).values()
    wanted = {one.id: one for one in found if one is not None}.values()
    hosts = dict.fromkeys(one.host for one in wanted if one.host and one.status != IN_DOWN_CELL)
    cloud = world.cloud.identity().id
    return StartFacts(
        servers=tuple(
            ask_all(
                world.together, {one.id: partial(read_to_bring_up, world, one) for one in wanted}
            ).values()
        ),
        read_at=world.clock.now(),
        services={host: service_of(world.nova, host) for host in hosts},
        holders={host: read_holders(journal, cloud, host, but=run_id) for host in hosts},
        tags=read_tags(world, (one.project for one in wanted)),
    )
