"""What is read of a move in which nothing happens, for every room that asks."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from stackward.answers import why
from stackward.errors import NotUnderstood, Uncertain, Unreachable
from stackward.model.migration import Migration
from stackward.model.server import Server
from stackward.model.service import NOVA_COMPUTE, ComputeService
from stackward.model.stalled_move import CONDUCTOR, MOVING, Guest, StalledMove
from stackward.model.unread import Hindrance, Unread
from stackward.ports.libvirt import read_job, read_state, refused
from stackward.ports.machines import machine_in, machine_of
from stackward.ports.nova import Nova
from stackward.ports.shell import VIRSH, Answer
from stackward.ports.world import World
from stackward.status.lookups import RECENT, hosts_of, hypervisor_of

DOMSTATE = (*VIRSH, "domstate")
JOB = (*VIRSH, "domjobinfo")
NO_DOMAIN = "failed to get domain"
NOT_RUNNING = "domain is not running"  # of a libvirt job: a guest that is off has none
_AT_WORK = ("preparing", "running")
_NOT_THERE = "see `openstack hypervisor list`: a host that was renamed is there by its new name"


class _Silent(Exception):
    """A node that could not be asked."""

    def __init__(self, unread: Unread) -> None:
        super().__init__(unread.why)
        self.unread = unread


def read_stalled_move(
    world: World, server: Server, source: str, migration: Migration | None, quiet_s: float
) -> StalledMove:
    """Return all that shows why nothing happens: the services, the queue, and libvirt's jobs."""
    is_moving = server.task_state in MOVING
    # Of a server that moves by a known record the others say nothing, and are not asked for.
    records = () if is_moving and migration else world.nova.migrations_of_server(server.id)
    hosts = list(_ends(source, migration, records if migration is None else ()))
    services = world.nova.services()
    return StalledMove(
        server=server,
        source=source,
        migration=migration,
        quiet_s=quiet_s,
        dead=_dead(services, hosts),
        is_conductor_known=_is_conductor_known(services),
        is_queue_moving=any(
            _moves(world.nova, each.server)
            for status in _AT_WORK
            for each in world.nova.migrations_of(source, status)
            if each.source == source and each.server != server.id
        ),
        is_followed=migration is not None
        and not is_moving
        and any(each.id > migration.id for each in records),
        guests=read_guests(world, server.id, hosts),
    )


def _moves(nova: Nova, server: str) -> bool:
    """Say whether a server is being moved; of one that was deleted, the record may stay `running`.

    Who waits behind such a record would be waited for without end.
    """
    found = nova.server(server)
    return found is not None and found.task_state in MOVING


def _ends(source: str, migration: Migration | None, records: Sequence[Migration]) -> Iterator[str]:
    """Return where the guest may be: the ends of its move, or of its last ones."""
    ends = [source, migration.target if migration else None]
    yield from dict.fromkeys([*filter(None, ends), *hosts_of(records[:RECENT])])


def _dead(services: Sequence[ComputeService], hosts: list[str]) -> frozenset[str]:
    # Of a host whose cell is down nothing is known: it is not called dead.
    computes = [one for one in services if one.binary == NOVA_COMPUTE]
    up = {one.host for one in computes if one.is_up or not one.is_known}
    conductors = [one for one in services if one.binary == CONDUCTOR]
    may_live = any(one.is_up or not one.is_known for one in conductors)
    return frozenset({*hosts} - up) | (frozenset() if may_live else {CONDUCTOR})


def _is_conductor_known(services: Sequence[ComputeService]) -> bool:
    """Say whether it is known that one is up, or that none is: in a cell that is down one may be.

    One that is up in another cell takes no orders of this one.
    """
    return all(one.is_known for one in services if one.binary == CONDUCTOR)


def read_guests(world: World, server: str, hosts: Sequence[str]) -> tuple[Guest, ...] | Unread:
    """Return what libvirt on each of the hosts says of a server; or why one could not be asked."""
    try:
        return tuple(_on_each(world, server, hosts))
    except _Silent as silent:
        return silent.unread


def _on_each(world: World, server: str, hosts: Sequence[str]) -> Iterator[Guest]:
    for host in hosts:
        hypervisor = hypervisor_of(world.nova, host)
        if hypervisor is None:
            raise _Silent(
                Unread(f"no hypervisor of `{host}` was found", Hindrance.UNNAMED, _NOT_THERE)
            )
        if not hypervisor.has_domains:
            continue
        found = machine_in(world, machine_of(hypervisor))
        node = found.node
        if node is None:
            raise _Silent(Unread(found.why, Hindrance.UNNAMED))
        state = _ask(world, node, (*DOMSTATE, server))
        if state is None:
            yield Guest(node=node, host=host, state=None)
            continue
        job = _ask(world, node, (*JOB, server), without=NOT_RUNNING)
        try:
            has_job = job is not None and read_job(job.out)
            yield Guest(node=node, host=host, state=read_state(state.out), has_job=has_job)
        except NotUnderstood as error:
            raise _Silent(Unread(f"`{node}`: {why(error)}")) from error


def _ask(
    world: World, node: str, command: tuple[str, ...], without: str = NO_DOMAIN
) -> Answer | None:
    """Return libvirt's answer; None where it has no such guest, or says so `without`."""
    try:
        answer = world.shell.run(node, command)
    except (Unreachable, Uncertain) as error:
        raise _Silent(Unread.of(error)) from error
    if answer.code == 0:
        return answer
    if NO_DOMAIN in answer.err or without in answer.err:
        return None
    said = refused(answer, command[len(VIRSH)])
    raise _Silent(replace(said, why=f"`{node}`: {said.why}"))
