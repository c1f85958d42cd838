"""What stands for Nova in the fast tests."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from builders import NOW, a_flavor, a_service, an_id
from stackward.errors import Refused, StepFailed, Uncertain
from stackward.model.acceptance import NewServer
from stackward.model.aggregate import Aggregate
from stackward.model.flavor import OfferedFlavor
from stackward.model.hypervisor import Hypervisor
from stackward.model.migration import Migration
from stackward.model.network import Port
from stackward.model.server import ActionEvent, Server, ServerAction, ServerGroup
from stackward.model.service import ComputeService
from stackward.model.volume import NovaAttachment

if TYPE_CHECKING:
    from fakes.placement import FakePlacement


DISABLED = "COMPUTE_STATUS_DISABLED"


_POWERED = {
    "powering-off": ("SHUTOFF", "stopped", 4),
    "powering-on": ("ACTIVE", "active", 1),
    "rebooting": ("ACTIVE", "active", 1),
    "rebooting_hard": ("ACTIVE", "active", 1),
}


TINY = OfferedFlavor(id=an_id("tiny"), name="tiny", vcpus=1, ram_mib=128)


@dataclass
class FakeNova:
    """Hosts with servers; a move takes one `pass_time()` from each stage to the next."""

    hosts: tuple[str, ...] = ("compute-07", "compute-08", "compute-09")
    known: dict[str, Server] = field(default_factory=dict)
    migrations: list[Migration] = field(default_factory=list)
    rows: list[ComputeService] = field(default_factory=list)  # of its service list, besides
    actions: dict[str, list[ServerAction]] = field(default_factory=dict)
    groups: dict[str, ServerGroup] = field(default_factory=dict)
    zones: tuple[Aggregate, ...] = ()
    failures: dict[str, str] = field(default_factory=dict)  # what the next move of a server says
    computes: dict[str, ComputeService] = field(default_factory=dict)
    kind: str = "QEMU"
    # The hypervisor's name and address, where they are not the host's name and none.
    named: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    has_conductor: bool = True
    syncs_traits: bool = True  # Nova swallows a failed sync
    without_rpc: set[str] = field(default_factory=set)  # hosts
    cells_down: set[str] = field(default_factory=set)  # hosts of which Nova knows the name only
    offered: tuple[OfferedFlavor, ...] = (TINY,)
    fault: str | None = None  # why no server can be built
    consoles: dict[str, str] = field(default_factory=dict)  # of guests that run; else a kernel's
    slow: set[str] = field(default_factory=set)  # servers whose live migrations never end
    events: dict[str, tuple[ActionEvent, ...]] = field(default_factory=dict)  # by request
    boots: Counter[str] = field(default_factory=Counter)  # by server
    not_rebooting: set[str] = field(default_factory=set)  # Nova gives up, and logs that it is well
    ticks: int = 0  # seconds, one by each `pass_time()`
    building: dict[str, NewServer] = field(default_factory=dict)  # by id
    built: list[NewServer] = field(default_factory=list)
    # By server and volume, where they are not well and in their order, from vdb:
    attachments: dict[tuple[str, str], NovaAttachment] = field(default_factory=dict)
    # Same, of those that are on their way:
    attaching: dict[tuple[str, str], NovaAttachment] = field(default_factory=dict)
    detaching: set[tuple[str, str]] = field(default_factory=set)
    not_letting_go: set[str] = field(default_factory=set)  # volumes that their guests keep
    dangling: set[str] = field(default_factory=set)  # volumes that Cinder has not attached
    reattached: set[str] = field(
        default_factory=set
    )  # volumes that were detached or attached since
    listed: tuple[Hypervisor, ...] = ()  # by the last list of all
    calls: Counter[str] = field(default_factory=Counter)
    starts_evacuated: bool = False  # a Nova before 2.95
    left_alone: set[int] = field(default_factory=set)  # records that nobody carries out
    starting: set[str] = field(default_factory=set)  # hosts that start what ran, then report
    unheard: set[str] = field(default_factory=set)  # hosts whose nova-compute is off
    deleted_services: list[str] = field(default_factory=list)  # by id
    placement: "FakePlacement" = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.computes = {host: a_service(host) for host in self.hosts}

    def add(self, *servers: Server) -> None:
        """Put servers on their hosts."""
        self.known |= {server.id: server for server in servers}

    def services(self) -> tuple[ComputeService, ...]:
        self.calls["services"] += 1
        conductor = a_service("ctl", binary="nova-conductor", is_up=self.has_conductor)
        return tuple(map(self._known_of, (*self.computes.values(), conductor, *self.rows)))

    def _known_of(self, service: ComputeService) -> ComputeService:
        if service.host not in self.cells_down:
            is_heard = service.is_up and service.updated is None
            # What is forced down reports all the same.
            is_heard |= service.is_forced_down and service.host not in self.unheard
            return replace(service, updated=self.now.isoformat()) if is_heard else service
        blank = a_service(service.host, id="", is_enabled=False, is_up=False, zone="")
        return replace(blank, binary=service.binary, is_known=False)

    def hypervisors_like(self, name: str, /) -> tuple[Hypervisor, ...]:
        self.calls["hypervisors"] += 1
        return tuple(one for one in self.all_hypervisors() if name in one.name)

    def hypervisors(self) -> tuple[Hypervisor, ...]:
        self.calls["all hypervisors"] += 1
        self.listed = tuple(self.all_hypervisors())
        return self.listed

    def known_hypervisors(self) -> tuple[Hypervisor, ...]:
        return self.listed

    def all_hypervisors(self) -> Iterator[Hypervisor]:
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

    def every_server(self) -> tuple[Server, ...]:
        self.calls["all servers"] += 1
        return tuple(
            replace(server, ports=(), volumes=(), group=None)
            for server in self.known.values()
            if server.host not in self.cells_down
        )

    def server(self, server: str, /) -> Server | None:
        self.calls["server"] += 1
        found = self.known.get(server)
        return replace(found, ports=(), volumes=(), group=None) if found else None

    def servers_called(self, word: str, /) -> tuple[Server, ...]:
        return tuple(one for one in self.known.values() if word in {one.id, one.name})

    def attached_to(self, server: str, /) -> tuple[NovaAttachment, ...]:
        self.calls["attached"] += 1
        return self.volumes_of(server)

    def volumes_of(self, server: str) -> tuple[NovaAttachment, ...]:
        """Return the same, uncounted: for the other fakes."""
        known = self.known.get(server)
        return tuple(
            self.attachments.get(
                (server, one),
                NovaAttachment(volume=one, device=f"/dev/vd{chr(98 + at)}", id=an_id(f"of-{one}")),
            )
            for at, one in enumerate(known.volume_ids if known else ())
        )

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

    def migrations_in(self, status: str, /) -> tuple[Migration, ...]:
        self.calls["all migrations"] += 1
        return tuple(each for each in self.migrations if each.status == status)

    def newest_migrations(self, host: str, /) -> tuple[Migration, ...]:
        self.calls["newest migrations"] += 1
        return tuple(
            each for each in reversed(self.migrations) if host in {each.source, each.target}
        )

    def migrations_of_server(self, server: str, /) -> tuple[Migration, ...]:
        self.calls["migrations"] += 1
        return tuple(each for each in reversed(self.migrations) if each.server == server)

    def console(self, server: str, lines: int, /) -> str | None:
        self.calls["console"] += 1
        found = self.known.get(server)
        if found is None or found.vm_state != "active":
            return None
        text = self.consoles.get(server, "Linux version 6.12\n")
        return "\n".join(text.split("\n")[-lines:])  # nova 31.0 compute/manager.py, _tail_log

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

    def uptime(self, hypervisor: str, /) -> str | None:
        host = next(host for host in self.hosts if an_id(host) == hypervisor)
        if host in self.without_rpc or not self.computes[host].is_up:
            return None
        return " 21:46:53 up  3:40,  0 users,  load average: 4.40, 4.32, 3.14\n"

    def servers_named(self, name: str, /) -> tuple[Server, ...]:
        return tuple(server for server in self.known.values() if server.name == name)

    def flavors(self) -> tuple[OfferedFlavor, ...]:
        return self.offered

    def leaves_evacuated_stopped(self) -> bool:
        return not self.starts_evacuated

    def disable_service(self, service: str, reason: str, /) -> str:
        host = self._host_of(service)
        self.computes[host] = replace(self.computes[host], is_enabled=False, disabled_reason=reason)
        if self.syncs_traits:
            self.placement.traits.setdefault(host, set()).add(DISABLED)
        return f"req-disable-{host}"

    def enable_service(self, service: str, /) -> str:
        host = self._host_of(service)
        self.computes[host] = replace(self.computes[host], is_enabled=True, disabled_reason=None)
        self.placement.traits.setdefault(host, set()).discard(DISABLED)
        return f"req-enable-{host}"

    def delete_service(self, service: str, /) -> str:
        listed = (*self.computes.values(), *self.rows)
        found = next((one for one in listed if one.id == service), None)
        if found is None:
            raise StepFailed("could not change it: Nova answered 404", service="Nova")
        if found.binary == "nova-compute" and self.servers_on(found.host):
            says = "Unable to delete compute service that is hosting instances."
            raise Uncertain("Nova is in no state for it", service="Nova", says=says)
        self.rows = [one for one in self.rows if one.id != service]
        if self.computes.get(found.host) == found:
            del self.computes[found.host]
            self.hosts = tuple(one for one in self.hosts if one != found.host)
        self.deleted_services.append(service)
        return f"req-{service}"

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
        self._forget_dangling(server)
        self.known[server] = replace(self.known[server], task_state=task, status=status)
        return self._act(server, "reboot", "compute_reboot_instance")

    def _forget_dangling(self, server: str) -> None:
        """Delete the records of volumes that Cinder has not attached, as a reboot does."""
        one = self.known[server]
        before = {each.volume: each for each in self.volumes_of(server)}
        left = tuple(each for each in one.volume_ids if each not in self.dangling)
        if left != one.volume_ids:
            self.attachments |= {(server, each): before[each] for each in left}
            self.known[server] = replace(one, volume_ids=left)
            self.dangling -= {*one.volume_ids}

    def confirm_resize(self, server: str, /) -> str:
        self._refuse(server, {"VERIFY_RESIZE"})
        self._set(server, status="confirming")
        return self._act(server, "confirmResize")

    def attach_volume(self, server: str, wanted: NovaAttachment, /) -> str:
        self._refuse(server, {"ACTIVE", "SHUTOFF", "PAUSED"})
        self.reattached.add(wanted.volume)
        self.attaching[server, wanted.volume] = wanted
        return self._act(server, "attach_volume")

    def detach_volume(self, server: str, volume: str, /) -> str:
        self._refuse(server, {"ACTIVE", "SHUTOFF", "PAUSED"})
        if volume not in self.known[server].volume_ids:
            raise StepFailed("could not change it: Nova answered 404", service="Nova")
        self.detaching.add((server, volume))
        return self._act(server, "detach_volume")

    def _attach_and_detach(self) -> None:
        for server, volume in sorted(self.detaching):
            one = self.known[server]
            if volume in self.not_letting_go:
                self.actions[server][-1] = replace(self.actions[server][-1], message="Error")
                continue
            before = {each.volume: each for each in self.volumes_of(server)}
            left = tuple(each for each in one.volume_ids if each != volume)
            self.attachments |= {(server, each): before[each] for each in left}
            self.known[server] = replace(one, volume_ids=left)
            self.reattached.add(volume)
        for (server, volume), wanted in self.attaching.items():
            one = self.known[server]
            taken = {each.device for each in self.volumes_of(server)}
            letters = (f"/dev/vd{chr(98 + at)}" for at in range(20))
            device = next(each for each in letters if each not in taken)
            made = replace(wanted, device=device, id=an_id(f"of-{volume}"))
            self.attachments[server, volume] = made
            self.known[server] = replace(one, volume_ids=(*one.volume_ids, volume))
        self.detaching, self.attaching = set(), {}

    def force_complete(self, server: str, migration: int, /) -> str:
        return self._act(server, "live_migration_force_complete")

    def abort_migration(self, server: str, migration: int, /) -> str:
        self._set(server, status="cancelled")
        self.known[server] = replace(self.known[server], task_state=None)
        return self._act(server, "live_migration_cancel")

    def force_down(self, service: str, /) -> str:
        host = self._host_of(service)
        self.computes[host] = replace(self.computes[host], is_forced_down=True, is_up=False)
        return f"req-force-down-{host}"

    def force_up(self, service: str, /) -> str:
        host = self._host_of(service)
        if any(each.status == "done" for each in self._open_from(host)):
            raise StepFailed(
                "could not change it: Nova answered 400",
                service="Nova",
                says=f"Unable to force up host {host} as `done` evacuation migration records "
                "remain associated with the host.",
            )
        is_up = host not in self.unheard
        self.computes[host] = replace(self.computes[host], is_forced_down=False, is_up=is_up)
        return f"req-force-up-{host}"

    def _open_from(self, host: str) -> list[Migration]:
        open_ = {"accepted", "pre-migrating", "done"}
        return [
            one
            for one in self.migrations
            if one.kind == "evacuation" and one.source == host and one.status in open_
        ]

    def act_on_evacuations(self, host: str) -> set[str]:
        """Do what nova-compute does as it starts: settle one record of each server, the newest.

        Return the servers whose guests and disks it destroys, wherever they live.
        """
        newest = {one.server: one for one in self._open_from(host)}
        for one in newest.values():
            position = self.migrations.index(one)
            self.migrations[position] = replace(one, status="completed")
        return {*newest}

    def evacuate(self, server: str, target: str, /) -> str:
        if self.starts_evacuated:
            raise Refused("Nova is too old", service="Nova")
        self._refuse(server, {"ACTIVE", "SHUTOFF", "ERROR"})
        one = self.known[server]
        if self.computes[one.host or ""].is_up:
            raise StepFailed(
                "could not change it: Nova answered 400",
                service="Nova",
                says=f"Compute service of {one.host} is still in use.",
            )
        self._take_up_the_first(server, target)
        number = self._next_migration()
        self.migrations.append(
            Migration(
                id=number,
                uuid=an_id(f"migration-{number}"),
                server=server,
                kind="evacuation",
                status="accepted",
                source=one.host or "",
                target=target,
            )
        )
        self.known[server] = replace(one, task_state="rebuilding", status="REBUILD")
        return self._act(server, "evacuate", "compute_rebuild_instance")

    def _next_migration(self) -> int:
        return 1 + max((one.id for one in self.migrations), default=0)

    def _take_up_the_first(self, server: str, target: str) -> None:
        """Let the conductor take a record that is `accepted` for this order, if there is one."""
        for at, one in enumerate(self.migrations):
            if (one.server, one.kind, one.status) == (server, "evacuation", "accepted"):
                self.migrations[at] = replace(one, target=target)
                self.left_alone.discard(one.id)
                self.left_alone.add(self._next_migration())
                return

    def reset_state(self, server: str, /) -> str:
        one = self.known[server]
        self.known[server] = replace(one, status="ACTIVE", vm_state="active", task_state=None)
        return self._act(server, "resetState")

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

    def pass_time(self) -> None:
        """Bring every move to its next stage."""
        self.ticks += 1
        for host in self.starting:
            resumed = [one for one in self.known.values() if one.host == host]
            self.boots.update(one.id for one in resumed if one.vm_state == "active")
            self.computes[host] = replace(
                self.computes[host], is_up=True, updated=self.now.isoformat()
            )
        self.starting.clear()
        self._attach_and_detach()
        for server in [each for each in self.known.values() if each.task_state in _POWERED]:
            self.end_of_power(server)
        for migration in [each for each in self.migrations if each.server in self.known]:
            if migration.id not in self.left_alone:
                self._advance(migration)
        for server in [each for each in self.known.values() if each.task_state == "deleting"]:
            del self.known[server.id]
            self.building.pop(server.id, None)
        while self.building:
            self._build(*self.building.popitem())

    def end_of_power(self, server: Server) -> None:
        """Let a start, a stop or a reboot end well."""
        status, vm_state, power_state = _POWERED[server.task_state or ""]
        if status == "ACTIVE" and server.id not in self.not_rebooting:
            self.boots[server.id] += 1
        self._end(server.id)
        self.known[server.id] = replace(
            server, status=status, vm_state=vm_state, power_state=power_state, task_state=None
        )

    def _build(self, server: str, wanted: NewServer) -> None:
        fault = self.fault
        if DISABLED in self.placement.traits.get(wanted.host, set()):
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
        if migration.kind == "evacuation":
            if migration.status in {"accepted", "pre-migrating"}:
                self._evacuate(server, migration)
        elif migration.server in self.failures and migration.status in {"running", "migrating"}:
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

    def _evacuate(self, server: Server, migration: Migration) -> None:
        at = self.migrations.index(migration)
        if migration.status == "accepted":
            self.migrations[at] = replace(migration, status="pre-migrating")
        elif server.id in self.failures:
            self.migrations[at] = replace(migration, status="error")
            self.actions[server.id][-1] = replace(self.actions[server.id][-1], message="Error")
            self.known[server.id] = replace(
                server, task_state=None, status="ERROR", vm_state="error"
            )
        elif self.computes[migration.target or ""].is_up:
            self.migrations[at] = replace(migration, status="done")
            self._end(server.id)
            is_on = server.vm_state == "error"  # nova 31.0: it is left running then
            self.known[server.id] = replace(
                server,
                host=migration.target,
                task_state=None,
                status="ACTIVE" if is_on else "SHUTOFF",
                vm_state="active" if is_on else "stopped",
                power_state=1 if is_on else 4,
            )

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
        number = self._next_migration()
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
                action=action, request_id=f"req-{number}", user="ops", started=self._stamp(number)
            )
        )
        if event:
            self.events[log[-1].request_id] = (ActionEvent(name=event, started=self.now),)
        return f"req-{number}"

    def _end(self, server: str, further: str = "") -> None:
        """Let what Nova does for the last action end, or go over into something further."""
        request = self.actions[server][-1].request_id
        done = [replace(each, finished=self.now) for each in self.events.get(request, ())]
        if further:
            done.append(ActionEvent(name=further, started=self.now, finished=self.now))
        self.events[request] = tuple(done)

    @property
    def now(self) -> datetime:
        """Return what time it is there."""
        return NOW + timedelta(seconds=self.ticks)

    def _stamp(self, number: int) -> str:
        """Return when an action began, as Nova writes it; none is as early as another."""
        at = self.now + timedelta(microseconds=number)
        return at.replace(tzinfo=None).isoformat(timespec="microseconds")

    def _set(self, server: str, *, status: str) -> None:
        position = max(n for n, each in enumerate(self.migrations) if each.server == server)
        self.migrations[position] = replace(self.migrations[position], status=status)

    def _host_of(self, service: str) -> str:
        return next(host for host, one in self.computes.items() if one.id == service)
