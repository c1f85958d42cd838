"""Every list is read to its end: over HTTP, with two items at a page, as each service pages."""

import ast
import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builders import a_port, a_server, a_service, an_id
from fakes.clock import FakeClock
from fakes.cloud import FakeCloud
from fakes.glance import GUEST
from fakes.keystone import DEMO
from fakes.neutron import LAB_NET
from fakes.nova import TINY, FakeNova
from fakes.shell import FakeShell
from fakes.world import SERVICES, Connected, a_world_over
from http_cloud import PAGE, HttpCloud, Reply
from stackward.adapters import openstack
from stackward.adapters.openstack import OpenStackCloud
from stackward.adapters.openstack.answers import one_thing
from stackward.adapters.openstack.apis import OpenStackApis
from stackward.adapters.openstack.lists import NeverEnds, read_list
from stackward.adapters.openstack.patience import Patience
from stackward.adapters.openstack.services import Services
from stackward.errors import NotUnderstood, Unreachable
from stackward.health.agreement import reconcile
from stackward.model.aggregate import Aggregate
from stackward.model.cloud_state import Rpc, RpcAnswer
from stackward.model.instance_ha import HaHost, HaNotification
from stackward.model.migration import Migration
from stackward.model.server import ServerAction
from stackward.model.volume import Attachment, Volume
from stackward.status.lookups import hypervisor_of

HOSTS = tuple(f"compute-{number:02}" for number in range(1, 6))
SERVER = an_id("db-01")


GUARD = HaHost(id=an_id(f"{HOSTS[0]}-1"), segment=HOSTS[0], host=HOSTS[0])


def five_of_each() -> FakeCloud:
    """Return a cloud that has five of all that can be listed."""
    fake = FakeCloud(FakeNova(hosts=HOSTS))
    names = [f"db-{number:02}" for number in range(1, 6)]
    ports = tuple(replace(a_port("db-01", HOSTS[0]), id=an_id(f"port-{name}")) for name in names)
    fake.nova.add(*(a_server(name=name, host=HOSTS[0], ports=()) for name in names))
    fake.nova.known[SERVER] = replace(fake.nova.known[SERVER], ports=ports)
    fake.neutron.bound[ports[0].id] = tuple((host, "ACTIVE") for host in HOSTS)
    fake.neutron.agents[HOSTS[0]] = tuple(f"agent {number}" for number in range(1, 6))
    fake.nova.zones = tuple(Aggregate(uuid=an_id(one), name=one) for one in names)
    fake.glance.images = tuple(replace(GUEST, id=an_id(f"image-{one}")) for one in names)
    fake.nova.offered = tuple(replace(TINY, id=an_id(f"flavor-{one}")) for one in names)
    fake.neutron.networks = tuple(replace(LAB_NET, id=an_id(f"net-{one}")) for one in names)
    fake.keystone.projects = tuple(replace(DEMO, id=an_id(f"project-{one}")) for one in names)
    fake.nova.migrations = [
        Migration(
            id=number,
            uuid=an_id(f"migration-{number}"),
            server=SERVER,
            kind="live-migration",
            status="completed",
            source=HOSTS[0],
            target=HOSTS[1],
        )
        for number in range(1, 6)
    ]
    fake.nova.actions[SERVER] = [
        ServerAction(action="stop", request_id=f"req-{number}", user="u", started=f"{number:04}")
        for number in range(1, 6)
    ]
    fake.masakari.guards = {
        f"{host}-{number}": HaHost(id=an_id(f"{host}-{number}"), segment=host, host=HOSTS[0])
        for host in HOSTS[:3]
        for number in range(1, 4)
    }
    fake.masakari.notified[HOSTS[0]] = tuple(
        HaNotification(id=name, kind="VM", status="finished") for name in names
    )
    fake.cinder.attachments[SERVER] = tuple((f"attachment-{one}", f"volume-{one}") for one in names)
    fake.cinder.volumes = {one: Volume(id=one, status="reserved") for one in names}
    fake.cinder.reserved = [
        Attachment(id=f"attachment-{one}", volume=one, server=SERVER, status="reserved")
        for one in names
    ]
    fake.catalog = frozenset({"compute", "instance-ha"})
    return fake


