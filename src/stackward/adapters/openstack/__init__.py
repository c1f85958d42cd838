"""OpenStack's APIs as the port `Cloud`. `services` has the microversions, and what each is for."""

import logging
import os
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from stackward.adapters.clock import SystemClock
from stackward.adapters.openstack import acceptance, cinder, masakari, neutron, nova, placement
from stackward.adapters.openstack.answers import Json, text
from stackward.adapters.openstack.files import UnusableSettings, try_files
from stackward.adapters.openstack.http import FILES, patiently, sorted_failures
from stackward.adapters.openstack.patience import Patience
from stackward.adapters.openstack.redirects import stay_on_host
from stackward.adapters.openstack.regions import region_of, several
from stackward.adapters.openstack.services import (
    NOVA_HYPERVISORS,
    NOVA_UPTIME,
    NOVA_WITH_IMAGE_PROPERTIES,
    Services,
)
from stackward.adapters.openstack.which_cloud import identity_in
from stackward.errors import BadInput, StackwardError
from stackward.masking import learn_from
from stackward.model.acceptance import NewServer
from stackward.model.aggregate import Aggregate
from stackward.model.cloud import CloudIdentity
from stackward.model.flavor import OfferedFlavor
from stackward.model.hypervisor import Hypervisor
from stackward.model.identity import Hosts
from stackward.model.image import Image
from stackward.model.instance_ha import Guarded
from stackward.model.migration import Migration
from stackward.model.network import Network, NetworkAgent, Port
from stackward.model.placement import Candidate, Need, Provider
from stackward.model.project import Project
from stackward.model.server import ActionEvent, Server, ServerAction, ServerGroup
from stackward.model.service import ComputeService
from stackward.model.volume import Volume
from stackward.ports.clock import Clock

if TYPE_CHECKING:
    from openstack.connection import Connection

    from stackward.adapters.openstack.apis import OpenStackApis

Parsed = TypeVar("Parsed")

# Neutron's own policy says so (`neutron/conf/policies/port_bindings.py`, seen in 2025.1).
SERVICE_ROLE = (
    "Neutron lets only the role `service` remove a binding: give it to this login, `openstack role "
    "add --user USER --project PROJECT service`, and log in anew"
)
INSTANCE_HA = "instance-ha"  # its type in the catalog

_MASAKARI_PAGE = 500  # half of what it gives at most, unless its `osapi_max_limit` says less
_CHUNK = 50  # ids in one query: some proxies cut URLs at 8 KiB
_NEWEST = 200  # migrations: more than a drain has under way at once
_TIMEOUT_S = 90  # longer than Nova's own wait for an RPC answer, 60 s


def connect(cloud: str | None) -> "OpenStackCloud":
    """Connect to the cloud, as an administrator; what it offers is found out at once."""
    connection = _find(cloud)
    try:
        return OpenStackCloud(connection)
    except StackwardError:
        raise
    except Exception as error:  # the plugins are loaded late: their own errors again
        raise _unusable(cloud, error) from error


def connect_to_look(cloud: str | None) -> "OpenStackApis":
    """Make ready to look at the cloud; nothing is loaded or called before the first question."""
    from stackward.adapters.openstack.apis import OpenStackApis  # noqa: PLC0415  # only here

    return OpenStackApis(lambda: _with_login(cloud))


def _with_login(cloud: str | None) -> "Connection":
    from stackward.adapters.openstack.whole_time import keep_to_it  # noqa: PLC0415  # as above

    connection = _find(cloud)
    try:
        _ = connection.session.auth
        stay_on_host(connection.session)
        keep_to_it(connection.session)
    except Exception as error:  # each plugin raises its own for a setting that it misses
        raise _unusable(cloud, error) from error
    return connection


