"""Whether witnesses agree on what was repaired: asked of those that the repair did not change."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from stackward.model.network import INACTIVE
from stackward.plan import VOLATILE, Answer, Finding, Holds, Unverified
from stackward.ports.world import World
from stackward.status.lookups import hypervisor_of
from stackward.status.proof import domain_on_target
from stackward.wording import count_of

_AGAIN = "look again: `stackward cloud reconcile`"
_GUESTS = {"active": "running", "paused": "paused", "stopped": "shut off", "suspended": "shut off"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocatedWhereTheyAre:
    """Each of these servers holds allocations on one node: where Nova and libvirt have it."""

    kind: ClassVar[str] = "allocated-where-they-are"

    # No decision of its own: it follows what is repaired.
    servers: tuple[str, ...] = field(metadata=VOLATILE)

    @property
    def summary(self) -> str:
        """Say the statement."""
        return (
            f"{count_of(len(self.servers), 'server holds', 'servers hold')} allocations only where "
            "Nova and libvirt have it"
        )

    def ask(self, world: World, /) -> Answer:
        """Ask Nova where it is, libvirt whether its guest is there, placement what it holds."""
        gone = 0
        for each in self.servers:
            server = world.nova.server(each)
            if server is None:
                gone += 1
                continue
            hypervisor = hypervisor_of(world.nova, server.host or "")
            held = world.placement.allocations_of(each)
            if hypervisor is None or held != {hypervisor.id}:
                reason = f"it is on `{server.host}`, and holds allocations on {', '.join(held)}"
                return Finding(server.label, reason, _AGAIN)
            state = _GUESTS.get(server.vm_state)
            row = domain_on_target(world, each, hypervisor, state)
            if row.wrong:
                return Finding(server.label, f"its guest there {row.wrong}", _AGAIN)
            if row.unread and row.applies:
                return Unverified(server.label, row.unread, _AGAIN)
        asked = count_of(len(self.servers) - gone, "server")
        return Holds(f"Nova, libvirt and placement say so of {asked}; {gone} deleted since")


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldNothing:
    """None of these consumers holds allocations, and Nova has no such server."""

    kind: ClassVar[str] = "hold-nothing"

    consumers: tuple[str, ...] = field(metadata=VOLATILE)  # same

    @property
    def summary(self) -> str:
        """Say the statement."""
        count = count_of(len(self.consumers), "consumer holds", "consumers hold")
        return f"{count} nothing at placement, and Nova has no such server"

    def ask(self, world: World, /) -> Answer:
        """Ask both."""
        for each in self.consumers:
            if world.nova.server(each) is not None:
                return Finding(each, "Nova has such a server", _AGAIN)
            if held := world.placement.allocations_of(each):
                return Finding(each, f"it holds allocations on {', '.join(sorted(held))}", _AGAIN)
        return Holds(f"placement and Nova were asked for {len(self.consumers)} of them")


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundOnce:
    """Each port has one binding, where Nova has its server."""

    kind: ClassVar[str] = "bound-once"

    ports: tuple[tuple[str, str], ...] = field(metadata=VOLATILE)  # (port, server); same

    @property
    def summary(self) -> str:
        """Say the statement."""
        count = count_of(len(self.ports), "port has", "ports have")
        return f"{count} one binding, where Nova has the server"

    def ask(self, world: World, /) -> Answer:
        """Ask Neutron for the bindings, Nova for the server."""
        for port, reason in self._wrong(world):
            return Finding(port, reason, _AGAIN)
        return Holds(f"Neutron and Nova were asked for {len(self.ports)} of them")

    def _wrong(self, world: World) -> Iterator[tuple[str, str]]:
        for port, id_ in self.ports:
            server = world.nova.server(id_)
            if server is None:
                continue
            bound = world.neutron.bindings_of(port)
            active = [host for host, status in bound if status != INACTIVE]
            if active != [server.host] or len(bound) > 1:
                listed = ", ".join(f"{status} on {host}" for host, status in bound)
                yield port, f"its server is on `{server.host}`, and it is {listed or 'not bound'}"