LISTS: dict[str, tuple[Callable[[Connected], Any], int]] = {
    "services": (lambda cloud: cloud.nova.services(), 6),  # and the conductor
    "hypervisors_like": (lambda cloud: cloud.nova.hypervisors_like("compute"), 5),
    "hypervisors": (lambda cloud: cloud.nova.hypervisors(), 5),
    "servers_on": (lambda cloud: cloud.nova.servers_on(HOSTS[0]), 5),
    "servers_called": (lambda cloud: cloud.nova.servers_called("db-05"), 1),
    "attachments_of": (lambda cloud: cloud.cinder.attachments_of(SERVER), 5),
    "servers_named": (lambda cloud: cloud.nova.servers_named("db-05"), 1),
    "migrations_of": (lambda cloud: cloud.nova.migrations_of(HOSTS[0], "completed"), 5),
    "newest_migrations": (lambda cloud: cloud.nova.newest_migrations(HOSTS[0]), 5),
    "migrations_of_server": (lambda cloud: cloud.nova.migrations_of_server(SERVER), 5),
    "actions_of": (lambda cloud: cloud.nova.actions_of(SERVER), 5),
    "aggregates": (lambda cloud: cloud.nova.aggregates(), 5),
    "provider_names": (lambda cloud: cloud.placement.provider_names(), 5),
    "provider_roots": (lambda cloud: cloud.placement.provider_roots(), 5),
    "ports_of": (lambda cloud: cloud.neutron.ports_of([SERVER]), 5),
    "bindings_of": (lambda cloud: cloud.neutron.bindings_of(an_id("port-db-01")), 5),
    "every_port": (lambda cloud: cloud.neutron.every_port(), 5),
    "every_agent": (lambda cloud: cloud.neutron.every_agent(), 5),
    "network_agents_on": (lambda cloud: cloud.neutron.network_agents_on(HOSTS[0]), 5),
    "public_images": (lambda cloud: cloud.glance.public_images(), 5),
    "images_called": (lambda cloud: cloud.glance.images_called("guest"), 5),
    "flavors": (lambda cloud: cloud.nova.flavors(), 5),
    "networks_called": (lambda cloud: cloud.neutron.networks_called("lab-net"), 5),
    "ha_hosts": (lambda cloud: cloud.masakari.ha_hosts(HOSTS[0]), 9),
    "notifications_of": (lambda cloud: cloud.masakari.notifications_of(GUARD), 5),
    "every_server": (lambda cloud: cloud.nova.every_server(), 5),
    "migrations_in": (lambda cloud: cloud.nova.migrations_in("completed"), 5),
    "ports_on": (lambda cloud: cloud.neutron.ports_on(HOSTS[0]), 5),
    "every_volume": (lambda cloud: cloud.cinder.every_volume(), 5),
    "every_attachment": (lambda cloud: cloud.cinder.every_attachment(), 5),
    "projects_called": (lambda cloud: cloud.keystone.projects_called(DEMO.name), 5),
}
# What answers with several things that no service pages.
NOT_PAGED = {
    "action_events": "the events of one action come with it",
    "candidates": "placement is asked for so many at most",
    "allocations_of": "placement gives all of one consumer",
    "attached_to": "Nova gives those of one server in one answer",
    "tags_of": "the tags of one project come with it",
    "known_hypervisors": "nothing is asked: what the last list of all had",
    "volume_services": "the hosts of one list, tested below",
}


@pytest.fixture(scope="module")
def small() -> HttpCloud:
    return HttpCloud(five_of_each())


