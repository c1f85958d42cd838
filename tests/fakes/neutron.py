"""What stands for Neutron in the fast tests."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from builders import an_id
from fakes.nova import FakeNova
from stackward.errors import StepFailed, Unreachable
from stackward.model.network import HostedAgent, Network, NetworkAgent, OwnedPort, Port

LAB_NET = Network(id=an_id("lab-net"), name="lab-net")


@dataclass
class FakeNeutron:
    """Neutron; the ports of a server are those that Nova has of it."""

    bound: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)  # else: well
    unread: set[str] = field(default_factory=set)  # hosts whose ports cannot be read
    agents: dict[str, tuple[str, ...]] = field(default_factory=dict)
    silent_agents: set[str] = field(default_factory=set)  # hosts
    leftovers: dict[str, str] = field(default_factory=dict)  # ports, with servers there are not
    name_of_leftovers: str = "web"
    deleted: list[str] = field(default_factory=list)  # ports and agents, by id
    networks: tuple[Network, ...] = (LAB_NET,)
    calls: Counter[str] = field(default_factory=Counter)
    nova: FakeNova = field(init=False, repr=False)

    def ports_of(self, servers: Sequence[str], /) -> tuple[Port, ...]:
        self.calls["ports"] += -(-len(servers) // 50)
        found = (self.nova.known[server] for server in servers if server in self.nova.known)
        return tuple(replace(port, host=server.host) for server in found for port in server.ports)

    def ports_on(self, host: str, /) -> tuple[Port, ...]:
        self.calls["ports on"] += 1
        if host in self.unread:
            raise Unreachable("Neutron does not answer")
        found = []
        for port in self.ports_of([*self.nova.known]):
            bound = dict(self.bindings_of(port.id))
            if host in bound:
                active = next((at for at, status in bound.items() if status == "ACTIVE"), None)
                found.append(replace(port, host=active))
        return tuple(found)

    def bindings_of(self, port: str, /) -> tuple[tuple[str, str], ...]:
        self.calls["bindings"] += 1
        owners = [s for s in self.nova.known.values() for each in s.ports if each.id == port]
        return self.bound.get(port, tuple((one.host or "", "ACTIVE") for one in owners))

    def every_port(self) -> tuple[OwnedPort, ...]:
        self.calls["all ports"] += 1
        if self.unread:
            raise Unreachable("Neutron does not answer")
        known = [(port.id, one) for one in self.nova.known.values() for port in one.ports]
        return (
            *(OwnedPort(id=id_, name="", server=one.id, host=one.host, project="demo")
              for id_, one in known),
            *(OwnedPort(id=id_, name=self.name_of_leftovers, server=server, host=None,
                        project="demo")
              for id_, server in self.leftovers.items()),
        )  # fmt: skip

    def port(self, port: str, /) -> OwnedPort | None:
        return next((one for one in self.every_port() if one.id == port), None)

    def every_agent(self) -> tuple[HostedAgent, ...]:
        self.calls["all agents"] += 1
        return tuple(
            HostedAgent(
                id=an_id(f"{host}-{one.kind}"), kind=one.kind, host=host, is_alive=one.is_alive,
                heard="2025-12-22 03:00:00",
            )
            for host in self.agents
            for one in self.network_agents_on(host)
        )  # fmt: skip

    def network_agents_on(self, host: str, /) -> tuple[NetworkAgent, ...]:
        self.calls["agents"] += 1
        is_alive = host not in self.silent_agents
        return tuple(
            NetworkAgent(kind=kind, is_alive=is_alive) for kind in self.agents.get(host, ())
        )

    def networks_called(self, word: str, /) -> tuple[Network, ...]:
        return tuple(each for each in self.networks if word in {each.id, each.name})

    def remove_binding(self, port: str, host: str, /) -> None:
        self.bound[port] = tuple(each for each in self.bindings_of(port) if each[0] != host)

    def delete_port(self, port: str, /) -> str:
        if self.leftovers.pop(port, None) is None:  # those of servers go with them
            raise StepFailed("could not change it: Neutron answered 404", service="Neutron")
        self.deleted.append(port)
        return f"req-{port}"

    def delete_agent(self, agent: str, /) -> str:
        found = next((one for one in self.every_agent() if one.id == agent), None)
        if found is None:
            raise StepFailed("could not change it: Neutron answered 404", service="Neutron")
        kinds = tuple(kind for kind in self.agents[found.host] if kind != found.kind)
        self.agents[found.host] = kinds
        self.deleted.append(agent)
        return f"req-{agent}"
