"""Field cases of the APIs: the real commands against a small OpenStack over HTTP.

Named after what was seen; each asserts what an operator should have read.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from builders import a_port, a_server, an_id
from engine.fakes import FakeClock
from fakes.cloud import FakeCloud
from fakes.shell import FakeShell
from fakes.world import a_world_over
from http_cloud import PAGE_OF_HTML, HttpCloud, Reply
from stackward.adapters.openstack import OpenStackCloud
from stackward.cli import main
from stackward.model.aggregate import Aggregate
from stackward.model.inventory import Inventory
from stackward.model.volume import Volume
from stackward.ports.world import World
from texts import folded

DRAIN = ("node", "drain", "compute-07", "--reason", "bad DIMM")
PLAN = (*DRAIN, "--dry-run")
DB = an_id("db-01")
ZONE = Aggregate(
    uuid=an_id("z1"), name="z1", hosts=("compute-07",), metadata=(("availability_zone", "z1"),)
)
NO_CINDER = ["identity", "compute", "placement", "network", "image"]


@dataclass
class Desk:
    """A small OpenStack over HTTP, and the command line that is pointed at it."""

    capsys: pytest.CaptureFixture[str]
    fake: FakeCloud = field(default_factory=FakeCloud)

    def __post_init__(self) -> None:
        self.fake.nova.add(a_server(name="db-01"))
        self.small = HttpCloud(self.fake)
        self.clock = FakeClock(on_wait=[self.fake.nova.pass_time])

    @contextmanager
    def open_world(self, _known: Inventory, _os_cloud: str | None) -> Iterator[World]:
        cloud = OpenStackCloud(self.small.connection(), self.clock)
        yield a_world_over(cloud, FakeShell(self.fake), self.clock)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Return exit code, stdout and stderr."""
        code = main(arguments, open_world=self.open_world)
        return (code, *self.capsys.readouterr())


