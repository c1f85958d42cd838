"""What may be asked of Nova."""

from typing import Protocol

from stackward.model.acceptance import NewServer
from stackward.model.aggregate import Aggregate
from stackward.model.flavor import OfferedFlavor
from stackward.model.hypervisor import Hypervisor
from stackward.model.migration import Migration
from stackward.model.server import ActionEvent, Server, ServerAction, ServerGroup
from stackward.model.service import ComputeService
from stackward.model.volume import NovaAttachment


class Nova(Protocol):
    """Nova, asked as an administrator.

    Hosts are named as Nova names its services.
    """

    def services(self) -> tuple[ComputeService, ...]:
        """Return every service of Nova, on all hosts."""
        ...

    def hypervisors_like(self, name: str, /) -> tuple[Hypervisor, ...]:
        """Return the hypervisors whose names contain `name`."""
        ...

    def hypervisors(self) -> tuple[Hypervisor, ...]:
        """Return all hypervisors, page by page; for what no name leads to."""
        ...

    def known_hypervisors(self) -> tuple[Hypervisor, ...]:
        """Return what the last list of all had, nothing before the first; Nova is not asked.

        It says which name or host belongs to which hypervisor, not how a hypervisor is now.
        """
        ...

    def uptime(self, hypervisor: str, /) -> str | None:
        """Return what nova-compute there says of its machine's uptime; None where it says nothing.

        Nova asks it over RPC: an answer proves that it serves. If it does not serve, the call lasts
        as long as Nova's `rpc_response_timeout`, usually 60 s. Ask one at a time: each call holds a
        worker.
        """
        ...

    def servers_on(self, host: str, /) -> tuple[Server, ...]:
        """Return the servers of all projects on a host; without volumes, ports and group."""
        ...

    def every_server(self) -> tuple[Server, ...]:
        """Return the servers of all projects on all hosts, page by page; as `servers_on`.

        Those of a cell that is down are left out, or come with the status UNKNOWN.
        """
        ...

    def server(self, server: str, /) -> Server | None:
        """Return one server, with the id of its group; None where there is none."""
        ...

    def servers_named(self, name: str, /) -> tuple[Server, ...]:
        """Return the servers of exactly this name in our own project."""
        ...

    def servers_called(self, word: str, /) -> tuple[Server, ...]:
        """Return the servers of all projects whose name or id it is."""
        ...

    def attached_to(self, server: str, /) -> tuple[NovaAttachment, ...]:
        """Return the volumes that Nova has attached to a server; none where there is no server."""
        ...

    def server_group(self, group: str, /) -> ServerGroup | None:
        """Return a server group; None where it is gone."""
        ...

    def migrations_of(self, host: str, status: str, /) -> tuple[Migration, ...]:
        """Return the migrations in one status that come from or go to a host."""
        ...

    def migrations_in(self, status: str, /) -> tuple[Migration, ...]:
        """Return the migrations of all servers that are in one status."""
        ...

    def newest_migrations(self, host: str, /) -> tuple[Migration, ...]:
        """Return the latest migrations from or to a host, ended ones too; a page of them."""
        ...

    def migrations_of_server(self, server: str, /) -> tuple[Migration, ...]:
        """Return a server's migrations, ended ones too, the newest first."""
        ...

    def actions_of(self, server: str, /) -> tuple[ServerAction, ...]:
        """Return a server's action log, newest first; none where Nova keeps no more of it."""
        ...

    def action_failure(self, server: str, request_id: str, /) -> str | None:
        """Return what Nova says about a failed action; None where it says nothing."""
        ...

    def action_events(self, server: str, request_id: str, /) -> tuple[ActionEvent, ...]:
        """Return what Nova did for an action, in order; nothing where it knows no such action."""
        ...

    def console(self, server: str, lines: int, /) -> str | None:
        """Return the last lines that a guest wrote to its console; None where it has none.

        What is behind the end of the last line counts as one. Nova asks its nova-compute over RPC.
        """
        ...

    def remaining_bytes(self, server: str, migration: int, /) -> int | None:
        """Return what a live migration has still to copy; None where Nova has no figure."""
        ...

    def aggregates(self) -> tuple[Aggregate, ...]:
        """Return all host aggregates."""
        ...

    def flavors(self) -> tuple[OfferedFlavor, ...]:
        """Return all flavors, those of few projects too."""
        ...

    def leaves_evacuated_stopped(self) -> bool:
        """Say whether this Nova leaves a server stopped that it has evacuated (2.95 and later)."""
        ...

    # --- changing: each asks once, never waits, and returns the request's id, if it has one ---

    def disable_service(self, service: str, reason: str, /) -> str | None:
        """Keep the scheduler off a compute service, with a reason."""
        ...

    def enable_service(self, service: str, /) -> str | None:
        """Let the scheduler use a compute service again."""
        ...

    def delete_service(self, service: str, /) -> str | None:
        """Delete the record of a service; of a nova-compute also its provider and its mapping.

        Nova refuses that while the host has servers or moves: `Uncertain`. It does not look whether
        the service is up.
        """
        ...

    def create_server(self, wanted: NewServer, /) -> str | None:
        """Ask for a server on one host, in our own project; the scheduler still validates it."""
        ...

    def delete_server(self, server: str, /) -> str | None:
        """Ask for a server to be deleted at once, also where deleted servers are kept a while."""
        ...

    def live_migrate(self, server: str, target: str | None, /) -> str | None:
        """Ask for a live migration; Nova sees by itself whether disks must be copied."""
        ...

    def cold_migrate(self, server: str, target: str | None, /) -> str | None:
        """Ask for a cold migration; it ends at VERIFY_RESIZE."""
        ...

    def confirm_resize(self, server: str, /) -> str | None:
        """Confirm a cold migration: what is left at the source is removed."""
        ...

    def stop_server(self, server: str, /) -> str | None:
        """Ask Nova to stop a running server: its guest is asked to shut down."""
        ...

    def start_server(self, server: str, /) -> str | None:
        """Ask for a stopped server to be started where it is."""
        ...

    def reboot_server(self, server: str, /, *, is_hard: bool) -> str | None:
        """Ask for a server to be rebooted; a hard reboot does not ask its guest to shut down."""
        ...

    def attach_volume(self, server: str, wanted: NovaAttachment, /) -> str | None:
        """Ask for a volume to be attached; the device is chosen by Nova: the first that is free."""
        ...

    def detach_volume(self, server: str, volume: str, /) -> str | None:
        """Ask for a volume to be detached. Its guest is asked 8 times, every 20 s, to let it go."""
        ...

    def force_complete(self, server: str, migration: int, /) -> str | None:
        """Let a live migration end now, at the price of a pause."""
        ...

    def abort_migration(self, server: str, migration: int, /) -> str | None:
        """Give up a live migration: the server stays where it is."""
        ...

    def force_down(self, service: str, /) -> str | None:
        """Report to Nova that a compute service is down for certain: its host was fenced."""
        ...

    def force_up(self, service: str, /) -> str | None:
        """Take that back. Raises `StepFailed` while an evacuation from there is `done` only."""
        ...

    def evacuate(self, server: str, target: str, /) -> str | None:
        """Ask for a server of a host that is down to be built on another, and to be left stopped.

        The scheduler still validates the target. Raises `Refused` where this Nova would start it.
        """
        ...

    def reset_state(self, server: str, /) -> str | None:
        """Set a server to active and clear its `task_state`; nothing is done to its guest."""
        ...
