"""A cloud small enough to hold in the head; it refuses what the real one refuses."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Generic, TypeAlias, get_type_hints

from builders import NOW, a_candidate, a_flavor, a_service, an_id
from stackward.errors import Uncertain, Unreachable
from stackward.facts.domains import FILESYSTEM, LIST, STATS
from stackward.model.acceptance import NewServer
from stackward.model.aggregate import Aggregate
from stackward.model.blind import Blind
from stackward.model.cloud import CloudIdentity
from stackward.model.compute_process import PROCESSES
from stackward.model.flavor import OfferedFlavor
from stackward.model.hypervisor import Hypervisor
from stackward.model.identity import Directory, Itself, Known
from stackward.model.image import Image
from stackward.model.instance_ha import Guarded
from stackward.model.login import Login
from stackward.model.maintenance import DROP_IN, DROP_IN_TEXT
from stackward.model.migration import Migration
from stackward.model.network import Network, NetworkAgent, Port
from stackward.model.placement import Candidate, Inventory, Need, Provider
from stackward.model.project import Project
from stackward.model.server import ActionEvent, Server, ServerAction, ServerGroup
from stackward.model.service import ComputeService
from stackward.model.volume import Volume
from stackward.ports.clock import Clock
from stackward.ports.login import hint_for
from stackward.ports.machines import Ask
from stackward.ports.root import FILL_DROP_IN, Words, must_be_declared
from stackward.ports.shell import Answer, Rights, Shell
from stackward.ports.together import Key, Told
from stackward.ports.world import Acting, World

if TYPE_CHECKING:
    from stackward.adapters.openstack import OpenStackCloud

DISABLED = "COMPUTE_STATUS_DISABLED"
NOVA_COMPUTE_RUNS = "/usr/bin/python3 /usr/bin/nova-compute --config-file=/etc/nova/nova.conf"
IN_A_CONTAINER = (
    f"  8 0::/system.slice/docker-4f5e6a7b8c9d{'0' * 52}.scope"
    " /var/lib/kolla/venv/bin/python3 /var/lib/kolla/venv/bin/nova-compute"
)
_POWERED = {
    "powering-off": ("SHUTOFF", "stopped", 4),
    "powering-on": ("ACTIVE", "active", 1),
    "rebooting": ("ACTIVE", "active", 1),
    "rebooting_hard": ("ACTIVE", "active", 1),
}
GUEST = Image(
    id=an_id("guest"), name="guest", status="active", disk_format="raw", size_bytes=20 * 2**20
)
TINY = OfferedFlavor(id=an_id("tiny"), name="tiny", vcpus=1, ram_mib=128)
LAB_NET = Network(id=an_id("lab-net"), name="lab-net")
DEMO = Project(id="demo", name="Demonstrations")


class FakeClock:
    """Time that passes only when it is waited for."""

    def __init__(self) -> None:
        self._passed = 0.0

    def now(self) -> datetime:
        return (NOW + timedelta(seconds=self._passed)).astimezone(UTC)

    def monotonic(self) -> float:
        return self._passed

    def wait(self, seconds: float) -> None:
        self._passed += seconds


@dataclass
class FakeCloud:
    """Hosts with servers; a move takes one `pass_time()` from each stage to the next."""

    hosts: tuple[str, ...] = ("compute-07", "compute-08", "compute-09")
    known: dict[str, Server] = field(default_factory=dict)
    migrations: list[Migration] = field(default_factory=list)
    actions: dict[str, list[ServerAction]] = field(default_factory=dict)
    groups: dict[str, ServerGroup] = field(default_factory=dict)
    volumes: dict[str, Volume] = field(default_factory=dict)
    zones: tuple[Aggregate, ...] = ()
    bound: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)  # else: well
    agents: dict[str, tuple[str, ...]] = field(default_factory=dict)
    catalog: frozenset[str] = frozenset({"compute"})
    traits: dict[str, set[str]] = field(default_factory=dict)
    leftovers: dict[str, set[str]] = field(default_factory=dict)  # allocations of migrations
    failures: dict[str, str] = field(default_factory=dict)  # what the next move of a server says
    calls: Counter[str] = field(default_factory=Counter)
    computes: dict[str, ComputeService] = field(default_factory=dict)
    kind: str = "QEMU"
    # The hypervisor's name and address, where they are not the host's name and none.
    named: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    has_conductor: bool = True
    syncs_traits: bool = True  # Nova swallows a failed sync
    silent_agents: set[str] = field(default_factory=set)  # hosts
    without_rpc: set[str] = field(default_factory=set)  # hosts
    cells_down: set[str] = field(default_factory=set)  # hosts of which Nova knows the name only
    inventories: dict[str, Inventory] = field(
        default_factory=lambda: {
            "VCPU": Inventory(total=8),
            "MEMORY_MB": Inventory(total=16384),
        }
    )
    guards: dict[str, Guarded] = field(default_factory=dict)  # of the instance-HA service
    images: tuple[Image, ...] = (GUEST,)
    offered: tuple[OfferedFlavor, ...] = (TINY,)
    networks: tuple[Network, ...] = (LAB_NET,)
    projects: tuple[Project, ...] = (DEMO,)
    fault: str | None = None  # why no server can be built
    place: str = "http://ctl:5000 RegionOne"
    service_id: str = ""  # in the catalog; else each place is another cloud
    slow: set[str] = field(default_factory=set)  # servers whose live migrations never end
    events: dict[str, tuple[ActionEvent, ...]] = field(default_factory=dict)  # by request
    boots: Counter[str] = field(default_factory=Counter)  # by server
    not_rebooting: set[str] = field(default_factory=set)  # Nova gives up, and logs that it is well
    attachments: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)  # else: well
    ticks: int = 0  # seconds, one by each `pass_time()`
    building: dict[str, NewServer] = field(default_factory=dict)  # by id
    built: list[NewServer] = field(default_factory=list)
    listed: tuple[Hypervisor, ...] = ()  # by the last list of all

    def __post_init__(self) -> None:
        self.computes = {host: a_service(host) for host in self.hosts}

    @property
    def _itself(self) -> "FakeCloud":
        return self

    nova = placement = neutron = cinder = glance = keystone = masakari = _itself

    def add(self, *servers: Server) -> None:
        """Put servers on their hosts."""
        self.known |= {server.id: server for server in servers}

    # --- reading ---

    def identity(self) -> CloudIdentity:
        id_ = self.service_id or f"nova of {self.place}"
        return CloudIdentity(id=id_, name=self.place, formerly=(self.place,))

    def has_service(self, kind: str, /) -> bool:
        return kind in self.catalog

    def services(self) -> tuple[ComputeService, ...]:
        self.calls["services"] += 1
        conductor = a_service("ctl", binary="nova-conductor", is_up=self.has_conductor)
        return tuple(map(self._known_of, (*self.computes.values(), conductor)))

    def _known_of(self, service: ComputeService) -> ComputeService:
        if service.host not in self.cells_down:
            return service
        blank = a_service(service.host, id="", is_enabled=False, is_up=False, zone="")
        return replace(blank, binary=service.binary, is_known=False)

    def hypervisors_like(self, name: str, /) -> tuple[Hypervisor, ...]:
        self.calls["hypervisors"] += 1
        return tuple(one for one in self._hypervisors() if name in one.name)

    def hypervisors(self) -> tuple[Hypervisor, ...]:
        self.calls["all hypervisors"] += 1
        self.listed = tuple(self._hypervisors())
        return self.listed

    def known_hypervisors(self) -> tuple[Hypervisor, ...]:
        return self.listed

    def _hypervisors(self) -> Iterator[Hypervisor]:
        for host in self.hosts:
            name, address = self.named.get(host, (host, None))
            yield Hypervisor(
                id=an_id(host),
                name=name,
                host=host,
                kind=self.kind,
                address=address,
                version=10_000_000,
            )

    def servers_on(self, host: str, /) -> tuple[Server, ...]:
        self.calls["servers"] += 1
        return tuple(
            replace(server, ports=(), volumes=(), group=None)
            for server in self.known.values()
            if server.host == host and host not in self.cells_down
        )

    def server(self, server: str, /) -> Server | None:
        self.calls["server"] += 1
        found = self.known.get(server)
        return replace(found, ports=(), volumes=(), group=None) if found else None

    def servers_called(self, word: str, /) -> tuple[Server, ...]:
        return tuple(one for one in self.known.values() if word in {one.id, one.name})

    def attachments_of(self, server: str, /) -> tuple[tuple[str, str], ...]:
        self.calls["attachments"] += 1
        known = self.known.get(server)
        well = tuple((an_id(f"of-{each}"), each) for each in known.volume_ids) if known else ()
        return self.attachments.get(server, well)

    def server_group(self, group: str, /) -> ServerGroup | None:
        self.calls["server group"] += 1
        return self.groups.get(group)

    def migrations_of(self, host: str, status: str, /) -> tuple[Migration, ...]:
        self.calls["migrations"] += 1
        return tuple(
            each
            for each in self.migrations
            if each.status == status and host in {each.source, each.target}
        )

    def newest_migrations(self, host: str, /) -> tuple[Migration, ...]:
        self.calls["newest migrations"] += 1
        return tuple(
            each for each in reversed(self.migrations) if host in {each.source, each.target}
        )

    def migrations_of_server(self, server: str, /) -> tuple[Migration, ...]:
        self.calls["migrations"] += 1
        return tuple(each for each in reversed(self.migrations) if each.server == server)

    def remaining_bytes(self, server: str, migration: int, /) -> int | None:
        self.calls["remaining bytes"] += 1
        return 2**20

    def actions_of(self, server: str, /) -> tuple[ServerAction, ...]:
        self.calls["actions"] += 1
        return tuple(reversed(self.actions.get(server, [])))

    def action_events(self, server: str, request_id: str, /) -> tuple[ActionEvent, ...]:
        return self.events.get(request_id, ())

    def action_failure(self, server: str, request_id: str, /) -> str | None:
        return self.failures.get(server) or None

    def aggregates(self) -> tuple[Aggregate, ...]:
        self.calls["aggregates"] += 1
        return self.zones

    def provider(self, provider: str, /) -> Provider:
        self.calls["provider"] += 4
        host = next(host for host in self.hosts if an_id(host) == provider)
        held = {server.id for server in self.known.values() if server.host == host}
        held |= {each for each, providers in self.leftovers.items() if provider in providers}
        return Provider(
            id=provider,
            allocations={each: {"VCPU": 1} for each in held},
            traits=frozenset(self.traits.get(host, set())),
            inventories=self.inventories,
        )

    def allocations_of(self, consumer: str, /) -> frozenset[str]:
        server = self.known.get(consumer)
        self.calls["allocations"] += 1
        held = {an_id(server.host)} if server and server.host else set()
        return frozenset(held | self.leftovers.get(consumer, set()))

    def candidates(
        self, need: Need, /, *, member_of: Sequence[str], limit: int
    ) -> tuple[Candidate, ...]:
        self.calls["candidates"] += 1
        return tuple(
            replace(a_candidate(host), name="", host=None, is_usable=True)
            for host in self.hosts[:limit]
            if DISABLED not in self.traits.get(host, set())
        )

    def provider_names(self) -> dict[str, str]:
        self.calls["provider names"] += 1
        return {one.id: one.name for one in self._hypervisors()}

    def ports_of(self, servers: Sequence[str], /) -> tuple[Port, ...]:
        self.calls["ports"] += -(-len(servers) // 50)
        found = (self.known[server] for server in servers if server in self.known)
        return tuple(replace(port, host=server.host) for server in found for port in server.ports)

    def bindings_of(self, port: str, /) -> tuple[tuple[str, str], ...]:
        self.calls["bindings"] += 1
        owners = [s for s in self.known.values() for each in s.ports if each.id == port]
        return self.bound.get(port, tuple((one.host or "", "ACTIVE") for one in owners))

    def network_agents_on(self, host: str, /) -> tuple[NetworkAgent, ...]:
        self.calls["agents"] += 1
        is_alive = host not in self.silent_agents
        return tuple(
            NetworkAgent(kind=kind, is_alive=is_alive) for kind in self.agents.get(host, ())
        )

    def uptime(self, hypervisor: str, /) -> str | None:
        host = next(host for host in self.hosts if an_id(host) == hypervisor)
        if host in self.without_rpc or not self.computes[host].is_up:
            return None
        return " 21:46:53 up  3:40,  0 users,  load average: 4.40, 4.32, 3.14\n"

    def servers_named(self, name: str, /) -> tuple[Server, ...]:
        return tuple(server for server in self.known.values() if server.name == name)

    def public_images(self) -> tuple[Image, ...]:
        return tuple(image for image in self.images if image.is_public)

    def images_called(self, word: str, /) -> tuple[Image, ...]:
        return tuple(image for image in self.images if word in {image.id, image.name})

    def flavors(self) -> tuple[OfferedFlavor, ...]:
        return self.offered

    def networks_called(self, word: str, /) -> tuple[Network, ...]:
        return tuple(each for each in self.networks if word in {each.id, each.name})

    def projects_called(self, word: str, /) -> tuple[Project, ...]:
        return tuple(each for each in self.projects if word in {each.id, each.name})

    def volume(self, volume: str, /) -> Volume | None:
        self.calls["volume"] += 1
        found = self.volumes.get(volume)
        holders = [one for one in self.known.values() if volume in one.volume_ids]
        attached = tuple((one.id, one.host) for one in holders)
        return replace(found, attached=found.attached or attached) if found else None

    def volume_services(self) -> tuple[str, ...]:
        self.calls["volume services"] += 1
        return ("ctl@nfs",)

    def guarded(self, host: str, /) -> tuple[Guarded, ...]:
        self.calls["guarded"] += 2
        entry = self.guards.get(host)
        return (entry,) if entry and "instance-ha" in self.catalog else ()

    # --- changing ---

    def set_guarded(self, entry: Guarded, /, *, is_in_maintenance: bool) -> None:
        self.guards[entry.host] = replace(entry, is_in_maintenance=is_in_maintenance)

    def disable_service(self, service: str, reason: str, /) -> str:
        host = self._host_of(service)
        self.computes[host] = replace(self.computes[host], is_enabled=False, disabled_reason=reason)
        if self.syncs_traits:
            self.traits.setdefault(host, set()).add(DISABLED)
        return f"req-disable-{host}"

    def enable_service(self, service: str, /) -> str:
        host = self._host_of(service)
        self.computes[host] = replace(self.computes[host], is_enabled=True, disabled_reason=None)
        self.traits.setdefault(host, set()).discard(DISABLED)
        return f"req-enable-{host}"

    def create_server(self, wanted: NewServer, /) -> None:
        self.built.append(wanted)
        number = len(self.built)
        server = Server(
            id=an_id(f"built-{number}"),
            name=wanted.name,
            status="BUILD",
            vm_state="building",
            task_state="spawning",
            power_state=0,
            host=None,
            flavor=a_flavor(ram_mib=128),
            project="admin",
            metadata=wanted.metadata,
        )
        self.building[server.id] = wanted
        self.add(server)

    def delete_server(self, server: str, /) -> None:
        self.known[server] = replace(self.known[server], task_state="deleting")

    def live_migrate(self, server: str, target: str | None, /) -> str:
        return self._begin(server, "live-migration", {"ACTIVE", "PAUSED"}, "migrating", target)

    def cold_migrate(self, server: str, target: str | None, /) -> str:
        return self._begin(server, "migrate", {"ACTIVE", "SHUTOFF"}, "resize_prep", target)

    def stop_server(self, server: str, /) -> str:
        self._refuse(server, {"ACTIVE"})
        self.known[server] = replace(self.known[server], task_state="powering-off")
        return self._act(server, "stop", "compute_stop_instance")

    def start_server(self, server: str, /) -> str:
        self._refuse(server, {"SHUTOFF"})
        self.known[server] = replace(self.known[server], task_state="powering-on")
        return self._act(server, "start", "compute_start_instance")

    def reboot_server(self, server: str, /, *, is_hard: bool) -> str:
        hard = {"ACTIVE", "SHUTOFF", "PAUSED", "SUSPENDED", "ERROR"}
        self._refuse(server, hard if is_hard else {"ACTIVE"})
        task, status = ("rebooting_hard", "HARD_REBOOT") if is_hard else ("rebooting", "REBOOT")
        self.known[server] = replace(self.known[server], task_state=task, status=status)
        return self._act(server, "reboot", "compute_reboot_instance")

    def confirm_resize(self, server: str, /) -> str:
        self._refuse(server, {"VERIFY_RESIZE"})
        self._set(server, status="confirming")
        return self._act(server, "confirmResize")

    def remove_binding(self, port: str, host: str, /) -> None:
        self.bound[port] = tuple(each for each in self.bindings_of(port) if each[0] != host)

    def force_complete(self, server: str, migration: int, /) -> str:
        return self._act(server, "live_migration_force_complete")

    def abort_migration(self, server: str, migration: int, /) -> str:
        self._set(server, status="cancelled")
        self.known[server] = replace(self.known[server], task_state=None)
        return self._act(server, "live_migration_cancel")

    def vanish(self, server: str, by: str = "eve") -> None:
        """Let an owner delete a server; its actions stay readable by its id."""
        self._act(server, "delete")
        log = self.actions[server]
        log[-1] = replace(log[-1], user=by, started="2026-11-22T03:00:05.000000")
        del self.known[server]

    def purge(self, server: str) -> None:
        """Let an owner delete a server, and an operator archive what Nova kept of it."""
        self.vanish(server)
        del self.actions[server]
        self.migrations = [each for each in self.migrations if each.server != server]

    # --- the world goes on ---

    def pass_time(self) -> None:
        """Bring every move to its next stage."""
        self.ticks += 1
        for server in [each for each in self.known.values() if each.task_state in _POWERED]:
            status, vm_state, power_state = _POWERED[server.task_state or ""]
            if status == "ACTIVE" and server.id not in self.not_rebooting:
                self.boots[server.id] += 1
            self._end(server.id)
            self.known[server.id] = replace(
                server,
                status=status,
                vm_state=vm_state,
                power_state=power_state,
                task_state=None,
            )
        for migration in [each for each in self.migrations if each.server in self.known]:
            self._advance(migration)
        for server in [each for each in self.known.values() if each.task_state == "deleting"]:
            del self.known[server.id]
            self.building.pop(server.id, None)
        while self.building:
            self._build(*self.building.popitem())

    def _build(self, server: str, wanted: NewServer) -> None:
        fault = self.fault
        if DISABLED in self.traits.get(wanted.host, set()):
            fault = "No valid host was found."
        now = replace(self.known[server], task_state=None)
        if fault:
            now = replace(now, status="ERROR", vm_state="error", fault=fault)
        else:
            ports = (Port(id=an_id(f"port-{server}"), server=server, host=wanted.host),)
            now = replace(
                now,
                status="ACTIVE",
                vm_state="active",
                power_state=1,
                host=wanted.host,
                ports=ports if wanted.network else (),
            )
        self.known[server] = now

    def _advance(self, migration: Migration) -> None:
        server = self.known[migration.server]
        if migration.server in self.failures and migration.status in {"running", "migrating"}:
            self._set(server.id, status="error")
            failed = replace(self.actions[server.id][-1], message="Error")
            self.actions[server.id][-1] = failed
            self.known[server.id] = replace(server, task_state=None)
        elif migration.status == "running" and server.id in self.slow:
            return
        elif migration.status == "running":
            self._set(server.id, status="completed")
            self.known[server.id] = replace(server, host=migration.target, task_state=None)
        elif migration.status == "migrating":
            self._set(server.id, status="finished")
            self._end(server.id, "compute_finish_resize")
            self.known[server.id] = replace(
                server, host=migration.target, task_state=None, status="VERIFY_RESIZE"
            )
        elif migration.status == "confirming":
            self._set(server.id, status="confirmed")
            was = "SHUTOFF" if server.vm_state == "stopped" else "ACTIVE"
            self.known[server.id] = replace(server, status=was)

    def _begin(
        self, server: str, action: str, allowed: set[str], task: str, target: str | None
    ) -> str:
        self._refuse(server, allowed)
        one = self.known[server]
        free = [
            host
            for host in self.hosts
            if host != one.host and self.computes[host].is_enabled and self.computes[host].is_up
        ]
        is_live = action == "live-migration"
        number = len(self.migrations) + 1
        self.migrations.append(
            Migration(
                id=number,
                uuid=an_id(f"migration-{number}"),
                server=server,
                kind="live-migration" if is_live else "migration",
                status="running" if is_live else "migrating",
                source=one.host or "",
                target=target or free[0],
            )
        )
        self.known[server] = replace(one, task_state=task)
        return self._act(server, action, "" if is_live else "compute_resize_instance")

    def _refuse(self, server: str, allowed: set[str]) -> None:
        one = self.known[server]
        if one.task_state is not None or one.status not in allowed:
            raise Uncertain(
                "Nova is busy with it already, or it is in no state for it",
                service="Nova",
                says=f"Cannot act while it is in {one.status} {one.task_state}",
            )

    def _act(self, server: str, action: str, event: str = "") -> str:
        self.calls["orders"] += 1
        log = self.actions.setdefault(server, [])
        number = sum(map(len, self.actions.values())) + 1
        log.append(
            ServerAction(
                action=action, request_id=f"req-{number}", user="ops", started=f"{number:04}"
            )
        )
        if event:
            self.events[log[-1].request_id] = (ActionEvent(name=event, started=self._now),)
        return f"req-{number}"

    def _end(self, server: str, further: str = "") -> None:
        """Let what Nova does for the last action end, or go over into something further."""
        request = self.actions[server][-1].request_id
        done = [replace(each, finished=self._now) for each in self.events.get(request, ())]
        if further:
            done.append(ActionEvent(name=further, started=self._now, finished=self._now))
        self.events[request] = tuple(done)

    @property
    def _now(self) -> datetime:
        return NOW + timedelta(seconds=self.ticks)

    def _set(self, server: str, *, status: str) -> None:
        position = max(n for n, each in enumerate(self.migrations) if each.server == server)
        self.migrations[position] = replace(self.migrations[position], status=status)

    def _host_of(self, service: str) -> str:
        return next(host for host, one in self.computes.items() if one.id == service)


@cache
def _directory(hosts: tuple[str, ...]) -> Directory:
    return Directory(Known(name=host, address=host) for host in hosts)


NO_VIRSH = Answer(127, "", "env: 'virsh': No such file or directory\n")
NO_LIBVIRT = Answer(1, "", "error: failed to connect to the hypervisor")


def _no_route(node: str) -> Unreachable:
    hint = hint_for(Blind.UNREACHABLE, Login(address=node))
    return Unreachable(f"cannot log in to `{node}`", says="No route to host", hint=hint)


@dataclass
class FakeShell:
    """Nodes whose libvirt runs what the cloud places there, unless told otherwise."""

    cloud: FakeCloud
    files: dict[tuple[str, str], str] = field(default_factory=dict)
    units: dict[str, tuple[str, str]] = field(default_factory=dict)  # (active, enabled) by node
    silent: set[str] = field(default_factory=set)
    leftovers: dict[str, list[str]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    logged: dict[str, list[str]] = field(default_factory=dict)
    domains: dict[tuple[str, str], str] = field(default_factory=dict)  # other than Nova thinks
    without: set[tuple[str, str]] = field(default_factory=set)  # (node, server): no such guest
    jobs: set[tuple[str, str]] = field(default_factory=set)  # (node, server)
    starts: Counter[str] = field(default_factory=Counter)
    not_starting: set[str] = field(default_factory=set)
    libvirt_down: set[str] = field(default_factory=set)
    without_virsh: set[str] = field(default_factory=set)
    strays: dict[str, list[str]] = field(default_factory=dict)  # guests that Nova has elsewhere
    inventory: tuple[Known, ...] | None = None  # None: the hosts of the cloud, by their names
    says: dict[str, Itself] = field(default_factory=dict)  # of itself, by node; else its name
    asked_names: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)  # anything else
    processes: dict[str, list[str]] = field(default_factory=dict)  # rows of `ps`, beside the unit's
    hides_processes: set[str] = field(default_factory=set)  # nodes: those of others
    without_unit: set[str] = field(default_factory=set)  # nodes with no nova-compute.service
    filesystems: dict[str, str] = field(default_factory=dict)  # by directory; else ext4
    instances_path: str | None = None  # where the disks of its guests are, if that is told
    refused: dict[str, str] = field(default_factory=dict)  # by node: what sudo says there

    def directory(self) -> Directory:
        known = Directory(self.inventory) if self.inventory else _directory(self.cloud.hosts)
        said = {each: one for each in self.asked_names if (one := self._said_by(each))}
        return known.with_said(said) if said else known

    def itself(self, node: str, /, *, within_s: float | None = None) -> Itself | None:
        self.asked_names.append(node)
        return self._said_by(node)

    def _said_by(self, node: str) -> Itself | None:
        return None if node in self.silent else self.says.get(node, Itself(names=(node,)))

    def _host_of(self, node: str) -> str:
        """Return Nova's host of a node, which has another name where it says so itself."""
        said = self.says.get(node)
        own = said.all_names if said else ()
        return next((name for name in own if name in self.cloud.hosts), node)

    def groups_of(self, node: str, /) -> tuple[str, ...]:
        return ("compute",) if node in self.directory() else ()

    def rights(self, node: str, commands: Sequence[Words], /) -> Rights:
        if node in self.silent:
            raise _no_route(node)
        for words in commands:
            must_be_declared(words)
        refused = dict.fromkeys(commands, self.refused[node]) if node in self.refused else {}
        return Rights("ops", refused)

    def run(
        self,
        node: str,
        command: Sequence[str],
        /,
        *,
        as_root: bool = False,
        given: str = "",
        within_s: float | None = None,
    ) -> Answer:
        self.asked.append(node)
        if node in self.silent:
            raise _no_route(node)
        words = list(command)
        if as_root:
            must_be_declared(words)
            if node in self.refused:
                return Answer(1, "", f"{self.refused[node]}\n")
        if words[0] == "virsh":
            return self._virsh(node, words)
        if words[0].rpartition("/")[2] in {"find", "tail", "test", "cat", "ps", "findmnt"}:
            return self._read(node, words)
        if words[0].rpartition("/")[2] == "systemctl":
            return self._systemctl(node, words)
        return self._write(node, words, given)

    def _processes(self, node: str) -> Answer:
        if node in self.hides_processes:
            return Answer(0, "  9 0::/user.slice  sshd-session: ops\n")
        own = f"  7 0::/system.slice/nova-compute.service  {NOVA_COMPUTE_RUNS}"
        active, _ = self.units.get(node, ("active", "enabled"))
        is_on = active in {"active", "deactivating"} and node not in self.without_unit
        listed = ["  1 0::/init.scope  /sbin/init", *([own] if is_on else [])]
        return Answer(0, "\n".join([*listed, *self.processes.get(node, [])]))

    def _write(self, node: str, words: list[str], given: str) -> Answer:
        self.done.append(" ".join(words))
        if words[0] == "/usr/bin/rm":
            for path in words[2:]:
                self.files.pop((node, path), None)
        elif tuple(words) == FILL_DROP_IN:
            self.files[node, DROP_IN] = DROP_IN_TEXT
        else:
            self.files[node, words[-1]] = given
        return Answer(0, "")

    def _read(self, node: str, words: list[str]) -> Answer:
        if words == list(PROCESSES):
            return self._processes(node)
        if words[:-1] == list(FILESYSTEM):
            kind = self.filesystems.get(words[-1], "ext4")
            return Answer(0, json.dumps({"filesystems": [{"target": "/", "fstype": kind}]}))
        if words[0] == "find":
            is_for_one = "-mindepth" not in words
            wanted = words[-1].removesuffix("*") if is_for_one else ""
            places = tuple(word for word in words[1:] if word.startswith("/"))
            here = [one for one in self.leftovers.get(node, []) if one.startswith(places)]
            left = [one for one in here if wanted in one]
            return Answer(0, "\n".join(left))
        if words[0] == "/usr/bin/tail":
            return Answer(0, "".join(self.logged.get(node, [])))
        text = self.files.get((node, words[-1]))
        return Answer(1, "") if text is None else Answer(0, text)

    def _virsh(self, node: str, words: list[str]) -> Answer:  # noqa: PLR0911  # one a command
        if node in self.without_virsh | self.libvirt_down:
            return NO_VIRSH if node in self.without_virsh else NO_LIBVIRT
        here = [
            one
            for one in self.cloud.known.values()
            if one.host == self._host_of(node) and (node, one.id) not in self.without
        ]
        if words == list(STATS):
            states = {"active": 1, "paused": 3, "stopped": 5}
            return Answer(
                0,
                "".join(
                    f"Domain: 'instance-{one.name}'\n"
                    f"  state.state={states.get(one.vm_state, 1)}\n{self._disk_of(one.id)}\n"
                    for one in here
                ),
            )
        if words == list(LIST):
            return Answer(0, "".join(f"{one.id} instance-{one.name}\n" for one in here))
        if "domstate" in words:
            return self._domstate(node, words[-1])
        if "domid" in words:
            return self._domid(node, words[-1])
        if "domjobinfo" in words:
            return self._job(node, words[-1])
        ids = [*(one.id for one in here), *self.strays.get(node, [])]
        if "version" in words:
            ids = ["Using library: libvirt 11.3.0", "Running against daemon: 11.3.0"]
        return Answer(0, "".join(f"{each}\n" for each in ids))

    def _disk_of(self, server: str) -> str:
        if self.instances_path is None:
            return ""
        return f"  block.count=1\n  block.0.path={self.instances_path}/{server}/disk\n"

    def _job(self, node: str, server: str) -> Answer:
        if self._domstate(node, server).out.startswith("shut off"):
            return Answer(1, "", "error: Requested operation is not valid: domain is not running")
        is_at_work = (node, server) in self.jobs
        return Answer(0, f"Job type:         {'Unbounded' if is_at_work else 'None'}\n\n")

    def _domstate(self, node: str, server: str) -> Answer:
        found = self.cloud.known.get(server)
        if (node, server) in self.domains:
            return Answer(0, f"{self.domains[node, server]}\n\n")
        if found is None or found.host != self._host_of(node) or (node, server) in self.without:
            return Answer(1, "", f"error: failed to get domain '{server}'")
        states = {"paused": "paused", "stopped": "shut off", "suspended": "shut off"}
        return Answer(0, f"{states.get(found.vm_state, 'running')}\n\n")

    def _domid(self, node: str, server: str) -> Answer:
        state = self._domstate(node, server)
        if state.code:
            return state
        is_off = state.out.strip() in {"shut off", "crashed"}
        return Answer(0, f"{'-' if is_off else 10 + self.cloud.boots[server]}\n\n")

    def _start(self, node: str, enabled: str) -> None:
        if any(where == node for where, _ in self.files) or enabled == "masked":
            return
        self.starts[node] += 1
        if node in self.not_starting:
            self.units[node] = ("failed", enabled)
            return
        self.units[node] = ("active", enabled)
        now = f"2026-11-22T03:{self.starts[node]:02}:00.000000"
        host = self._host_of(node)
        self.cloud.computes[host] = replace(self.cloud.computes[host], is_up=True, updated=now)

    def _systemctl(self, node: str, words: list[str]) -> Answer:
        exists = node not in self.without_unit
        # A unit that does not exist is masked all the same; then it reads masked and inactive.
        usual = ("active", "enabled") if exists else ("inactive", "not-found")
        active, enabled = self.units.get(node, usual)
        if "is-" not in words[1] and words[1] != "show":
            self.done.append(" ".join(words))
        match words[1]:
            case "is-active":
                return Answer(0, f"{active}\n")
            case "is-enabled":
                return Answer(0, f"{enabled}\n")
            case "mask":
                self.units[node] = (active, "masked")
            case "unmask":
                self.units[node] = (active, "enabled")
            case "stop":
                self.units[node] = ("inactive", enabled)
                host = self._host_of(node)
                if exists and host in self.cloud.computes:
                    stopped = replace(self.cloud.computes[host], is_up=False)
                    self.cloud.computes[host] = stopped
            case "start":
                self._start(node, enabled)
            case "show":
                lives = self.starts[node]
                return Answer(
                    0,
                    f"LoadState={'loaded' if exists else 'not-found'}\n"
                    f"Result={'exit-code' if active == 'failed' else 'success'}\nNRestarts=0\n"
                    f"ActiveState={active}\nInvocationID={lives:032x}\n",
                )
        return Answer(0, "")