@pytest.fixture(scope="module")
def cloud(small: HttpCloud) -> Connected:
    return OpenStackCloud(small.connection(), FakeClock())


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_read_to_its_end(cloud: Connected, small: HttpCloud, name: str) -> None:
    read, there = LISTS[name]
    before = len(small.asked)

    found = read(cloud)

    assert len(found) == there
    assert len(small.asked) - before >= -(-there // PAGE)


def test_a_drain_sees_the_port_on_the_second_page() -> None:
    """F06: Neutron gives 500 ports at most, and the accelerator is the 501st."""
    fake = five_of_each()
    last = replace(fake.nova.known[SERVER].ports[4], vnic_type="accelerator-direct")
    fake.nova.known[SERVER] = replace(
        fake.nova.known[SERVER], ports=(*fake.nova.known[SERVER].ports[:4], last)
    )
    cloud = OpenStackCloud(HttpCloud(fake).connection(), FakeClock())

    kinds = [port.vnic_type for port in cloud.neutron.ports_of([SERVER])]

    assert kinds == ["normal"] * 4 + ["accelerator-direct"]


def test_all_hypervisors_are_listed_once_where_none_is_named_after_its_host() -> None:
    """With 2,000 nodes each look at a server that was moved read two pages of a thousand."""
    fake = FakeCloud(
        FakeNova(hosts=HOSTS, named={host: (f"ip-{host[-2:]}", None) for host in HOSTS})
    )
    small = HttpCloud(fake)
    cloud = OpenStackCloud(small.connection(), FakeClock())
    before = cloud.nova.known_hypervisors()

    found = [hypervisor_of(cloud.nova, host) for host in (HOSTS[0], HOSTS[0], HOSTS[3])]

    names = [one.name for one in found if one]
    looked_for = [query.partition("pattern=")[2] for query in small.queries if "pattern=" in query]
    lists = [one for one in small.queries if "os-hypervisors" in one and "pattern=" not in one]
    assert (before, names) == ((), ["ip-01", "ip-01", "ip-04"])
    assert looked_for == [HOSTS[0], "ip-01", "ip-04"]
    assert len(lists) == -(-len(HOSTS) // PAGE)


def test_every_method_that_lists_is_tested_here() -> None:
    lists = {
        name
        for port in SERVICES.values()
        for name, method in inspect.getmembers(port, inspect.isfunction)
        if not name.startswith("_")
        and str(inspect.signature(method).return_annotation).startswith(("tuple", "dict", "froz"))
    }

    assert lists == {*LISTS, *NOT_PAGED}


def test_json_is_read_in_one_place_and_lists_by_one_helper() -> None:
    """A call that bypasses the helper would read the first page only."""
    room = Path(openstack.__file__).parent
    calls = [
        (file.name, node.func.attr, node.lineno)
        for file in sorted(room.glob("*.py"))
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]

    assert {file for file, called, _ in calls if called == "json"} == {"answers.py"}
    # The SDK's own lists (`connection.compute.servers()`) are not used: no proxy is called.
    text = {file.name: file.read_text() for file in room.glob("*.py")}
    services = ("compute", "network", "block_storage", "image", "identity", "placement")
    assert not [
        (name, service)
        for name, source in text.items()
        for service in services
        if f"connection.{service}." in source
    ]


def test_what_is_asked_with_read_is_no_collection() -> None:
    """`read` and `find` are for one thing: what they ask for ends with an id or is one account."""
    room = Path(openstack.__file__).parent
    asked = {
        ast.unparse(node.args[0])
        for service in SERVICES
        for node in ast.walk(ast.parse((room / f"{service}.py").read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"read", "find"}
    }

    collections = {one for one in asked if one.startswith("'/")}
    assert collections == {"'/allocation_candidates'"}


def test_no_part_of_a_body_is_taken_that_may_be_a_page_of_a_list() -> None:
    """`body_of(answer)["pools"]` would be its first page; `one_thing` refuses a body with more."""
    file = Path(openstack.__file__).parent / "apis.py"
    tree = ast.parse(file.read_text())
    methods = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    reads = {
        method.name: [
            ast.unparse(node)
            for node in ast.walk(method)
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"one_thing", "body_of"}
        ]
        for method in methods
        if method.name in {"call", "uptime"}
    }

    assert reads == {
        "call": ["one_thing(body_of(came))", "body_of(came)"],
        "uptime": ["one_thing(body_of(answer))", "body_of(answer)"],
    }


NEXT = "http://cinder/v3/scheduler-stats/get_pools?marker=1"
TO_NEXT: dict[str, dict[str, object]] = {
    "Nova, Neutron, Cinder": {"pools_links": [{"rel": "next", "href": NEXT}]},
    "Keystone": {"links": {"self": "http://cinder/v3", "previous": None, "next": NEXT}},
    "a list of links": {"links": [{"rel": "next", "href": NEXT}]},
    "Glance": {"next": "/v3/scheduler-stats/get_pools?marker=1"},
}


def call_for_pools(body: dict[str, object]) -> RpcAnswer:
    """Ask Cinder for the pools of its backends over HTTP, and have it answer so."""
    small = HttpCloud(FakeCloud(FakeNova(hosts=HOSTS)))
    apis = OpenStackApis(small.connection)
    _, catalog = apis.log_in(within_s=5)
    endpoint = catalog.endpoint(("block-storage",)) if catalog else None
    assert endpoint is not None
    small.instead["GET /scheduler-stats/get_pools"] = [Reply(200, body)]
    return apis.call(endpoint, "/v3/scheduler-stats/get_pools", answer="pools", within_s=5)


@pytest.mark.parametrize("links", TO_NEXT.values(), ids=TO_NEXT)
def test_a_list_of_pools_with_a_further_page_is_no_answer(links: dict[str, object]) -> None:
    """A backend that is down might stand on the page that nobody reads."""
    came = call_for_pools({"pools": [], **links})

    assert came.outcome is Rpc.ODD
    assert "a page of a list came" in (came.why or "")


@pytest.mark.parametrize(
    "links",
    [
        pytest.param({}, id="no link"),
        pytest.param({"links": {"self": "http://cinder", "next": None}}, id="Keystone"),
        pytest.param({"links": [{"rel": "self", "href": "http://cinder"}]}, id="to itself"),
    ],
)
def test_a_list_of_pools_without_a_further_page_is_an_answer(links: dict[str, object]) -> None:
    assert call_for_pools({"pools": [], **links}).outcome is Rpc.ANSWERED


@pytest.mark.parametrize("links", TO_NEXT.values(), ids=TO_NEXT)
def test_a_link_that_a_list_follows_is_one_that_one_thing_refuses(links: dict[str, object]) -> None:
    asked: list[Sequence[tuple[str, str]]] = []

    def fetch(query: Sequence[tuple[str, str]]) -> dict[str, object]:
        asked.append(query)
        return {"pools": [], **({} if query else links)}

    assert read_list(fetch, "pools") == []
    assert asked == [[], [("marker", "1")]]
    with pytest.raises(ValueError, match="a page of a list"):
        one_thing({"pools": [], **links})


@pytest.mark.parametrize("own", [{"next": "v3"}, {"links": {"next": "/v3"}}, {"x_links": []}])
def test_what_an_owner_wrote_on_an_image_makes_it_no_page(own: dict[str, object]) -> None:
    """Glance puts the properties of an image beside its own names."""
    image = {"id": "5f1c", "name": "cirros", **own}

    assert one_thing(image) == image


def test_a_list_that_is_read_as_one_thing_is_refused() -> None:
    """So a call that bypasses the helper fails against any cloud with more than one page."""
    small = HttpCloud(five_of_each())
    services = Services(small.connection(), Patience(clock=FakeClock()))

    with pytest.raises(NotUnderstood) as caught:
        services.nova.read("/servers/detail", lambda body: len(body["servers"]))

    assert "a page of a list came" in caught.value.details[0]


# --- pages that lead nowhere ---


def test_a_page_that_fails_in_the_middle_is_an_error_and_no_half_list() -> None:
    small = HttpCloud(five_of_each())
    cloud = OpenStackCloud(small.connection(), FakeClock())
    small.instead["GET /servers/detail"] = [None, Reply(500, {"computeFault": {"message": "no"}})]

    with pytest.raises(Unreachable):
        cloud.nova.servers_on(HOSTS[0])


def test_a_page_that_is_gone_is_an_error_and_no_half_list() -> None:
    small = HttpCloud(five_of_each())
    cloud = OpenStackCloud(small.connection(), FakeClock())
    small.instead["GET /servers/detail"] = [None, Reply(404, {"itemNotFound": {"message": "no"}})]

    with pytest.raises(Unreachable, match="to its end"):
        cloud.nova.servers_on(HOSTS[0])


def linked(*markers: str) -> Callable[[Any], dict[str, Any]]:
    """Return pages of one port each; the marker of the next comes from the list."""
    left = list(markers)

    def fetch(_query: object) -> dict[str, Any]:
        link = [{"rel": "next", "href": f"http://x/ports?marker={left.pop(0)}"}] if left else []
        return {"ports": [{"id": "p"}], "ports_links": link}

    return fetch


def test_pages_that_go_in_a_circle_end() -> None:
    with pytest.raises(NeverEnds, match="circle"):
        read_list(linked("a", "b", "a", "b"), "ports")


def test_a_service_says_that_its_pages_go_in_a_circle() -> None:
    small = HttpCloud(five_of_each())
    cloud = OpenStackCloud(small.connection(), FakeClock())
    link = [{"rel": "next", "href": "http://cloud.example/network/v2.0/ports?marker=p1"}]
    page = Reply(200, {"ports": [], "ports_links": link})
    small.instead["GET /network/v2.0/ports"] = [page]

    with pytest.raises(NotUnderstood) as caught:
        cloud.neutron.ports_of([SERVER])

    assert "go in a circle" in caught.value.details[0]


def test_a_link_to_another_host_is_not_followed_there() -> None:
    """The token belongs to the endpoint of the catalog alone; `HttpCloud` links elsewhere."""
    small = HttpCloud(five_of_each())
    cloud = OpenStackCloud(small.connection(), FakeClock())

    assert len(cloud.neutron.ports_of([SERVER])) == 5
    assert {one.split()[1].split("/")[1] for one in small.asked} == {
        "identity",
        "compute",
        "network",
    }


def test_a_link_without_a_place_is_an_error() -> None:
    page = {"ports": [], "ports_links": [{"rel": "next", "href": "http://x/ports?limit=2"}]}

    with pytest.raises(NeverEnds, match="where it begins"):
        read_list(lambda _query: page, "ports")


def test_a_list_that_keystone_has_cut_is_not_whole() -> None:
    with pytest.raises(NeverEnds, match="only a part"):
        read_list(lambda _query: {"projects": [], "truncated": True}, "projects")


def test_the_query_of_a_list_is_asked_for_on_each_page() -> None:
    small = HttpCloud(five_of_each())
    cloud = OpenStackCloud(small.connection(), FakeClock())

    cloud.nova.servers_on(HOSTS[0])

    asked = [one for one in small.queries if "servers/detail" in one]
    assert len(asked) == 3
    wanted = (f"host={HOSTS[0]}", "all_tenants=true", "soft_deleted=true")
    assert all(each in one for one in asked for each in wanted)


def test_services_come_from_all_pages() -> None:
    fake = FakeCloud(FakeNova(hosts=HOSTS))
    fake.nova.computes["compute-05"] = replace(a_service("compute-05"), is_up=False)
    cloud = OpenStackCloud(HttpCloud(fake).connection(), FakeClock())

    down = [one.host for one in cloud.nova.services() if not one.is_up]

    assert down == ["compute-05"]


def requests_of_a_look(count: int) -> int:
    """Return how many requests compare the witnesses of so many servers, each with a volume."""
    fake = FakeCloud(FakeNova(hosts=HOSTS[:2]))
    for number in range(count):
        name = f"db-{number:02}"
        volume = an_id(f"volume-{name}")
        one = a_server(name=name, host=HOSTS[0], ports=(a_port(name, HOSTS[0]),))
        fake.nova.add(replace(one, volume_ids=(volume,)))
        fake.cinder.volumes[volume] = Volume(id=volume, status="in-use")
    small = HttpCloud(fake)
    cloud = OpenStackCloud(small.connection(), FakeClock())
    world = a_world_over(cloud, FakeShell(fake))
    found = reconcile(world, wait_s=0)
    assert (found.cases, len(found.testimony.servers)) == ((), count)
    return len(small.asked)


def test_the_requests_of_a_comparison_follow_the_pages_of_its_lists() -> None:
    more = requests_of_a_look(24) - requests_of_a_look(8)

    # Of servers, ports, volumes and attachments: nothing is asked of one by itself.
    assert more == 4 * 16 // PAGE
