"""What OpenStack's APIs answer, as a drain and a look at a cloud read it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from typing_extensions import override

from builders import an_id
from fakes.clock import FakeClock
from fakes.cloud import FakeCloud
from fakes.nova import FakeNova
from fuzz.source import Came, Source
from http_cloud import HttpCloud, Reply
from stackward.adapters.openstack import OpenStackCloud
from stackward.adapters.openstack.apis import OpenStackApis
from stackward.model.cloud_state import Catalog, Failed, Rpc, RpcAnswer
from stackward.model.placement import Need
from stackward.ports.cinder import Cinder
from stackward.ports.glance import Glance
from stackward.ports.keystone import Keystone
from stackward.ports.neutron import Neutron
from stackward.ports.nova import Nova
from stackward.ports.placement import Placement

SAMPLES = Path(__file__).parents[1] / "adapters/openstack/samples"
MOST_CALLS = 60  # for one question: a list whose pages never end is none
ID, HOST, PROVIDER = an_id("one"), "c01", an_id("compute-07")
NEED = Need(resources=(("MEMORY_MB", 128),), required=(), forbidden=(), further=())


@dataclass(frozen=True)
class Bytes(Reply):
    """An answer as it comes over the wire."""

    sent: bytes = b""

    @property
    @override
    def raw(self) -> bytes:
        return self.sent


class Cloud(HttpCloud):
    """A small OpenStack that loses patience with who never stops asking."""

    @override
    def answer(self, method: str, url: str, headers: Any, given: bytes) -> Reply:
        assert len(self.asked) < MOST_CALLS, "it asks again and again"
        return super().answer(method, url, headers, given)


@cache
def small() -> Cloud:
    """Return the one cloud that all questions go to."""
    return Cloud(FakeCloud(FakeNova(hosts=("compute-07", "compute-08"))))


@cache
def drained() -> OpenStackCloud:
    """Return it as a drain sees it."""
    return OpenStackCloud(small().connection(), FakeClock())


def nova() -> Nova:
    """Return its Nova."""
    return drained().nova


def placement() -> Placement:
    """Return its placement."""
    return drained().placement


def neutron() -> Neutron:
    """Return its Neutron."""
    return drained().neutron


def cinder() -> Cinder:
    """Return its Cinder."""
    return drained().cinder


def glance() -> Glance:
    """Return its Glance."""
    return drained().glance


def keystone() -> Keystone:
    """Return its Keystone."""
    return drained().keystone


@cache
def looked_at() -> tuple[OpenStackApis, Catalog]:
    """Return it as a look sees it."""
    apis = OpenStackApis(small().connection)
    _, catalog = apis.log_in(within_s=5)
    assert isinstance(catalog, Catalog)
    return apis, catalog


def asked(request: str, ask: Callable[[], object]) -> Callable[[bytes], Came]:
    """Return how the answer to a request is read."""

    def read(raw: bytes) -> Came:
        cloud = small()
        drained(), looked_at()
        cloud.asked.clear()
        is_login = request.startswith("POST")
        headers = {"X-Subject-Token": "gAAAAAtoken"} if is_login else {}
        reply = Bytes(201 if is_login else 200, headers=headers, sent=raw)
        cloud.instead = {request: [reply]}
        try:
            found = ask()
        finally:
            cloud.instead = {}
        is_odd = isinstance(found, Failed) or (
            isinstance(found, RpcAnswer) and found.outcome is not Rpc.ANSWERED
        )
        return Came.UNKNOWN if is_odd else Came.READ

    return read


def look(kind: str) -> Callable[[], object]:
    """Ask for the heartbeats of one API."""

    def ask() -> object:
        apis, catalog = looked_at()
        endpoint = catalog.endpoint((kind,))
        assert endpoint is not None
        return apis.heartbeats(endpoint, kind, within_s=5)

    return ask


def of_nova(name: str) -> Callable[[], object]:
    """Ask Nova a question of a look."""

    def ask() -> object:
        apis, catalog = looked_at()
        endpoint = catalog.endpoint(("compute",))
        assert endpoint is not None
        if name == "on source":
            return apis.on_source(endpoint, within_s=5)
        if name == "uptime":
            return apis.uptime(endpoint, ID, within_s=5)
        return apis.hypervisors(endpoint, within_s=5)

    return ask


def call(path: str, answer: str) -> Callable[[], object]:
    """Have Cinder call one of its own."""

    def ask() -> object:
        apis, catalog = looked_at()
        endpoint = catalog.endpoint(("block-storage",))
        assert endpoint is not None
        return apis.call(endpoint, f"/v3{path}", answer=answer, within_s=5)

    return ask


def log_in() -> object:
    """Ask Keystone for a token, anew."""
    apis, _ = looked_at()
    answered, _ = apis.log_in(within_s=5)
    return answered


def sources() -> list[Source]:
    """Return all that the APIs are asked."""
    questions: list[tuple[str, str, str, Callable[[], object]]] = [
        ("Nova servers of a host", "servers", "GET /servers/detail", lambda: nova().servers_on(HOST)),
        ("Nova servers, a cell down", "servers-down-cell", "GET /servers/detail", lambda: nova().servers_on(HOST)),
        ("Nova one server", "server", f"GET /servers/{ID}", lambda: nova().server(ID)),
        ("Nova one server, its cell down", "server-down-cell", f"GET /servers/{ID}", lambda: nova().server(ID)),
        ("Nova services", "services", "GET /os-services", lambda: nova().services()),
        ("Nova services of 2.69", "services-2.69", "GET /os-services", lambda: nova().services()),
        ("Nova services, a cell down", "services-down-cell", "GET /os-services", lambda: nova().services()),
        ("Nova services, a look", "services", "GET /os-services", look("compute")),
        ("Nova hypervisors", "hypervisors", "GET /os-hypervisors/detail", lambda: nova().hypervisors()),
        ("Nova hypervisors, a look", "hypervisors", "GET /os-hypervisors/detail", of_nova("names")),
        ("Nova uptime", "uptime", f"GET /os-hypervisors/{ID}", lambda: nova().uptime(ID)),
        ("Nova uptime, a look", "uptime", f"GET /os-hypervisors/{ID}", of_nova("uptime")),
        ("Nova migrations", "migrations", "GET /os-migrations", lambda: nova().migrations_of_server(ID)),
        ("Nova migrations, newest", "migrations", "GET /os-migrations", lambda: nova().newest_migrations(HOST)),
        ("Nova migrations, a look", "migrations", "GET /os-migrations", of_nova("on source")),
        ("Nova a running migration", "migration-running", f"GET /servers/{ID}/migrations/1", lambda: nova().remaining_bytes(ID, 1)),
        ("Nova actions", "actions", f"GET /servers/{ID}/os-instance-actions", lambda: nova().actions_of(ID)),
        ("Nova events of an action", "action-events", f"GET /servers/{ID}/os-instance-actions/req-1", lambda: nova().action_events(ID, "req-1")),
        ("Nova a console", "console", f"POST /servers/{ID}/action", lambda: nova().console(ID, 60)),
        ("Nova a group", "group", f"GET /os-server-groups/{ID}", lambda: nova().server_group(ID)),
        ("Nova volumes of a server", "volume-attachments", f"GET /servers/{ID}/os-volume_attachments", lambda: nova().attached_to(ID)),
        ("Nova aggregates", "aggregates", "GET /os-aggregates", lambda: nova().aggregates()),
        ("Nova flavors", "flavors", "GET /flavors/detail", lambda: nova().flavors()),
        ("placement allocations of a provider", "provider-allocations", f"GET /resource_providers/{PROVIDER}/allocations", lambda: placement().provider(PROVIDER)),
        ("placement inventories", "provider-inventories", f"GET /resource_providers/{PROVIDER}/inventories", lambda: placement().provider(PROVIDER)),
        ("placement usages", "provider-usages", f"GET /resource_providers/{PROVIDER}/usages", lambda: placement().provider(PROVIDER)),
        ("placement traits", "provider-traits", f"GET /resource_providers/{PROVIDER}/traits", lambda: placement().provider(PROVIDER)),
        ("placement what a consumer holds", "consumer", f"GET /allocations/{ID}", lambda: placement().account_of(ID)),
        ("placement candidates", "candidates", "GET /allocation_candidates", lambda: placement().candidates(NEED, member_of=(), limit=10)),
        ("placement providers", "providers", "GET /resource_providers", lambda: placement().provider_names()),
        ("placement trees", "providers", "GET /resource_providers", lambda: placement().provider_roots()),
        ("Neutron ports", "ports", "GET /ports", lambda: neutron().ports_of([ID])),
        ("Neutron bindings", "bindings", f"GET /ports/{ID}/bindings", lambda: neutron().bindings_of(ID)),
        ("Neutron ports of all", "ports", "GET /ports", lambda: neutron().every_port()),
        ("Neutron a port", "port", f"GET /ports/{ID}", lambda: neutron().port(ID)),
        ("Neutron agents of all", "agents", "GET /agents", lambda: neutron().every_agent()),
        ("Neutron agents", "agents", "GET /agents", lambda: neutron().network_agents_on(HOST)),
        ("Neutron agents, a look", "agents-ovn", "GET /agents", look("network")),
        ("Neutron networks", "networks", "GET /networks", lambda: neutron().networks_called("net")),
        ("Cinder a volume", "volume", f"GET /volumes/{ID}", lambda: cinder().volume(ID)),
        ("Cinder volumes of all", "volumes", "GET /volumes/detail", lambda: cinder().every_volume()),
        ("Cinder attachments of all", "attachments", "GET /attachments", lambda: cinder().every_attachment()),
        ("Cinder attachments of a server", "attachments", "GET /attachments", lambda: cinder().attachments_of(ID)),
        ("Cinder services", "volume-services", "GET /os-services", lambda: cinder().volume_services()),
        ("Cinder services, a look", "volume-services", "GET /os-services", look("block-storage")),
        ("Cinder pools", "pools", "GET /scheduler-stats/get_pools", call("/scheduler-stats/get_pools?detail=true", "pools")),
        ("Cinder capabilities", "capabilities", "GET /capabilities/c01@nfs", call("/capabilities/c01%40nfs", "namespace")),
        ("Glance images", "images", "GET /images", lambda: glance().public_images()),
        ("Keystone projects", "projects", "GET /projects", lambda: keystone().projects_called("demo")),
        ("Keystone tags of a project", "project", f"GET /projects/{ID}", lambda: keystone().tags_of(ID)),
        ("Keystone a token and the catalog", "token", "POST /auth/tokens", log_in),
    ]  # fmt: skip
    return [
        Source(
            name=name,
            sample=json.dumps(recorded(sample)),
            is_json=True,
            read=asked(request, ask),
            # A login's plugin has a cache of its own; an empty list of Nova's is an answer.
            is_strict=sample != "token",
        )
        for name, sample, request, ask in questions
    ]


def recorded(name: str) -> Any:  # noqa: ANN401  # JSON
    """Return a recorded answer; one of several where one is asked for."""
    lists = {"server": "servers", "group": "groups", "port": "ports", "volumes": "volume"}
    found = json.loads((SAMPLES / f"{lists.get(name, name)}.json").read_text())
    if name == "server":
        return {"server": found["servers"][0]}
    if name == "port":
        return {"port": found["ports"][0]}
    if name == "volumes":
        return {"volumes": [found["volume"]]}
    if name == "group":
        return {"server_group": found["server_groups"][0]}
    return found
