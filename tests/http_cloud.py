"""A small OpenStack over HTTP: a `FakeCloud` behind the APIs' own paths, bodies and versions.

Every list comes two items at a page, in the way of each service: with links, with `next`, or with
markers alone. It is asked in memory (`connection`), or over a real socket (`served`).
"""

import json
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import zip_longest
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import requests
from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session
from requests.adapters import BaseAdapter
from typing_extensions import override

from builders import NOW, an_id
from fakes.cloud import FakeCloud
from stackward.errors import StepFailed, Uncertain
from stackward.model.acceptance import NewServer
from stackward.model.network import Port
from stackward.model.placement import Account, Need
from stackward.model.volume import NovaAttachment

if TYPE_CHECKING:
    from openstack.connection import Connection  # noqa: TID251  # what it stands in for

    from stackward.model.server import Server

Json = dict[str, Any]
Query = list[tuple[str, str]]

PAGE = 2
BASE = "http://cloud.example"
SERVICES = {
    "identity": "identity/v3",
    "compute": "compute/v2.1",
    "placement": "placement",
    "network": "network",
    "block-storage": "volume/v3",
    "image": "image",
    "instance-ha": "instance-ha/v1",
}

# Nothing here is signed by a CA that the machine trusts: to load those takes each command longer
# than all that it asks of this cloud.
for _bundle in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
    os.environ.pop(_bundle, None)
_HEADERS = ("OpenStack-API-Version", "X-OpenStack-Nova-API-Version")


@dataclass(frozen=True)
class Reply:
    """An answer of HTTP."""

    status: int = 200
    body: object = None  # JSON; a text is sent as it is
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def raw(self) -> bytes:
        """The body as it is sent."""
        if self.body is None:
            return b""
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return text.encode(errors="surrogatepass")


PAGE_OF_HTML = Reply(
    200,
    "<html><head><title>Sign in</title></head><body>Maintenance</body></html>",
    {"Content-Type": "text/html", "x-openstack-request-id": ""},  # a proxy has none
)


