"""What else a machine does for the cloud: moving its servers away does not move these."""

from collections.abc import Sequence

from stackward.errors import NotInCatalog
from stackward.model.identity import Hosts, Machine, machine_part
from stackward.model.node import Role
from stackward.model.service import NOVA_COMPUTE, ComputeService
from stackward.ports.cinder import Cinder
from stackward.ports.world import World

_OF_AGENTS = {
    "OVN Controller Gateway agent": Role(
        name="OVN gateway",
        effect="routers whose gateway it is move to another chassis: a break of seconds",
        remedy="give each router another chassis: `ovn-nbctl lrp-get-gateway-chassis`",
    ),
    "L3 agent": Role(
        name="L3 agent",
        effect="routers that it hosts are cut off until they are moved",
        remedy="move its routers: `openstack network agent remove router --l3`, then `add router`",
    ),
    "DHCP agent": Role(
        name="DHCP agent",
        effect="networks that only it serves get no new leases",
        remedy="give its networks another agent: `openstack network agent add network --dhcp`",
    ),
}
_CINDER_VOLUME = Role(
    name="cinder-volume",
    effect="volumes of its backend cannot be made, attached or deleted while it is away",
    remedy="run the backend on another host too, or inform the users",
)
_CONTROL = Role(
    name="control plane",
    effect="services of the cloud itself run there",
    remedy="take it out as a controller, not as a compute node",
)


def read_roles(
    world: World,
    services: Sequence[ComputeService],
    machine: Machine,
    groups: Sequence[str],
) -> tuple[Role, ...]:
    """Return what else a machine does, by Neutron, Cinder, Nova and the inventory.

    Their hosts may have other names than Nova's: each name of the machine is asked for.
    """
    names = machine.names
    agents = {
        agent.kind
        for name in dict.fromkeys(names)
        for agent in world.neutron.network_agents_on(name)
    }
    roles = [role for kind, role in _OF_AGENTS.items() if kind in agents]
    if Hosts(map(machine_part, _volume_services(world.cinder))).called(*names):
        roles.append(_CINDER_VOLUME)
    if Hosts(one.host for one in services if one.binary != NOVA_COMPUTE).called(*names) or (
        {"control", "controller", "controllers"} & set(groups)
    ):
        roles.append(_CONTROL)
    return tuple(roles)


def _volume_services(cinder: Cinder) -> Sequence[str]:
    """Return the hosts of Cinder's volume services; a cloud without Cinder has none."""
    try:
        return cinder.volume_services()
    except NotInCatalog:
        return ()
