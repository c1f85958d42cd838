"""What we may ask of an OpenStack cloud.

Each reading method is one API call, or one per page or chunk of what it is asked for.
Hosts are named as Nova names its services. What the catalog does not have raises `NotInCatalog`, an
answer that makes no sense `NotUnderstood`.
"""

from collections.abc import Sequence
from typing import Protocol

from stackward.model.acceptance import NewServer
from stackward.model.aggregate import Aggregate
from stackward.model.cloud import CloudIdentity
from stackward.model.flavor import OfferedFlavor
from stackward.model.hypervisor import Hypervisor
from stackward.model.image import Image
from stackward.model.instance_ha import Guarded
from stackward.model.migration import Migration
from stackward.model.network import Network, NetworkAgent, Port
from stackward.model.placement import Candidate, Need, Provider
from stackward.model.project import Project
from stackward.model.server import ActionEvent, Server, ServerAction, ServerGroup
from stackward.model.service import ComputeService
from stackward.model.volume import Volume


class Cloud(Protocol):
    """An OpenStack cloud, asked as an administrator."""

    # --- reading ---

    def identity(self) -> CloudIdentity:
        """Return what tells this cloud from others, whoever asks; no call, and no secret."""
        ...

    def has_service(self, kind: str, /) -> bool:
        """Say whether the catalog has a service of this type; no call."""
        ...

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
        """Return what the last list of all had, none before the first; nothing is asked.

        It tells which name or host belongs to which hypervisor, not how one stands now.
        """
        ...

    def uptime(self, hypervisor: str, /) -> str | None:
        """Return what nova-compute there says of its machine's uptime; None where it says nothing.

        Nova asks it over RPC: an answer proves that it serves. Takes up to Nova's
        `rpc_response_timeout`, usually 60 s, where it does not; one at a time, it holds a worker.
        """
        ...

    def servers_on(self, host: str, /) -> tuple[Server, ...]:
        """Return the servers of all projects on a host; without volumes, ports and group."""
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

    def server_group(self, group: str, /) -> ServerGroup | None:
        """Return a server group; None where it is gone."""
        ...

    def migrations_of(self, host: str, status: str, /) -> tuple[Migration, ...]:
        """Return the migrations in one status that come from or go to a host."""
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

    def remaining_bytes(self, server: str, migration: int, /) -> int | None:
        """Return what a live migration has still to copy; None where Nova has no figure."""
        ...

    def aggregates(self) -> tuple[Aggregate, ...]:
        """Return all host aggregates."""
        ...

    def provider(self, provider: str, /) -> Provider:
        """Return a node's account at placement; a call for each of its four parts."""
        ...

    def allocations_of(self, consumer: str, /) -> frozenset[str]:
        """Return the providers on which a server, or a migration, holds allocations."""
        ...

    def candidates(
        self, need: Need, /, *, member_of: Sequence[str], limit: int
    ) -> tuple[Candidate, ...]:
        """Return the nodes on which placement sees room for one server of a need.

        `member_of` holds placement's own filters, all of which must be met: `in:UUID,UUID`.
        """
        ...

    def provider_names(self) -> dict[str, str]:
        """Return the name of every resource provider, by its id."""
        ...

    def ports_of(self, servers: Sequence[str], /) -> tuple[Port, ...]:
        """Return the ports of some servers."""
        ...

    def bindings_of(self, port: str, /) -> tuple[tuple[str, str], ...]:
        """Return a port's bindings, (host, status); a port that is gone has none."""
        ...

    def network_agents_on(self, host: str, /) -> tuple[NetworkAgent, ...]:
        """Return Neutron's agents on a host."""
        ...

    def volume(self, volume: str, /) -> Volume | None:
        """Return a volume; None where there is none."""
        ...

    def attachments_of(self, server: str, /) -> tuple[tuple[str, str], ...]:
        """Return Cinder's attachments of a server, (id, volume)."""
        ...

    def volume_services(self) -> tuple[str, ...]:
        """Return the hosts of all cinder-volume services, `host@backend`."""
        ...

    def public_images(self) -> tuple[Image, ...]:
        """Return the images that every project may use."""
        ...

    def images_called(self, word: str, /) -> tuple[Image, ...]:
        """Return the images whose name or id it is."""
        ...

    def flavors(self) -> tuple[OfferedFlavor, ...]:
        """Return all flavors, those of few projects too."""
        ...

    def networks_called(self, word: str, /) -> tuple[Network, ...]:
        """Return the networks whose name or id it is."""
        ...

    def guarded(self, host: str, /) -> tuple[Guarded, ...]:
        """Return a host's entries in the instance-HA service; none where there is no service.

        One call for the segments, and one for each of them. Raises StackwardError where two hosts
        there may be it.
        """
        ...

    def projects_called(self, word: str, /) -> tuple[Project, ...]:
        """Return the projects of all domains whose name or id it is."""
        ...

    # --- changing: each asks once, never waits, and returns the request's id, if it has one ---

    def set_guarded(self, entry: Guarded, /, *, is_in_maintenance: bool) -> str | None:
        """Tell the instance-HA service whether a host is in maintenance."""
        ...

    def disable_service(self, service: str, reason: str, /) -> str | None:
        """Keep the scheduler off a compute service, with a reason."""
        ...

    def enable_service(self, service: str, /) -> str | None:
        """Let the scheduler use a compute service again."""
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
        """Ask for a running server to be stopped: its guest is told to shut down."""
        ...

    def start_server(self, server: str, /) -> str | None:
        """Ask for a stopped server to be started where it is."""
        ...

    def reboot_server(self, server: str, /, *, is_hard: bool) -> str | None:
        """Ask for a server to be rebooted; a hard reboot does not ask its guest to shut down."""
        ...

    def remove_binding(self, port: str, host: str, /) -> str | None:
        """Remove a port's binding on a host, which must be inactive."""
        ...

    def force_complete(self, server: str, migration: int, /) -> str | None:
        """Let a live migration end now, at the price of a pause."""
        ...

    def abort_migration(self, server: str, migration: int, /) -> str | None:
        """Give up a live migration: the server stays where it is."""
        ...