def _find(cloud: str | None) -> "Connection":
    """Find the cloud in clouds.yaml or the OS_* variables; no call is made yet."""
    import openstack  # noqa: PLC0415  # 0.4 s that only commands with a cloud need
    from openstack import exceptions  # noqa: PLC0415  # same

    logging.getLogger("keystoneauth").addHandler(logging.NullHandler())  # our errors say it all
    try:
        connection = openstack.connect(
            cloud=cloud, region_name=_region_for(cloud), app_name="stackward", timeout=_TIMEOUT_S
        )
    except StackwardError:
        raise
    except exceptions.ConfigException as error:
        raise BadInput(
            f"cannot find the cloud `{cloud}`" if cloud else "cannot find out which cloud is meant",
            service="openstacksdk",
            says=str(error),
            hint="name it with `--os-cloud NAME` as in clouds.yaml, or set the OS_* variables",
        ) from error
    except Exception as error:  # each plugin raises its own for a setting that it misses
        raise _unusable(cloud, error) from error
    learn_from(connection.config.config.get("auth") or {})  # a service may quote them
    try:
        try_files(connection.config)
    except (OSError, ValueError) as error:
        raise _unusable(cloud, error, FILES) from error
    return connection


def _region_for(cloud: str | None) -> str | None:
    """Return OS_REGION_NAME where the cloud's entry in clouds.yaml leaves the region open.

    Of an entry with several regions the SDK would take the first, unasked.
    """
    from openstack.config import OpenStackConfig  # noqa: PLC0415  # loaded by now

    known = OpenStackConfig(app_name="stackward")
    entry = (known.cloud_config.get("clouds") or {}).get(cloud or known.default_cloud) or {}
    if entry.get("region_name"):
        return None
    listed = [
        str(one["name"]) if isinstance(one, dict) else str(one)
        for one in entry.get("regions") or ()
    ]
    named = os.environ.get("OS_REGION_NAME")
    if len(listed) > 1 and not named:
        raise several(listed)
    return named


def _unusable(cloud: str | None, error: Exception, see: str = "") -> UnusableSettings:
    named = f"the settings of the cloud `{cloud}`" if cloud else "the settings of the cloud"
    return UnusableSettings(
        f"{named} cannot be used",
        service="openstacksdk",
        says=str(error),
        hint=see
        or "see its entry in clouds.yaml, or the OS_* variables: auth_url, username, password, "
        "project_name and the domains",
    )


