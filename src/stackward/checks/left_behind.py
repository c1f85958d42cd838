"""Whether what was left of servers and nodes is gone: by witnesses that the removal did not use.

The service that was asked to remove it counts too, but alone it proves nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from stackward.model.service import MEND_CELL
from stackward.plan import VOLATILE, CheckResult, Holds, Refuted, Unverified
from stackward.ports.world import World
from stackward.wording import count_of

_AGAIN = "look again: `stackward cloud reconcile --orphans`"


@dataclass(frozen=True, slots=True, kw_only=True)
class PortsGone:
    """Neutron does not have these ports, and Nova does not have their servers."""

    kind: ClassVar[str] = "ports-gone"

    # No decision of its own: it follows what is removed.
    ports: tuple[tuple[str, str], ...] = field(metadata=VOLATILE)  # (port, server)

    @property
    def summary(self) -> str:
        """Say the statement."""
        return f"{count_of(len(self.ports), 'port is', 'ports are')} gone, and no server misses one"

    def ask(self, world: World, /) -> CheckResult:
        """Ask both."""
        for port, server in self.ports:
            if world.neutron.port(port) is not None:
                return Refuted(port, "Neutron still has it", _AGAIN)
            if world.nova.server(server) is not None:
                return Refuted(port, f"Nova has its server {server}", _AGAIN)
        return Holds(f"Neutron and Nova were asked for {len(self.ports)} of them")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentsGone:
    """Cinder has these volumes still, and none of them attached to a server that is gone."""

    kind: ClassVar[str] = "attachments-gone"

    volumes: tuple[tuple[str, str], ...] = field(metadata=VOLATILE)  # (volume, server); same

    @property
    def summary(self) -> str:
        """Say the statement."""
        count = count_of(len(self.volumes), "volume is there and is", "volumes are there and are")
        return f"{count} no longer attached to a server that is gone"

    def ask(self, world: World, /) -> CheckResult:
        """Ask Cinder for the volume and its attachments, Nova for the server."""
        for volume, server in self.volumes:
            if reason := next(self._wrong(world, volume, server), None):
                return Refuted(volume, reason, _AGAIN)
        return Holds(f"Cinder and Nova were asked for {len(self.volumes)} of them")

    def _wrong(self, world: World, volume: str, server: str) -> Iterator[str]:
        found = world.cinder.volume(volume)
        if found is None:
            yield "Cinder does not have the volume any more: somebody has deleted it"
        elif any(owner == server for owner, _ in found.attached):
            yield f"Cinder has it attached to {server} still"
        if world.nova.server(server) is not None:
            yield f"Nova has the server {server}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicesGone:
    """Nova lists none of these services, and placement has no provider of their nodes."""

    kind: ClassVar[str] = "services-gone"

    services: tuple[tuple[str, str], ...] = field(metadata=VOLATILE)  # (id, host); same
    providers: tuple[str, ...] = field(default=(), metadata=VOLATILE)  # of the nodes among them

    @property
    def summary(self) -> str:
        """Say the statement."""
        count = count_of(len(self.services), "service is", "services are")
        return f"{count} gone from Nova, and placement has no provider of their nodes"

    def ask(self, world: World, /) -> CheckResult:
        """Ask both."""
        services = world.nova.services()
        if (unknown := next((one for one in services if not one.is_known), None)) is not None:
            return Unverified(unknown.host, "its cell is down: Nova may not list all", MEND_CELL)
        listed = {one.id for one in services}
        for service, host in self.services:
            if service in listed:
                return Refuted(host, f"Nova lists the service {service} still", _AGAIN)
        known = world.placement.provider_names() if self.providers else {}
        if left := [one for one in self.providers if one in known]:
            return Refuted(
                known[left[0]],
                f"placement has its provider {left[0]} still: Nova does not say why it stayed",
                f"see what holds it: `openstack resource provider show {left[0]} --allocations`",
            )
        asked = count_of(len(self.providers), "provider")
        others = count_of(len(listed), "other service")
        return Holds(f"Nova lists {others}; placement was asked for {asked}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentsGone:
    """Neutron lists none of these agents, and Nova has no server on their hosts."""

    kind: ClassVar[str] = "agents-gone"

    agents: tuple[tuple[str, str], ...] = field(metadata=VOLATILE)  # (id, host); same

    @property
    def summary(self) -> str:
        """Say the statement."""
        number = len({agent for agent, _ in self.agents})
        hosts = "its host" if number == 1 else "their hosts"
        count = count_of(number, "agent is", "agents are")
        return f"{count} gone from Neutron, and Nova has no server on {hosts}"

    def ask(self, world: World, /) -> CheckResult:
        """Ask both. With OVN, each neutron-server forgets an agent a moment later."""
        listed = {one.id for one in world.neutron.every_agent()}
        for agent, host in self.agents:
            if agent in listed:
                return Refuted(host, f"Neutron lists the agent {agent} still", _AGAIN, passes=True)
            if there := world.nova.servers_on(host):
                count = count_of(len(there), "server")
                return Refuted(host, f"Nova has {count} there", _AGAIN)
        others = count_of(len(listed), "other agent")
        return Holds(f"Neutron lists {others}; Nova was asked for each host")
