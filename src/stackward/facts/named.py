"""Find the compute node that a person names: by the inventory's word for it, or by Nova's.

It asks only nodes that may be meant, and only what they call themselves.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from stackward.errors import BadInput, Refused, Unreachable
from stackward.model.hypervisor import Hypervisor
from stackward.model.identity import (
    Hosts,
    Itself,
    Likeness,
    Machine,
    Match,
    address_of,
    are_all_ironic,
    compare,
    confirms,
    decide,
    has_its_name,
    is_everybodys,
)
from stackward.model.service import NOVA_COMPUTE, ComputeService
from stackward.ports.machines import machine_in, machine_of
from stackward.ports.world import World
from stackward.status.lookups import cell_down, hypervisors_of
from stackward.wording import count_of

_SHOWN = 20  # of the compute nodes, where another was named


def several(what: str, word: str, them: Sequence[str]) -> BadInput:
    """Return the error for a name that several have, with a line for each of them."""
    return BadInput(
        f"{count_of(len(them), what)} are called `{word}`", details=them, hint="give the id of one"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A compute node: what Nova has of it, and which node of the inventory it is."""

    service: ComputeService
    hypervisor: Hypervisor
    match: Match


def find_node(
    world: World,
    services: Sequence[ComputeService],
    name: str,
    remembered: Mapping[str, Itself] | None = None,
) -> Found:
    """Return the compute node of this name; `remembered` is what nodes once said of themselves.

    Raises `Refused` where two machines may be meant: both are named. A node with exactly this name
    is asked too: a plan must not be made for the machine of another host.
    """
    found = sought_node(world, services, name, remembered)
    refuse_machine_of_another(world, services, name, found)
    return found


def sought_node(
    world: World,
    services: Sequence[ComputeService],
    name: str,
    remembered: Mapping[str, Itself] | None = None,
) -> Found:
    """Return the same, and leave out the last question: whether the node is another host's.

    A node that may be silent is asked that at the same time as all else: each question waits.
    """
    computes = {one.host: one for one in services if one.binary == NOVA_COMPUTE}
    said = remembered or {}
    host = _host_called(world, computes, name, said)
    if not computes[host].is_known:
        raise cell_down(f"the host `{host}`")
    hypervisor = _hypervisor_of(world, host)
    match = machine_in(world, machine_of(hypervisor), said)
    if match.doubtful:
        raise Refused(
            f"cannot determine which machine `{name}` is: {match.why}",
            hint="give each of them in the inventory the name that Nova has for it, or its "
            "`host_ip` as `ansible_host`: `openstack hypervisor list --long` shows both",
        )
    _refuse_another(world, name, hypervisor, match)
    return Found(service=computes[host], hypervisor=hypervisor, match=match)


def nodes_of_hosts(
    world: World, hosts: Sequence[str], remembered: Mapping[str, Itself] | None = None
) -> dict[str, Match]:
    """Return which node each of Nova's hosts is, where the inventory has one, and only one.

    It is one call for all, and only if a name alone does not lead to a node. No node is asked: the
    names are only shown, and nodes in maintenance are often switched off.
    """
    known = world.shell.directory()
    directory = known.with_said({**(remembered or {}), **known.said})
    plain = {host: Machine(host=host) for host in hosts}
    if any(not has_its_name(directory.candidates(machine)) for machine in plain.values()):
        machines = {one.host: machine_of(one) for one in world.nova.hypervisors()}
        plain |= {host: machines[host] for host in hosts if host in machines}
    return {
        host: decide(machine, directory.candidates(machine), directory.said)
        for host, machine in plain.items()
    }


def _host_called(
    world: World,
    computes: Mapping[str, ComputeService],
    name: str,
    remembered: Mapping[str, Itself],
) -> str:
    """Return Nova's host of this name."""
    if name in computes:
        return name
    hosts = Hosts(computes)
    if name in world.shell.directory():
        return _host_of_node(world, computes, hosts, name, remembered)
    called = hosts.called(name)
    if not called or is_everybodys(name):
        raise _unknown(name, computes)
    host = _only(name, called)
    if compare(name, host) is Likeness.ALIKE and len(name) > len(host):
        _confirm_whole_name(world, computes, name, host)
    return host


