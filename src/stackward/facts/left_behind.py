"""Read what may be left of servers and nodes that are gone: ports, services, agents, owners.

Lists of all, page by page; what Nova does not have is asked for once more, one by one.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from stackward.facts.cloud_state import bare_metal_hosts
from stackward.facts.named import nodes_of_hosts
from stackward.model.identity import Itself
from stackward.model.network import HostedAgent, OwnedPort
from stackward.model.placement import Account
from stackward.model.server import ServerAction
from stackward.model.service import ComputeService
from stackward.model.testimony import CloudTestimony
from stackward.model.unread import Unread, or_unread
from stackward.ports.world import World

DELETIONS = frozenset({"delete", "forceDelete"})
_CELL_DOWN = Unread("a cell is down: what Nova has there is not known")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftBehind:
    """What was read in addition to the testimony of the witnesses."""

    ports: tuple[OwnedPort, ...] | Unread  # whose server Nova does not have
    living: Mapping[str, str]  # the server of each other port, by port
    services: tuple[ComputeService, ...]
    agents: tuple[HostedAgent, ...] | Unread
    strangers: frozenset[str]  # machines that are no node of the inventory
    nodes: Mapping[str, str]  # by host: the node of the inventory that it is
    accounts: Mapping[str, Account | Unread | None]  # by consumer
    deletions: Mapping[str, ServerAction | Unread | None]  # by server: the last that succeeded


def read_left_behind(  # noqa: PLR0913  # what it is asked for
    world: World,
    testimony: CloudTestimony,
    remembered: Mapping[str, Itself],
    *,
    consumers: Iterable[str],
    servers: Iterable[str],
    only: Container[str] | None = None,
) -> LeftBehind:
    """Return what was read; of these consumers what they hold, and who deleted these servers.

    If `only` is given, only ports with these ids are looked for.
    """
    services, agents = world.nova.services(), or_unread(world.neutron.every_agent)
    listed = () if isinstance(agents, Unread) else agents
    hosts = tuple(dict.fromkeys([*(one.host for one in services), *(one.host for one in listed)]))
    nodes = nodes_of_hosts(world, hosts, remembered)
    no_machines = bare_metal_hosts(world.nova.hypervisors())
    ports, living = _ports(world, testimony, only)
    owners = () if isinstance(ports, Unread) else (one.server for one in ports)
    return LeftBehind(
        ports=ports,
        living=living,
        services=services,
        agents=agents,
        strangers=frozenset(
            host
            for host, match in nodes.items()
            if match.node is None and not match.doubtful and host not in no_machines
        ),
        nodes={host: match.node for host, match in nodes.items() if match.node is not None},
        accounts={
            each: or_unread(partial(world.placement.account_of, each))
            for each in dict.fromkeys(consumers)
        },
        deletions={each: read_deletion(world, each) for each in dict.fromkeys([*servers, *owners])},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierLook:
    """What an earlier look has read: the next look shows by it what has changed since then."""

    servers: frozenset[str]  # all that Nova had then
    ports: Mapping[str, OwnedPort] | Unread
    services: Mapping[str, ComputeService]
    agents: Mapping[str, HostedAgent] | Unread

    def differs(self, left: LeftBehind) -> frozenset[str]:
        """Return the ids of the ports, services and agents that have changed since that look.

        A port counts as changed, too, if Nova had its server then.
        """
        return frozenset(
            one.id
            for before, now in (
                (self.ports, left.ports),
                (self.services, left.services),
                (self.agents, left.agents),
            )
            for one in (() if isinstance(now, Unread) else now)
            if isinstance(before, Unread)
            or before.get(one.id) != one
            or (isinstance(one, OwnedPort) and one.server in self.servers)
        )


def read_earlier_look(world: World) -> EarlierLook:
    """Return what there is now: lists of all, page by page."""
    ports, agents = or_unread(world.neutron.every_port), or_unread(world.neutron.every_agent)
    return EarlierLook(
        servers=frozenset(one.id for one in world.nova.every_server()),
        ports=ports if isinstance(ports, Unread) else {one.id: one for one in ports},
        services={one.id: one for one in world.nova.services()},
        agents=agents if isinstance(agents, Unread) else {one.id: one for one in agents},
    )


def _ports(
    world: World, testimony: CloudTestimony, only: Container[str] | None
) -> tuple[tuple[OwnedPort, ...] | Unread, Mapping[str, str]]:
    """Return the ports of servers that Nova does not have, and the servers of the others.

    Each server that is missing is asked for by its id.
    """
    if not testimony.is_whole:
        return _CELL_DOWN, {}
    found = or_unread(world.neutron.every_port)
    if isinstance(found, Unread):
        return found, {}
    found = tuple(one for one in found if one.server and (only is None or one.id in only))
    odd = [one for one in found if one.server not in testimony.servers]
    gone = {
        each for each in dict.fromkeys(one.server for one in odd) if world.nova.server(each) is None
    }
    return (
        tuple(one for one in odd if one.server in gone),
        {one.id: one.server for one in found if one.server not in gone},
    )


def read_deletion(world: World, server: str) -> ServerAction | Unread | None:
    """Return the last deletion of a server that succeeded; None where Nova knows of none."""
    actions = or_unread(partial(world.nova.actions_of, server))
    if isinstance(actions, Unread):
        return actions
    done = (one for one in actions if one.action in DELETIONS and one.message is None)
    return next(done, None)