@dataclass
class Begun(Generic[Key, Told]):
    """Questions that were asked when they were begun; some of them still hang."""

    answers: dict[Key, Told]
    is_over: bool

    def told(self, *, within_s: float) -> dict[Key, Told]:
        return self.answers


class OneByOne:
    """Asks one question after the other; what is in `hanging` is put, and given up."""

    def __init__(self) -> None:
        self.hanging: set[object] = set()

    def begin(
        self, questions: Mapping[Key, Callable[[], Told]], *, at_once: int = 100
    ) -> Begun[Key, Told]:
        told = {key: put() for key, put in questions.items()}
        answers = {key: one for key, one in told.items() if key not in self.hanging}
        return Begun(answers, is_over=len(answers) == len(questions))

    def ask(
        self, questions: Mapping[Key, Callable[[], Told]], *, within_s: float, at_once: int = 100
    ) -> dict[Key, Told | None]:
        answers = self.begin(questions).answers
        return {key: answers.get(key) for key in questions}


def in_turn(shell: Shell) -> Ask:
    """Return a way to ask nodes one after the other."""
    return lambda nodes: {each: shell.itself(each) for each in nodes}


Connected: TypeAlias = "FakeCloud | OpenStackCloud"

NOT_OF_THE_CLOUD = {"clock", "cloud", "shell", "together", "acting"}
SERVICES: Mapping[str, type] = {
    name: port for name, port in get_type_hints(World).items() if name not in NOT_OF_THE_CLOUD
}


def a_world_over(cloud: Connected, shell: Shell, clock: Clock | None = None) -> World:
    """Return the ports over a cloud and its nodes."""
    return World(
        clock=clock or FakeClock(),
        cloud=cloud,
        shell=shell,
        together=OneByOne(),
        **{name: getattr(cloud, name) for name in SERVICES},
    )


def a_world(cloud: FakeCloud, shell: FakeShell | None = None, run: str = "01J9") -> World:
    """Return the ports over a fake cloud, for one run."""
    acting = Acting(run=run, operator="ada", machine="bastion")
    return replace(a_world_over(cloud, shell or FakeShell(cloud)), acting=acting)
