"""Read a compute node: its servers, its place in the cloud, and the room that there is elsewhere.

The number of API calls grows with the servers on this node, with what they hold (volumes, groups)
and with their distinct needs; never with the size of the cloud.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain

from stackward.errors import NotInCatalog
from stackward.facts.domains import other_directories, read_domains, read_filesystem
from stackward.facts.named import find_node, nodes_of_hosts
from stackward.facts.needs import need_of
from stackward.facts.roles import read_roles
from stackward.model.aggregate import Aggregate
from stackward.model.claim import Maintenance, read_claim
from stackward.model.domain import INSTANCES, Domain
from stackward.model.evacuation import is_under_way, is_used_up
from stackward.model.hypervisor import Hypervisor
from stackward.model.identity import Hosts, Itself, Match
from stackward.model.instance_ha import HaHost
from stackward.model.migration import AWAITS_CONFIRMATION, IN_PROGRESS, Migration
from stackward.model.network import INACTIVE, Port
from stackward.model.node import ComputeNode
from stackward.model.placement import Candidate, Need
from stackward.model.server import IN_DOWN_CELL, Server, ServerGroup
from stackward.model.service import NOVA_COMPUTE, ComputeService
from stackward.model.stalled_move import MOVING, Guest, StalledMove
from stackward.model.unread import Hindrance, Unread, or_unread
from stackward.model.volume import Volume
from stackward.ports.cinder import Cinder
from stackward.ports.compute_process import read_running_as
from stackward.ports.machines import machine_of
from stackward.ports.masakari import Masakari
from stackward.ports.neutron import Neutron
from stackward.ports.nova import Nova
from stackward.ports.together import ask_all
from stackward.ports.world import World
from stackward.status.lookups import once_on, service_of
from stackward.status.stalled import read_guests, read_stalled_move
from stackward.status.stuck import quiet_s, record_of

# The same limit as Nova's own, `[scheduler] max_placement_results`.
_MOST_CANDIDATES = 1000

_NOT_ASKED = Unread("it is taken for dead, and not asked")
_CELL_DOWN = "its cell is down: Nova knows no more of it than its name"


def read_compute_node(
    world: World,
    name: str,
    *,
    only: str | None = None,
    remembered: Mapping[str, Itself] | None = None,
    is_dead: bool = False,
) -> ComputeNode:
    """Return all that a drain of the node must know, read now.

    A node that is taken for dead is asked nothing itself: each question would wait for its answer.

    With `only` the id of a server: what its own move must know; then the number of calls does not
    grow with the node. `remembered` is what nodes once said of themselves, for a node that is
    silent now.
    """
    services = world.nova.services()
    found = find_node(world, services, name, remembered)
    service, hypervisor, match = found.service, found.hypervisor, found.match
    host, node = service.host, None if is_dead else match.node
    domains = _NOT_ASKED if is_dead else _domains(world, match, hypervisor)
    servers = tuple(_with_all(world, host, [only] if only else _ids_on(world.nova, host)))
    provider = world.placement.provider(hypervisor.id)
    aggregates = world.nova.aggregates()
    needs = {
        server.id: _bound(need_of(server, provider), server, service.zone, aggregates)
        for server in servers
    }
    moving = () if only else tuple(_in_progress(world, host, servers))
    return ComputeNode(
        name=match.node or host,
        host=host,
        read_at=world.clock.now(),
        service=service,
        hypervisor=hypervisor,
        provider=provider,
        servers=servers,
        resizing_away=() if only else tuple(_resizing_away(world.nova, host)),
        migrations=() if only else tuple(migration for migration, _ in moving),
        stalled_moves={} if only else _stalled_moves(world, host, servers, moving),
        domains=domains,
        running_as=None if only or node is None else read_running_as(world.shell, node),
        guest_locations=_guest_locations(world, hypervisor, servers, domains),
        instances_filesystem=read_filesystem(world.shell, node, INSTANCES)
        if node
        else Unread(match.why, Hindrance.UNNAMED),
        other_filesystems={
            each: read_filesystem(world.shell, node, each) for each in other_directories(domains)
        }
        if node
        else {},
        aggregates=aggregates,
        zone=service.zone,
        failure_domain=world.shell.failure_domain(match.node or host) or f"zone {service.zone}",
        roles=()
        if only or is_dead
        else read_roles(
            world, services, machine_of(hypervisor), world.shell.groups_of(node) if node else ()
        ),
        ha_hosts=() if only else read_ha_hosts(world.masakari, host),
        needs=needs,
        candidates=_candidates(world, needs.values(), services, hypervisor, aggregates),
        acting_run=world.acting.run if world.acting else None,
        identified_at=match.seen_at,
    )


def read_ha_hosts(masakari: Masakari, host: str) -> tuple[HaHost, ...] | Unread:
    """Return a host's entries in the instance-HA service; or why it could not be asked."""
    return or_unread(partial(masakari.ha_hosts, host))  # no rights, no answer: it may act even so


