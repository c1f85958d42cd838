"""The classes of disagreement between witnesses: each a name, a pure rule and what to do about it.

A rule is asked of one testimony. What is unread gives no case: a rule compares only what two
witnesses have said. What somebody acts on is left out by `health/agreement.py`, which looks twice;
a rule leaves out what is on its way by what this one look shows (`is_settled`).
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

from stackward.model.disagreement import Case
from stackward.model.domain import OFF, Domain
from stackward.model.evacuation import EVACUATION, UNDER_WAY, on_their_source
from stackward.model.migration import AWAITS_CONFIRMATION, Migration
from stackward.model.network import Port
from stackward.model.server import IN_DOWN_CELL, Server
from stackward.model.testimony import CloudTestimony, HostTestimony, Source
from stackward.model.unread import Unread
from stackward.model.utc_time import utc_time_or_none
from stackward.model.volume import Attachment, Volume
from stackward.policy.evacuations import LIVES_ON_SOURCE
from stackward.status.stuck import LOST_AFTER_S
from stackward.wording import first_of, has_and_not

TASK_LONG_S = 1800.0  # a snapshot of a large disk takes long, and Nova writes nothing during it

RUNS = frozenset({"running", "blocked", "shutting down"})  # of a domain: its CPUs may go on
_SETTLED = frozenset({"ACTIVE", "SHUTOFF", "PAUSED", "SUSPENDED", "RESCUE"})
_ON_NO_HOST = "SHELVED_OFFLOADED"
_IN_RESCUE = "RESCUE"
_IN_USE, _STUCK = "in-use", frozenset({"reserved", "attaching", "detaching"})
_NOT_MIGRATING = frozenset({None, "", "none", "success", "error"})
_NAMED = 3  # hosts, in a cell of the table
_VOLUME = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_AGREE = {
    "ACTIVE": RUNS,
    "SHUTOFF": frozenset({"shut off", "crashed"}),
    "PAUSED": frozenset({"paused"}),
    "SUSPENDED": frozenset({"shut off"}),
}

_Records: TypeAlias = dict[str, list[Migration]]


class Index:
    """One testimony, found by server."""

    def __init__(self, testimony: CloudTestimony) -> None:
        self.testimony = testimony
        self.hosts = {one.host: one for one in testimony.hosts}
        self.guests: dict[str, list[tuple[str, Domain]]] = defaultdict(list)
        self.holders: dict[str, list[str]] = defaultdict(list)
        self.records: _Records = defaultdict(list)
        for one in testimony.hosts:
            for domain in _read(one.domains):
                self.guests[domain.server].append((one.host, domain))
            for consumer in _read_map(one.allocations):
                self.holders[consumer].append(one.host)
        self.open = tuple(one for one in testimony.records if self._is_open(one))
        for record in self.open:
            self.records[record.server].append(record)

    def _is_open(self, record: Migration) -> bool:
        """Say whether a record is of a move that may still go on.

        Nova closes no record of a resize that nobody has confirmed or reverted: whose server is
        deleted, has been moved since, or was set back to another state. It says nothing then.
        """
        if record.status != AWAITS_CONFIRMATION:
            return True
        server = self.testimony.servers.get(record.server)
        if server is None:
            return not self.testimony.is_whole
        if any(
            one.server == record.server and one.status == record.status and one.id > record.id
            for one in self.testimony.records
        ):
            return False
        return server.task_state is not None or (
            server.status not in _SETTLED and server.host in {record.target, None}
        )

    @cached_property
    def volumes(self) -> Mapping[str, Volume] | None:
        """Return the volumes; None where they are not known."""
        found = self.testimony.volumes
        return None if isinstance(found, Unread) else found

    @cached_property
    def attached(self) -> Mapping[str, Mapping[str, str | None]]:
        """Return by server the volumes that Cinder has attached to it, each with its host."""
        found: dict[str, dict[str, str | None]] = defaultdict(dict)
        for volume in (self.volumes or {}).values():
            for server, host in volume.attached:
                found[server][volume.id] = host
        return found

    @cached_property
    def reserved_for(self) -> Mapping[str, list[Attachment]]:
        """Return the attachments by volume."""
        found: dict[str, list[Attachment]] = defaultdict(list)
        attachments = self.testimony.attachments
        for one in () if isinstance(attachments, Unread) else attachments or ():
            found[one.volume].append(one)
        return found

    @cached_property
    def listing(self) -> Mapping[str, list[str]]:
        """Return by volume the servers that have it in Nova's own list."""
        found: dict[str, list[str]] = defaultdict(list)
        for server in self.testimony.servers.values():
            for volume in server.volume_ids:
                found[volume].append(server.id)
        return found

    def unread_libvirts(self) -> tuple[str, ...]:
        """Return the hosts whose guests could not be read."""
        return tuple(one.host for one in self.testimony.hosts if isinstance(one.domains, Unread))

    def knows_all_allocations(self) -> bool:
        """Say whether placement was read for each host."""
        return not any(isinstance(one.allocations, Unread) for one in self.testimony.hosts)

    def domains_on(self, host: str | None) -> tuple[Domain, ...] | None:
        """Return the guests on a host; None where they are not known, or it has none."""
        one = self.hosts.get(host or "")
        return None if one is None or isinstance(one.domains, Unread) else one.domains

    def domain_of(self, server: Server) -> Domain | None:
        """Return its guest on its own host."""
        return next((one for at, one in self.guests.get(server.id, ()) if at == server.host), None)

    def moves_of(self, server: str) -> Sequence[Migration]:
        """Return the records of its moves that have not ended."""
        return self.records.get(server, ())

    def is_moving(self, server: str) -> bool:
        """Say whether a record of a move of it is open, or awaits its confirmation."""
        return any(
            one.kind != EVACUATION or one.status in UNDER_WAY for one in self.moves_of(server)
        )

    def has_fresh_move(self, server: str) -> bool:
        """Say whether a move of it goes on: a record that nobody writes any more is no move."""
        return self.is_moving(server) and any(
            self.age_s(one.updated or one.created) < LOST_AFTER_S for one in self.moves_of(server)
        )

    def is_settled(self, server: Server) -> bool:
        """Say whether it is in a state that lasts, and nothing goes on with it."""
        return (
            server.status in _SETTLED
            and server.task_state is None
            and server.host is not None
            and not self.is_moving(server.id)
        )

    def sources(self, server: str) -> set[str]:
        """Return the hosts that its open evacuations have left behind."""
        return {one.source for one in self.moves_of(server) if one.kind == EVACUATION}

    def label(self, server: str) -> str:
        """Return how a server is called."""
        found = self.testimony.servers.get(server)
        return found.label if found else server

    def is_gone(self, server: str) -> bool:
        """Say whether Nova, of which no cell is down, has no such server."""
        return self.testimony.is_whole and server not in self.testimony.servers

    def settled(self) -> Iterator[Server]:
        """Return the servers with which nothing goes on."""
        return filter(self.is_settled, self.testimony.servers.values())

    def age_s(self, written: str | None) -> float:
        """Return for how long a service has written nothing of a thing; 0: not known."""
        at = utc_time_or_none(written)
        return 0.0 if at is None else max(0.0, (self.testimony.at - at).total_seconds())


