"""Read which volumes servers have, by Nova, by Cinder and by libvirt: each is asked by itself.

Of a node, Nova's servers and Cinder's volumes and attachments come as lists, page by page, and
libvirt is asked once. Nova gives a device only server by server, of those that have a volume.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import zip_longest

from stackward.facts.guests import read_guests_of
from stackward.model.attached_volume import AttachedVolume, AttachedVolumes, Told, is_volume_id
from stackward.model.domain import OFF, Disk, Domain
from stackward.model.hypervisor import Hypervisor
from stackward.model.identity import Itself
from stackward.model.server import IN_DOWN_CELL, Server
from stackward.model.testimony import Source
from stackward.model.unread import Hindrance, Unread, or_unread
from stackward.model.volume import Attachment, NovaAttachment, Volume, device_order
from stackward.model.witness import Sign
from stackward.ports.machines import machine_in, machine_of
from stackward.ports.together import ask_all
from stackward.ports.world import World
from stackward.status.lookups import hypervisor_of

_Domains = tuple[Domain, ...] | Unread | None  # None: the hypervisor has no domains


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What each witness has answered."""

    servers: dict[str, Server]
    nova: Mapping[str, tuple[NovaAttachment, ...] | Unread]  # by server
    volumes: Mapping[str, Volume] | Unread
    attachments: tuple[Attachment, ...] | Unread
    domains: _Domains
    here: frozenset[str] = field(default_factory=frozenset)  # servers that Nova has on the node
    also: frozenset[str] = field(default_factory=frozenset)  # volumes that were asked for


def read_volumes_of(
    world: World,
    server: Server,
    remembered: Mapping[str, Itself] | None = None,
    *,
    also: Iterable[str] = (),
) -> AttachedVolumes:
    """Return the volumes of one server; the number of calls follows its volumes.

    `also` are volumes that perhaps no service has; a volume that Cinder does not have gets no row.
    """
    at = world.clock.now()
    domains = _domains_of(world, server.host, remembered or {})
    nova = or_unread(partial(world.nova.attached_to, server.id))
    if server.status == IN_DOWN_CELL:
        nova = Unread("it is in a cell that is down: what Nova has there is not known")
    attachments = or_unread(partial(world.cinder.every_attachment, server.id))
    known = [*server.volume_ids]
    known += [] if isinstance(nova, Unread) else [one.volume for one in nova]
    known += [] if isinstance(attachments, Unread) else [one.volume for one in attachments]
    known += [*_serials(domains, server.id), *also]
    volumes = _each_volume(world, dict.fromkeys(known))
    seen = _Seen(
        servers={server.id: server},
        nova={server.id: nova},
        volumes=volumes,
        attachments=attachments,
        domains=domains,
        here=frozenset({server.id}),
        also=frozenset(also),
    )
    return AttachedVolumes(
        at=at,
        rows=tuple(_rows(seen)),
        servers=seen.servers,
        devices=tuple(
            disk.device
            for one in _known(seen.domains)
            if one.server == server.id
            for disk in one.disks
        ),
        unread=tuple(_unread(seen, server.host or "")),
    )


def read_volumes_on(
    world: World, host: str, remembered: Mapping[str, Itself] | None = None
) -> AttachedVolumes:
    """Return the volumes of all servers of a node, and what else Cinder or libvirt has there."""
    at = world.clock.now()
    servers = {one.id: one for one in world.nova.servers_on(host)}
    here = frozenset(servers)
    domains = _domains_of(world, host, remembered or {})
    listed = or_unread(world.cinder.every_volume)
    volumes = listed if isinstance(listed, Unread) else {one.id: one for one in listed}
    attachments = or_unread(world.cinder.every_attachment)
    others = [one for one in _also_there(host, volumes, domains) if one not in here]
    for id_ in dict.fromkeys(others):
        if (found := world.nova.server(id_)) is not None:
            servers[id_] = found
    with_volumes = [one for one in servers.values() if one.volume_ids]
    nova = ask_all(
        world.together,
        {
            one.id: partial(or_unread, partial(world.nova.attached_to, one.id))
            for one in with_volumes
        },
    )
    seen = _Seen(
        servers=servers,
        nova={**dict.fromkeys((*servers, *others), ()), **nova},
        volumes=volumes,
        attachments=attachments,
        domains=domains,
        here=here,
    )
    return AttachedVolumes(
        at=at,
        rows=tuple(_rows(seen, host)),
        servers=servers,
        unread=tuple(_unread(seen, host)),
    )


