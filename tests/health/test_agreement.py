"""Two looks at a cloud: what both have seen and nobody acts on is counted."""

from dataclasses import dataclass, field, replace

import pytest

from builders import a_server, an_id
from fakes.cloud import FakeCloud
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.errors import Unreachable
from stackward.health.agreement import Agreement, reconcile
from stackward.model.server import ServerAction
from stackward.model.testimony import Source
from stackward.ports.world import World
from testimonies import volume_of, with_volumes

WAIT_S = 30.0
SERVER = a_server()
NOBODY = an_id("nobody")


@dataclass
class Site:
    """A small cloud, and what somebody does between two looks."""

    cloud: FakeCloud = field(default_factory=FakeCloud)
    waits: list[tuple[int, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cloud.nova.add(SERVER)
        self.shell = FakeShell(self.cloud)

    def world(self) -> World:
        """Return the ports over it."""
        return a_world(self.cloud, self.shell)

    def look(self, host: str | None = None, meanwhile: object = None) -> Agreement:
        """Look twice; `meanwhile` is called in between."""

        def waiting(count: int, seconds: float) -> None:
            self.waits.append((count, seconds))
            if callable(meanwhile):
                meanwhile()

        return reconcile(self.world(), wait_s=WAIT_S, host=host, waiting=waiting)


@pytest.fixture
def site() -> Site:
    return Site()


def test_a_cloud_whose_witnesses_agree_is_looked_at_once(site: Site) -> None:
    server = with_volumes("db-02", host="compute-08")
    site.cloud.nova.add(server)
    site.cloud.cinder.volumes = {one: volume_of(server, one) for one in server.volume_ids}

    found = site.look()

    assert (found.cases, found.looks, site.waits) == ((), 1, [])
    assert found.testimony.unread() == ()


def test_what_both_looks_see_is_counted(site: Site) -> None:
    site.cloud.placement.leftovers[NOBODY] = {an_id("compute-08")}

    found = site.look()

    assert [(one.name, one.hosts) for one in found.cases] == [
        ("allocation-orphan", ("compute-08",))
    ]
    assert (found.looks, site.waits) == (2, [(1, WAIT_S)])


def test_what_the_second_look_does_not_see_is_not_counted(site: Site) -> None:
    site.cloud.placement.leftovers[NOBODY] = {an_id("compute-08")}

    found = site.look(meanwhile=site.cloud.placement.leftovers.clear)

    assert (found.cases, [one.name for one in found.passed]) == ((), ["allocation-orphan"])


def test_a_server_that_somebody_acts_on_meanwhile_is_not_counted(site: Site) -> None:
    site.cloud.placement.leftovers[SERVER.id] = {an_id("compute-08")}

    def act() -> None:
        action = ServerAction(action="reboot", request_id="req-9", user="eve", started="9")
        site.cloud.nova.actions[SERVER.id] = [action]

    found = site.look(meanwhile=act)

    assert (found.cases, [one.name for one in found.passed]) == ((), ["allocation-double"])


def test_a_server_that_the_list_has_missed_is_asked_for_once_more(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(site.cloud.nova), "every_server", lambda _: ())

    found = site.look()

    assert {one.name for one in found.passed} == {"domain-of-deleted", "allocation-orphan"}
    assert found.cases == ()


def test_a_server_that_runs_twice_is_found(site: Site) -> None:
    site.shell.domains["compute-08", SERVER.id] = "running"

    [case] = site.look().cases

    assert (case.name, case.hosts) == ("server-twice", ("compute-07", "compute-08"))


def test_of_a_node_only_what_touches_it_is_shown(site: Site) -> None:
    site.shell.domains["compute-08", SERVER.id] = "shut off"
    site.cloud.placement.leftovers[NOBODY] = {an_id("compute-09")}

    assert [one.name for one in site.look("compute-08").cases] == ["domain-elsewhere"]
    assert [one.name for one in site.look("compute-09").cases] == ["allocation-orphan"]


def test_who_cannot_be_asked_is_unknown_and_the_rest_is_judged(site: Site) -> None:
    site.shell.silent.add("compute-08")
    site.shell.libvirt_down.add("compute-09")
    site.cloud.placement.unread.add(an_id("compute-07"))
    site.cloud.neutron.unread.add("compute-07")
    site.cloud.cinder.is_away = True
    site.cloud.placement.leftovers[NOBODY] = {an_id("compute-08")}

    found = site.look()

    assert [one.name for one in found.cases] == ["allocation-orphan"]
    assert [(who, host) for who, host, _ in found.testimony.unread()] == [
        (Source.PLACEMENT, "compute-07"),
        (Source.NEUTRON, "compute-07"),
        (Source.LIBVIRT, "compute-08"),
        (Source.LIBVIRT, "compute-09"),
        (Source.CINDER, ""),
    ]


def test_servers_of_a_hypervisor_without_domains_are_compared_otherwise(site: Site) -> None:
    site.cloud.nova.kind = "fake"
    site.cloud.placement.unheld.add(SERVER.id)

    assert [one.name for one in site.look().cases] == ["allocation-missing"]


def test_while_a_cell_is_down_nothing_is_said_of_what_nova_does_not_have(site: Site) -> None:
    site.cloud.nova.cells_down.add("compute-07")

    found = site.look()

    assert (found.cases, found.testimony.is_whole) == ((), False)


def test_without_nova_nothing_is_compared(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: object) -> tuple[()]:
        raise Unreachable("cannot connect to Nova")

    monkeypatch.setattr(type(site.cloud.nova), "every_server", away)

    with pytest.raises(Unreachable):
        site.look()


def test_the_calls_follow_the_nodes_and_not_the_servers(site: Site) -> None:
    site.look()
    before = site.cloud.calls.total()
    site.cloud.nova.add(*(a_server(name=f"s{at}") for at in range(200)))
    site.cloud.calls.clear()

    site.look()

    # The fake asks itself for the bindings of each port, which is one list of the real one.
    asked = site.cloud.calls
    own = {"bindings", "ports", "provider", "volume"}
    assert sum(count for name, count in asked.items() if name not in own) <= before


def test_a_healthy_cloud_that_changes_all_the_time_gives_no_case(site: Site) -> None:
    nova = site.cloud.nova
    for number in range(50):
        name = f"s{number}"
        built = a_server(name=name, status="BUILD", task_state="spawning")
        if number % 3 == 0:
            nova.add(built)
        elif number % 3 == 1:
            nova.add(replace(a_server(name=f"s{number - 1}"), host="compute-08"))
        else:
            nova.known.pop(an_id(f"s{number - 2}"), None)

        assert site.look().cases == ()
