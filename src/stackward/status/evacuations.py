"""Which evacuations from a host are open: its nova-compute acts on them as it starts."""

from collections.abc import Iterable
from functools import partial
from itertools import chain

from stackward.model.evacuation import OPEN, OpenEvacuation, is_open_evacuation, on_their_source
from stackward.model.migration import Migration
from stackward.model.server import Server
from stackward.ports.together import ask_all
from stackward.ports.world import World


def open_records(world: World, host: str) -> tuple[Migration, ...]:
    """Return the records that nova-compute of the host would act on, the oldest first.

    Each status is asked for by itself: a page of the newest may leave out what is years old.
    """
    read = world.nova.migrations_of
    told = ask_all(
        world.together,
        {f"evacuations of {host}, {status}": partial(read, host, status) for status in OPEN},
    )
    found = {
        one.id: one
        for one in chain.from_iterable(told.values())
        if is_open_evacuation(one) and one.source == host
    }
    return tuple(found[number] for number in sorted(found))


def lives_on_source(
    world: World, host: str, servers: Iterable[Server]
) -> tuple[OpenEvacuation, ...]:
    """Return the records of servers that live on the host: its next start destroys them."""
    known = {one.id: one for one in servers if one.host == host}
    if not known:
        return ()
    return on_their_source(open_records(world, host), known)
