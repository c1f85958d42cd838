"""Which orders of evacuations are lost: read only for the servers to reset."""

from collections.abc import Iterator, Mapping, Sequence

from stackward.health.members import read_queues
from stackward.model.migration import Migration
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.status.lost_order import QUEUE, is_accepted, read_order, why_not_lost


def read_lost_orders(
    world: World,
    journal: Journal,
    node: str,
    records: Mapping[str, Sequence[Migration]],
    servers: Sequence[str],
) -> Mapping[int, str | None]:
    """Return of each record that is `accepted` why its order is not lost; None where it is."""
    accepted = [*_accepted(records, servers)]
    if not accepted:
        return {}
    queues = read_queues(world, journal, node, QUEUE)
    return {one.id: why_not_lost(read_order(world, one, queues)) for one in accepted}


def _accepted(
    records: Mapping[str, Sequence[Migration]], servers: Sequence[str]
) -> Iterator[Migration]:
    for server in servers:
        yield from (one for one in records.get(server, ()) if is_accepted(one))