@dataclass
class HttpCloud:
    """Answers requests out of a fake cloud."""

    cloud: FakeCloud = field(default_factory=FakeCloud)
    nova: str = "2.100"  # its newest microversion
    catalog: list[str] = field(default_factory=lambda: list(SERVICES))
    # What is answered instead, once each, by method and the end of a path; the last stays.
    instead: dict[str, list[Reply | None]] = field(default_factory=dict)
    altered: Callable[[str, object], object] = lambda _path, body: body  # each body, on its way
    asked: list[str] = field(default_factory=list)  # method and path
    queries: list[str] = field(default_factory=list)  # the same, with its query
    versions: list[str | None] = field(default_factory=list)
    base: str = BASE
    regions: tuple[str, ...] = ("RegionOne",)
    down_cells: list[Json] = field(default_factory=list)  # rows of `os-services`

    def answer(self, method: str, url: str, headers: Mapping[str, Any], given: bytes) -> Reply:
        """Answer one request."""
        at = urlsplit(url)
        path, query = unquote(at.path).strip("/"), parse_qsl(at.query, keep_blank_values=True)
        self.asked.append(f"{method} /{path}")
        self.queries.append(f"{method} /{path}?{at.query}")
        version = next((headers[one] for one in _HEADERS if headers.get(one)), None)
        self.versions.append(version.split()[-1] if version else None)
        if (reply := self._instead(f"{method} /{path}")) is not None:
            return reply
        reply = self._route(method, path, query, json.loads(given) if given else None)
        return Reply(reply.status, self.altered(path, reply.body), reply.headers)

    def _instead(self, request: str) -> Reply | None:
        for end, replies in self.instead.items():
            method, _, tail = end.partition(" ")
            if request.startswith(f"{method} ") and request.endswith(tail) and replies:
                return replies.pop(0) if len(replies) > 1 else replies[0]
        return None

    def _route(self, method: str, path: str, query: Query, body: Any) -> Reply:  # noqa: ANN401  # JSON
        service = next((one for one, root in SERVICES.items() if path.startswith(root)), None)
        if service is None:
            return Reply(404, {"error": {"message": "no such place", "code": 404}})
        rest = path.removeprefix(SERVICES[service]).strip("/")
        own: dict[str, Callable[[str, str, Query, Any], Reply]] = {
            "identity": self._keystone,
            "compute": self._nova,
            "placement": self._placement,
            "network": self._neutron,
            "block-storage": self._cinder,
            "image": self._glance,
            "instance-ha": self._masakari,
        }
        try:
            return own[service](method, rest, query, body)
        except StopIteration:  # the fake has nothing of that id
            return Reply(404, {"itemNotFound": {"code": 404, "message": f"no {rest}"}})

    # --- Keystone ---

    def _keystone(self, method: str, path: str, query: Query, body: Any) -> Reply:  # noqa: ANN401
        if path == "auth/tokens":
            return Reply(201, {"token": self.token()}, {"X-Subject-Token": "gAAAAAtoken"})
        if not path:
            return Reply(200, {"version": self._version("v3.14", "identity/v3")})
        projects = [{"id": one.id, "name": one.name} for one in self.cloud.keystone.projects]
        if path == "projects":
            found = [one for one in projects if dict(query).get("name") in {None, one["name"]}]
            page, marker = _page(found, query, "id")
            following = f"{self.base}/identity/v3/projects?marker={marker}" if marker else None
            return Reply(200, {"projects": page, "links": {"next": following, "previous": None}})
        whole = [{**one, "tags": [*self.cloud.keystone.tags_of(one["id"])]} for one in projects]
        return _one("project", [one for one in whole if path == f"projects/{one['id']}"])

    def token(self) -> Json:
        """Return what a login is answered with."""
        return {
            "methods": ["password"],
            "user": {"id": "u", "name": "admin", "domain": {"id": "default", "name": "Default"}},
            "expires_at": "2126-01-01T00:00:00.000000Z",
            "issued_at": "2026-01-01T00:00:00.000000Z",
            "project": {"id": "p", "name": "admin", "domain": {"id": "default", "name": "Default"}},
            "roles": [{"id": "r", "name": "admin"}],
            "catalog": [
                {
                    "type": kind,
                    "name": kind,
                    "id": kind,
                    "endpoints": [
                        {
                            "id": f"{kind}-{region}-{interface}",
                            "interface": interface,
                            "region": region,
                            "region_id": region,
                            "url": f"{self.base}/{SERVICES[kind]}",
                        }
                        for region in self.regions
                        for interface in ("public", "internal", "admin")
                    ],
                }
                for kind in self.catalog
            ],
        }

    def _version(self, name: str, path: str, newest: str = "", oldest: str = "") -> Json:
        links = [{"rel": "self", "href": f"{self.base}/{path}/"}]
        found: Json = {"id": name, "status": "CURRENT", "links": links}
        return found | ({"version": newest, "min_version": oldest} if newest else {})

    # --- Nova ---

    def _nova(self, method: str, path: str, query: Query, body: Any) -> Reply:  # noqa: ANN401
        if not path:
            return Reply(200, {"version": self._version("v2.1", "compute/v2.1", self.nova, "2.1")})
        asked = self.versions[-1] or "2.1"
        if _pair(asked) > _pair(self.nova):
            says = (
                f"Version {asked} is not supported by the API. Minimum is 2.1 and maximum is "
                f"{self.nova}."
            )
            return Reply(406, {"computeFault": {"code": 406, "message": says}})
        if method != "GET":
            return self._order(method, path, body)
        lists: dict[str, Callable[[], list[Json]]] = {
            "servers/detail": lambda: self._servers(query, asked),
            "servers": lambda: self._servers(query, asked),
            "os-services": self._services,
            "os-hypervisors/detail": lambda: self._hypervisors(query, asked),
            "os-hypervisors": lambda: self._hypervisors(query, asked),
            "os-migrations": lambda: self._migrations(query, asked),
            "os-aggregates": self._aggregates,
            "flavors/detail": self._flavors,
        }
        if path in lists:
            name = path.removesuffix("/detail").removeprefix("os-")
            return self._linked(f"compute/v2.1/{path}", name, lists[path](), query, "uuid")
        return self._of_nova(path, query, asked)

    def _of_nova(self, path: str, query: Query, asked: str) -> Reply:  # noqa: PLR0911  # one a path
        words = path.split("/")
        match words:
            case ["servers", server]:
                known = self.cloud.nova.server(server)
                return _one("server", [_server(known, asked)] if known else [])
            case ["servers", server, "os-volume_attachments"] if server in self.cloud.nova.known:
                return Reply(
                    200,
                    {
                        "volumeAttachments": [
                            {
                                "volumeId": one.volume,
                                "serverId": server,
                                "device": one.device,
                                "attachment_id": one.id,
                                "tag": one.tag,
                                "delete_on_termination": one.is_deleted_with_server,
                            }
                            for one in self.cloud.nova.attached_to(server)
                        ]
                    },
                )
            case ["servers", server, "os-instance-actions"] if self._is_kept(server):
                found = [_action(one) for one in self.cloud.nova.actions_of(server)]
                return self._linked(
                    f"compute/v2.1/{path}", "instanceActions", found, query, "request_id", "links"
                )
            case ["servers", server, "os-instance-actions", request]:
                return self._action(server, request)
            case ["servers", _, "migrations", _]:
                return Reply(200, {"migration": {"memory_remaining_bytes": 2**20}})
            case ["os-server-groups", group]:
                one = self.cloud.nova.server_group(group)
                return _one("server_group", [_group(one)] if one else [])
            case ["os-hypervisors", hypervisor, *rest] if rest in ([], ["uptime"]):
                is_own_path = _pair(asked) < _pair("2.88")
                if bool(rest) is not is_own_path:
                    return Reply(404, {"itemNotFound": {"code": 404, "message": "no"}})
                says = self.cloud.nova.uptime(hypervisor)
                return Reply(200, {"hypervisor": {"id": hypervisor, "uptime": says}})
        return Reply(404, {"itemNotFound": {"code": 404, "message": f"no {path}"}})

    def _is_kept(self, server: str) -> bool:
        # As Nova has it: a deleted server's actions are read until its rows are archived.
        return server in self.cloud.nova.known or server in self.cloud.nova.actions

    def _servers(self, query: Query, asked: str) -> list[Json]:
        wanted = dict(query)
        return [
            _server(one, asked)
            for one in self.cloud.nova.known.values()
            if wanted.get("host") in {None, one.host}
            and re.search(wanted.get("name", ""), one.name)  # Nova takes a pattern
        ]

    def _services(self) -> list[Json]:
        return [
            {
                "id": one.id,
                "binary": one.binary,
                "host": one.host,
                "status": "enabled" if one.is_enabled else "disabled",
                "state": "up" if one.is_up else "down",
                "zone": one.zone,
                "disabled_reason": one.disabled_reason,
                "forced_down": one.is_forced_down,
                "updated_at": one.updated or NOW.isoformat(),
            }
            for one in self.cloud.nova.services()
        ] + self.down_cells

    def _hypervisors(self, query: Query, asked: str) -> list[Json]:
        has_cpu = _pair(asked) < _pair("2.88")
        return [
            {
                "id": one.id,
                "hypervisor_hostname": one.name,
                "hypervisor_type": one.kind,
                "hypervisor_version": one.version,
                "host_ip": one.address,
                "service": {"host": one.host, "id": an_id(f"service-{one.host}")},
            }
            | ({"cpu_info": {"model": "kvm64"}} if has_cpu else {"uptime": None})
            for one in self.cloud.nova.hypervisors_like(
                dict(query).get("hypervisor_hostname_pattern", "")
            )
        ]

    def _migrations(self, query: Query, asked: str) -> list[Json]:
        wanted = dict(query)
        return [
            {
                "id": one.id,
                "uuid": one.uuid,
                "instance_uuid": one.server,
                "migration_type": one.kind,
                "status": one.status,
                "source_compute": one.source,
                "dest_compute": one.target,
                "created_at": NOW.isoformat(),
                "updated_at": None,
            }
            | ({"user_id": one.user} if _pair(asked) >= _pair("2.80") else {})
            for one in reversed(self.cloud.nova.migrations)
            if wanted.get("host") in {None, one.source, one.target}
            and wanted.get("status") in {None, one.status}
            and wanted.get("migration_type") in {None, one.kind}
            and wanted.get("instance_uuid") in {None, one.server}
        ]

    def _aggregates(self) -> list[Json]:
        return [
            {
                "uuid": one.uuid,
                "name": one.name,
                "hosts": list(one.hosts),
                "metadata": dict(one.metadata),
            }
            for one in self.cloud.nova.aggregates()
        ]

    def _flavors(self) -> list[Json]:
        return [
            {
                "id": one.id,
                "name": one.name,
                "vcpus": one.vcpus,
                "ram": one.ram_mib,
                "disk": one.disk_gib,
                "os-flavor-access:is_public": one.is_public,
                "OS-FLV-DISABLED:disabled": one.is_disabled,
                "extra_specs": dict(one.extra_specs),
            }
            for one in self.cloud.nova.flavors()
        ]

    def _action(self, server: str, request: str) -> Reply:
        known = [one for one in self.cloud.nova.actions_of(server) if one.request_id == request]
        if not known:
            return Reply(404, {"itemNotFound": {"code": 404, "message": "no such action"}})
        events: list[Json] = [
            {
                "event": one.name,
                "start_time": _time(one.started),
                "finish_time": _time(one.finished) if one.finished else None,
                "result": "Success",
            }
            for one in self.cloud.nova.action_events(server, request)
        ]
        if says := self.cloud.nova.action_failure(server, request):
            at = _time(NOW)
            events.append(
                {
                    "event": "failed",
                    "start_time": at,
                    "finish_time": at,
                    "result": "Error",
                    "details": says,
                }
            )
        return Reply(200, {"instanceAction": {**_action(known[0]), "events": events}})

    def _order(self, method: str, path: str, body: Any) -> Reply:  # noqa: ANN401, C901, PLR0912  # one a path
        words, cloud = path.split("/"), self.cloud
        try:
            match words:
                case ["os-services", service] if method == "DELETE":
                    made = cloud.nova.delete_service(service)
                case ["os-services", service] if body.get("forced_down"):
                    made = cloud.nova.force_down(service)
                case ["os-services", service] if "forced_down" in body:
                    made = cloud.nova.force_up(service)
                case ["os-services", service] if body["status"] == "disabled":
                    made = cloud.nova.disable_service(service, body["disabled_reason"])
                case ["os-services", service]:
                    made = cloud.nova.enable_service(service)
                case ["servers"]:
                    cloud.nova.create_server(_wanted(body["server"]))
                    made = "req-create"
                case ["servers", server, "action"] if "os-getConsoleOutput" in body:
                    return self._console(server, body["os-getConsoleOutput"]["length"])
                case ["servers", server, "action"]:
                    made = self._act(server, body)
                case ["servers", server, "os-volume_attachments"]:
                    given = body["volumeAttachment"]
                    wanted = NovaAttachment(
                        volume=given["volumeId"],
                        tag=given.get("tag"),
                        is_deleted_with_server=given["delete_on_termination"],
                    )
                    made = cloud.nova.attach_volume(server, wanted)
                case ["servers", server, "os-volume_attachments", volume]:
                    made = cloud.nova.detach_volume(server, volume)
                case ["servers", server, "migrations", migration, "action"]:
                    made = cloud.nova.force_complete(server, int(migration))
                case ["servers", server, "migrations", migration]:
                    made = cloud.nova.abort_migration(server, int(migration))
                case _:
                    return Reply(404, {"itemNotFound": {"code": 404, "message": path}})
        except Uncertain as error:
            says = error.says or ""
            return Reply(409, {"conflictingRequest": {"code": 409, "message": says}})
        except StepFailed as error:
            if "404" in error.message:
                return Reply(404, {"itemNotFound": {"code": 404, "message": path}})
            return Reply(400, {"badRequest": {"code": 400, "message": error.says or ""}})
        return Reply(202, None, {"x-openstack-request-id": made})

    def _console(self, server: str, lines: int) -> Reply:
        text = self.cloud.nova.console(server, lines)
        if text is None:
            says = "Guest does not have a console available."
            return Reply(404, {"itemNotFound": {"code": 404, "message": says}})
        return Reply(200, {"output": text})

    def _act(self, server: str, body: Json) -> str:  # noqa: PLR0911  # one an action
        [(action, given)] = body.items()
        cloud = self.cloud
        match action:
            case "os-migrateLive":
                return cloud.nova.live_migrate(server, given["host"])
            case "migrate":
                return cloud.nova.cold_migrate(server, given["host"] if given else None)
            case "confirmResize":
                return cloud.nova.confirm_resize(server)
            case "os-stop":
                return cloud.nova.stop_server(server)
            case "os-start":
                return cloud.nova.start_server(server)
            case "evacuate":
                if _pair(self.versions[-1] or "2.1") < _pair("2.95"):
                    raise AssertionError("it would be started")
                return cloud.nova.evacuate(server, given["host"])
            case "os-resetState":
                return cloud.nova.reset_state(server)
            case "reboot":
                return cloud.nova.reboot_server(server, is_hard=given["type"] == "HARD")
            case _:
                cloud.nova.delete_server(server)
                return "req-delete"

    # --- placement ---

    def _placement(  # noqa: PLR0911  # one a path
        self,
        method: str,
        path: str,
        query: Query,
        body: Any,  # noqa: ANN401
    ) -> Reply:
        words = path.split("/")
        if not path:
            found = self._version("v1.0", "placement")
            found |= {"max_version": "1.39", "min_version": "1.0"}
            return Reply(200, {"versions": [found]})
        if words[0] == "allocations" and method == "PUT":
            # As placement has it: from 1.38 on a kind is wanted, and "unknown" is none.
            is_wanted = _pair(self.versions[-1] or "1.0") >= (1, 38)
            kind = body.get("consumer_type")
            if is_wanted != bool(kind) or (kind and not kind.isupper()):
                detail = "JSON does not validate: consumer_type"
                return Reply(400, {"errors": [{"status": 400, "detail": detail}]})
            account = Account(
                consumer=words[1],
                generation=body["consumer_generation"],
                project=body["project_id"],
                user=body["user_id"],
                kind=kind,
                allocations={one: each["resources"] for one, each in body["allocations"].items()},
            )
            try:
                made = self.cloud.placement.keep_allocations(account, [*account.allocations])
            except Uncertain as error:
                return Reply(409, {"errors": [{"status": 409, "detail": error.message}]})
            return Reply(204, None, {"x-openstack-request-id": made})
        if words[0] == "allocations":
            held = {
                one: {"resources": {"VCPU": 1}}
                for one in self.cloud.placement.allocations_of(words[1])
            }
            known = self.cloud.placement.account_of(words[1])
            of_it = (
                {
                    "consumer_generation": known.generation,
                    "consumer_type": known.kind,
                    "project_id": known.project,
                    "user_id": known.user,
                }
                if known
                else {}
            )
            return Reply(200, {"allocations": held, **of_it})
        if words[0] == "allocation_candidates":
            return Reply(200, self._candidates(int(dict(query)["limit"])))
        if words == ["resource_providers"]:
            names, roots = self.cloud.placement.provider_names(), self.cloud.placement.children
            found_all = [
                {"uuid": one, "name": name, "root_provider_uuid": one}
                for one, name in names.items()
            ] + [{"uuid": one, "name": one, "root_provider_uuid": of} for one, of in roots.items()]
            return self._linked(f"placement/{path}", "resource_providers", found_all, query, "uuid")
        one = self.cloud.placement.provider(words[1])
        inventories = {
            name: {"total": each.total, "reserved": each.reserved, "allocation_ratio": each.ratio}
            for name, each in one.inventories.items()
        }
        allocations = {name: {"resources": dict(each)} for name, each in one.allocations.items()}
        return Reply(
            200,
            {
                words[2]: {
                    "inventories": inventories,
                    "usages": dict(one.usages),
                    "allocations": allocations,
                    "traits": sorted(one.traits),
                }[words[2]]
            },
        )

    def _candidates(self, limit: int) -> Json:
        found = self.cloud.placement.candidates(Need(resources=()), member_of=(), limit=limit)
        return {
            "allocation_requests": [{"allocations": {one.provider: {}}} for one in found],
            "provider_summaries": {
                one.provider: {
                    "root_provider_uuid": one.provider,
                    "resources": {
                        name: {"capacity": amount, "used": one.used.get(name, 0)}
                        for name, amount in one.capacity.items()
                    },
                    "traits": sorted(one.traits),
                }
                for one in found
            },
        }

    # --- Neutron, Cinder, Glance, Masakari ---

    def _neutron(self, method: str, path: str, query: Query, body: Any) -> Reply:  # noqa: ANN401
        words = path.split("/")
        if not path:
            return Reply(200, {"versions": [self._version("v2.0", "network/v2.0")]})
        if method == "DELETE":
            return self._removed_at_neutron(words[1:])
        found: list[Json]
        match words[1:]:
            case ["ports"]:
                host, owners = dict(query).get("binding:host_id"), _all(query, "device_id")
                of = owners or [*self.cloud.nova.known]
                ports = (
                    self.cloud.neutron.ports_on(host) if host else self.cloud.neutron.ports_of(of)
                )
                found = [_port(one) for one in ports]
                found += [] if host or owners else self._ports_left()
            case ["ports", port] if known := self._ports_called(port):
                return Reply(200, {"port": known[0]})
            case ["ports", port, "bindings"] if self._ports_called(port):
                found = [
                    {"host": host, "status": status}
                    for host, status in self.cloud.neutron.bindings_of(port)
                ]
            case ["agents"]:
                host = dict(query).get("host")
                hosts = [host] if host else list(self.cloud.neutron.agents)
                found = [
                    {
                        "id": f"{each}-{one.kind}",
                        "agent_type": one.kind,
                        "binary": one.kind.lower().replace(" ", "-"),
                        "alive": one.is_alive,
                        "admin_state_up": True,
                        "host": each,
                        "heartbeat_timestamp": "2025-12-22 03:00:00",
                    }
                    for each in hosts
                    for one in self.cloud.neutron.network_agents_on(each)
                ]
            case ["networks"]:
                wanted = dict(query)
                found = [
                    {"id": one.id, "name": one.name}
                    for one in self.cloud.neutron.networks
                    if wanted.get("id") in {None, one.id} and wanted.get("name") in {None, one.name}
                ]
            case _:
                return Reply(404, {"NeutronError": {"message": "no", "type": "HTTPNotFound"}})
        return self._linked(f"network/{path}", words[-1], found, query, "id")

    def _ports_called(self, port: str) -> list[Json]:
        found = self.cloud.neutron.ports_of(list(self.cloud.nova.known))
        listed = [*map(_port, found), *self._ports_left()]
        return [one for one in listed if one["id"] == port]

    def _ports_left(self) -> list[Json]:
        """Return the ports that name servers which are gone."""
        left = self.cloud.neutron.leftovers
        return [_port(Port(id=one, server=server)) for one, server in left.items()]

    def _removed_at_neutron(self, words: Sequence[str]) -> Reply:
        neutron = self.cloud.neutron
        try:
            match words:
                case ["ports", port]:
                    neutron.delete_port(port)
                case ["agents", agent]:
                    neutron.delete_agent(agent)
                case _:
                    neutron.remove_binding(words[1], words[3])
        except StepFailed:
            return Reply(404, {"NeutronError": {"message": "no", "type": "HTTPNotFound"}})
        return Reply(204)

    def _cinder(  # noqa: PLR0911  # one a path
        self,
        method: str,
        path: str,
        query: Query,
        body: Any,  # noqa: ANN401
    ) -> Reply:
        if not path:
            found = self._version("v3.0", "volume/v3", "3.70", "3.0")
            return Reply(200, {"versions": [found]})
        if path.startswith("os-services"):
            services = [
                {
                    "binary": "cinder-volume",
                    "host": host,
                    "state": "up",
                    "status": "enabled",
                    "updated_at": _time(NOW),
                }
                for host in self.cloud.cinder.volume_services()
            ]
            return self._linked(f"volume/v3/{path}", "services", services, query, "host")
        if path == "attachments":
            wanted = dict(query).get("instance_id")
            attachments: list[Json] = (
                [
                    {"id": one, "volume_id": volume, "instance": wanted, "status": "attached"}
                    for one, volume in self.cloud.cinder.attachments_of(wanted)
                ]
                if wanted
                else [
                    {
                        "id": one.id,
                        "volume_id": one.volume,
                        "instance": one.server,
                        "status": one.status,
                    }
                    for one in self.cloud.cinder.every_attachment()
                ]
            )
            return self._linked(f"volume/v3/{path}", "attachments", attachments, query, "id")
        if path.startswith("attachments/"):
            try:
                self.cloud.cinder.remove_attachment(path.removeprefix("attachments/"))
            except StepFailed:
                return Reply(404, {"itemNotFound": {"code": 404, "message": "no such attachment"}})
            return Reply(200, {"attachments": []})
        if path.startswith("volumes/") and path.endswith("/action"):
            return self._volume_action(path.split("/")[1], body)
        if path == "volumes":
            return Reply(200, {"volumes": []})
        if path == "volumes/detail":
            shown = [_volume(one) for one in self.cloud.cinder.every_volume()]
            return self._linked(f"volume/v3/{path}", "volumes", shown, query, "id")
        one = self.cloud.cinder.volume(path.removeprefix("volumes/"))
        if one is None:
            return Reply(404, {"itemNotFound": {"code": 404, "message": "no such volume"}})
        return Reply(200, {"volume": _volume(one)})

    def _volume_action(self, volume: str, body: Json) -> Reply:
        cinder = self.cloud.cinder
        asked = cinder.unreserve if "os-unreserve" in body else cinder.roll_detaching
        try:
            asked(volume)
        except StepFailed:
            return Reply(404, {"itemNotFound": {"code": 404, "message": "no such volume"}})
        return Reply(202, None)

    def _glance(self, method: str, path: str, query: Query, body: Any) -> Reply:  # noqa: ANN401
        if not path:
            return Reply(300, {"versions": [self._version("v2.16", "image/v2")]})
        images: list[Json] = [
            {
                "id": one.id,
                "name": one.name,
                "status": one.status,
                "disk_format": one.disk_format,
                "size": one.size_bytes,
                "min_ram": one.min_ram_mib,
                "min_disk": one.min_disk_gib,
                "visibility": "public" if one.is_public else "private",
                "os_hidden": one.is_hidden,
            }
            for one in self.cloud.glance.images
        ]
        if path == "v2/images":
            found = [one for one in images if dict(query).get("name") in {None, one["name"]}]
            page, marker = _page(found, query, "id")
            following = {"next": f"/v2/images?marker={marker}"} if marker else {}
            return Reply(200, {"images": page, **following})
        by_id = [one for one in images if path == f"v2/images/{one['id']}"]
        if by_id:
            return Reply(200, by_id[0])
        # As Glance has it: a page for people.
        return Reply(404, "<html>No image found</html>", {"Content-Type": "text/html"})

    def _masakari(self, method: str, path: str, query: Query, body: Any) -> Reply:  # noqa: ANN401
        if not path:
            return Reply(200, {"version": self._version("v1.0", "instance-ha/v1", "1.3", "1.0")})
        guards = [self.cloud.masakari.guards[one] for one in sorted(self.cloud.masakari.guards)]
        if method == "PUT":
            [entry] = [one for one in guards if path.endswith(one.id)]
            asked = body["host"]["on_maintenance"]
            self.cloud.masakari.set_ha_host(entry, is_in_maintenance=asked)
            return Reply(200, {"host": {}})
        found: list[Json]
        if path == "notifications":
            [own] = [one for one in guards if one.id == dict(query)["source_host_uuid"]]
            found = [
                {"notification_uuid": one.id, "type": one.kind, "status": one.status}
                for one in self.cloud.masakari.notifications_of(own)
            ]
        elif path == "segments":
            found = [{"uuid": one} for one in dict.fromkeys(each.segment for each in guards)]
        else:
            found = [
                {
                    "uuid": one.id,
                    "failover_segment_id": one.segment,
                    "name": one.host,
                    "on_maintenance": one.is_in_maintenance,
                }
                for one in guards
                if one.segment in path
            ]
        # As Masakari has it: its marker is the number of a row, and nothing else is one.
        if not (marker := dict(query).get("marker", "0")).isdigit():
            words = {"code": 400, "message": f"Marker {marker} could not be found."}
            return Reply(400, {"badRequest": words})
        page, _ = _page([{**one, "id": at} for at, one in enumerate(found, 1)], query, "id")
        return Reply(200, {path.rpartition("/")[2]: page})  # nothing says whether more follow

    def _linked(  # noqa: PLR0913, PLR0917  # what a list has
        self,
        path: str,
        name: str,
        found: Sequence[Json],
        query: Query,
        marker: str,
        links: str | None = None,
    ) -> Reply:
        page, last = _page(found, query, marker)
        body: Json = {name: page}
        if last is not None:
            # As behind a proxy: where the link points to is no host of this cloud.
            own = "&".join(f"{key}={value}" for key, value in query if key != "marker")
            href = f"http://internal.invalid/{path}?{own}&marker={last}"
            body[links or f"{name}_links"] = [{"rel": "next", "href": href}]
        return Reply(200, body)

    # --- the ways to it ---

    def connection(self) -> "Connection":
        """Return a connection of the SDK that asks it in memory."""
        import openstack  # noqa: PLC0415, TID251  # half a second that few tests need

        asked = requests.Session()
        asked.mount("http://", _InMemory(self))
        auth = Password(
            auth_url=f"{self.base}/identity/v3",
            username="admin",
            password="hush-hush-1",  # noqa: S106  # nobody's
            project_name="admin",
            user_domain_id="default",
            project_domain_id="default",
        )
        session = Session(auth=auth, session=asked)
        return openstack.connection.Connection(session=session, region_name="RegionOne")

    @contextmanager
    def served(self) -> Iterator[str]:
        """Serve it on this machine, and return where Keystone is."""
        small = self

        class Served(BaseHTTPRequestHandler):
            def _reply(self) -> None:
                given = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                reply = small.answer(self.command, self.path, dict(self.headers), given)
                self.send_response(reply.status)
                for name, value in _headers(reply).items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(reply.raw)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _reply  # noqa: N815  # http.server's

            @override
            def log_message(self, format: str, *args: object) -> None:
                """Say nothing on stderr."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Served)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        self.base = f"http://127.0.0.1:{server.server_port}"
        try:
            yield f"{self.base}/identity/v3"
        finally:
            server.shutdown()
            server.server_close()


class _InMemory(BaseAdapter):
    def __init__(self, small: HttpCloud) -> None:
        super().__init__()
        self._small = small

    @override
    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: object = None,
        verify: object = True,
        cert: object = None,
        proxies: object = None,
    ) -> requests.Response:
        body = request.body or b""
        given = body if isinstance(body, bytes) else str(body).encode()
        reply = self._small.answer(str(request.method), str(request.url), request.headers, given)
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = reply.status, str(request.url), request
        answer.headers.update(_headers(reply))
        answer._content = reply.raw  # noqa: SLF001  # there is no other way in
        answer.encoding = "utf-8"
        return answer

    @override
    def close(self) -> None:
        """Keep nothing open."""


def _headers(reply: Reply) -> dict[str, str]:
    usual = {"Content-Type": "application/json", "x-openstack-request-id": "req-1"}
    told = usual | dict(reply.headers) | {"Content-Length": str(len(reply.raw))}
    return {name: value for name, value in told.items() if value}


def _page(found: Sequence[Json], query: Query, key: str) -> tuple[list[Json], str | None]:
    """Return one page, and the marker of the next where there is one."""
    key = key if all(key in one for one in found) else "id"
    marker = dict(query).get("marker")
    at = [str(one.get(key, one.get("host"))) for one in found]
    start = at.index(marker) + 1 if marker else 0
    page = list(found[start : start + PAGE])
    more = start + PAGE < len(found)
    return page, at[start + PAGE - 1] if more else None


def _one(name: str, found: Sequence[Json]) -> Reply:
    if found:
        return Reply(200, {name: found[0]})
    return Reply(404, {"itemNotFound": {"code": 404, "message": f"no such {name}"}})


def _all(query: Query, name: str) -> list[str]:
    return [value for key, value in query if key == name]


def _pair(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))


def _time(at: Any) -> str:  # noqa: ANN401  # a time
    return str(at.replace(tzinfo=None).isoformat())


def _server(one: "Server", asked: str) -> Json:
    shown: Json = {
        "id": one.id,
        "name": one.name,
        "status": one.status,
        "tenant_id": one.project,
        "user_id": one.user,
        "OS-EXT-STS:vm_state": one.vm_state,
        "OS-EXT-STS:task_state": one.task_state,
        "OS-EXT-STS:power_state": one.power_state,
        "OS-EXT-SRV-ATTR:host": one.host,
        "locked": one.is_locked,
        "locked_reason": one.locked_reason,
        "metadata": dict(one.metadata),
        "updated": one.updated,
        "os-extended-volumes:volumes_attached": [{"id": each} for each in one.volume_ids],
        "server_groups": [one.group_id] if one.group_id else [],
        "image": {"id": "image"} if one.has_image else "",
        "flavor": {
            "original_name": one.flavor.name,
            "vcpus": one.flavor.vcpus,
            "ram": one.flavor.ram_mib,
            "disk": one.flavor.disk_gib,
            "ephemeral": one.flavor.ephemeral_gib,
            "swap": one.flavor.swap_mib,
            "extra_specs": dict(one.flavor.extra_specs),
        },
    }
    if one.fault:
        shown["fault"] = {"message": one.fault}
    if _pair(asked) >= _pair("2.96"):
        shown["pinned_availability_zone"] = one.pinned_zone
    if _pair(asked) >= _pair("2.98") and one.has_image:
        shown["image"]["properties"] = dict(one.image_properties or ())
    return shown


def _action(one: Any) -> Json:  # noqa: ANN401  # an action
    started = one.started
    if started.isdigit():  # the fake's actions are numbered
        started = _time(NOW + timedelta(seconds=int(started)))
    return {
        "action": one.action,
        "request_id": one.request_id,
        "user_id": one.user,
        "start_time": started,
        "message": one.message,
    }


def _group(one: Any) -> Json:  # noqa: ANN401  # a group
    return {
        "id": one.id,
        "name": one.name,
        "policy": one.policy,
        "members": list(one.members),
        "rules": {"max_server_per_host": one.max_per_host},
    }


def _port(one: Any) -> Json:  # noqa: ANN401  # a port
    return {
        "id": one.id,
        "device_id": one.server,
        "device_owner": "compute:nova",
        "name": "",
        "project_id": "demo",
        "admin_state_up": one.is_wanted_up,
        "binding:vnic_type": one.vnic_type,
        "status": one.status,
        "binding:host_id": one.host or "",
        "binding:vif_type": one.vif_type,
    }


def _volume(one: Any) -> Json:  # noqa: ANN401  # a volume
    pairs = zip_longest(one.attached, one.attachment_ids[: len(one.attached)])
    attached = [
        {"server_id": server, "host_name": host, "attachment_id": own}
        for (server, host), own in pairs
    ]
    return {
        "id": one.id,
        "status": one.status,
        "name": one.name,
        "attachments": attached,
        "updated_at": one.updated,
        "created_at": _time(NOW),
        "os-vol-tenant-attr:tenant_id": one.project,
    }


def _wanted(given: Json) -> NewServer:
    networks = given["networks"]
    return NewServer(
        name=given["name"],
        image=given["imageRef"],
        flavor=given["flavorRef"],
        network=None if networks == "none" else networks[0]["uuid"],
        zone=given["availability_zone"],
        host=given["host"],
        metadata=tuple(sorted(given["metadata"].items())),
    )