def _host_of_node(
    world: World,
    computes: Mapping[str, ComputeService],
    hosts: Hosts,
    name: str,
    remembered: Mapping[str, Itself],
) -> str:
    """Return Nova's host of a node of the inventory: by its name, its own words, its address."""
    called = () if is_everybodys(name) else hosts.called(name)
    if len(called) == 1:
        return called[0]
    said = world.shell.itself(name) or remembered.get(name)
    if said:
        if said.configured and said.configured in computes:
            return said.configured
        by_itself = hosts.called(*said.all_names)
        if by_itself and (not called or set(by_itself) <= set(called)):
            return _only(name, by_itself)
    if called:
        return _only(name, called)
    address = world.shell.directory().node(name).address
    own = () if is_everybodys(address) else _hosts_at(world, address)
    if not own:
        raise _not_in_nova(name, said, computes)
    return _only(name, own)


def _hosts_at(world: World, address: str) -> tuple[str, ...]:
    return tuple(
        one.host
        for one in world.nova.hypervisors()
        if one.address and compare(one.address, address) is Likeness.SAME
    )


def _only(name: str, hosts: Iterable[str]) -> str:
    distinct = list(dict.fromkeys(hosts))
    if len(distinct) == 1:
        return distinct[0]
    listed = " and ".join(f"`{host}`" for host in distinct)
    raise Refused(
        f"cannot determine which machine `{name}` is: {count_of(len(distinct), 'host')} of Nova "
        f"may be it: {listed}",
        hint="name the host as Nova does, in full; of a machine that was renamed, the host that "
        "is `up` is today's: `openstack compute service list --service nova-compute`",
    )


def _confirm_whole_name(
    world: World, computes: Mapping[str, ComputeService], name: str, host: str
) -> None:
    """Refuse a whole name of which only the first part leads to a host."""
    hypervisor = _hypervisor_of(world, host)
    if compare(name, hypervisor.name) is Likeness.SAME:
        return
    node = machine_in(world, machine_of(hypervisor)).node
    said = world.shell.itself(node) if node else None
    if said and any(compare(name, own) is Likeness.SAME for own in said.all_names):
        return
    raise _unknown(name, computes)


def _hypervisor_of(world: World, host: str) -> Hypervisor:
    own = hypervisors_of(world.nova, host)
    if len(own) == 1 and not are_all_ironic([own[0].kind]):
        return own[0]
    if are_all_ironic([one.kind for one in own]):
        raise Refused(
            f"`{host}` is no machine: Ironic has {count_of(len(own), 'hypervisor')} there",
            hint="bare-metal servers are not moved; see `openstack baremetal node list`",
        )
    raise Unreachable(
        f"Nova has {count_of(len(own), 'hypervisor')} for the host `{host}`, where one is expected",
        hint="see `openstack hypervisor list`; a host that was renamed has its hypervisor under "
        "its new name",
    )


def _refuse_another(world: World, name: str, hypervisor: Hypervisor, match: Match) -> None:
    """Refuse a name that means one machine in Nova and another one in the inventory."""
    directory = world.shell.directory()
    if name not in directory or match.node == name:
        return
    if match.node and directory.node(match.node).place == directory.node(name).place:
        return
    other = f"the node `{match.node}`" if match.node else "none that is known"
    raise Refused(
        f"cannot determine which machine `{name}` is: Nova's host `{hypervisor.host}` is {other}, "
        f"and the inventory names another one `{name}`",
        details=[match.why],
        hint="give the nodes of the inventory the names that Nova has for them",
    )


