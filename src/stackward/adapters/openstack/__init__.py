"""OpenStack's APIs as the port `Cloud`.

The microversions are pinned here. Nova 2.96 (2024.1) is the oldest that tells the zone a server was
asked for; 2.98 (2025.1) adds its image's properties and is used where it is known.
"""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from stackward.adapters.openstack import acceptance, nova, placement
from stackward.adapters.openstack.http import Api, sorted_failures
from stackward.errors import BadInput, Refused, StackwardError
from stackward.masking import learn_from
from stackward.model.acceptance import Image, Network, NewServer, OfferedFlavor
from stackward.model.compute import (
    ActionEvent,
    Aggregate,
    Candidate,
    ComputeService,
    Guarded,
    Hypervisor,
    Migration,
    Need,
    NetworkAgent,
    Port,
    Provider,
    Server,
    ServerAction,
    ServerGroup,
    Volume,
)
from stackward.model.project import Project

if TYPE_CHECKING:
    from openstack.connection import Connection

    from stackward.adapters.openstack.apis import OpenStackApis

# Neutron's own policy says so (`neutron/conf/policies/port_bindings.py`, seen in 2025.1).
SERVICE_ROLE = (
    "Neutron lets only the role `service` remove a binding: give it to this login, `openstack role "
    "add --user USER --project PROJECT service`, and log in anew"
)
NOVA = "2.96"
NOVA_WITH_IMAGE_PROPERTIES = "2.98"
NOVA_HYPERVISORS = "2.87"  # `cpu_info` is gone later, where `uptime` makes it an RPC call
NOVA_UPTIME = "2.88"  # the first at which `uptime` is an RPC call to that nova-compute
PLACEMENT = "1.39"
MASAKARI = "1.0"
INSTANCE_HA = "instance-ha"  # its type in the catalog
CINDER = "3.59"

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
    connection = _find(cloud)
    try:
        _ = connection.session.auth
    except Exception as error:  # each plugin raises its own for a setting that it misses
        raise _unusable(cloud, error) from error
    return connection


def _find(cloud: str | None) -> "Connection":
    """Find the cloud in clouds.yaml or the OS_* variables; no call is made yet."""
    import openstack  # noqa: PLC0415  # 0.4 s that only commands with a cloud need
    from openstack import exceptions  # noqa: PLC0415  # same

    logging.getLogger("keystoneauth").addHandler(logging.NullHandler())  # our errors say it all
    try:
        connection = openstack.connect(cloud=cloud, app_name="stackward", timeout=_TIMEOUT_S)
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
    return connection


def _unusable(cloud: str | None, error: Exception) -> BadInput:
    named = f"the settings of the cloud `{cloud}`" if cloud else "the settings of the cloud"
    return BadInput(
        f"{named} cannot be used",
        service="openstacksdk",
        says=str(error),
        hint="see its entry in clouds.yaml, or the OS_* variables: auth_url, username, password, "
        "project_name and the domains",
    )


