"""Ask each witness for all that it has: the calls follow the pages of its lists, and the nodes.

Nova and Cinder: lists of all. Placement and Neutron: one for each host. libvirt: a script on each.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from stackward.errors import NotInCatalog, StackwardError
from stackward.facts.guests import read_guests_of
from stackward.model.domain import Domain
from stackward.model.evacuation import OPEN, is_open_evacuation
from stackward.model.hypervisor import Hypervisor
from stackward.model.identity import Itself
from stackward.model.migration import AWAITS_CONFIRMATION, IN_PROGRESS, Migration
from stackward.model.service import NOVA_COMPUTE
from stackward.model.testimony import CloudTestimony, HostTestimony
from stackward.model.unread import Hindrance, Unread, or_unread
from stackward.ports.machines import machine_in, machine_of
from stackward.ports.together import ask_all
from stackward.ports.world import World

RECORDS = tuple(dict.fromkeys((*IN_PROGRESS, AWAITS_CONFIRMATION, *OPEN)))

_WITHIN_S = 120.0  # for all nodes together

Told = TypeVar("Told")


def read_testimony(world: World, remembered: Mapping[str, Itself] | None = None) -> CloudTestimony:
    """Return what each witness says now. Raises an error where Nova itself cannot be asked."""
    at = world.clock.now()
    told = ask_all(world.together, _of_nova(world))
    services = {one.host: one for one in told["services"] if one.binary == NOVA_COMPUTE}
    hypervisors = tuple(
        one for one in told["hypervisors"] if one.host in services and one.kind != "ironic"
    )
    cinder = _of_cinder(world)
    volumes = cinder["volumes"]
    domains = _domains(world, hypervisors, remembered or {})
    listed = ask_all(world.together, _lists(world, hypervisors))
    return CloudTestimony(
        at=at,
        hosts=tuple(
            HostTestimony(
                host=one.host,
                provider=one.id,
                node=domains[one.id][0],
                is_up=services[one.host].is_up,
                domains=domains[one.id][1],
                allocations=listed["placement", one.id],
                ports=listed["Neutron", one.id],
            )
            for one in hypervisors
        ),
        servers={one.id: one for one in told["servers"]},
        is_whole=all(one.is_known for one in told["services"]),
        records=tuple(_records(told)),
        volumes=volumes
        if isinstance(volumes, Unread) or volumes is None
        else {one.id: one for one in volumes},
        attachments=cinder["attachments"],
    )


def _of_nova(world: World) -> dict[str, Callable[[], tuple[Any, ...]]]:
    nova = world.nova
    return {
        "servers": nova.every_server,
        "services": nova.services,
        "hypervisors": nova.hypervisors,
        **{f"records {status}": partial(nova.migrations_in, status) for status in RECORDS},
    }


def _records(told: Mapping[str, tuple[Any, ...]]) -> Iterable[Migration]:
    found: dict[int, Migration] = {}
    for status in RECORDS:
        for one in told[f"records {status}"]:
            # `done` is the open end of an evacuation, and the end of nothing else.
            if one.status in IN_PROGRESS or is_open_evacuation(one) or _is_awaiting(one):
                found[one.id] = one
    return (found[number] for number in sorted(found))


def _is_awaiting(record: Migration) -> bool:
    return record.status == AWAITS_CONFIRMATION


def _of_cinder(world: World) -> Mapping[str, Any]:
    """Return its lists; None where the cloud has no Cinder: then nothing disagrees on it."""
    cinder = world.cinder
    return ask_all(
        world.together,
        {
            "volumes": partial(_of_optional, cinder.every_volume),
            "attachments": partial(_of_optional, cinder.every_attachment),
        },
    )


def _of_optional(ask: Callable[[], Told]) -> Told | Unread | None:
    try:
        return ask()
    except NotInCatalog:
        return None
    except StackwardError as error:
        return Unread.of(error)


def _lists(
    world: World, hypervisors: Sequence[Hypervisor]
) -> dict[tuple[str, str], Callable[[], Any]]:
    placement, neutron = world.placement, world.neutron
    asked: dict[tuple[str, str], Callable[[], Any]] = {}
    for one in hypervisors:
        allocations = partial(placement.allocations_on, one.id)
        asked["placement", one.id] = partial(or_unread, allocations)
        asked["Neutron", one.id] = partial(or_unread, partial(neutron.ports_on, one.host))
    return asked


def _domains(
    world: World, hypervisors: Sequence[Hypervisor], remembered: Mapping[str, Itself]
) -> dict[str, tuple[str | None, tuple[Domain, ...] | Unread | None]]:
    """Ask all nodes side by side; each has its own end."""
    told = world.together.ask(
        {
            ("guests", one.id): partial(_of_libvirt, world, one, remembered)
            for one in hypervisors
            if one.has_domains
        },
        within_s=_WITHIN_S,
    )
    late = Unread("it did not answer in time", Hindrance.LATE)
    return {
        one.id: (told["guests", one.id] or (None, late)) if one.has_domains else (None, None)
        for one in hypervisors
    }


def _of_libvirt(
    world: World, hypervisor: Hypervisor, remembered: Mapping[str, Itself]
) -> tuple[str | None, tuple[Domain, ...] | Unread]:
    found = machine_in(world, machine_of(hypervisor), remembered)
    if found.node is None:
        return None, Unread(found.why, Hindrance.UNNAMED)
    return found.node, read_guests_of(world.shell, found.node)