def refuse_machine_of_another(
    world: World, services: Sequence[ComputeService], name: str, found: Found
) -> None:
    """Refuse a node that is the machine of another host by its own words, or by its address.

    Raises `Refused`. A node that does not answer takes the time of one question.
    """
    hypervisor, node = found.hypervisor, found.match.node
    if node is None:
        return
    hosts = Hosts(one.host for one in services if one.binary == NOVA_COMPUTE)
    said = world.shell.directory().said.get(node) or world.shell.itself(node)
    own = _hosts_of_words(hosts, said) if said else ()
    if hypervisor.host in own:
        return
    hint = f"correct the `ansible_host` of `{node}` in the inventory, or the name of that entry"
    if own:
        others = " and ".join(f"`{each}`" for each in dict.fromkeys(own))
        raise Refused(
            f"cannot determine which machine `{name}` is: the node `{node}` says that it is "
            f"{others}, which is another host of Nova than `{hypervisor.host}`",
            hint=hint,
        )
    address = world.shell.directory().node(node).address
    if said and confirms(said, machine_of(hypervisor)) is False:
        _refuse_unknown_machine(name, hypervisor, node, said, address)
    if not _may_contradict(address, hypervisor.address):
        return
    if owners := _hosts_at(world, address):
        others = " and ".join(f"`{each}`'s" for each in owners)
        raise Refused(
            f"cannot determine which machine `{name}` is: the inventory has the address "
            f"{address} for the node `{node}`, and it is {others} in Nova, where "
            f"`{hypervisor.host}` has {hypervisor.address}",
            hint=hint,
        )


def _refuse_unknown_machine(
    name: str, hypervisor: Hypervisor, node: str, said: Itself, address: str
) -> None:
    """Refuse a node that calls itself otherwise, unless its address is this host's.

    A machine may have been renamed since nova-compute was started. A `[DEFAULT] host` that can be
    read decides, with any address.
    """
    is_at_its_address = (
        hypervisor.address is not None
        and not is_everybodys(address)
        and compare(address, hypervisor.address) is Likeness.SAME
    )
    if is_at_its_address and not said.configured:
        return
    known = dict.fromkeys((hypervisor.host, hypervisor.name))
    own = ", ".join(f"`{each}`" for each in said.all_names)
    raise Refused(
        f"cannot determine which machine `{name}` is: the node `{node}` calls itself {own}, and "
        f"Nova knows this host as {', '.join(f'`{each}`' for each in known)}"
        + (f" at {hypervisor.address}" if hypervisor.address else ""),
        hint=f"correct the `ansible_host` of `{node}` in the inventory; if the machine was renamed "
        "since, restart its nova-compute, or give Nova's `host_ip` as its `ansible_host`",
    )


def _hosts_of_words(hosts: Hosts, said: Itself) -> tuple[str, ...]:
    """Return Nova's hosts that a node may be by its own words; `host` of its settings wins."""
    if said.configured and (configured := hosts.called(said.configured)):
        return configured
    return hosts.called(*(own for own in said.all_names if not is_everybodys(own)))


def _may_contradict(address: str, known: str | None) -> bool:
    """Say whether an address may be another host's: it is one, and not this host's in Nova."""
    return (
        known is not None
        and address_of(address) is not None
        and not is_everybodys(address)
        and compare(address, known) is not Likeness.SAME
    )


def _not_in_nova(
    name: str, said: Itself | None, computes: Mapping[str, ComputeService]
) -> BadInput:
    own = "it cannot be asked what it calls itself"
    if said:
        own = f"it calls itself {', '.join(f'`{each}`' for each in said.all_names)}"
    return BadInput(f"Nova has no host for `{name}`: {own}", hint=_computes_are(computes))


def _unknown(name: str, computes: Mapping[str, object]) -> BadInput:
    return BadInput(f"there is no compute node `{name}`", hint=_computes_are(computes))


def _computes_are(computes: Mapping[str, object]) -> str:
    if not computes:
        return "Nova has no compute nodes"
    known = ", ".join(f"`{host}`" for host in sorted(computes)[:_SHOWN])
    return f"the compute nodes are {known}{', ...' if len(computes) > _SHOWN else ''}"