def read_maintenance(
    world: World, remembered: Mapping[str, Itself] | None = None
) -> tuple[Maintenance, ...]:
    """Return the compute nodes that are disabled, with the claims on them.

    Those whose cell is down are named as not known. It is one call. If names alone lead to no node,
    it is a second call, for all hypervisors.
    """
    disabled = [
        one for one in world.nova.services() if one.binary == NOVA_COMPUTE and not one.is_enabled
    ]
    nodes = nodes_of_hosts(world, [one.host for one in disabled], remembered)
    return tuple(
        Maintenance(
            node=nodes[one.host].node or one.host,
            identified_at=nodes[one.host].seen_at,
            claim=read_claim(one.disabled_reason),
            text=(one.disabled_reason or "") if one.is_known else _CELL_DOWN,
            is_known=one.is_known,
        )
        for one in sorted(disabled, key=lambda one: one.host)
    )


def _bound(need: Need, server: Server, zone: str, aggregates: Sequence[Aggregate]) -> Need:
    """Return the need of a server, in its own zone alone where Nova is too old to say its zone.

    If it is bound to a zone, that is the zone in which it is: so its own zone is never wrong.
    """
    may_be = not server.is_zone_known and any(one.zone for one in aggregates)
    return replace(need, zone=zone) if may_be else need


def _ids_on(nova: Nova, host: str) -> list[str]:
    found = [server.id for server in nova.servers_on(host)]
    # Nova leaves a cell that is down out of this list, and says nothing: it may have gone since.
    service_of(nova, host)
    return found


def _in_progress(
    world: World, host: str, here: Sequence[Server]
) -> Iterator[tuple[Migration, Server]]:
    """Return the migrations from or to here with their servers; those of deleted ones are past."""
    known: dict[str, Server | None] = {server.id: server for server in here}
    read = world.nova.migrations_of
    found = ask_all(
        world.together,
        {f"migrations of {host}, {each}": partial(read, host, each) for each in IN_PROGRESS},
    )
    for migration in chain.from_iterable(found.values()):
        if migration.server not in known:
            known[migration.server] = world.nova.server(migration.server)
        server = known[migration.server]
        if server and not (is_under_way(migration) and _is_used_up(world, migration, server)):
            yield migration, server


def _is_used_up(world: World, migration: Migration, server: Server) -> bool:
    return is_used_up(migration, world.nova.migrations_of_server(server.id), server)


def _stalled_moves(
    world: World, host: str, here: Sequence[Server], moving: Sequence[tuple[Migration, Server]]
) -> dict[str, StalledMove]:
    """Look closer at servers in a move, and at records of moves whose server is at rest."""
    now = world.clock.now()
    recorded: dict[str, tuple[Migration | None, Server]] = {
        server.id: (migration, server) for migration, server in moving
    }
    for server in here:
        # A record that has ended may be of the move that Nova still shows for the server.
        if server.task_state in MOVING and server.id not in recorded:
            records = world.nova.migrations_of_server(server.id)
            recorded[server.id] = (record_of(server, records), server)
    looked_at = {
        each: (migration, server)
        for each, (migration, server) in recorded.items()
        if server.task_state in MOVING or server.task_state is None
    }
    return {
        each: read_stalled_move(
            world,
            server,
            migration.source if migration else host,
            migration,
            quiet_s(server, migration, now),
        )
        for each, (migration, server) in looked_at.items()
    }


def _with_all(world: World, host: str, listed: Sequence[str]) -> Iterator[Server]:
    """Read each server with its group, ports and volumes; one that has just gone is left out."""
    ports = world.neutron.ports_of(listed) if listed else ()
    read = partial(_with_its_own, world, host, ports)
    found = ask_all(world.together, {f"server {each}": partial(read, each) for each in listed})
    groups: dict[str, ServerGroup | None] = {}
    for server in found.values():
        if server is None:
            continue
        group = server.group_id
        if group and group not in groups:
            groups[group] = _with_hosts(world.nova, world.nova.server_group(group), set(listed))
        yield replace(server, group=groups[group] if group else None)


def _with_its_own(world: World, host: str, ports: Sequence[Port], listed: str) -> Server | None:
    """Read a server with its ports and volumes; None where it is not on the host now."""
    server = world.nova.server(listed)
    if server is not None and server.status == IN_DOWN_CELL:
        return replace(server, host=host)  # its cell went down as it was listed: it blocks
    if server is None or server.host != host:
        return None
    volumes, unread = _volumes_of(world.cinder, server)
    return replace(
        server,
        ports=tuple(_with_left(world.neutron, port) for port in ports if port.server == server.id),
        volumes=volumes,
        volumes_unread=unread,
    )


def _volumes_of(cinder: Cinder, server: Server) -> tuple[tuple[Volume, ...], str | None]:
    """Return a server's volumes; or none, and why Cinder cannot be asked for them."""
    try:
        found = [cinder.volume(volume) for volume in server.volume_ids]
    except NotInCatalog as error:
        return (), error.message
    return tuple(volume for volume in found if volume), None


