"""How one thing is found among the answers of a port, for every room that asks."""

from collections.abc import Iterable
from datetime import datetime

from stackward.errors import Refused, Unreachable
from stackward.model.hypervisor import Hypervisor
from stackward.model.identity import first_label
from stackward.model.migration import Migration
from stackward.model.server import Server
from stackward.model.service import MEND_CELL, NOVA_COMPUTE, ComputeService
from stackward.model.utc_time import utc_time_or_none
from stackward.ports.nova import Nova

RECENT = 3  # of a server's moves: a guest is left behind by one that has just gone wrong


def service_of(nova: Nova, host: str) -> ComputeService | None:
    """Return the nova-compute service of a host, if Nova has one.

    Raises `Unreachable` while its cell is down: nobody knows then whether it is enabled.
    """
    services = nova.services()
    found = next((one for one in services if (one.host, one.binary) == (host, NOVA_COMPUTE)), None)
    if found is not None and not found.is_known:
        raise cell_down(f"the host `{host}`")
    return found


def its_service(nova: Nova, host: str) -> ComputeService:
    """Return the nova-compute service of a host. Raises `Refused` where Nova has none.

    Raises `Unreachable` while its cell is down.
    """
    service = service_of(nova, host)
    if service is None:
        raise Refused(f"Nova has no nova-compute service on `{host}`")
    return service


def newest_report(services: Iterable[ComputeService]) -> datetime | None:
    """Return when one that is up reported last: the time by Nova's clock; None: not known."""
    reports = (utc_time_or_none(one.updated) for one in services if one.is_up)
    return max((at for at in reports if at), default=None)


def hosts_of(records: Iterable[Migration]) -> list[str]:
    """Return the hosts that records of moves name, each once, in the order of the records."""
    return [*dict.fromkeys(end for each in records for end in (each.target, each.source) if end)]


def once_on(nova: Nova, server: Server, *, only_recent: bool) -> list[str]:
    """Return the other hosts that the server's moves name, or only its last moves."""
    records = nova.migrations_of_server(server.id)
    if only_recent:
        records = records[:RECENT]
    return [host for host in hosts_of(records) if host != server.host]


def cell_down(of: str) -> Unreachable:
    """Return the error that says why nothing is known of a host, or of a server."""
    return Unreachable(f"nothing is known of {of}: its cell is down", hint=MEND_CELL)


def servers_on(nova: Nova, host: str) -> tuple[Server, ...]:
    """Return the servers on a host. Raises `Unreachable` while its cell is down.

    Nova leaves such a cell out of a list that is asked for by host, and says nothing; so the
    service is read before and after.
    """
    service_of(nova, host)
    found = nova.servers_on(host)
    service_of(nova, host)
    return found


def hypervisor_of(nova: Nova, host: str) -> Hypervisor | None:
    """Return the host's hypervisor, if Nova has exactly one."""
    own = hypervisors_of(nova, host)
    return own[0] if len(own) == 1 else None


def hypervisors_of(nova: Nova, host: str) -> list[Hypervisor]:
    """Return the hypervisors of a host: one, except with Ironic.

    A hypervisor is mostly named after its host. If none is, all hypervisors are read, once: after
    that the name is known.
    """
    known = [one.name for one in nova.known_hypervisors() if one.host == host]
    short = first_label(host)
    name = known[0] if len(known) == 1 and short not in known[0] else short
    named = [one for one in nova.hypervisors_like(name) if one.host == host]
    return named or [one for one in nova.hypervisors() if one.host == host]