def _also_there(
    host: str, volumes: Mapping[str, Volume] | Unread, domains: _Domains
) -> Iterator[str]:
    """Return the servers with a volume that Cinder or libvirt has there; Nova may not have them."""
    for volume in () if isinstance(volumes, Unread) else volumes.values():
        yield from (server for server, place in volume.attached if place == host)
    for one in _known(domains):
        if one.is_novas and _serials(domains, one.server):
            yield one.server


def _each_volume(world: World, ids: Iterable[str]) -> Mapping[str, Volume] | Unread:
    asked = {each: partial(world.cinder.volume, each) for each in ids}
    found = or_unread(lambda: ask_all(world.together, asked))
    if isinstance(found, Unread):
        return found
    return {each: one for each, one in found.items() if one is not None}


# --- libvirt --------------------------------------------------------------------------------------


def _domains_of(world: World, host: str | None, remembered: Mapping[str, Itself]) -> _Domains:
    if host is None:
        return ()
    hypervisor = or_unread(partial(hypervisor_of, world.nova, host))
    if isinstance(hypervisor, Unread):
        return hypervisor
    if hypervisor is None:
        return Unread("Nova has no hypervisor there", Hindrance.UNNAMED)
    return _asked(world, hypervisor, remembered) if hypervisor.has_domains else None


def _asked(world: World, hypervisor: Hypervisor, remembered: Mapping[str, Itself]) -> _Domains:
    found = machine_in(world, machine_of(hypervisor), remembered)
    if found.node is None:
        return Unread(found.why, Hindrance.UNNAMED)
    return read_guests_of(world.shell, found.node)


def _known(domains: _Domains) -> tuple[Domain, ...]:
    return () if isinstance(domains, Unread) else domains or ()


def _serials(domains: _Domains, server: str) -> list[str]:
    disks = (disk for one in _known(domains) if one.server == server for disk in one.disks)
    return [one.serial for one in disks if one.serial and is_volume_id(one.serial)]


# --- rows -----------------------------------------------------------------------------------------


def _rows(seen: _Seen, host: str | None = None) -> Iterator[AttachedVolume]:
    """Return the rows by the names of the servers, of each by its devices."""

    def name(server: str) -> tuple[str, str]:
        known = seen.servers.get(server)
        return (known.label if known else "", server)

    for server in sorted(seen.nova, key=name):
        rows = [_row(seen, server, volume) for volume in _volumes_of(seen, server, host)]
        yield from sorted(rows, key=lambda one: (_by_device(one), one.volume))


def _by_device(row: AttachedVolume) -> tuple[int, str]:
    return device_order(next((one.device for one in row.told.values() if one.device), None))


def _volumes_of(seen: _Seen, server: str, host: str | None) -> dict[str, None]:
    """Return the volumes of a server by any witness; if it is elsewhere, those of this node."""
    known = seen.servers.get(server)
    found = _serials(seen.domains, server)
    is_here = server in seen.here
    if is_here:
        told = seen.nova[server]
        found += known.volume_ids if known else ()
        found += [] if isinstance(told, Unread) else [one.volume for one in told]
        found += [one.volume for one in _attachments(seen) if one.server == server]
    for volume in () if isinstance(seen.volumes, Unread) else seen.volumes.values():
        places = [place for owner, place in volume.attached if owner == server]
        if volume.id in seen.also or (places and (is_here or host in places)):
            found.append(volume.id)
    return dict.fromkeys(found)