def _with_left(neutron: Neutron, port: Port) -> Port:
    """Find the bindings that a move has left behind: because of them the next move has no proof."""
    bindings = neutron.bindings_of(port.id)
    return replace(port, left_on=tuple(host for host, status in bindings if status == INACTIVE))


def _with_hosts(nova: Nova, group: ServerGroup | None, here: set[str]) -> ServerGroup | None:
    """Find where the other members of a group are, if its policy is hard or keeps them apart.

    A hard policy decides which nodes are possible; members that are apart are never off at the same
    time.
    """
    if group is None or not (group.is_hard or group.keeps_apart):
        return group
    asked = (nova.server(member) for member in group.members if member not in here)
    others = [other for other in asked if other]
    return replace(
        group,
        elsewhere=tuple((other.id, other.host) for other in others if other.host),
        unknown=tuple(other.id for other in others if other.status == IN_DOWN_CELL),
    )


def _resizing_away(nova: Nova, host: str) -> Iterator[tuple[Server, Migration]]:
    """Find servers in VERIFY_RESIZE elsewhere: their confirmation needs this node's service."""
    for migration in nova.migrations_of(host, AWAITS_CONFIRMATION):
        if migration.source != host or migration.target == host:
            continue
        server = nova.server(migration.server)
        if server and server.status in {"VERIFY_RESIZE", IN_DOWN_CELL}:
            yield server, migration


def _domains(world: World, match: Match, hypervisor: Hypervisor) -> tuple[Domain, ...] | Unread:
    if not hypervisor.has_domains:
        return ()
    return (
        read_domains(world.shell, match.node)
        if match.node
        else Unread(match.why, Hindrance.UNNAMED)
    )


def _guest_locations(
    world: World,
    hypervisor: Hypervisor,
    servers: Sequence[Server],
    domains: tuple[Domain, ...] | Unread,
) -> dict[str, tuple[Guest, ...] | Unread]:
    """Look for guests that libvirt does not have here, where Nova once moved their servers to."""
    if isinstance(domains, Unread) or not hypervisor.has_domains:
        return {}
    here = {domain.server for domain in domains}
    missing = [server for server in servers if server.id not in here]
    return {
        each.id: read_guests(world, each.id, once_on(world.nova, each, only_recent=True))
        for each in missing
    }


def _candidates(
    world: World,
    needs: Iterable[Need],
    services: Sequence[ComputeService],
    own: Hypervisor,
    aggregates: Sequence[Aggregate],
) -> dict[Need, tuple[Candidate, ...]]:
    # Of a server in a cell that is down, even its needs are not known.
    distinct = [need for need in dict.fromkeys(needs) if need.resources]
    if not distinct:
        return {}
    names = world.placement.provider_names()
    answered = {
        need: world.placement.candidates(
            need, member_of=_member_of(need.zone, aggregates), limit=_MOST_CANDIDATES
        )
        for need in distinct
    }
    providers = dict.fromkeys(one.provider for found in answered.values() for one in found)
    computes = {one.host: one for one in services if one.binary == NOVA_COMPUTE}
    hosts = _hosts_of(world.nova, {each: names.get(each, each) for each in providers}, computes)
    return {
        need: tuple(
            _with_service(one, names.get(one.provider, one.provider), hosts.get(one.provider))
            for one in found
            if one.provider != own.id
        )
        for need, found in answered.items()
    }


def _hosts_of(
    nova: Nova, names: Mapping[str, str], computes: Mapping[str, ComputeService]
) -> dict[str, ComputeService]:
    """Return the service of each provider, which has the name of its hypervisor.

    If a hypervisor does not have the name of its host, all hypervisors are read, once: they name
    both.
    """
    known = Hosts(computes)
    found = {provider: known.called(name) for provider, name in names.items()}
    if others := {each for each, hosts in found.items() if len(hosts) != 1}:
        by_id = {one.id: one.host for one in nova.known_hypervisors()}
        if not others <= by_id.keys():
            by_id = {one.id: one.host for one in nova.hypervisors()}
        found |= {each: (by_id[each],) for each in names if each in by_id}
    return {
        provider: computes[hosts[0]]
        for provider, hosts in found.items()
        if len(hosts) == 1 and hosts[0] in computes
    }


def _with_service(candidate: Candidate, name: str, service: ComputeService | None) -> Candidate:
    return replace(
        candidate,
        name=name,
        host=service.host if service else None,
        is_usable=service is not None and service.is_up and service.is_enabled,
    )


def _member_of(zone: str | None, aggregates: Sequence[Aggregate]) -> list[str]:
    """Return placement's filter for a zone; hosts of no zone's aggregate are in the default one."""
    if zone is None:
        return []
    of_zone = [one.uuid for one in aggregates if one.zone == zone]
    if of_zone:
        return [f"in:{','.join(of_zone)}"]
    of_others = [one.uuid for one in aggregates if one.zone]
    return [f"!in:{','.join(of_others)}"] if of_others else []
