"""Read the open evacuations of a node, and what each destination sees of the server's directory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from stackward.errors import StackwardError
from stackward.facts.disks_elsewhere import read_disks
from stackward.facts.domains import other_directories, read_domains
from stackward.facts.named import nodes_of_hosts
from stackward.model.disk_seen import DiskSeen
from stackward.model.domain import INSTANCES
from stackward.model.evacuation import OpenEvacuation
from stackward.model.identity import Itself
from stackward.model.service import NOVA_COMPUTE, ComputeService
from stackward.model.unread import Hindrance, Unread
from stackward.ports.world import World
from stackward.status.evacuations import open_records

_WITHIN_S = 60.0
_LATE = Unread("it did not answer in time", Hindrance.LATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Destination:
    """A host that Nova would ask, and what it sees."""

    is_heard: bool = True
    disks: Mapping[str, DiskSeen] | Unread | None = None


def read_evacuations(
    world: World, host: str, remembered: Mapping[str, Itself]
) -> tuple[OpenEvacuation, ...] | Unread:
    """Return each open record of a host, with what its destination sees."""
    open_ = read_open(world, host)
    if isinstance(open_, Unread):
        return open_
    asked: dict[str, list[str]] = {}
    for each in open_:
        if each.asks and each.asks != host and each.server is not None:
            asked.setdefault(each.asks, []).append(each.record.server)
    seen = _destinations(world, asked, remembered)
    return tuple(_with_seen(each, seen) for each in open_)


def read_open(world: World, host: str) -> tuple[OpenEvacuation, ...] | Unread:
    """Return each open record of a host with its server; no node is asked."""
    try:
        records = open_records(world, host)
        servers = {one.server: world.nova.server(one.server) for one in records}
    except StackwardError as error:
        return Unread.of(error)
    open_ = []
    for one in records:
        server = servers[one.server]
        # nova 31.0 compute/rpcapi.py: without a destination it is the host of the server.
        asks = one.target or (server.host if server else None)
        open_.append(OpenEvacuation(record=one, server=server, asks=asks))
    return tuple(open_)


def _with_seen(one: OpenEvacuation, seen: Mapping[str, _Destination]) -> OpenEvacuation:
    told = seen.get(one.asks or "")
    if told is None:
        return one
    if isinstance(told.disks, Unread) or told.disks is None:
        return replace(one, is_heard=told.is_heard, disk=told.disks)
    return replace(one, is_heard=told.is_heard, disk=told.disks.get(one.record.server, DiskSeen()))


def _destinations(
    world: World, asked: Mapping[str, Sequence[str]], remembered: Mapping[str, Itself]
) -> Mapping[str, _Destination]:
    """Ask the hosts side by side."""
    if not asked:
        return {}
    services = {one.host: one for one in world.nova.services() if one.binary == NOVA_COMPUTE}
    real = {one.host: one.has_domains for one in world.nova.hypervisors()}
    found = nodes_of_hosts(world, [*asked], remembered)
    told = world.together.ask(
        {
            host: partial(_seen_by, world, found[host].node, found[host].why, servers)
            for host, servers in asked.items()
            if real.get(host, True)
        },
        within_s=_WITHIN_S,
    )
    seen: dict[str, _Destination] = {}
    for host in asked:
        disks = (told[host] or _LATE) if real.get(host, True) else None
        seen[host] = _Destination(is_heard=_is_heard(services.get(host), disks), disks=disks)
    return seen


def _is_heard(
    service: ComputeService | None, disks: Mapping[str, DiskSeen] | Unread | None
) -> bool:
    """Say whether its nova-compute may answer: a node that is only reported down may live."""
    if service is None:
        return False
    if service.is_up:
        return True
    is_dead = isinstance(disks, Unread) and disks.may_be_dead
    return service.is_forced_down and not is_dead


def _seen_by(
    world: World, node: str | None, why: str, servers: Sequence[str]
) -> Mapping[str, DiskSeen] | Unread:
    if node is None:
        return Unread(why, Hindrance.UNNAMED)
    domains = read_domains(world.shell, node)
    if isinstance(domains, Unread):
        return domains
    return read_disks(world.shell, node, servers, (INSTANCES, *other_directories(domains)))