class OpenStackCloud:
    """A cloud behind openstacksdk."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        with sorted_failures("Keystone"):  # the SDK logs in to find out where the services are
            self._nova = Api(connection.compute, service="Nova", version=NOVA)
            self._placement = Api(connection.placement, service="placement", version=PLACEMENT)
            self._neutron = Api(connection.network, service="Neutron", version=None)
            self._glance = Api(connection.image, service="Glance", version=None)
            self._cinder = Api(connection.block_storage, service="Cinder", version=CINDER)
            self._masakari = (
                Api(connection.instance_ha, service="Masakari", version=MASAKARI)
                if self.has_service(INSTANCE_HA)
                else None
            )
        self._of_servers: str | None = None

    # --- reading ---

    def name(self) -> str:
        """Return where Keystone is, and the region."""
        config = self._connection.config
        auth_url = (config.config.get("auth") or {}).get("auth_url")
        return name_of(str(auth_url or ""), config.get_region_name())

    def has_service(self, kind: str, /) -> bool:
        """Say whether the catalog has a service of this type."""
        return any(one["type"] == kind for one in self._catalog())

    def services(self) -> tuple[ComputeService, ...]:
        """Return every service of Nova, on all hosts."""
        return tuple(map(nova.to_service, self._nova.get("/os-services")["services"]))

    def hypervisors_like(self, name: str, /) -> tuple[Hypervisor, ...]:
        """Return the hypervisors whose names contain `name`."""
        found = self._nova.find(
            "/os-hypervisors/detail",
            [("hypervisor_hostname_pattern", name)],
            version=NOVA_HYPERVISORS,
        )
        return tuple(map(nova.to_hypervisor, found["hypervisors"])) if found else ()

    def hypervisors(self) -> tuple[Hypervisor, ...]:
        """Return all hypervisors."""
        found = self._nova.pages(
            "/os-hypervisors/detail", (), "hypervisors", version=NOVA_HYPERVISORS
        )
        return tuple(map(nova.to_hypervisor, found))

    def uptime(self, hypervisor: str, /) -> str | None:
        """Return what nova-compute there says of its machine's uptime; None where it is silent."""
        found = self._nova.get(f"/os-hypervisors/{hypervisor}", version=NOVA_UPTIME)
        says: str | None = found["hypervisor"]["uptime"]
        return says

    def servers_on(self, host: str, /) -> tuple[Server, ...]:
        """Return the servers of all projects on a host."""
        query = [("all_tenants", "true"), ("host", host)]
        return tuple(map(nova.to_server, self._nova.pages("/servers/detail", query, "servers")))

    def server(self, server: str, /) -> Server | None:
        """Return one server, with the id of its group; None where there is none."""
        found = self._nova.find(f"/servers/{server}", version=self._server_version())
        return nova.to_server(found["server"]) if found else None

    def servers_named(self, name: str, /) -> tuple[Server, ...]:
        """Return the servers of exactly this name in our own project."""
        found = self._nova.pages("/servers/detail", [("name", name)], "servers")
        return tuple(nova.to_server(one) for one in found if one["name"] == name)

    def server_group(self, group: str, /) -> ServerGroup | None:
        """Return a server group; None where it is gone."""
        found = self._nova.find(f"/os-server-groups/{group}")
        return nova.to_group(found["server_group"]) if found else None

    def migrations_of(self, host: str, status: str, /) -> tuple[Migration, ...]:
        """Return the migrations in one status that come from or go to a host."""
        query = [("host", host), ("status", status)]
        return tuple(map(nova.to_migration, self._migrations(query)))

    def newest_migrations(self, host: str, /) -> tuple[Migration, ...]:
        """Return the latest migrations from or to a host: one page, the newest first."""
        query = [("host", host), ("limit", str(_NEWEST))]
        found = self._nova.get("/os-migrations", query)["migrations"]
        return tuple(map(nova.to_migration, found))

    def migrations_of_server(self, server: str, /) -> tuple[Migration, ...]:
        """Return a server's migrations, ended ones too, the newest first."""
        found = map(nova.to_migration, self._migrations([("instance_uuid", server)]))
        return tuple(sorted(found, key=lambda migration: -migration.id))

    def actions_of(self, server: str, /) -> tuple[ServerAction, ...]:
        """Return a server's action log, the newest first."""
        found = self._nova.get(f"/servers/{server}/os-instance-actions")["instanceActions"]
        actions = map(nova.to_action, found)
        return tuple(sorted(actions, key=lambda action: action.started, reverse=True))

    def action_failure(self, server: str, request_id: str, /) -> str | None:
        """Return what Nova says about a failed action; None where it says nothing."""
        found = self._nova.find(f"/servers/{server}/os-instance-actions/{request_id}")
        events = found["instanceAction"]["events"] if found else []
        failed = [event for event in events if event.get("result") == "Error"]
        said = [str(event["details"]) for event in failed if event.get("details")]
        return said[-1] if said else None

    def action_events(self, server: str, request_id: str, /) -> tuple[ActionEvent, ...]:
        """Return what Nova did for an action, in order; nothing where it knows no such action."""
        found = self._nova.find(f"/servers/{server}/os-instance-actions/{request_id}")
        return nova.to_events(found["instanceAction"]) if found else ()

    def remaining_bytes(self, server: str, migration: int, /) -> int | None:
        """Return what a live migration has still to copy; None where Nova has no figure."""
        found = self._nova.find(f"/servers/{server}/migrations/{migration}")
        if found is None:
            return None
        one = found["migration"]
        figures = (one.get("memory_remaining_bytes"), one.get("disk_remaining_bytes"))
        known = [figure for figure in figures if figure is not None]
        return sum(known) if known else None

    def aggregates(self) -> tuple[Aggregate, ...]:
        """Return all host aggregates."""
        return tuple(map(nova.to_aggregate, self._nova.get("/os-aggregates")["aggregates"]))

    def provider(self, provider: str, /) -> Provider:
        """Return a node's account at placement."""
        at = f"/resource_providers/{provider}"
        allocations = self._placement.get(f"{at}/allocations")["allocations"]
        return Provider(
            id=provider,
            inventories=placement.to_inventories(self._placement.get(f"{at}/inventories")),
            usages=self._placement.get(f"{at}/usages")["usages"],
            allocations={name: one["resources"] for name, one in allocations.items()},
            traits=frozenset(self._placement.get(f"{at}/traits")["traits"]),
        )

    def allocations_of(self, consumer: str, /) -> frozenset[str]:
        """Return the providers on which a server, or a migration, holds allocations."""
        return frozenset(self._placement.get(f"/allocations/{consumer}")["allocations"])

    def candidates(
        self, need: Need, /, *, member_of: Sequence[str], limit: int
    ) -> tuple[Candidate, ...]:
        """Return the nodes on which placement sees room for one server of a need."""
        query = placement.to_query(need, member_of, limit)
        return placement.to_candidates(self._placement.get("/allocation_candidates", query))

    def provider_names(self) -> dict[str, str]:
        """Return the name of every resource provider, by its id."""
        found = self._placement.get("/resource_providers")["resource_providers"]
        return {one["uuid"]: one["name"] for one in found}

    def ports_of(self, servers: Sequence[str], /) -> tuple[Port, ...]:
        """Return the ports of some servers."""
        return tuple(
            Port(
                id=one["id"],
                server=one["device_id"],
                vnic_type=one["binding:vnic_type"],
                status=one["status"],
                host=one["binding:host_id"] or None,
                vif_type=one["binding:vif_type"],
            )
            for chunk in _chunks(servers)
            for one in self._neutron.get("/ports", [("device_id", each) for each in chunk])["ports"]
        )

    def bindings_of(self, port: str, /) -> tuple[tuple[str, str], ...]:
        """Return a port's bindings: (host, status)."""
        found = self._neutron.get(f"/ports/{port}/bindings")["bindings"]
        return tuple((one["host"], one["status"]) for one in found)

    def network_agents_on(self, host: str, /) -> tuple[NetworkAgent, ...]:
        """Return Neutron's agents on a host."""
        found = self._neutron.get("/agents", [("host", host)])["agents"]
        agents = (NetworkAgent(kind=one["agent_type"], is_alive=one["alive"]) for one in found)
        return tuple(sorted(agents, key=lambda agent: agent.kind))

    def volume(self, volume: str, /) -> Volume | None:
        """Return a volume; None where there is none."""
        found = self._cinder.find(f"/volumes/{volume}")
        if found is None:
            return None
        one = found["volume"]
        return Volume(
            id=one["id"],
            status=one["status"],
            migration_status=one.get("migration_status"),
            name=one.get("name") or "",
            attached=tuple(
                (each["server_id"], each.get("host_name")) for each in one["attachments"]
            ),
        )

    def volume_services(self) -> tuple[str, ...]:
        """Return the hosts of all cinder-volume services."""
        found = self._cinder.get("/os-services", [("binary", "cinder-volume")])["services"]
        return tuple(one["host"] for one in found)

    def public_images(self) -> tuple[Image, ...]:
        """Return the images that every project may use."""
        return tuple(map(acceptance.to_image, self._images([("visibility", "public")])))

    def images_called(self, word: str, /) -> tuple[Image, ...]:
        """Return the images whose name or id it is."""
        by_id = self._glance.find(f"/images/{quote(word, safe='')}")
        found = [by_id] if by_id else self._images([("name", word)])
        return tuple(map(acceptance.to_image, found))

    def flavors(self) -> tuple[OfferedFlavor, ...]:
        """Return all flavors, those of few projects too."""
        found = self._nova.pages("/flavors/detail", [("is_public", "None")], "flavors")
        return tuple(map(acceptance.to_flavor, found))

    def networks_called(self, word: str, /) -> tuple[Network, ...]:
        """Return the networks whose name or id it is."""
        by_id = self._neutron.get("/networks", [("id", word)])["networks"]
        found = by_id or self._neutron.get("/networks", [("name", word)])["networks"]
        return tuple(Network(id=one["id"], name=one["name"]) for one in found)

    def guarded(self, host: str, /) -> tuple[Guarded, ...]:
        """Return a host's entries in the instance-HA service."""
        if self._masakari is None:
            return ()
        segments = self._masakari.numbered("/segments", "segments", _MASAKARI_PAGE)
        found = (
            one
            for segment in segments
            for one in self._masakari.numbered(
                f"/segments/{segment['uuid']}/hosts", "hosts", _MASAKARI_PAGE
            )
        )
        return tuple(
            Guarded(
                id=one["uuid"],
                segment=one["failover_segment_id"],
                host=one["name"],
                is_in_maintenance=one["on_maintenance"],
            )
            for one in found
            if one["name"] == host
        )

    def projects_called(self, word: str, /) -> tuple[Project, ...]:
        """Return the projects of all domains whose name or id it is."""
        with sorted_failures("Keystone"):  # asked by few commands, so its versions are read late
            keystone = Api(self._connection.identity, service="Keystone", version=None)
        by_id = keystone.find(f"/projects/{quote(word, safe='')}")
        by_name = keystone.get("/projects", [("name", word)])["projects"]
        found = [*([by_id["project"]] if by_id else []), *by_name]
        # Names are compared again: a database may ignore case, a server a filter.
        named = {one["id"]: one["name"] for one in found if word in {one["id"], one["name"]}}
        return tuple(Project(id=each, name=name) for each, name in named.items())

    # --- changing ---

    def set_guarded(self, entry: Guarded, /, *, is_in_maintenance: bool) -> str | None:
        """Tell the instance-HA service whether a host is in maintenance."""
        if self._masakari is None:
            raise Refused("the catalog has no instance-HA service any more")
        path = f"/segments/{entry.segment}/hosts/{entry.id}"
        body = {"host": {"on_maintenance": is_in_maintenance}}
        return self._masakari.change("PUT", path, body)

    def disable_service(self, service: str, reason: str, /) -> str | None:
        """Keep the scheduler off a compute service, with a reason."""
        body = {"status": "disabled", "disabled_reason": reason}
        return self._nova.change("PUT", f"/os-services/{service}", body)

    def enable_service(self, service: str, /) -> str | None:
        """Let the scheduler use a compute service again."""
        return self._nova.change("PUT", f"/os-services/{service}", {"status": "enabled"})

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

    def remove_binding(self, port: str, host: str, /) -> str | None:
        """Remove a port's binding on a host."""
        path = f"/ports/{port}/bindings/{quote(host)}"
        return self._neutron.change("DELETE", path, right=SERVICE_ROLE)

    def force_complete(self, server: str, migration: int, /) -> str | None:
        """Let a live migration end now, at the price of a pause."""
        path = f"/servers/{server}/migrations/{migration}/action"
        return self._nova.change("POST", path, {"force_complete": None})

    def abort_migration(self, server: str, migration: int, /) -> str | None:
        """Give up a live migration."""
        return self._nova.change("DELETE", f"/servers/{server}/migrations/{migration}")

    def _catalog(self) -> list[nova.Json]:
        with sorted_failures("Keystone"):
            return list(self._connection.service_catalog)

    def _images(self, query: list[tuple[str, str]]) -> list[nova.Json]:
        """Read every page of a list of images; Glance says where the next one begins."""
        page = self._glance.get("/images", query)
        gathered: list[nova.Json] = list(page["images"])
        while page.get("next"):
            page = self._glance.get("/images", [*query, ("marker", gathered[-1]["id"])])
            gathered += page["images"]
        return gathered

    def _act(self, server: str, body: dict[str, object]) -> str | None:
        return self._nova.change("POST", f"/servers/{server}/action", body)

    def _migrations(self, query: list[tuple[str, str]]) -> list[nova.Json]:
        return self._nova.pages("/os-migrations", query, "migrations", marker="uuid")

    def _server_version(self) -> str:
        if self._of_servers is None:
            from openstack.utils import supports_microversion  # noqa: PLC0415  # loaded by now

            with sorted_failures("Nova"):
                knows = supports_microversion(self._connection.compute, NOVA_WITH_IMAGE_PROPERTIES)
            self._of_servers = NOVA_WITH_IMAGE_PROPERTIES if knows else NOVA
        return self._of_servers


def name_of(auth_url: str, region: str | None) -> str:
    """Return what tells clouds apart; each operator has a name of their own in clouds.yaml."""
    at = urlsplit(auth_url)
    path = at.path.rstrip("/").removesuffix("/v3")
    place = f"{at.scheme}://{at.netloc.rpartition('@')[2]}{path}"
    return f"{place} {region}" if region else place


def _chunks(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK)]
