"""Nova's API as the port `Nova`."""

import re

from stackward.adapters.openstack.http import Api
from stackward.adapters.openstack.nova_answers import (
    once,
    to_action,
    to_aggregate,
    to_console,
    to_events,
    to_failure,
    to_group,
    to_hypervisor,
    to_migration,
    to_new_server,
    to_nova_attachment,
    to_offered_flavor,
    to_remaining,
    to_server,
    to_service,
    to_uptime,
    to_wanted_attachment,
)
from stackward.adapters.openstack.paths import at
from stackward.adapters.openstack.services import (
    NOVA_HYPERVISORS,
    NOVA_LEAVES_STOPPED,
    NOVA_UPTIME,
    NOVA_WITH_IMAGE_PROPERTIES,
)
from stackward.model.acceptance import NewServer
from stackward.model.aggregate import Aggregate
from stackward.model.flavor import OfferedFlavor
from stackward.model.hypervisor import Hypervisor
from stackward.model.migration import Migration
from stackward.model.server import ActionEvent, Server, ServerAction, ServerGroup
from stackward.model.service import ComputeService
from stackward.model.volume import NovaAttachment

_NEWEST = 200  # migrations: more than a drain has in progress at once


class NovaApi:
    """Nova, behind openstacksdk."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._listed: tuple[Hypervisor, ...] = ()

    def services(self) -> tuple[ComputeService, ...]:
        """Return every service of Nova, on all hosts."""
        return once(self._api.every("/os-services", "services", to_service))

    def hypervisors_like(self, name: str, /) -> tuple[Hypervisor, ...]:
        """Return the hypervisors whose names contain `name`."""
        return self._api.every(
            "/os-hypervisors/detail",
            "hypervisors",
            to_hypervisor,
            [("hypervisor_hostname_pattern", name)],
            version=NOVA_HYPERVISORS,
            missing_ok=lambda: True,
        )

    def hypervisors(self) -> tuple[Hypervisor, ...]:
        """Return all hypervisors."""
        self._listed = self._api.every(
            "/os-hypervisors/detail",
            "hypervisors",
            to_hypervisor,
            version=NOVA_HYPERVISORS,
        )
        return self._listed

    def known_hypervisors(self) -> tuple[Hypervisor, ...]:
        """Return what the last list of all had, none before the first."""
        return self._listed

    def uptime(self, hypervisor: str, /) -> str | None:
        """Return what nova-compute there says of its machine's uptime; None where it is silent."""
        if self._api.offers(NOVA_UPTIME):
            path, version = at("/os-hypervisors/{}", hypervisor), NOVA_UPTIME
        else:
            path, version = at("/os-hypervisors/{}/uptime", hypervisor), NOVA_HYPERVISORS
        return self._api.read(path, to_uptime, version=version)

    def servers_on(self, host: str, /) -> tuple[Server, ...]:
        """Return the servers of all projects on a host.

        Those that are soft-deleted are still there, and Nova lists them only where it is asked to.
        """
        query = [("all_tenants", "true"), ("host", host), ("soft_deleted", "true")]
        return self._api.every("/servers/detail", "servers", to_server, query)

    def every_server(self) -> tuple[Server, ...]:
        """Return the servers of all projects on all hosts."""
        query = [("all_tenants", "true"), ("soft_deleted", "true")]
        return self._api.every("/servers/detail", "servers", to_server, query)

    def server(self, server: str, /) -> Server | None:
        """Return one server, with the id of its group; None where there is none."""
        return self._api.find(
            at("/servers/{}", server),
            lambda body: to_server(body["server"]),
            version=NOVA_WITH_IMAGE_PROPERTIES,
        )

    def servers_named(self, name: str, /) -> tuple[Server, ...]:
        """Return the servers of exactly this name in our own project."""
        found = self._api.every("/servers/detail", "servers", to_server, [("name", name)])
        return tuple(one for one in found if one.name == name)

    def servers_called(self, word: str, /) -> tuple[Server, ...]:
        """Return the servers of all projects whose name or id it is."""
        by_id = self.server(word)
        query = [("all_tenants", "true"), ("name", f"^{re.escape(word)}$")]
        by_name = self._api.every("/servers/detail", "servers", to_server, query)
        found = [*([by_id] if by_id else []), *by_name]
        # Names are compared again: Nova's database may ignore case, and each reads a pattern its
        # own way.
        return tuple({one.id: one for one in found if word in {one.id, one.name}}.values())

    def attached_to(self, server: str, /) -> tuple[NovaAttachment, ...]:
        """Return the volumes that Nova has attached to a server; none where there is no server."""
        return self._api.every(
            at("/servers/{}/os-volume_attachments", server),
            "volumeAttachments",
            to_nova_attachment,
            missing_ok=lambda: self.server(server) is None,
        )

    def server_group(self, group: str, /) -> ServerGroup | None:
        """Return a server group; None where it is gone."""
        path = at("/os-server-groups/{}", group)
        return self._api.find(path, lambda body: to_group(body["server_group"]))

    def migrations_of(self, host: str, status: str, /) -> tuple[Migration, ...]:
        """Return the migrations in one status that come from or go to a host."""
        return self._migrations([("host", host), ("status", status)])

    def migrations_in(self, status: str, /) -> tuple[Migration, ...]:
        """Return the migrations of all servers that are in one status."""
        return self._migrations([("status", status)])

    def newest_migrations(self, host: str, /) -> tuple[Migration, ...]:
        """Return the latest migrations from or to a host, the newest first."""
        return self._migrations([("host", host), ("limit", str(_NEWEST))], at_most=_NEWEST)

    def migrations_of_server(self, server: str, /) -> tuple[Migration, ...]:
        """Return a server's migrations, ended ones too, the newest first."""
        found = self._migrations([("instance_uuid", server)])
        return tuple(sorted(found, key=lambda migration: -migration.id))

    def actions_of(self, server: str, /) -> tuple[ServerAction, ...]:
        """Return a server's action log, newest first; none where Nova keeps no more of it."""
        path = at("/servers/{}/os-instance-actions", server)
        actions = self._api.every(
            path,
            "instanceActions",
            to_action,
            missing_ok=lambda: self.server(server) is None,  # its rows are archived, or purged
        )
        return tuple(sorted(actions, key=lambda action: action.started, reverse=True))

    def action_failure(self, server: str, request_id: str, /) -> str | None:
        """Return what Nova says about a failed action; None where it says nothing."""
        return self._api.find(self._action(server, request_id), to_failure)

    def action_events(self, server: str, request_id: str, /) -> tuple[ActionEvent, ...]:
        """Return what Nova did for an action, in order; nothing where it knows no such action."""
        return self._api.find(self._action(server, request_id), to_events) or ()

    def console(self, server: str, lines: int, /) -> str | None:
        """Return the last lines of a guest's console; None where it has none."""
        body = {"os-getConsoleOutput": {"length": lines}}
        return self._api.ask(at("/servers/{}/action", server), body, to_console)

    def remaining_bytes(self, server: str, migration: int, /) -> int | None:
        """Return what a live migration has still to copy; None where Nova has no figure."""
        path = at("/servers/{}/migrations/{}", server, migration)
        return self._api.find(path, to_remaining)

    def aggregates(self) -> tuple[Aggregate, ...]:
        """Return all host aggregates."""
        return self._api.every("/os-aggregates", "aggregates", to_aggregate)

    def flavors(self) -> tuple[OfferedFlavor, ...]:
        """Return all flavors, those of few projects too."""
        query = [("is_public", "None")]
        return self._api.every("/flavors/detail", "flavors", to_offered_flavor, query)

    def leaves_evacuated_stopped(self) -> bool:
        """Say whether this Nova leaves a server stopped that it has evacuated."""
        return self._api.offers(NOVA_LEAVES_STOPPED)

    # --- changing ---

    def disable_service(self, service: str, reason: str, /) -> str | None:
        """Keep the scheduler off a compute service, with a reason."""
        body = {"status": "disabled", "disabled_reason": reason}
        return self._api.change("PUT", at("/os-services/{}", service), body)

    def enable_service(self, service: str, /) -> str | None:
        """Let the scheduler use a compute service again."""
        return self._api.change("PUT", at("/os-services/{}", service), {"status": "enabled"})

    def delete_service(self, service: str, /) -> str | None:
        """Delete the record of a service; of a nova-compute also its provider and its mapping.

        `delete` in `nova/api/openstack/compute/services.py`, seen in 31.0.
        """
        return self._api.change("DELETE", at("/os-services/{}", service))

    def create_server(self, wanted: NewServer, /) -> str | None:
        """Ask for a server on one host; the scheduler still validates it."""
        return self._api.change("POST", "/servers", to_new_server(wanted))

    def delete_server(self, server: str, /) -> str | None:
        """Ask Nova to delete a server at once, also where deleted servers are kept a while."""
        return self._act(server, {"forceDelete": None})

    def live_migrate(self, server: str, target: str | None, /) -> str | None:
        """Ask for a live migration; Nova sees by itself whether disks must be copied."""
        return self._act(server, {"os-migrateLive": {"host": target, "block_migration": "auto"}})

    def cold_migrate(self, server: str, target: str | None, /) -> str | None:
        """Ask for a cold migration; it ends at VERIFY_RESIZE."""
        return self._act(server, {"migrate": {"host": target} if target else None})

    def confirm_resize(self, server: str, /) -> str | None:
        """Confirm a cold migration."""
        return self._act(server, {"confirmResize": None})

    def stop_server(self, server: str, /) -> str | None:
        """Ask Nova to stop a running server."""
        return self._act(server, {"os-stop": None})

    def start_server(self, server: str, /) -> str | None:
        """Ask Nova to start a stopped server where it is."""
        return self._act(server, {"os-start": None})

    def reboot_server(self, server: str, /, *, is_hard: bool) -> str | None:
        """Ask Nova to reboot a server."""
        return self._act(server, {"reboot": {"type": "HARD" if is_hard else "SOFT"}})

    def attach_volume(self, server: str, wanted: NovaAttachment, /) -> str | None:
        """Ask Nova to attach a volume."""
        path = at("/servers/{}/os-volume_attachments", server)
        return self._api.change("POST", path, to_wanted_attachment(wanted))

    def detach_volume(self, server: str, volume: str, /) -> str | None:
        """Ask Nova to detach a volume."""
        return self._api.change(
            "DELETE", at("/servers/{}/os-volume_attachments/{}", server, volume)
        )

    def force_complete(self, server: str, migration: int, /) -> str | None:
        """Let a live migration end now, at the price of a pause."""
        path = at("/servers/{}/migrations/{}/action", server, migration)
        return self._api.change("POST", path, {"force_complete": None})

    def abort_migration(self, server: str, migration: int, /) -> str | None:
        """Give up a live migration."""
        return self._api.change("DELETE", at("/servers/{}/migrations/{}", server, migration))

    def force_down(self, service: str, /) -> str | None:
        """Record in Nova that a compute service is down for certain."""
        return self._api.change("PUT", at("/os-services/{}", service), {"forced_down": True})

    def force_up(self, service: str, /) -> str | None:
        """Take that back."""
        return self._api.change("PUT", at("/os-services/{}", service), {"forced_down": False})

    def evacuate(self, server: str, target: str, /) -> str | None:
        """Ask for a server to be built on another host, and to be left stopped."""
        path, body = at("/servers/{}/action", server), {"evacuate": {"host": target}}
        return self._api.change("POST", path, body, at_least=NOVA_LEAVES_STOPPED)

    def reset_state(self, server: str, /) -> str | None:
        """Set a server to active, and clear its `task_state`."""
        return self._act(server, {"os-resetState": {"state": "active"}})

    def _act(self, server: str, body: dict[str, object]) -> str | None:
        return self._api.change("POST", at("/servers/{}/action", server), body)

    def _migrations(
        self, query: list[tuple[str, str]], at_most: int | None = None
    ) -> tuple[Migration, ...]:
        return self._api.every("/os-migrations", "migrations", to_migration, query, at_most=at_most)

    def _action(self, server: str, request_id: str) -> str:
        return at("/servers/{}/os-instance-actions/{}", server, request_id)
