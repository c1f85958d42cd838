"""What Neutron has: ports of servers, networks and agents."""

from dataclasses import dataclass

INACTIVE = "INACTIVE"  # a port's binding that is prepared for a move, or left behind by one


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A server's network port, as Neutron has it."""

    id: str
    server: str
    vnic_type: str = "normal"
    status: str = "ACTIVE"
    host: str | None = None
    vif_type: str = "ovs"
    left_on: tuple[str, ...] = ()  # hosts on which it has an inactive binding
    is_wanted_up: bool = True  # False: its owner has switched it off


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedPort:
    """A port of a server, with whose it is."""

    id: str
    name: str
    server: str  # the id that it names, whether there is such a server or not
    host: str | None
    project: str
    changed: str | None = None  # when Neutron last wrote to it


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedAgent:
    """One of Neutron's agents, with its host."""

    id: str
    kind: str
    host: str
    is_alive: bool
    heard: str | None = None  # when Neutron last heard of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network, as Neutron has it."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkAgent:
    """One of Neutron's agents; with OVN, a chassis is one too."""

    kind: str
    is_alive: bool = True
