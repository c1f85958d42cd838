"""Which evacuations from a host are open: its nova-compute acts on them as it starts."""

from collections.abc import Iterable

from stackward.model.evacuation import OPEN, OpenEvacuation, is_open_evacuation
from stackward.model.migration import Migration
from stackward.model.server import Server
from stackward.ports.nova import Nova


def open_records(nova: Nova, host: str) -> tuple[Migration, ...]:
    """Return the records that nova-compute of the host would act on, the oldest first.

    Each status is asked for by itself: a page of the newest may leave out what is years old.
    """
    found = {
        one.id: one
        for status in OPEN
        for one in nova.migrations_of(host, status)
        if is_open_evacuation(one) and one.source == host
    }
    return tuple(found[number] for number in sorted(found))


def lives_on_source(nova: Nova, host: str, servers: Iterable[Server]) -> tuple[OpenEvacuation, ...]:
    """Return the records of servers that live on the host: its next start destroys them."""
    known = {one.id: one for one in servers if one.host == host}
    if not known:
        return ()
    return tuple(
        OpenEvacuation(record=one, server=known[one.server])
        for one in open_records(nova, host)
        if one.server in known
    )