def _attachments(seen: _Seen) -> tuple[Attachment, ...]:
    return () if isinstance(seen.attachments, Unread) else seen.attachments


def _row(seen: _Seen, server: str, volume: str) -> AttachedVolume:
    told = seen.nova[server]
    of_nova = (
        None
        if isinstance(told, Unread)
        else next((one for one in told if one.volume == volume), None)
    )
    disk = _disk(seen, server, volume)
    of_cinder = None if isinstance(seen.volumes, Unread) else seen.volumes.get(volume)
    places = of_cinder.attached if of_cinder else ()
    return AttachedVolume(
        server=server,
        volume=volume,
        nova=_by_nova(seen, server, volume, of_nova),
        cinder=_by_cinder(seen, server, of_cinder),
        libvirt=_by_libvirt(seen, server, disk),
        of_nova=of_nova,
        of_cinder=of_cinder,
        attachments=tuple(
            one for one in _attachments(seen) if (one.server, one.volume) == (server, volume)
        ),
        hosts=tuple(place for owner, place in places if owner == server and place),
        serial=disk.serial if disk else None,
        guest=next((one.state for one in _known(seen.domains) if one.server == server), None),
    )


def _by_nova(seen: _Seen, server: str, volume: str, known: NovaAttachment | None) -> Told:
    told, found = seen.nova[server], seen.servers.get(server)
    if known is not None:
        return Told(has=Sign.YES, device=known.device)
    if found is None:
        return Told(has=Sign.NO, why="no such server")
    if isinstance(told, Unread):
        has = Sign.YES if volume in found.volume_ids else Sign.UNKNOWN
        return Told(has=has, why=told.why)
    # The list of its server may be older than its own attachments.
    return Told(has=Sign.NO)


def _by_cinder(seen: _Seen, server: str, known: Volume | None) -> Told:
    for unread in (seen.volumes, seen.attachments):
        if isinstance(unread, Unread):
            return Told(has=Sign.UNKNOWN, why=unread.why)
    if known is None:
        return Told(has=Sign.NO, why="no such volume")
    devices = zip_longest(known.attached, known.devices[: len(known.attached)])
    own = [device for (owner, _), device in devices if owner == server]
    device = next(filter(None, own), None)
    return Told(has=Sign.YES if own else Sign.NO, device=device, why=known.status)


def _by_libvirt(seen: _Seen, server: str, disk: Disk | None) -> Told | None:
    if seen.domains is None or isinstance(seen.domains, Unread):
        return Told(has=Sign.UNKNOWN, why=seen.domains.why) if seen.domains else None
    if disk is not None:
        return Told(has=Sign.YES, device=disk.device)
    guest = next((one for one in seen.domains if one.server == server), None)
    if guest is None:
        return Told(has=Sign.NO, why="no guest of it")
    if not guest.has_known_disks:
        return Told(has=Sign.UNKNOWN, why="the disks of its guest could not be read")
    if guest.state in OFF:
        why = "its guest is off: Nova writes its definition as it starts"
        return Told(has=Sign.UNKNOWN, why=why)
    return Told(has=Sign.NO)


def _disk(seen: _Seen, server: str, volume: str) -> Disk | None:
    disks = (disk for one in _known(seen.domains) if one.server == server for disk in one.disks)
    return next((one for one in disks if one.serial == volume), None)


def _unread(seen: _Seen, host: str) -> Iterator[tuple[Source, str, Unread]]:
    for server, told in seen.nova.items():
        if isinstance(told, Unread):
            yield Source.NOVA, server, told
    if isinstance(seen.domains, Unread):
        yield Source.LIBVIRT, host, seen.domains
    for one in (seen.volumes, seen.attachments):
        if isinstance(one, Unread):
            yield Source.CINDER, "", one
            return
