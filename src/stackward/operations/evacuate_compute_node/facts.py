"""Read a dead node to be evacuated: its fence, its servers, what other nodes have of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from stackward.answers import text, whole
from stackward.errors import StackwardError
from stackward.facts.bringing_up import read_tags
from stackward.facts.compute import read_compute_node
from stackward.facts.disks_elsewhere import read_disks
from stackward.facts.domains import other_directories, read_domains, why_none_may_end
from stackward.facts.moved import known_run
from stackward.facts.named import nodes_of_hosts
from stackward.facts.observed import GUESTS, read_remembered
from stackward.facts.rebooted import read_own_stops
from stackward.facts.reserved import read_reserved
from stackward.facts.who_ran import read_pasts
from stackward.health.members import read_fence_with_members
from stackward.model.compute_process import RunningAs
from stackward.model.disk_seen import DiskSeen
from stackward.model.domain import INSTANCES, Domain
from stackward.model.identity import Itself
from stackward.model.instance_ha import HaHost, HaNotification
from stackward.model.migration import Migration
from stackward.model.node import ComputeNode
from stackward.model.observation import Observation
from stackward.model.service import NOVA_COMPUTE
from stackward.model.unread import Hindrance, Unread
from stackward.model.utc_time import utc_time_or_none
from stackward.model.who_ran import Loss, Past
from stackward.model.witness import Sign
from stackward.operations.evacuate_compute_node.lost_orders import read_lost_orders
from stackward.operations.evacuate_compute_node.off_too import OffToo, read_off_too
from stackward.policy.waves import Tags
from stackward.ports.compute_process import read_running_as
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.evacuate_compute_node import EvacuateRequest
from stackward.status.evacuated import destinations, telling
from stackward.status.fence import FenceFacts
from stackward.wording import in_utc

_WITHIN_S = 60.0
_NOT_ASKED = Unread("its node is dead")
_NO_TIME = Unread("it did not answer in time", Hindrance.LATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherNode:
    """Another compute node, as far as a server that comes there has to know it."""

    host: str
    node: str | None  # as the inventory calls it
    is_up: bool
    domains: tuple[Domain, ...] | Unread
    has_domains: bool = True  # False: its hypervisor has none that could be read
    running_as: RunningAs | Unread | None = None
    disks: Mapping[str, DiskSeen] | Unread = field(default_factory=dict)  # by server
    may_end: Unread | None = None  # why this login may end no guest there, where that is asked for
    off: OffToo | Unread | None = None  # where it cannot be read, and a record names it


@dataclass(frozen=True, slots=True, kw_only=True)
class LastSeen:
    """The disks of a server, as a look last saw them."""

    at: str
    size_bytes: int = 0
    paths: tuple[str, ...] = ()
    storages: tuple[str, ...] = ()  # type and source of the file systems that had them
    places: tuple[str, ...] = ()  # the paths of those disks in there


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """The servers of a dead node, and what other nodes have of them."""

    node: ComputeNode
    others: Mapping[str, OtherNode]  # by host
    records: Mapping[str, tuple[Migration, ...]]  # by server, the newest first
    last_seen: Mapping[str, LastSeen] = field(default_factory=dict)
    ha: tuple[HaNotification, ...] | Unread = ()
    is_stopping: bool = True  # this Nova leaves stopped what it evacuates
    # Why the order of a record that is `accepted` is not lost; None: it is. Others were not asked.
    orders: Mapping[int, str | None] = field(default_factory=dict)
    is_off: bool = False  # its device says Off: what has a disk open is another guest


@dataclass(frozen=True, slots=True, kw_only=True)
class EvacuationFacts:
    """A dead node and all that its evacuation has to know; read once."""

    fence: FenceFacts
    leaving: Leaving
    loss: Loss
    pasts: tuple[Past, ...] = ()  # of its servers, as far as others than the node can say
    tags: Tags = field(default_factory=dict)


def read_evacuation(
    world: World, journal: Journal, asked: EvacuateRequest, run_id: str | None
) -> EvacuationFacts:
    """Return the node as it is now; `run_id` is the run that asks: it does not hold itself up."""
    fence = read_fence_with_members(world, journal, asked.fence, run_id)
    # A lock of what is said to have no power is held by another guest, or the word is wrong.
    is_off = fence.signs.power is Sign.NO or (fence.device is None and bool(asked.confirmed_off))
    leaving = read_leaving(world, journal, asked, is_off=is_off)
    servers = leaving.node.servers
    listed = read_own_stops(journal, world.cloud.identity().id, fence.host)
    pasts = read_pasts(world, journal, fence.host, servers, _NOT_ASKED, _NOT_ASKED, listed)
    return EvacuationFacts(
        fence=fence,
        leaving=leaving,
        loss=_loss(fence, pasts),
        pasts=pasts,
        tags=read_tags(world, (each.project for each in servers)),
    )


def _loss(fence: FenceFacts, pasts: Sequence[Past]) -> Loss:
    """Return when it was lost at the latest: not before it was last heard of."""
    if fence.signs.answers_now:
        return Loss(not_after=fence.read_at, words=f"`{fence.name}` is alive now")
    heard = [each.seen.at for each in pasts if each.seen]
    if (beat := _beat_of(fence)) is not None:
        heard.append(beat)
    if not heard:
        return Loss(not_after=fence.read_at, words="nobody knows when it was last heard of")
    last = max(heard)
    return Loss(not_after=last, words=f"`{fence.name}` was last heard of at {in_utc(last)}")


def _beat_of(fence: FenceFacts) -> datetime | None:
    """Return when Nova last heard from its nova-compute; a time in no known form is none."""
    return utc_time_or_none(fence.service.updated)


def read_leaving(
    world: World,
    journal: Journal,
    asked: EvacuateRequest,
    only: str | None = None,
    *,
    is_off: bool,
) -> Leaving:
    """Return the servers; with `only` the id of one: what its own move has to know."""
    remembered = read_remembered(world, journal)
    node = read_compute_node(world, asked.node, only=only, remembered=remembered, is_dead=True)
    cloud = world.cloud.identity().id
    claiming = known_run(journal, node.claim.run) if node.claim else None
    node = replace(
        node,
        reserved=read_reserved(journal, cloud, but_for=node.host),
        claiming_run=claiming.state if claiming else None,
    )
    ids = [each.id for each in node.servers]
    records = {each: world.nova.migrations_of_server(each) for each in ids}
    seen = _last_seen(journal.observations(cloud, GUESTS), node.host)
    others = _others(world, node, ids, remembered)
    told = [telling(each) for each in records.values()]
    named = {host for each in told for host, _ in destinations(each, node.host)}
    return Leaving(
        node=node,
        others={
            host: _with_may_end(world, _with_off(world, journal, one, named), asked)
            for host, one in others.items()
        },
        records=records,
        last_seen=seen,
        orders=read_lost_orders(world, journal, node.name, records, asked.reset_state),
        ha=_notified(world, node.host),
        is_stopping=world.nova.leaves_evacuated_stopped(),
        is_off=is_off,
    )


def _others(
    world: World, node: ComputeNode, servers: Sequence[str], remembered: Mapping[str, Itself]
) -> Mapping[str, OtherNode]:
    """Read all other compute nodes, side by side: a guest may be on each of them."""
    computes = [
        one for one in world.nova.services() if one.binary == NOVA_COMPUTE and one.host != node.host
    ]
    kinds = {one.host: one.has_domains for one in world.nova.hypervisors()}
    found = nodes_of_hosts(world, [one.host for one in computes], remembered)
    told = world.together.ask(
        {
            one.host: partial(
                _other,
                world,
                OtherNode(
                    host=one.host,
                    node=found[one.host].node,
                    is_up=one.is_known and one.is_up,
                    domains=Unread(found[one.host].why, Hindrance.UNNAMED),
                    has_domains=kinds.get(one.host, True),
                ),
                found[one.host].node,
                servers,
            )
            for one in computes
        },
        within_s=_WITHIN_S,
    )
    return {
        one.host: told[one.host]
        or OtherNode(host=one.host, node=None, is_up=False, domains=_NO_TIME)
        for one in computes
    }


def _other(world: World, known: OtherNode, node: str | None, servers: Sequence[str]) -> OtherNode:
    if not known.has_domains:
        return replace(known, domains=())
    if node is None:
        return known
    domains = read_domains(world.shell, node)
    if isinstance(domains, Unread):
        return replace(known, domains=domains, running_as=domains, disks=domains)
    places = (INSTANCES, *other_directories(domains))
    return replace(
        known,
        domains=domains,
        running_as=read_running_as(world.shell, node),
        disks=read_disks(world.shell, node, servers, places),
    )


def _with_may_end(world: World, one: OtherNode, asked: EvacuateRequest) -> OtherNode:
    """Add whether the login may end guests there, if there is one to end."""
    named = {each.partition("/")[0] for each in asked.kill_domain}
    if one.node is None or not named & {one.host, one.node} or isinstance(one.domains, Unread):
        return one
    return replace(one, may_end=why_none_may_end(world.shell, one.node))


def _with_off(world: World, journal: Journal, one: OtherNode, named: set[str]) -> OtherNode:
    """Add whether a node has no power, where a record names it and it does not answer."""
    if one.host in named and isinstance(one.domains, Unread) and one.domains.may_be_dead:
        return replace(one, off=read_off_too(world, journal, one.host))
    return one


def _notified(world: World, host: str) -> tuple[HaNotification, ...] | Unread:
    try:
        entries: tuple[HaHost, ...] = world.masakari.ha_hosts(host)
        return tuple(one for each in entries for one in world.masakari.notifications_of(each))
    except StackwardError as error:  # no rights, no answer: it may act all the same
        return Unread.of(error)


def _last_seen(seen: Sequence[Observation], host: str) -> dict[str, LastSeen]:
    return {
        server: last
        for one in seen
        if isinstance(one.value, Mapping) and one.value.get("host") == host
        for server, last in _guests(one)
    }


def _guests(one: Observation) -> Iterator[tuple[str, LastSeen]]:
    guests = one.value.get("guests") if isinstance(one.value, Mapping) else None
    for server, guest in (guests if isinstance(guests, Mapping) else {}).items():
        given = guest.get("disks") if isinstance(guest, Mapping) else None
        listed = given if isinstance(given, list | tuple) else ()
        disks = [each for each in listed if isinstance(each, Mapping)]
        own = [each for each in disks if server in str(each.get("path") or "")]
        yield (
            server,
            LastSeen(
                at=one.at.isoformat(timespec="seconds"),
                size_bytes=sum(whole(each.get("used_bytes") or 0) for each in own),
                paths=tuple(text(each["path"]) for each in own),
                storages=_of_each(own, "storage"),
                places=_of_each(own, "place"),
            ),
        )


def _of_each(disks: Sequence[Mapping[str, object]], name: str) -> tuple[str, ...]:
    """Return what was reported of all disks; nothing if it is missing for one."""
    told = [each.get(name) for each in disks]
    return tuple(map(text, told)) if all(told) else ()
