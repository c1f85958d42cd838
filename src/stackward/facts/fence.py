"""Read a node to fence: its device, its signs of life, its guests, and the other nodes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeVar

from stackward.answers import texts
from stackward.errors import StackwardError, Uncertain, Unreachable
from stackward.facts.domains import read_domains
from stackward.facts.maintenance import read_holders
from stackward.facts.named import (
    Found,
    nodes_of_hosts,
    refuse_machine_of_another,
    sought_node,
)
from stackward.facts.observed import ADDRESSES, MACHINE, read_remembered
from stackward.facts.power_history import read_switched_on
from stackward.facts.roles import read_roles
from stackward.model.claim import read_claim
from stackward.model.compute_process import UNIT, outside
from stackward.model.domain import Domain
from stackward.model.hardware import Hardware
from stackward.model.hypervisor import Hypervisor
from stackward.model.identity import Itself
from stackward.model.observation import Observation
from stackward.model.power import PowerDevice, PowerState
from stackward.model.service import NOVA_COMPUTE, ComputeService
from stackward.model.unread import Hindrance, Unread, or_unread
from stackward.model.witness import Sign
from stackward.ports import root
from stackward.ports.compute_process import read_processes
from stackward.ports.deadline import Deadline
from stackward.ports.journal import Journal
from stackward.ports.machines import machine_of
from stackward.ports.together import ask_beside
from stackward.ports.world import World
from stackward.requests.fence_compute_node import FenceRequest
from stackward.status.fence import FenceFacts
from stackward.status.life import Signs
from stackward.status.lookups import servers_on
from stackward.status.outage import Compute
from stackward.status.power_device import Remembered
from stackward.status.witnesses import hail

Other = TypeVar("Other")
Told = TypeVar("Told")

_ANSWER_S = 10.0  # for ssh, and for a call over RPC
_WHOLE_S = 300.0  # a guard, for all questions: each call has its own, earlier end
_NEEDED = {"nova-conductor", "nova-scheduler"}  # without them nodes that are well fall silent
_CALLERS = 2  # compute nodes that call it, and the same number of others
_CALLED = 3  # other nova-computes, over RPC
_MOST_ADDRESSES = 16
_HAVE_POWER = {1, 3}  # nova/objects/fields.py InstancePowerState: running, paused
_OFF = {"shut off", "crashed"}


def read_fence(
    world: World, journal: Journal, asked: FenceRequest, run_id: str | None
) -> FenceFacts:
    """Return the node as it is now; `run_id` is the run that asks: it does not block itself."""
    fence, _ = read_fence_beside(world, journal, asked, run_id, lambda _: None)
    return fence


def read_fence_beside(
    world: World,
    journal: Journal,
    asked: FenceRequest,
    run_id: str | None,
    other: Callable[[str], Other],
) -> tuple[FenceFacts, Other]:
    """Return the same, and what `other` reads of the rest of the cloud, given the node's name.

    All questions to the node are asked at the same time: a dead one lets each wait until its end.
    The members of RabbitMQ and MariaDB and the other nova-computes are read after that. They may
    have broken just before the node was asked, and then a silent node may be well. The device is
    read after that too: a node that is then Off was not switched on since it was called.
    Raises `Unreachable` where not all is answered within 300 s.
    """
    cloud = world.cloud.identity().id
    services = world.nova.services()
    remembered = read_remembered(world, journal)
    found = sought_node(world, services, asked.node, remembered)
    host, node = found.service.host, found.match.node
    addresses = tuple(_addresses(world, journal.observations(cloud, ADDRESSES), found))
    peers = tuple(_peers(world, services, host, remembered))

    by = Deadline.after(world.clock, _WHOLE_S)

    def beside(what: str, question: Callable[[], Told]) -> Callable[[], Told]:
        return ask_beside(world.together, f"{what} of {host}", question, by=by)

    called = beside("signs of life", partial(hail, world, addresses, peers))
    by_ssh = beside("ssh", partial(_ssh, world, node))
    by_libvirt = beside("libvirt", partial(_domains, world, found))
    by_rpc = beside("RPC", partial(_rpc, world, found))
    groups = world.shell.groups_of(node) if node else ()
    machine = machine_of(found.hypervisor)
    roles = beside("roles", partial(read_roles, world, services, machine, groups))
    refuse_machine_of_another(world, services, asked.node, found)

    known = [*_boards(journal.observations(cloud, MACHINE))]
    witnesses, ssh, domains, rpc = called(), by_ssh(), by_libvirt(), by_rpc()
    told_by_device = beside("device", partial(_device, world, node))
    by_others = beside("others", partial(_deaf, world, services, host))
    told = beside("rest", partial(other, node or host))
    device, deaf, rest = told_by_device(), by_others(), told()
    fence = FenceFacts(
        name=node or host,
        host=host,
        read_at=world.clock.now(),
        service=found.service,
        is_named=node is not None,
        device=device,
        own=next((one for at, one in known if (at, one.node) == (host, node)), None),
        others=tuple(one for _, one in known if one.node != node),
        switched_on=read_switched_on(journal, cloud, host),
        signs=Signs(
            heartbeat=_sign(found.service.is_up),
            rpc=rpc,
            ssh=ssh,
            ping=witnesses.sign,
            power=_power(device),
            agent=_agent(world, host),
            libvirt=Sign.NO if isinstance(domains, Unread) else Sign.YES,
        ),
        witnesses=witnesses,
        addresses=addresses,
        peers=peers,
        guests=None
        if isinstance(domains, Unread)
        else sum(one.state not in _OFF for one in domains),
        servers=sum(one.power_state in _HAVE_POWER for one in servers_on(world.nova, host)),
        why_not_kept_off=_why_not_kept_off(world, node, ssh),
        computes=tuple(_computes(services)),
        silent_parts=tuple(_silent_parts(services, host)),
        deaf=deaf,
        aggregates=world.nova.aggregates(),
        roles=roles(),
        holders=read_holders(journal, cloud, host, but=run_id),
        identified_at=found.match.seen_at,
    )
    return fence, rest


def _sign(is_so: bool) -> Sign:  # noqa: FBT001  # what it is made of
    return Sign.YES if is_so else Sign.NO


def _device(world: World, node: str | None) -> PowerDevice | Unread | None:
    if node is None or world.power.device(node) is None:
        return None
    return or_unread(partial(world.power.describe, node))


def _power(device: PowerDevice | Unread | None) -> Sign:
    if not isinstance(device, PowerDevice):
        return Sign.UNKNOWN
    return _sign(device.state is PowerState.ON)


def _ssh(world: World, node: str | None) -> Sign:
    """Say whether it runs a command: a node that refuses the login or hangs does not."""
    if node is None:
        return Sign.UNKNOWN
    try:
        world.shell.run(node, ["systemctl", "is-active", UNIT], within_s=_ANSWER_S)
    except (Unreachable, Uncertain):
        return Sign.NO
    return Sign.YES


def _rpc(world: World, found: Found) -> Sign:
    """Call nova-compute, unless Nova reports it down: then nothing is sent to it.

    Each look makes its own call: a plan and its judge look within a minute, and Nova waits as long
    for a call.
    """
    if not found.service.is_up:
        return Sign.NO
    told = _called(world, [found.hypervisor], look=object())
    return told[found.hypervisor.id] or Sign.UNKNOWN


def _called(
    world: World, hypervisors: Sequence[Hypervisor], look: object = None
) -> Mapping[str, Sign | None]:
    """Call these nova-computes side by side, and return what came of it, by the hypervisor's id.

    None: it was not called, for an earlier call of that `look` still hangs. That proves nothing of
    it now.
    """
    put: set[str] = set()

    def call(hypervisor: str) -> Sign:
        put.add(hypervisor)
        return _answers(world, hypervisor)

    keys = {one.id: ("RPC", one.host, one.id, look) for one in hypervisors}
    told = world.together.ask(
        {key: partial(call, each) for each, key in keys.items()}, within_s=_ANSWER_S
    )
    return {each: told[key] or (Sign.NO if each in put else None) for each, key in keys.items()}


def _answers(world: World, hypervisor: str) -> Sign:
    try:
        return _sign(world.nova.uptime(hypervisor) is not None)
    except (Unreachable, Uncertain):
        return Sign.NO
    except StackwardError:
        return Sign.UNKNOWN


def _deaf(world: World, services: Sequence[ComputeService], host: str) -> tuple[str, ...]:
    """Return other nodes that Nova reports up and that answer no call; none if one answers.

    One whose earlier call still hangs has not answered. One that Nova does not call for us, such as
    that of a driver without an uptime, says nothing of the others.
    """
    up = {
        one.host
        for one in services
        if one.binary == NOVA_COMPUTE and one.is_known and one.is_up and one.host != host
    }
    called = [one for one in world.nova.hypervisors() if one.host in up][:_CALLED]
    told = _called(world, called)
    if Sign.YES in told.values():
        return ()
    return tuple(dict.fromkeys(one.host for one in called if told[one.id] in {Sign.NO, None}))


def _agent(world: World, host: str) -> Sign:
    try:
        agents = world.neutron.network_agents_on(host)
    except StackwardError:
        return Sign.UNKNOWN
    return _sign(any(one.is_alive for one in agents)) if agents else Sign.UNKNOWN


def _domains(world: World, found: Found) -> tuple[Domain, ...] | Unread:
    if found.match.node is None:
        return Unread(found.match.why, Hindrance.UNNAMED)
    if not found.hypervisor.has_domains:
        return Unread(f"its hypervisor is `{found.hypervisor.kind}`")
    return read_domains(world.shell, found.match.node)


def _addresses(world: World, seen: Sequence[Observation], found: Found) -> Iterator[str]:
    """Return the addresses where it may answer: by the inventory, by Nova, and by its own words."""
    node = found.match.node
    known: dict[str, None] = {}
    if node is not None:
        known[world.shell.directory().node(node).address] = None
    if found.hypervisor.address:
        known[found.hypervisor.address] = None
    for one in seen:
        value = one.value if isinstance(one.value, Mapping) else {}
        if one.node == node and value.get("host") == found.service.host:
            known.update(dict.fromkeys(texts(value.get("addresses", ()))))
    yield from [*known][:_MOST_ADDRESSES]


def _peers(
    world: World,
    services: Sequence[ComputeService],
    host: str,
    remembered: Mapping[str, Itself],
) -> Iterator[str]:
    """Return nodes that may call it: compute nodes, which have its networks, and controllers."""
    up = [one for one in services if one.is_known and one.is_up and one.host != host]
    computes = dict.fromkeys(one.host for one in up if one.binary == NOVA_COMPUTE)
    others = dict.fromkeys(one.host for one in up if one.host not in computes)
    chosen = [*computes][:_CALLERS] + [*others][:_CALLERS]
    own = nodes_of_hosts(world, [host], remembered)[host].node
    found = nodes_of_hosts(world, chosen, remembered).values()
    nodes = dict.fromkeys(one.node for one in found if one.node)
    yield from (node for node in nodes if node != own)


def _boards(seen: Sequence[Observation]) -> Iterator[tuple[str, Remembered]]:
    """Return what nodes have said of themselves, each with the host that it was then."""
    for one in seen:
        value = one.value if isinstance(one.value, Mapping) else {}
        hardware = Hardware.of(
            uuid=str(value.get("uuid") or ""),
            serial=str(value.get("serial") or ""),
            macs=texts(value.get("macs", ())),
        )
        if hardware:
            at = one.at.isoformat(timespec="seconds")
            yield (
                str(value.get("host")),
                Remembered(node=one.node, hardware=hardware, seen_at=at),
            )


def _why_not_kept_off(world: World, node: str | None, ssh: Sign) -> str | None:
    if node is None or ssh is not Sign.YES:
        return "it does not answer ssh"
    try:
        processes = read_processes(world.shell, node)
        refused = world.shell.rights(node, root.KEEP_OFF).refused
    except (Unreachable, Uncertain) as error:
        return error.message
    if isinstance(processes, Unread):
        return processes.why
    if elsewhere := outside(processes):
        return f"it runs {elsewhere[0].words}"
    return next(iter(refused.values()), None)


def _computes(services: Sequence[ComputeService]) -> Iterator[Compute]:
    for one in services:
        if one.binary == NOVA_COMPUTE:
            claim = None if one.is_enabled else read_claim(one.disabled_reason)
            yield Compute(
                host=one.host, zone=one.zone, is_up=one.is_up, is_kept_off=claim is not None
            )


def _silent_parts(services: Sequence[ComputeService], host: str) -> Iterator[str]:
    """Return the kinds that nodes need, and of which none reports; those of the node apart.

    Rows of other kinds prove nothing: an upgraded cloud has kept those of nova-consoleauth.
    """
    others = [one for one in services if one.binary in _NEEDED and one.is_known]
    for kind in dict.fromkeys(one.binary for one in others):
        own = [one for one in others if one.binary == kind and one.host != host]
        if own and not any(one.is_up for one in own):
            yield kind