@pytest.fixture
def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Desk:
    (tmp_path / "inventory").write_text("compute-07\n")
    monkeypatch.setenv("STACKWARD_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("STACKWARD_INVENTORY", str(tmp_path / "inventory"))
    monkeypatch.setenv("COLUMNS", "300")
    return Desk(capsys)


def test_a_drain_over_http_empties_the_node(desk: Desk) -> None:
    code, _, err = desk.run(*DRAIN, "--yes")

    assert code == 0, err
    assert desk.fake.nova.known[DB].host != "compute-07"


def test_f06_the_port_on_the_second_page_blocks(desk: Desk) -> None:
    """Neutron's `pagination_max_limit`: web-1 was moved live, for its accelerator was not seen."""
    ports = [replace(a_port(), id=f"p{number}") for number in (1, 2, 3)]
    ports[2] = replace(ports[2], vnic_type="accelerator-direct")
    desk.fake.nova.add(a_server(name="db-01", ports=tuple(ports)))

    code, out, _ = desk.run(*PLAN)

    assert code == 3
    assert "holds an accelerator" in folded(out)


def test_f08_a_drain_goes_on_while_another_cell_is_down(desk: Desk) -> None:
    """`KeyError: 'state'`: no drain at all in the very hour in which one is needed."""
    desk.small.down_cells = [{"binary": "nova-compute", "host": "c90", "status": "UNKNOWN"}]

    code, plan, err = desk.run(*PLAN)

    assert code == 0
    assert "defect" not in err
    assert "c90" not in plan


def test_f08_a_node_in_a_cell_that_is_down_is_not_known(desk: Desk) -> None:
    desk.small.down_cells = [{"binary": "nova-compute", "host": "c90", "status": "UNKNOWN"}]

    code, _, err = desk.run("node", "drain", "c90", "--reason", "x", "--dry-run")

    assert code == 8
    assert "nothing is known of the host `c90`: its cell is down" in err


def test_f08_the_list_names_what_is_not_known(desk: Desk) -> None:
    desk.small.down_cells = [{"binary": "nova-compute", "host": "c90", "status": "UNKNOWN"}]

    code, out, _ = desk.run("node", "list", "--maintenance", "-f", "value")

    assert code == 0
    assert out.startswith("c90 not known ")
    assert "its cell is down" in out


def test_f08_a_renamed_host_is_repeated_and_known_by_its_living_record(desk: Desk) -> None:
    row = {"binary": "nova-compute", "host": "compute-07", "status": "UNKNOWN"}
    desk.small.down_cells = [row]

    code, _, err = desk.run(*PLAN)

    assert code == 0, err


def test_f08_a_server_whose_cell_went_down_as_it_was_listed_blocks(desk: Desk) -> None:
    row = {"id": DB, "status": "UNKNOWN", "tenant_id": "p", "created": "x", "links": []}
    desk.small.instead[f"GET /servers/{DB}"] = [Reply(200, {"server": row})]

    code, out, _ = desk.run(*PLAN)

    assert code == 3
    assert "is in a cell that is down: Nova does not know its state" in folded(out)


def test_f11_a_cloud_without_cinder_is_planned_for(desk: Desk) -> None:
    desk.small.catalog = NO_CINDER

    code, _, err = desk.run(*PLAN)

    assert code == 0, err


def test_f11_a_server_with_volumes_is_blocked_with_the_scope_of_the_login(desk: Desk) -> None:
    desk.small.catalog = NO_CINDER
    desk.fake.nova.add(a_server(name="db-01", volume_ids=("v",)))
    desk.fake.cinder.volumes["v"] = Volume(id="v")

    code, out, _ = desk.run(*PLAN)

    assert code == 3
    assert "has volumes, and the catalog has no volume service" in folded(out)
    assert "scoped to a project" in folded(out)


def test_f11_a_cloud_without_neutron_is_refused_by_name(desk: Desk) -> None:
    desk.small.catalog = [one for one in desk.small.catalog if one != "network"]

    code, _, err = desk.run(*PLAN)

    assert code == 3
    assert "error: the catalog has no network service" in err


@pytest.mark.parametrize("nova", ["2.79", "2.87", "2.90", "2.95"])
def test_f14_an_older_nova_is_drained(desk: Desk, nova: str) -> None:
    desk.small.nova = nova

    code, _, err = desk.run(*DRAIN, "--yes")

    assert code == 0, err
    assert desk.fake.nova.known[DB].host != "compute-07"


def test_f14_what_an_older_nova_does_not_say_is_warned_of(desk: Desk) -> None:
    desk.small.nova = "2.90"
    desk.fake.nova.zones = (ZONE,)

    code, plan, err = desk.run(*PLAN)

    assert code == 0, err
    assert "may have to stay in its zone `nova`, which this Nova is too old to say" in plan


def test_f14_a_nova_older_than_all_that_we_know_is_refused(desk: Desk) -> None:
    desk.small.nova = "2.60"

    code, _, err = desk.run(*PLAN)

    assert code == 3
    assert "2.79 is the oldest that Stackward can use" in err


def test_f20_a_drain_does_not_stop_at_a_limit(desk: Desk) -> None:
    """429 with `Retry-After: 1`: the run stopped after one order, and ended with 4."""
    limited = Reply(429, {"error": {"message": "slow down"}}, {"Retry-After": "1"})
    desk.small.instead["POST /action"] = [limited, limited, None]
    desk.small.instead["GET /os-services"] = [limited, None]

    code, _, err = desk.run(*DRAIN, "--yes")

    assert code == 0, err
    orders = [one for one in desk.small.asked if re.match(r"POST /compute.*/action", one)]
    assert len(orders) == 3
    assert desk.fake.nova.known[DB].host != "compute-07"


def test_an_api_behind_a_proxy_that_answers_html_is_said(desk: Desk) -> None:
    desk.small.instead["GET /os-aggregates"] = [PAGE_OF_HTML]

    code, _, err = desk.run(*PLAN)

    assert code == 8
    assert "Nova answers `GET /os-aggregates` in a form that Stackward does not understand" in err
    assert 'a page of HTML, "Sign in Maintenance"' in err


def test_half_of_a_list_is_no_list(desk: Desk) -> None:
    desk.small.instead["GET /servers/detail"] = [Reply(200, '{"servers": [{"id": "')]

    code, _, err = desk.run(*PLAN)

    assert code == 8
    assert "in a form that Stackward does not understand" in err
    assert "it is not JSON" in err


GONE = Reply(404, {"NeutronError": {"type": "PortNotFound", "message": "could not be found"}})


def test_a_port_that_is_deleted_while_a_drain_is_planned_does_not_end_it(desk: Desk) -> None:
    [port] = desk.fake.nova.known[DB].ports
    desk.small.instead[f"GET /ports/{port.id}/bindings"] = [GONE]
    desk.small.instead[f"GET /ports/{port.id}"] = [GONE]

    code, _, err = desk.run(*PLAN)

    assert code == 0, err


def test_a_neutron_that_has_no_bindings_to_read_is_not_planned_for(desk: Desk) -> None:
    """Its port is there: what a move leaves behind would not be seen."""
    [port] = desk.fake.nova.known[DB].ports
    desk.small.instead[f"GET /ports/{port.id}/bindings"] = [GONE]

    code, _, err = desk.run(*PLAN)

    assert code == 8
    assert f"Neutron has no `/ports/{port.id}/bindings`" in err


def test_a_server_deleted_and_archived_meanwhile_does_not_stop_the_run(desk: Desk) -> None:
    """Nova answers 404 for its actions then: how it stands was never proved."""

    def is_purged() -> None:
        if desk.fake.nova.actions.get(DB):
            desk.fake.nova.purge(DB)

    desk.clock.on_wait.insert(0, is_purged)

    code, _, err = desk.run(*DRAIN, "--yes")

    assert code == 0, err
    assert DB not in desk.fake.nova.known
