"""Whether witnesses agree on what was repaired: only those that the repair did not change."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from stackward.model.hypervisor import Hypervisor
from stackward.model.network import INACTIVE
from stackward.model.server import Server
from stackward.plan import VOLATILE, CheckResult, Holds, Refuted, Unverified
from stackward.ports.world import World
from stackward.status.lookups import hypervisor_of
from stackward.status.proof import Row, domain_on_target, no_domain_on_source, volumes_on
from stackward.wording import count_of

_AGAIN = "look again: `stackward cloud reconcile`"
_GUESTS = {
    "active": "running",
    "rescued": "running",
    "paused": "paused",
    "stopped": "shut off",
    "suspended": "shut off",
}


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

    def ask(self, world: World, /) -> CheckResult:
        """Ask Nova where it is, libvirt whether its guest is there, placement what it holds."""
        gone, roots = 0, world.placement.provider_roots()
        nodes = {one.id: one.host for one in world.nova.hypervisors()}
        for each in self.servers:
            server = world.nova.server(each)
            if server is None:
                gone += 1
                continue
            hypervisor = hypervisor_of(world.nova, server.host or "")
            held = world.placement.allocations_of(each)
            row = _holds_on(server, hypervisor, held, roots, nodes)
            if not (row.wrong or row.unread):
                state = _GUESTS.get(server.vm_state)
                row = domain_on_target(world, each, hypervisor, state)
            if row.wrong:
                return Refuted(server.label, f"{row.name}: {row.wrong}", _AGAIN)
            if row.unread and row.applies:
                return Unverified(server.label, f"{row.name}: {row.unread}", _AGAIN)
        asked = count_of(len(self.servers) - gone, "server")
        return Holds(f"Nova, libvirt and placement say so of {asked}; {gone} deleted since")


def _holds_on(
    server: Server,
    hypervisor: Hypervisor | None,
    held: Collection[str],
    roots: Mapping[str, str],
    nodes: Mapping[str, str],
) -> Row:
    """Say whether it holds allocations on its node alone: nested providers belong to their root."""
    name = "allocations"
    if hypervisor is None:
        return Row(name, unread=f"Nova has no hypervisor of `{server.host}`")
    if unknown := sorted({*held} - roots.keys()):
        return Row(name, unread=f"of which node {', '.join(unknown)} is a part is not known")
    # A storage that nodes share is the root of a tree of its own, and no node.
    on = {roots[one] for one in held} & nodes.keys()
    if hypervisor.id in held and on == {hypervisor.id}:
        return Row(name)
    listed = ", ".join(sorted(nodes[one] for one in on)) or "no node"
    return Row(name, f"it is on `{server.host}`, and holds them on {listed}")


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

    def ask(self, world: World, /) -> CheckResult:
        """Ask both."""
        for each in self.consumers:
            if world.nova.server(each) is not None:
                return Refuted(each, "Nova has such a server", _AGAIN)
            if held := world.placement.allocations_of(each):
                return Refuted(each, f"it holds allocations on {', '.join(sorted(held))}", _AGAIN)
        return Holds(f"placement and Nova were asked for {len(self.consumers)} of them")


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestEnded:
    """These guests are gone, and each of their servers that Nova has runs where Nova has it."""

    kind: ClassVar[str] = "guest-ended"

    guests: tuple[tuple[str, str], ...] = field(metadata=VOLATILE)  # (server, host); same

    @property
    def summary(self) -> str:
        """Say the statement."""
        count = count_of(len(self.guests), "guest is", "guests are")
        return f"{count} gone, and each server runs where Nova, Neutron and Cinder have it"

    def ask(self, world: World, /) -> CheckResult:
        """Ask libvirt on both nodes, Nova, Neutron and Cinder."""
        deleted = 0
        for id_, host in self.guests:
            server = world.nova.server(id_)
            name = server.label if server else id_
            rows = [no_domain_on_source(world, id_, hypervisor_of(world.nova, host))]
            if server is None:
                deleted += 1
            else:
                rows += _rows_where_it_is(world, server)
            if wrong := next((one for one in rows if one.wrong), None):
                return Refuted(name, f"{wrong.name}: {wrong.wrong}", _AGAIN)
            if unread := next((one for one in rows if one.unread), None):
                return Unverified(name, f"{unread.name}: {unread.unread}", _AGAIN)
        runs = count_of(len(self.guests) - deleted, "server runs", "servers run")
        return Holds(
            f"{runs} where Nova, Neutron and Cinder say; Nova has no such server: {deleted}"
        )


def _rows_where_it_is(world: World, server: Server) -> Iterator[Row]:
    own = server.host or ""
    yield domain_on_target(world, server.id, hypervisor_of(world.nova, own), "running")
    yield volumes_on(world, server, own)
    for port in world.neutron.ports_of([server.id]):
        bindings = world.neutron.bindings_of(port.id)
        active = [host for host, status in bindings if status != INACTIVE]
        listed = ", ".join(active) or "no host"
        yield Row(f"port {port.id}", None if active == [own] else f"it is bound on {listed}")


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

    def ask(self, world: World, /) -> CheckResult:
        """Ask Neutron for the bindings, Nova for the server."""
        for port, reason in self._wrong(world):
            return Refuted(port, reason, _AGAIN)
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