class OpenStackCloud:
    """A cloud behind openstacksdk."""

    def __init__(self, connection: "Connection", clock: Clock | None = None) -> None:
        self._connection = connection
        stay_on_host(connection.session)
        patience = Patience(clock=clock or SystemClock())
        services = Services(connection, patience)
        self._nova, self._placement = services.nova, services.placement
        self._neutron, self._cinder = services.neutron, services.cinder
        self._glance, self._keystone = services.glance, services.keystone
        self._masakari = services.masakari
        self._listed: tuple[Hypervisor, ...] = ()
        patiently(patience, "Keystone", self._log_in)
        self._identity = _identity_of(connection)  # a region that is not there is said first
        self._nova.open()

    def _log_in(self) -> None:
        with sorted_failures("Keystone"):
            _ = list(self._connection.service_catalog)  # it comes with the token

    # --- reading ---

    def identity(self) -> CloudIdentity:
        """Return which cloud it is, by the catalog."""
        return self._identity

    def has_service(self, kind: str, /) -> bool:
        """Say whether the catalog has a service of this type."""
        with sorted_failures("Keystone"):
            return any(one["type"] == kind for one in self._connection.service_catalog)

    def services(self) -> tuple[ComputeService, ...]:
        """Return every service of Nova, on all hosts."""
        return nova.once(self._nova.every("/os-services", "services", nova.to_service))

    def hypervisors_like(self, name: str, /) -> tuple[Hypervisor, ...]:
        """Return the hypervisors whose names contain `name`."""
        return self._nova.every(
            "/os-hypervisors/detail",
            "hypervisors",
            nova.to_hypervisor,
            [("hypervisor_hostname_pattern", name)],
            version=NOVA_HYPERVISORS,
            missing_ok=lambda: True,
        )

    def hypervisors(self) -> tuple[Hypervisor, ...]:
        """Return all hypervisors."""
        self._listed = self._nova.every(
            "/os-hypervisors/detail",
            "hypervisors",
            nova.to_hypervisor,
            version=NOVA_HYPERVISORS,
        )
        return self._listed

    def known_hypervisors(self) -> tuple[Hypervisor, ...]:
        """Return what the last list of all had, none before the first."""
        return self._listed

    def uptime(self, hypervisor: str, /) -> str | None:
        """Return what nova-compute there says of its machine's uptime; None where it is silent."""
        if self._nova.offers(NOVA_UPTIME):
            path, version = at("/os-hypervisors/{}", hypervisor), NOVA_UPTIME
        else:
            path, version = at("/os-hypervisors/{}/uptime", hypervisor), NOVA_HYPERVISORS
        return self._nova.read(path, nova.to_uptime, version=version)

    def servers_on(self, host: str, /) -> tuple[Server, ...]:
        """Return the servers of all projects on a host.

        Those that are soft-deleted are still there, and Nova lists them only where it is asked to.
        """
        query = [("all_tenants", "true"), ("host", host), ("soft_deleted", "true")]
        return self._nova.every("/servers/detail", "servers", nova.to_server, query)

    def server(self, server: str, /) -> Server | None:
        """Return one server, with the id of its group; None where there is none."""
        return self._nova.find(
            at("/servers/{}", server),
            lambda body: nova.to_server(body["server"]),
            version=NOVA_WITH_IMAGE_PROPERTIES,
        )

    def servers_named(self, name: str, /) -> tuple[Server, ...]:
        """Return the servers of exactly this name in our own project."""
        found = self._nova.every("/servers/detail", "servers", nova.to_server, [("name", name)])
        return tuple(one for one in found if one.name == name)

    def servers_called(self, word: str, /) -> tuple[Server, ...]:
        """Return the servers of all projects whose name or id it is."""
        by_id = self.server(word)
        query = [("all_tenants", "true"), ("name", f"^{re.escape(word)}$")]
        by_name = self._nova.every("/servers/detail", "servers", nova.to_server, query)
        found = [*([by_id] if by_id else []), *by_name]
        # Names are compared again: Nova's database may ignore case, and each reads a pattern its
        # own way.
        return tuple({one.id: one for one in found if word in {one.id, one.name}}.values())

    def server_group(self, group: str, /) -> ServerGroup | None:
        """Return a server group; None where it is gone."""
        path = at("/os-server-groups/{}", group)
        return self._nova.find(path, lambda body: nova.to_group(body["server_group"]))

    def migrations_of(self, host: str, status: str, /) -> tuple[Migration, ...]:
        """Return the migrations in one status that come from or go to a host."""
        return self._migrations([("host", host), ("status", status)])

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
        actions = self._nova.every(
            path,
            "instanceActions",
            nova.to_action,
            missing_ok=lambda: self.server(server) is None,  # its rows are archived, or purged
        )
        return tuple(sorted(actions, key=lambda action: action.started, reverse=True))

    def action_failure(self, server: str, request_id: str, /) -> str | None:
        """Return what Nova says about a failed action; None where it says nothing."""
        return self._nova.find(self._action(server, request_id), nova.to_failure)

    def action_events(self, server: str, request_id: str, /) -> tuple[ActionEvent, ...]:
        """Return what Nova did for an action, in order; nothing where it knows no such action."""
        return self._nova.find(self._action(server, request_id), nova.to_events) or ()

    def remaining_bytes(self, server: str, migration: int, /) -> int | None:
        """Return what a live migration has still to copy; None where Nova has no figure."""
        path = at("/servers/{}/migrations/{}", server, migration)
        return self._nova.find(path, nova.to_remaining)

    def aggregates(self) -> tuple[Aggregate, ...]:
        """Return all host aggregates."""
        return self._nova.every("/os-aggregates", "aggregates", nova.to_aggregate)

    def provider(self, provider: str, /) -> Provider:
        """Return a node's account at placement."""
        path, read = at("/resource_providers/{}", provider), self._placement.read
        return Provider(
            id=provider,
            inventories=read(f"{path}/inventories", placement.to_inventories),
            usages=read(f"{path}/usages", placement.to_usages),
            allocations=read(f"{path}/allocations", placement.to_allocations),
            traits=read(f"{path}/traits", placement.to_traits),
        )

    def allocations_of(self, consumer: str, /) -> frozenset[str]:
        """Return the providers on which a server, or a migration, holds allocations."""
        path = at("/allocations/{}", consumer)
        return frozenset(self._placement.read(path, placement.to_allocations))

    def candidates(
        self, need: Need, /, *, member_of: Sequence[str], limit: int
    ) -> tuple[Candidate, ...]:
        """Return the nodes on which placement sees room for one server of a need."""
        query = placement.to_query(need, member_of, limit)
        return self._placement.read("/allocation_candidates", placement.to_candidates, query)

    def provider_names(self) -> dict[str, str]:
        """Return the name of every resource provider, by its id."""
        return dict(
            self._placement.every("/resource_providers", "resource_providers", placement.to_name)
        )

    def ports_of(self, servers: Sequence[str], /) -> tuple[Port, ...]:
        """Return the ports of some servers."""
        return tuple(
            port
            for chunk in _chunks(servers)
            for port in self._neutron.every(
                "/ports", "ports", neutron.to_port, [("device_id", each) for each in chunk]
            )
        )

    def bindings_of(self, port: str, /) -> tuple[tuple[str, str], ...]:
        """Return a port's bindings, (host, status); a port that is gone has none."""
        return self._neutron.every(
            at("/ports/{}/bindings", port),
            "bindings",
            neutron.to_binding,
            missing_ok=lambda: self._is_gone(port),
        )

    def network_agents_on(self, host: str, /) -> tuple[NetworkAgent, ...]:
        """Return Neutron's agents on a host."""
        found = self._neutron.every("/agents", "agents", neutron.to_agent, [("host", host)])
        return tuple(sorted(found, key=lambda agent: agent.kind))

    def volume(self, volume: str, /) -> Volume | None:
        """Return a volume; None where there is none."""
        return self._cinder.find(at("/volumes/{}", volume), cinder.to_volume)

    def attachments_of(self, server: str, /) -> tuple[tuple[str, str], ...]:
        """Return Cinder's attachments of a server, (id, volume)."""
        query = [("all_tenants", "true"), ("instance_id", server)]
        return self._cinder.every("/attachments", "attachments", cinder.to_attachment, query)

    def volume_services(self) -> tuple[str, ...]:
        """Return the hosts of all cinder-volume services."""
        query = [("binary", "cinder-volume")]
        return self._cinder.every("/os-services", "services", cinder.to_host, query)

    def public_images(self) -> tuple[Image, ...]:
        """Return the images that every project may use."""
        return self._images([("visibility", "public")])

    def images_called(self, word: str, /) -> tuple[Image, ...]:
        """Return the images whose name or id it is."""
        by_id = self._glance.find(at("/images/{}", word), acceptance.to_image)
        return (by_id,) if by_id else self._images([("name", word)])

    def flavors(self) -> tuple[OfferedFlavor, ...]:
        """Return all flavors, those of few projects too."""
        query = [("is_public", "None")]
        return self._nova.every("/flavors/detail", "flavors", acceptance.to_flavor, query)

    def networks_called(self, word: str, /) -> tuple[Network, ...]:
        """Return the networks whose name or id it is."""
        return self._networks([("id", word)]) or self._networks([("name", word)])

    def guarded(self, host: str, /) -> tuple[Guarded, ...]:
        """Return a host's entries in the instance-HA service.

        Raises StackwardError where they may be those of two machines.
        """
        if not self.has_service(INSTANCE_HA):
            return ()
        segments = self._masakari_list("/segments", "segments", lambda one: text(one["uuid"]))
        entries = [
            entry
            for segment in segments
            for entry in self._masakari_list(
                at("/segments/{}/hosts", segment), "hosts", masakari.to_guarded
            )
        ]
        names = set(Hosts({entry.host for entry in entries}).called(host))
        if len(names) > 1:
            listed = ", ".join(f"`{name}`" for name in sorted(names))
            raise StackwardError(
                f"the instance-HA service has several hosts for `{host}`: {listed}"
            )
        return tuple(entry for entry in entries if entry.host in names)

    def projects_called(self, word: str, /) -> tuple[Project, ...]:
        """Return the projects of all domains whose name or id it is."""
        by_id = self._keystone.find(
            at("/projects/{}", word), lambda body: to_project(body["project"])
        )
        by_name = self._keystone.every("/projects", "projects", to_project, [("name", word)])
        found = [*([by_id] if by_id else []), *by_name]
        # Names are compared again: a database may ignore case, a server a filter.
        named = {one.id: one for one in found if word in {one.id, one.name}}
        return tuple(named.values())

    # --- changing ---

    def set_guarded(self, entry: Guarded, /, *, is_in_maintenance: bool) -> str | None:
        """Tell the instance-HA service whether a host is in maintenance."""
        path = at("/segments/{}/hosts/{}", entry.segment, entry.id)
        body = {"host": {"on_maintenance": is_in_maintenance}}
        return self._masakari.change("PUT", path, body)

    def disable_service(self, service: str, reason: str, /) -> str | None:
        """Keep the scheduler off a compute service, with a reason."""
        body = {"status": "disabled", "disabled_reason": reason}
        return self._nova.change("PUT", at("/os-services/{}", service), body)

    def enable_service(self, service: str, /) -> str | None:
        """Let the scheduler use a compute service again."""
        return self._nova.change("PUT", at("/os-services/{}", service), {"status": "enabled"})

    def create_server(self, wanted: NewServer, /) -> str | None:
        """Ask for a server on one host; the scheduler still validates it."""
        return self._nova.change("POST", "/servers", acceptance.to_body(wanted))

    def delete_server(self, server: str, /) -> str | None:
        """Ask for a server to be deleted at once, also where deleted servers are kept a while."""
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
        """Ask for a running server to be stopped."""
        return self._act(server, {"os-stop": None})

    def start_server(self, server: str, /) -> str | None:
        """Ask for a stopped server to be started where it is."""
        return self._act(server, {"os-start": None})

    def reboot_server(self, server: str, /, *, is_hard: bool) -> str | None:
        """Ask for a server to be rebooted."""
        return self._act(server, {"reboot": {"type": "HARD" if is_hard else "SOFT"}})

    def remove_binding(self, port: str, host: str, /) -> str | None:
        """Remove a port's binding on a host."""
        path = at("/ports/{}/bindings/{}", port, host)
        return self._neutron.change("DELETE", path, right=SERVICE_ROLE)

    def force_complete(self, server: str, migration: int, /) -> str | None:
        """Let a live migration end now, at the price of a pause."""
        path = at("/servers/{}/migrations/{}/action", server, migration)
        return self._nova.change("POST", path, {"force_complete": None})

    def abort_migration(self, server: str, migration: int, /) -> str | None:
        """Give up a live migration."""
        return self._nova.change("DELETE", at("/servers/{}/migrations/{}", server, migration))

    def _images(self, query: list[tuple[str, str]]) -> tuple[Image, ...]:
        return self._glance.every("/images", "images", acceptance.to_image, query)

    def _networks(self, query: list[tuple[str, str]]) -> tuple[Network, ...]:
        return self._neutron.every("/networks", "networks", neutron.to_network, query)

    def _masakari_list(
        self, path: str, name: str, parse: Callable[[Json], Parsed]
    ) -> tuple[Parsed, ...]:
        # Its pages do not say whether another follows. Its marker is the number of a row, not a
        # UUID (masakari 19, db/sqlalchemy/api.py): by a UUID it answers 400.
        query = [("limit", str(_MASAKARI_PAGE))]
        return self._masakari.every(path, name, parse, query, marker="id")

    def _act(self, server: str, body: dict[str, object]) -> str | None:
        return self._nova.change("POST", at("/servers/{}/action", server), body)

    def _migrations(
        self, query: list[tuple[str, str]], at_most: int | None = None
    ) -> tuple[Migration, ...]:
        return self._nova.every(
            "/os-migrations", "migrations", nova.to_migration, query, at_most=at_most
        )

    def _is_gone(self, port: str) -> bool:
        # Without the extension `binding-extended` there are no bindings to read, and that is said.
        return self._neutron.find(at("/ports/{}", port), neutron.to_port_id) is None

    def _action(self, server: str, request_id: str) -> str:
        return at("/servers/{}/os-instance-actions/{}", server, request_id)


def at(form: str, *words: object) -> str:
    """Return a path; what an API called a thing is no path."""
    return form.format(*(quote(str(word), safe="") for word in words))


def to_project(given: Json) -> Project:
    """Read an element of Keystone's `GET /projects`."""
    return Project(id=given["id"], name=given["name"])


def _identity_of(connection: "Connection") -> CloudIdentity:
    auth_url = str((connection.config.config.get("auth") or {}).get("auth_url") or "")
    with sorted_failures("Keystone"):
        catalog = list(connection.service_catalog)
        region = region_of(catalog, connection.config.get_region_name("compute"))
        return identity_in(catalog, region, auth_url)


def _chunks(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK)]
