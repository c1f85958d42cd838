"""What is left of servers and nodes that are gone is listed, and nothing that lives."""

from dataclasses import dataclass, field, replace

import pytest

from builders import a_server, a_service, an_id
from fakes.cloud import FakeCloud
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.facts.left_behind import read_left_behind
from stackward.health.agreement import reconcile
from stackward.health.orphans import find_orphans, read_what_is_left
from stackward.model.orphan import Orphan, Orphans
from stackward.model.server import ServerAction
from stackward.model.unread import Unread
from stackward.report.orphans import render_orphans
from stackward.report.tables import Form
from testimonies import LONG_AGO, volume_of
from texts import too_wide

SERVER, GONE = a_server(), a_server(name="gone")
NOBODY, PORT, VOLUME = an_id("nobody"), an_id("port-left"), an_id("volume")
LOST = "compute-99"


@dataclass
class Site:
    """A small cloud, and what is left in it."""

    cloud: FakeCloud = field(default_factory=FakeCloud)

    def __post_init__(self) -> None:
        self.cloud.nova.add(SERVER)
        self.shell = FakeShell(self.cloud)

    def look(self) -> Orphans:
        world = a_world(self.cloud, self.shell)
        seen = reconcile(world, wait_s=1.0)
        return find_orphans(seen, read_what_is_left(world, seen, {}))

    def only(self) -> Orphan:
        [found] = self.look().found
        return found


@pytest.fixture
def site() -> Site:
    return Site()


def deleted(user: str = "eve") -> ServerAction:
    return ServerAction(action="delete", request_id="req-1", user=user, started=LONG_AGO)


def test_a_cloud_in_which_nothing_is_left_has_no_orphan(site: Site) -> None:
    site.cloud.neutron.agents = {"compute-07": ("Open vSwitch agent",)}

    assert (site.look().found, site.look().unread) == ((), ())


def test_a_guest_of_a_deleted_server_has_its_age_and_what_ends_it(site: Site) -> None:
    site.shell.domains["compute-08", GONE.id] = "running"
    site.cloud.nova.actions[GONE.id] = [deleted()]

    found = site.only()

    assert (found.kind, found.id, found.hosts) == ("guest", GONE.id, ("compute-08",))
    assert found.since is not None
    assert "deleted by the user eve" in found.says
    assert f"--kill-domain compute-08/{GONE.id}" in found.way


def test_allocations_of_nobody_have_their_owner(site: Site) -> None:
    site.cloud.placement.leftovers[NOBODY] = {an_id("compute-08")}

    found = site.only()

    assert (found.kind, found.owner, found.since) == ("allocation", "demo", None)
    assert "--repair allocation-orphan" in found.way


def test_a_port_of_a_server_that_is_gone_is_listed_and_one_that_lives_is_not(site: Site) -> None:
    site.cloud.neutron.leftovers = {PORT: GONE.id}

    found = site.only()

    assert (found.kind, found.id, found.name, found.owner) == ("port", PORT, "web", "demo")
    assert f"--orphans --remove port/{PORT}`" in found.way


def test_a_server_that_the_list_has_missed_keeps_its_port(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(site.cloud.nova), "every_server", lambda _: ())

    assert [one.kind for one in site.look().found] == []


def test_a_volume_of_a_server_that_is_gone_is_listed_with_its_project(site: Site) -> None:
    site.cloud.cinder.volumes = {VOLUME: replace(volume_of(GONE, VOLUME), project="p-1")}

    found = site.only()

    assert (found.kind, found.id, found.owner) == ("volume", VOLUME, "p-1")
    assert "server reboot" not in found.way


@pytest.mark.parametrize(
    ("is_up", "is_known", "inventory", "kinds"),
    [
        pytest.param(False, True, False, ["service"], id="down and not in the inventory"),
        pytest.param(True, True, False, [], id="up"),
        pytest.param(False, False, False, [], id="its cell is down"),
        pytest.param(False, True, True, [], id="switched off, and in the inventory"),
    ],
)
def test_only_the_service_of_a_node_that_nobody_names_is_left(
    site: Site,
    is_up: bool,  # noqa: FBT001  # a column
    is_known: bool,  # noqa: FBT001  # same
    inventory: bool,  # noqa: FBT001  # same
    kinds: list[str],
) -> None:
    host = "compute-07" if inventory else LOST
    site.cloud.nova.computes[host] = replace(
        a_service(host), is_up=is_up, is_known=is_known, updated=LONG_AGO
    )

    assert [one.kind for one in site.look().found if one.kind == "service"] == kinds


def test_no_service_of_a_node_is_left_on_which_another_is_up(site: Site) -> None:
    site.cloud.nova.computes[LOST] = a_service(LOST, is_up=False, updated=LONG_AGO)
    site.cloud.nova.rows = [a_service(LOST, id="2", binary="nova-conductor")]

    assert site.look().found == ()


def test_an_agent_of_a_node_that_nobody_names_is_left(site: Site) -> None:
    site.cloud.neutron.agents = {LOST: ("OVN Controller agent",), "compute-07": ("OVN agent",)}
    site.cloud.neutron.silent_agents = {LOST, "compute-07"}

    found = site.only()

    assert (found.kind, found.hosts) == ("agent", (LOST,))


def test_no_agent_is_left_of_a_node_that_nova_knows_by_the_other_form_of_its_name(
    site: Site,
) -> None:
    site.cloud.nova.computes[LOST] = a_service(LOST)
    whole = f"{LOST}.example.org"
    site.cloud.neutron.agents = {whole: ("OVN Controller agent",)}
    site.cloud.neutron.silent_agents = {whole}

    assert site.look().found == ()


def test_what_could_not_be_read_is_said(site: Site) -> None:
    site.cloud.neutron.unread.add("compute-07")
    site.shell.silent.add("compute-08")

    assert [what for what, _ in site.look().unread] == [
        "Neutron of compute-07", "libvirt of compute-08", "the ports of Neutron"
    ]  # fmt: skip


def test_while_a_cell_is_down_no_port_is_called_left(site: Site) -> None:
    site.cloud.neutron.leftovers = {PORT: GONE.id}
    site.cloud.nova.cells_down.add("compute-07")

    found = site.look()

    assert (found.found, "the ports of Neutron" in dict(found.unread)) == ((), True)


def test_the_lines_fit_a_narrow_terminal(site: Site) -> None:
    site.cloud.neutron.leftovers = {PORT: GONE.id}
    site.shell.domains["compute-08", GONE.id] = "running"

    lines = render_orphans(site.look(), Form.TABLE, width=80).splitlines()

    assert too_wide(lines, 80) == []
    assert sum("age not known" in line for line in lines) == 2
    assert lines[-1] == "2 things left of servers and nodes that are gone"


def test_of_ports_that_a_plan_does_not_name_nova_is_not_asked(site: Site) -> None:
    """Each removal is judged in its turn: else the questions would grow with their square."""
    ports = {an_id(f"port-{number}"): an_id(f"gone-{number}") for number in range(20)}
    site.cloud.neutron.leftovers = ports
    world, one = a_world(site.cloud, site.shell), an_id("port-7")
    testimony = reconcile(world, wait_s=1.0).testimony
    site.cloud.nova.calls.clear()

    left = read_left_behind(world, testimony, {}, consumers=(), servers=(), only={one})

    assert not isinstance(left.ports, Unread)
    assert [each.id for each in left.ports] == [one]
    assert (left.living, [*left.deletions]) == ({}, [ports[one]])
    assert site.cloud.nova.calls["server"] == 1
