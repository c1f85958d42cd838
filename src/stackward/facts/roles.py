"""What else a machine does for the cloud: moving its servers away does not move these."""

from collections.abc import Sequence

from stackward.errors import NotInCatalog
from stackward.model.compute import NOVA_COMPUTE, ComputeService, Role
from stackward.ports.cloud import Cloud

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
    remedy="run the backend on another host too, or tell users",
)
_CONTROL = Role(
    name="control plane",
    effect="services of the cloud itself run there",
    remedy="take it out as a controller, not as a compute node",
)


def read_roles(
    cloud: Cloud, services: Sequence[ComputeService], host: str, groups: Sequence[str]
) -> tuple[Role, ...]:
    """Return what else the host does, by Neutron, Cinder, Nova and the inventory."""
    agents = {agent.kind for agent in cloud.network_agents_on(host)}
    roles = [role for kind, role in _OF_AGENTS.items() if kind in agents]
    if any(one.partition("@")[0] == host for one in _volume_services(cloud)):
        roles.append(_CINDER_VOLUME)
    has_control = any(one.host == host and one.binary != NOVA_COMPUTE for one in services)
    if has_control or {"control", "controller", "controllers"} & set(groups):
        roles.append(_CONTROL)
    return tuple(roles)


def _volume_services(cloud: Cloud) -> Sequence[str]:
    """Return the hosts of Cinder's volume services; a cloud without Cinder has none."""
    try:
        return cloud.volume_services()
    except NotInCatalog:
        return ()