Rule = Callable[[Index], Iterator[Case]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A class of disagreement."""

    name: str
    title: str
    means: str  # what it means, and where that is known from
    left_out: str  # what looks like it, and is not counted
    remedy: str  # what to do about it
    rule: Rule
    repair: str = ""  # what `--repair` does
    no_repair: str = ""  # why it does nothing
    is_busy: bool = False  # it is about a state of Nova's or about a record
    needs_absence: bool = False  # Nova is asked once more whether it has no such server

    def __post_init__(self) -> None:
        if bool(self.repair) is bool(self.no_repair):
            message = f"`{self.name}` has a repair, or a reason why there is none"
            raise ValueError(message)


def find_cases(testimony: CloudTestimony) -> tuple[Case, ...]:
    """Return what the witnesses do not agree on, by this one look; the worst class first."""
    index = Index(testimony)
    return tuple(case for each in CLASSES for case in each.rule(index))


# --- guests ---------------------------------------------------------------------------------------


def _server_twice(index: Index) -> Iterator[Case]:
    for server, guests in index.guests.items():
        running = sorted(host for host, one in guests if one.state in RUNS)
        if len(running) < 2 or index.has_fresh_move(server):  # noqa: PLR2004  # twice
            continue
        known = index.testimony.servers.get(server)
        if known is None and not index.testimony.is_whole:
            continue
        yield _of_server(
            "server-twice",
            index,
            server,
            tuple(running),
            f"runs on {_hosts(running)}: two guests of one server destroy its disks",
        )


def _domain_missing(index: Index) -> Iterator[Case]:
    for server in index.settled():
        known = index.domains_on(server.host)
        if known is None or index.domain_of(server) is not None or _may_be_elsewhere(index, server):
            continue
        sources = index.sources(server.id)
        left = {at: one.state for at, one in index.guests.get(server.id, ()) if at in sources}
        says = f"is {server.status} on `{server.host}`, and libvirt there has no guest of it"
        case = _of_server(
            "domain-missing", index, server.id, (server.host or "", *sorted(left)), says
        )
        yield _with_what_was_left(case, left) if left else case


def _may_be_elsewhere(index: Index, server: Server) -> bool:
    """Say whether a guest on another node may be the one that is missing where Nova has it.

    One that is off is not, where the server is ACTIVE: it was left there, and another is missing.
    One at the source of an open evacuation is not either: `domain-elsewhere` does not name it.
    """
    sources = index.sources(server.id)
    states = [one.state for host, one in index.guests.get(server.id, ()) if host not in sources]
    return any(server.status != "ACTIVE" or state not in OFF for state in states)


def _with_what_was_left(case: Case, left: Mapping[str, str]) -> Case:
    """Add the guests at the sources of its open evacuations: one may be the only one there is."""
    states = " and ".join(f"`{host}` has one ({left[host]})" for host in sorted(left))
    return replace(
        case,
        says=f"{case.says}; {states}, and its evacuation from there is open",
        remedy=_AT_SOURCE.format(id=case.thing_id, hosts=_hosts(sorted(left))),
    )


_AT_SOURCE = (
    "do not start or restart nova-compute on {hosts}: it destroys the guest there, and can destroy "
    "its disks. `virsh domstate {id}` there says whether the guest runs. While it runs, "
    "`stackward server reboot {id} --hard` makes a second one, which can write to the same disks: "
    "find out first which node has the server's data"
)


def _state_differs(index: Index) -> Iterator[Case]:
    for server in index.settled():
        domain, agree = index.domain_of(server), _AGREE.get(server.status)
        if domain is None or agree is None or domain.state in {*agree, "unknown", "no state"}:
            continue
        yield _of_server(
            "state-differs",
            index,
            server.id,
            (server.host or "",),
            f"is {server.status} to Nova, and its guest is {domain.state}",
            place=domain.state,
        )


def _domain_elsewhere(index: Index) -> Iterator[Case]:
    for id_, guests in index.guests.items():
        server = index.testimony.servers.get(id_)
        if server is None:
            continue
        is_offloaded = server.status == _ON_NO_HOST and server.task_state is None
        if not index.is_settled(server) and not is_offloaded:
            continue
        running = [host for host, one in guests if one.state in RUNS]
        twice = running if len(running) > 1 else []  # that is `server-twice`
        has_own = server.host in {host for host, _ in guests}  # without it: `domain-missing`
        for host, domain in guests:
            if host in {server.host, *twice}:
                continue
            # nova-compute there destroys what an open evacuation has left, as it starts. A guest
            # that runs there writes until then.
            if host in index.sources(id_) and not (has_own and domain.state in RUNS):
                continue
            lives = f"on `{server.host}`" if server.host else "on no host"
            yield _of_server(
                "domain-elsewhere",
                index,
                id_,
                tuple(filter(None, (server.host, host))),
                f"is {lives} to Nova, and `{host}` has a guest of it ({domain.state})",
                place=host,
            )


def _domain_of_deleted(index: Index) -> Iterator[Case]:
    for id_, guests in index.guests.items():
        if not index.is_gone(id_):
            continue
        for host, domain in guests:
            if domain.is_novas:
                yield _of_server(
                    "domain-of-deleted",
                    index,
                    id_,
                    (host,),
                    f"`{host}` has its guest {domain.name} ({domain.state}); Nova has no such "
                    "server",
                    place=host,
                    thing=domain.name,
                )


# --- allocations ----------------------------------------------------------------------------------


def _allocation_double(index: Index) -> Iterator[Case]:
    for server in index.settled():
        held = index.holders.get(server.id, ())
        # What it holds at the source of an open evacuation, Nova gives up as that returns.
        others = sorted({*held} - {server.host, *index.sources(server.id)})
        if server.host in held and others:
            yield _of_server(
                "allocation-double",
                index,
                server.id,
                (server.host or "", *others),
                f"is on `{server.host}`, and holds allocations on {_hosts(others)} too",
            )


def _allocation_elsewhere(index: Index) -> Iterator[Case]:
    for server in index.settled():
        held, own = index.holders.get(server.id, ()), index.hosts.get(server.host or "")
        if own is None or isinstance(own.allocations, Unread):
            continue
        if held and server.host not in held:
            yield _of_server(
                "allocation-elsewhere",
                index,
                server.id,
                (server.host or "", *sorted(held)),
                f"is on `{server.host}`, and holds its allocations on {_hosts(sorted(held))}",
            )


def _allocation_missing(index: Index) -> Iterator[Case]:
    if not index.knows_all_allocations():
        return
    for server in index.settled():
        if server.host in index.hosts and not index.holders.get(server.id, ()):
            yield _of_server(
                "allocation-missing",
                index,
                server.id,
                (server.host or "",),
                f"is on `{server.host}`, and holds no allocations: placement takes its place for "
                "free",
            )


def _allocation_orphan(index: Index) -> Iterator[Case]:
    moves = {one.uuid for one in index.open}
    for consumer, hosts in index.holders.items():
        if index.is_gone(consumer) and consumer not in moves and consumer not in index.records:
            yield _of_server(
                "allocation-orphan",
                index,
                consumer,
                tuple(sorted(hosts)),
                f"holds allocations on {_hosts(sorted(hosts))}, and is no server, nor a move that "
                "goes on",
            )


# --- records --------------------------------------------------------------------------------------


def _record_open(index: Index) -> Iterator[Case]:
    for record in index.testimony.records:
        server = index.testimony.servers.get(record.server)
        if record.status in {AWAITS_CONFIRMATION, "done"} or not index.testimony.is_whole:
            continue  # one awaits its confirmation, the other its source
        if server is not None and (server.task_state or server.status not in {*_SETTLED, "ERROR"}):
            continue
        if index.age_s(record.updated or record.created) < LOST_AFTER_S:
            continue
        ends = tuple(dict.fromkeys(filter(None, (record.source, record.target))))
        yield Case(
            name="record-open",
            thing=index.label(record.server),
            thing_id=record.server,
            server=record.server,
            hosts=ends,
            place=str(record.id),
            says=f"its {record.kind} {record.id} is `{record.status}` since "
            f"{record.updated or record.created}, and Nova is not at work on it",
            witnesses=_witnesses(index, record.server),
        )


def _lives_on_source(index: Index) -> Iterator[Case]:
    for one in on_their_source(index.testimony.records, index.testimony.servers):
        record = one.record
        reason = LIVES_ON_SOURCE.warns(
            one.label, record.server, host=record.source, record=record.id, status=record.status
        ).reason
        if record.status not in UNDER_WAY:
            yield _of_server(
                "lives-on-source",
                index,
                record.server,
                (record.source,),
                reason,
                place=str(record.id),
            )


def _task_stuck(index: Index) -> Iterator[Case]:
    for server in index.testimony.servers.values():
        if server.task_state is None or index.is_moving(server.id):
            continue
        if index.age_s(server.updated) >= TASK_LONG_S:
            yield _of_server(
                "task-stuck",
                index,
                server.id,
                (server.host,) if server.host else (),
                f"is `{server.task_state}` since {server.updated}",
                place=server.task_state,
            )


# --- ports ----------------------------------------------------------------------------------------


def _ports(index: Index) -> Iterator[tuple[HostTestimony, Port, Server]]:
    for one in index.testimony.hosts:
        for port in _read(one.ports):
            server = index.testimony.servers.get(port.server)
            if server is not None and index.is_settled(server):
                yield one, port, server


def _binding_elsewhere(index: Index) -> Iterator[Case]:
    for one, port, server in _ports(index):
        if port.host == one.host != server.host:
            yield _of_server(
                "binding-elsewhere",
                index,
                server.id,
                (server.host or "", one.host),
                f"is on `{server.host}`, and its port {port.id} is bound on `{one.host}`",
                place=port.id,
            )


def _binding_left(index: Index) -> Iterator[Case]:
    for one, port, server in _ports(index):
        if one.host not in {port.host, server.host, *index.sources(server.id)}:
            yield _of_server(
                "binding-left",
                index,
                server.id,
                tuple(filter(None, (server.host, one.host))),
                f"is on `{server.host}`, and its port {port.id} has a binding on `{one.host}` too",
                place=port.id,
            )


def _port_down(index: Index) -> Iterator[Case]:
    for one, port, server in _ports(index):
        if (port.status, port.is_wanted_up) != ("DOWN", True) or port.host != one.host:
            continue
        domain = index.domain_of(server)
        if server.status == "ACTIVE" and domain is not None and domain.state == "running":
            yield _of_server(
                "port-down",
                index,
                server.id,
                (one.host,),
                f"runs, and its port {port.id} is DOWN",
                place=port.id,
            )


# --- volumes --------------------------------------------------------------------------------------


def _attachment_one_sided(index: Index) -> Iterator[Case]:
    if index.volumes is None:
        return
    for server in index.settled():
        by_nova, by_cinder = set(server.volume_ids), set(index.attached.get(server.id, {}))
        by_libvirt = _serials(index, server)
        for volume in sorted(by_nova | by_cinder | (by_libvirt or set())):
            told = index.volumes.get(volume)
            if told is not None and not _is_quiet(told):
                continue
            says = [("Nova", volume in by_nova), ("Cinder", volume in by_cinder)]
            if by_libvirt is not None:
                says.append(("its guest", volume in by_libvirt))
            if len({has for _, has in says}) > 1:
                yield _of_volume("attachment-one-sided", index, server, volume, has_and_not(says))
    yield from _of_gone_servers(index)


def _of_gone_servers(index: Index) -> Iterator[Case]:
    for id_, volumes in index.attached.items():
        if not index.is_gone(id_):
            continue
        for volume, host in volumes.items():
            told = (index.volumes or {})[volume]
            if _is_quiet(told):
                yield Case(
                    name="attachment-one-sided",
                    thing=told.name or volume,
                    thing_id=volume,
                    server=id_,
                    hosts=(host,) if host else (),
                    place=id_,
                    says=f"is in use to Cinder by the server {id_}, which Nova does not have",
                    remedy=_OF_NO_SERVER.format(id=id_),
                    witnesses={
                        Source.NOVA: "no such server",
                        Source.CINDER: f"{told.status}, attached to {id_}",
                    },
                )


_OF_NO_SERVER = (
    "`openstack server event list {id}` as an administrator shows whether it was deleted. "
    "`openstack volume attachment list --all-projects` names the attachment, "
    "`openstack volume attachment delete` removes it: see first that no node has a guest of it"
)


def _attachment_elsewhere(index: Index) -> Iterator[Case]:
    if index.volumes is None:
        return
    for server in index.settled():
        for volume, host in index.attached.get(server.id, {}).items():
            told = index.volumes[volume]
            if _is_quiet(told) and host and host != server.host and volume in server.volume_ids:
                yield _of_volume(
                    "attachment-elsewhere",
                    index,
                    server,
                    volume,
                    f"it is on `{server.host}`, and Cinder has the volume attached on `{host}`",
                    (host,),
                )


def _volume_stuck(index: Index) -> Iterator[Case]:
    for volume in (index.volumes or {}).values():
        if volume.status not in _STUCK or index.age_s(volume.updated) < LOST_AFTER_S:
            continue
        owners = dict.fromkeys(
            [
                *(server for server, _ in volume.attached),
                *(one.server for one in index.reserved_for.get(volume.id, ()) if one.server),
                *index.listing.get(volume.id, ()),
            ]
        )
        known = index.testimony.servers
        servers = [known[each] for each in owners if each in known]
        # A server that is shelved keeps its volumes reserved for as long as it is.
        if any(one.status in {_ON_NO_HOST, IN_DOWN_CELL} or one.task_state for one in servers):
            continue
        if isinstance(index.testimony.attachments, Unread):
            continue
        # It may be of a server that Nova leaves out while its cell is down.
        if not index.testimony.is_whole and (not owners or len(servers) < len(owners)):
            continue
        first = servers[0] if servers else None
        yield Case(
            name="volume-stuck",
            thing=volume.name or volume.id,
            thing_id=volume.id,
            server=first.id if first else None,
            hosts=tuple(dict.fromkeys(one.host for one in servers if one.host)),
            place=volume.status,
            says=f"is `{volume.status}` since {volume.updated}"
            + (f", for `{first.label}`" if first else ""),
            witnesses={
                Source.NOVA: _nova_of_volume(first, volume.id),
                Source.CINDER: f"{volume.status} since {volume.updated}",
            },
        )


def _is_quiet(volume: Volume) -> bool:
    """Say whether nothing goes on with a volume."""
    return volume.status in {_IN_USE, "available"} and volume.migration_status in _NOT_MIGRATING


def _serials(index: Index, server: Server) -> set[str] | None:
    """Return the volumes that its guest has; None where nothing is known of it.

    Of one that is off nothing is: Nova writes its definition again as it starts. The guest of a
    server in RESCUE has the rescue disk, and its volumes only where the image asks for it (nova
    31.0 virt/libvirt/driver.py, rescue).
    """
    domain = None if server.status == _IN_RESCUE else index.domain_of(server)
    if domain is None or domain.state not in RUNS | {"paused"} or not domain.has_known_disks:
        return None
    serials = (one.serial for one in domain.disks)
    return {one for one in serials if one and _VOLUME.fullmatch(one)}


def _nova_of_volume(server: Server | None, volume: str) -> str:
    if server is None:
        return ""
    return f"{'has it' if volume in server.volume_ids else 'does not have it'}"


# --- what each witness says -----------------------------------------------------------------------


def _of_server(  # noqa: PLR0913  # what a case has
    name: str,
    index: Index,
    server: str,
    hosts: tuple[str, ...],
    says: str,
    *,
    place: str = "",
    thing: str = "",
) -> Case:
    return Case(
        name=name,
        thing=thing or index.label(server),
        thing_id=server,
        server=server,
        hosts=hosts,
        says=says,
        place=place,
        witnesses=_witnesses(index, server),
    )


def _of_volume(  # noqa: PLR0913, PLR0917  # same
    name: str,
    index: Index,
    server: Server,
    volume: str,
    says: str,
    also: tuple[str, ...] = (),
) -> Case:
    told = (index.volumes or {}).get(volume)
    status = told.status if told else ""
    serials, cinder = _serials(index, server), index.attached.get(server.id, {})
    libvirt = "not known" if serials is None else "has it" if volume in serials else "has it not"
    where = f" on {cinder[volume]}" if cinder.get(volume) else ""
    by_cinder = f"{status}, attached{where}" if volume in cinder else "not attached to it"
    return Case(
        name=name,
        thing=server.label,
        thing_id=server.id,
        server=server.id,
        hosts=(server.host or "", *also),
        place=volume,
        says=f"volume {volume}: {says}",
        witnesses={
            Source.NOVA: _nova_of_volume(server, volume),
            Source.LIBVIRT: libvirt,
            Source.CINDER: by_cinder if told else "no such volume",
        },
    )


def _witnesses(index: Index, server: str) -> dict[Source, str]:
    """Say what each witness has of a server; what could not be read is not known."""
    known = index.testimony.servers.get(server)
    return {
        Source.NOVA: _nova(known),
        Source.LIBVIRT: _libvirt(index, server, known),
        Source.PLACEMENT: _placement(index, server),
        Source.NEUTRON: _neutron(index, server),
        Source.CINDER: _cinder(index, server),
    }


def _nova(server: Server | None) -> str:
    if server is None:
        return "no such server"
    task = f", {server.task_state}" if server.task_state else ""
    return f"{server.status}{task} on {server.host or 'no host'}"


def _libvirt(index: Index, server: str, known: Server | None) -> str:
    found = [f"{one.state} on {host}" for host, one in index.guests.get(server, ())]
    unread = index.unread_libvirts()
    own = known.host if known else None
    if own and own in index.hosts and index.hosts[own].domains is None:
        found.append(f"none on {own}: its hypervisor has no domains")
    elif own and index.domains_on(own) is None:
        found.append(f"not known on {own}")
    if found or not unread:
        return ", ".join(found) or "no guest"
    if len(unread) == len(index.hosts):
        return "not known"
    return f"no guest where it was read; not known on {first_of(unread, _NAMED)}"


def _placement(index: Index, server: str) -> str:
    found = ", ".join(index.holders.get(server, ()))
    if index.knows_all_allocations():
        return found or "no allocations"
    return f"{found}, not all known" if found else "not known"


def _neutron(index: Index, server: str) -> str:
    if any(isinstance(one.ports, Unread) for one in index.testimony.hosts):
        return "not known"
    bound = [
        f"{port.status} on {one.host}" if port.host == one.host else f"left on {one.host}"
        for one in index.testimony.hosts
        for port in _read(one.ports)
        if port.server == server
    ]
    return ", ".join(bound) or "no ports"


def _cinder(index: Index, server: str) -> str:
    if index.volumes is None:
        return "not known" if isinstance(index.testimony.volumes, Unread) else ""
    hosts = index.attached.get(server, {})
    if not hosts:
        return "no volumes"
    on = sorted({host or "?" for host in hosts.values()})
    return f"{len(hosts)} on {', '.join(on)}"


def _hosts(names: Iterable[str]) -> str:
    return " and ".join(f"`{one}`" for one in names)


def _read(told: "tuple[Domain, ...] | tuple[Port, ...] | Unread | None") -> tuple:  # type: ignore[type-arg]
    return () if told is None or isinstance(told, Unread) else told


def _read_map(told: "Mapping[str, object] | Unread") -> Iterable[str]:
    return () if isinstance(told, Unread) else told


# --- the classes, the worst first -----------------------------------------------------------------

_MOVING = "a server that Nova is at work on or that has an open move; both sides of a VERIFY_RESIZE"

_KILL = (
    "the guest that `--kill-domain` names is ended, if the other one runs where Nova has "
    "the server, and placement, Neutron and Cinder have it there too; its disk stays. Without that "
    "flag none is: which of them has the data that counts, only its owner knows"
)

CLASSES = (
    Disagreement(
        name="server-twice",
        title="One server runs on two nodes",
        means="libvirt on two nodes runs a guest of it. Both write to the same volumes and, on "
        "shared storage, to the same disk: each minute can destroy more of it. It comes about "
        "where a node was evacuated that was not dead, or a move was lost at its end.",
        left_out="a server with an open move, whose guest is on both nodes for a while; not one "
        f"whose record nobody has written for {LOST_AFTER_S:.0f} s; a guest that is paused",
        remedy="find out now which of them users reach: `openstack server show {id}` says where "
        "Nova has it. Ask its owner, then end the other: `stackward cloud reconcile --repair "
        "server-twice --dry-run` says how; its disk is left as it is. After that look at its file "
        "systems",
        repair=_KILL,
        rule=_server_twice,
    ),
    Disagreement(
        name="domain-missing",
        title="Nova has a server on a node, and libvirt there has no guest of it",
        means="nova-compute defines a guest as long as its server is on the node, running or not. "
        "Somebody has undefined it, or the node was installed again.",
        left_out=f"{_MOVING}; a server in ERROR, which may never have been built; one whose guest "
        "may be on another node, which is `domain-elsewhere`, or `server-twice` if two run. A "
        "guest at the source of an open evacuation is never taken for the missing one",
        remedy="see whether its disk is there (`ls /var/lib/nova/instances/{id}` on its node, or "
        "its volumes); `stackward server reboot {id} --hard` then defines the guest again",
        no_repair="whether its disk is whole must be known before it is defined again",
        rule=_domain_missing,
    ),
    Disagreement(
        name="state-differs",
        title="Nova and libvirt do not have a server in the same state",
        means="nova-compute writes down what libvirt has every 10 minutes "
        "(`sync_power_state_interval`), and stops a guest that runs though Nova has its server as "
        "stopped. What lasts longer has another reason: nova-compute is down, or cannot act. A "
        "guest that is paused though its server is ACTIVE often has storage that is gone or full.",
        left_out=f"{_MOVING}; a server in RESCUE or in ERROR",
        remedy="see whether nova-compute is up on its node (`stackward node check`), and why "
        "libvirt has it so: `virsh domstate --reason {id}` there",
        no_repair="nova-compute writes the state by itself once it works: repair that",
        rule=_state_differs,
    ),
    Disagreement(
        name="domain-elsewhere",
        title="A node has a guest of a server that Nova has elsewhere",
        means="A move was lost: the guest was left behind at its source, or has moved and Nova "
        "does not know it. One that runs may be the only one that does.",
        left_out=f"{_MOVING}; a guest that is off, and that an open evacuation has left at its "
        "source: nova-compute there destroys it as it starts",
        remedy="end nothing before you know which of them has the server's data: "
        "`openstack server migration list --server {id}` has its last moves, "
        "`virsh domstate {id}` on each node what runs. `stackward cloud reconcile --repair "
        "domain-elsewhere --kill-domain {place}/{id}` ends the guest there, if the other one runs",
        repair=_KILL,
        rule=_domain_elsewhere,
    ),
    Disagreement(
        name="domain-of-deleted",
        title="A node has a guest of a server that Nova does not have",
        means="A server that is deleted while its nova-compute is down is only deleted in Nova's "
        "database. nova-compute looks for such guests itself, and by its usual settings only logs "
        "or reaps those that it still finds in its database "
        "(`running_deleted_instance_action`).",
        left_out="a guest without Nova's metadata, which something else has defined; all of them "
        "while a cell is down",
        remedy="ask who has deleted it, if anybody knows: `openstack server event list {id}` as an "
        "administrator. Then `stackward cloud reconcile --repair domain-of-deleted --kill-domain "
        "{place}/{id}` ends it; its disk stays",
        repair="the guest that `--kill-domain` names is ended, if Nova's action log has "
        "the deletion of its server; its disk stays",
        rule=_domain_of_deleted,
        needs_absence=True,
    ),
    Disagreement(
        name="allocation-double",
        title="A server holds allocations on two nodes",
        means="Placement takes room away on both, and the scheduler finds less than there is. A "
        "move that failed has left one of them.",
        left_out=f"{_MOVING}; what an evacuated server holds on its source, until that returns",
        remedy="see that it does not move (`openstack server migration list --server {id}`), "
        "then `nova-manage placement audit --verbose` names what to remove",
        repair="what it holds elsewhere than on its node is removed, if libvirt has its guest "
        "there and on no other node",
        rule=_allocation_double,
    ),
    Disagreement(
        name="allocation-elsewhere",
        title="A server holds its allocations on another node than it is on",
        means="Placement counts it where it is not: its own node may be filled over its limits.",
        left_out=f"{_MOVING}; a node whose allocations cannot be read",
        remedy="`nova-manage placement heal_allocations --instance {id} --force` writes them, "
        "by Nova's own word",
        no_repair="what it needs on its node only Nova can say: `heal_allocations` asks it",
        rule=_allocation_elsewhere,
    ),
    Disagreement(
        name="allocation-missing",
        title="A server holds no allocations",
        means="Placement takes the room that it uses for free, and gives it away a second time.",
        left_out=f"{_MOVING}; all of them where the allocations of any node cannot be read",
        remedy="`nova-manage placement heal_allocations --instance {id}` writes them, by Nova's "
        "own word",
        no_repair="what it needs on its node only Nova can say: `heal_allocations` asks it",
        rule=_allocation_missing,
    ),
    Disagreement(
        name="allocation-orphan",
        title="Allocations of what is no server and no move",
        means="A server was deleted, or a move failed, while placement did not answer. The room "
        "is lost until they are removed, and the node's provider cannot be deleted.",
        left_out="consumers that are moves whose records are open; all of them while a cell is "
        "down. A service other than Nova may hold allocations too (Zun, Blazar)",
        remedy="see that it is no server (`openstack server show {id}`), and ask what else uses "
        "placement; then `openstack resource provider allocation delete {id}`",
        repair="all that it holds is removed, if it is a consumer of Nova, and no libvirt has a "
        "guest of it",
        rule=_allocation_orphan,
        needs_absence=True,
    ),
    Disagreement(
        name="record-open",
        title="A record of a move is open, and nothing moves",
        means="Nova keeps no request that is lost: a process died between a message and its work. "
        "The page of stuck states has each of them. Until it is closed, Nova and all other tools "
        "take the server for one that moves.",
        left_out=f"a record that was written in the last {LOST_AFTER_S:.0f} s; moves that await "
        "their confirmation; evacuations whose source has not returned",
        remedy="restart nova-compute on its source: it closes such records as it starts. "
        "`stackward node drain` names what else is in the way",
        no_repair="Nova's API closes no record; the page of stuck states has the way out of each",
        rule=_record_open,
        is_busy=True,
    ),
    Disagreement(
        name="lives-on-source",
        title="A server lives on the source of its own open evacuation",
        means=LIVES_ON_SOURCE.why,
        left_out="an evacuation that is still under way",
        remedy=LIVES_ON_SOURCE.remedy,
        no_repair="the server must leave the node first: a drain moves it",
        rule=_lives_on_source,
        is_busy=True,
    ),
    Disagreement(
        name="task-stuck",
        title="Nova is at work on a server for long",
        means="The service that was to do it is gone, and Nova takes no other request for it.",
        left_out=f"what Nova began in the last {TASK_LONG_S / 60:.0f} minutes; a server that moves",
        remedy="see whether nova-compute is up on its node (`stackward node check`), and what was "
        "asked for (`openstack server event list {id}`); a restart of nova-compute there ends "
        "most of it",
        no_repair="what was asked for may still come; it decides whether to wait or to restart "
        "nova-compute",
        rule=_task_stuck,
        is_busy=True,
    ),
    Disagreement(
        name="binding-elsewhere",
        title="A port of a server is bound on another node",
        means="The server has no network where it is: a move has failed between libvirt and "
        "Neutron.",
        left_out=_MOVING,
        remedy="`stackward server reboot {id} --hard` plugs its ports again; if it stays, "
        "`openstack port set --host {host} {place}` binds it where the server is",
        no_repair="to bind it again pulls the plug of the guest for a while: its owner decides",
        rule=_binding_elsewhere,
    ),
    Disagreement(
        name="binding-left",
        title="A port of a server has a binding left on another node",
        means="Nova prepares a binding on the target of a move, and removes that of the source at "
        "its end. One that is left is inactive, and refuses the next move to that node.",
        left_out=f"{_MOVING}; what an open evacuation has left at its source",
        remedy="`stackward node drain` of the node that has the server removes it before it moves; "
        "Neutron lets only a login with the role `service` do that",
        repair="the binding is removed, if it is inactive",
        rule=_binding_left,
    ),
    Disagreement(
        name="port-down",
        title="A port of a server that runs is DOWN",
        means="The agent or the chassis of its node has not plugged it, or has not said so.",
        left_out=f"{_MOVING}; a port that its owner has switched off",
        remedy="`stackward node check` says whether the network agent of its node works",
        no_repair="Neutron sets it once the agent has plugged it: repair the agent",
        rule=_port_down,
    ),
    Disagreement(
        name="attachment-one-sided",
        title="Not all of Nova, Cinder and the guest have a volume attached",
        means="An attach or a detach was lost half way. The volume cannot be attached elsewhere, "
        "or will be missing at the next start.",
        left_out=f"{_MOVING}; a volume with which something goes on (attaching, detaching, "
        "migrating). A guest that is off is not asked: Nova writes its definition again",
        remedy="find out where its data was last written, before anything is attached again. "
        "An attachment that only Cinder has: `openstack volume attachment list --all-projects` "
        "names it, `openstack volume attachment delete` removes it. A volume that only the guest "
        "does not have comes back with `stackward server reboot {server} --hard`",
        no_repair="which of them is right depends on where its data was last written",
        rule=_attachment_one_sided,
    ),
    Disagreement(
        name="attachment-elsewhere",
        title="Cinder has a volume attached on another node than its server is on",
        means="Cinder does not know of a move. The export to the old node stays open, and the next "
        "detach closes the wrong one.",
        left_out=f"{_MOVING}; an attachment without a host",
        remedy="`nova-manage volume_attachment refresh {id} {place} CONNECTOR` makes the "
        "attachment again while the server is off",
        no_repair="only `nova-manage` on a controller can make the attachment again",
        rule=_attachment_elsewhere,
    ),
    Disagreement(
        name="volume-stuck",
        title="A volume is reserved, attaching or detaching for long",
        means="The request that set it so was lost. Nobody can attach, detach or delete it.",
        left_out=f"a volume that Cinder wrote in the last {LOST_AFTER_S:.0f} s; those of a server "
        "that is shelved or that Nova is at work on. A detach is asked of the guest up to 8 times, "
        "20 s each",
        remedy="see what Nova says of it (`openstack server volume list {server}`) before it is "
        "set back: a volume that a guest still has must not be called available",
        no_repair="which act is the least that helps depends on what Nova and the guest have",
        rule=_volume_stuck,
        is_busy=True,
    ),
)

TWICE = CLASSES[0].name  # the one that is a danger while it lasts
BY_NAME = {each.name: each for each in CLASSES}


def remedy_of(case: Case) -> str:
    """Return what to do about a case."""
    return case.remedy or BY_NAME[case.name].remedy.format(
        id=case.thing_id,
        server=case.server or "SERVER",
        host=case.hosts[0] if case.hosts else "",
        place=case.place,
        record=case.place,
    )
