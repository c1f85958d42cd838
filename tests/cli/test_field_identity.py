"""Field cases of names: the real commands, an inventory file, and a small OpenStack over HTTP.

Named after what was seen; each asserts what an operator should have read.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from builders import a_server, a_service
from engine.fakes import FakeClock
from fakes.cloud import FakeCloud
from fakes.nova import FakeNova
from fakes.shell import FakeShell
from fakes.world import a_world_over
from http_cloud import HttpCloud
from stackward.adapters.openstack import OpenStackCloud
from stackward.adapters.store.listing import FILE
from stackward.cli import main
from stackward.model.identity import Itself, Known
from stackward.model.inventory import Inventory
from stackward.model.service import ComputeService
from stackward.ports.world import World


@dataclass
class Desk:
    """A small OpenStack over HTTP, an inventory, and the command line that is pointed at both."""

    place: Path
    capsys: pytest.CaptureFixture[str]
    fake: FakeCloud = field(default_factory=FakeCloud)
    says: dict[str, Itself] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    units: dict[str, tuple[str, str]] = field(default_factory=dict)
    files: dict[tuple[str, str], str] = field(default_factory=dict)

    def has(self, inventory: str, **named: tuple[str, str | None]) -> None:
        """Have this inventory, and these hosts with the names and addresses of hypervisors."""
        (self.place / "inventory").write_text(inventory)
        hosts = tuple(host.replace("_", ".").replace("..", "-") for host in named)
        self.fake = FakeCloud(
            FakeNova(hosts=hosts, named=dict(zip(hosts, named.values(), strict=True)))
        )
        self.fake.nova.add(a_server(name="db-01", host=hosts[0]))

    @contextmanager
    def open_world(self, known: Inventory, _os_cloud: str | None) -> Iterator[World]:
        clock = FakeClock(on_wait=[self.fake.nova.pass_time])
        nodes = tuple(Known(name=node.name, address=node.address) for node in known.nodes)
        self.shell = FakeShell(
            self.fake,
            inventory=nodes,
            says=self.says,
            silent=self.silent,
            units=self.units,  # what one command has done to a node, the next one finds there
            files=self.files,
        )
        cloud = OpenStackCloud(HttpCloud(self.fake).connection(), clock)
        yield a_world_over(cloud, self.shell, clock)

    def run(self, *arguments: str) -> tuple[int, str]:
        """Return the exit code, and all that was written."""
        code = main(arguments, open_world=self.open_world)
        return code, "".join(self.capsys.readouterr())

    def plan(self, node: str) -> tuple[int, str]:
        return self.run("node", "drain", node, "--reason", "x", "--dry-run")


@pytest.fixture
def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Desk:
    monkeypatch.setenv("STACKWARD_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("STACKWARD_INVENTORY", str(tmp_path / "inventory"))
    monkeypatch.setenv("COLUMNS", "300")
    return Desk(tmp_path, capsys)


TWO_SITES = (
    "[compute]\n"
    "c01.site-b.example ansible_host=198.51.100.21\n"
    "c02.site-b.example ansible_host=198.51.100.22\n"
)
ALIASES = "[compute]\nrack1-node1 ansible_host=192.0.2.21\nrack1-node2 ansible_host=192.0.2.22\n"


def test_f02_the_same_short_name_at_two_sites(desk: Desk) -> None:
    desk.has(TWO_SITES, c01_site__a_example=("c01.site-a.example", "192.0.2.21"))

    code, said = desk.plan("c01.site-a.example")

    assert code == 3, said
    assert "the inventory names no node for `c01.site-a.example`" in said
    assert "site-b" not in said
    assert (desk.shell.asked, desk.shell.asked_names) == ([], [])


@pytest.mark.parametrize("name", ["rack1-node1", "c01"])
def test_f16_an_alias_in_the_inventory(desk: Desk, name: str) -> None:
    desk.has(ALIASES, c01=("c01", "192.0.2.21"), c02=("c02", "192.0.2.22"))
    desk.says["rack1-node1"] = Itself(names=("c01",))

    code, said = desk.plan(name)

    assert code == 0, said
    assert "drain `rack1-node1`" in said
    assert set(desk.shell.asked) == {"rack1-node1"}


def test_f16_a_drain_and_a_return_of_an_alias_end_well(desk: Desk) -> None:
    desk.has(ALIASES, c01=("c01", "192.0.2.21"), c02=("c02", "192.0.2.22"))
    desk.says |= {"rack1-node1": Itself(names=("c01",)), "rack1-node2": Itself(names=("c02",))}

    drained = desk.run("node", "drain", "rack1-node1", "--reason", "x", "--yes")
    where = [server.host for server in desk.fake.nova.known.values()]
    returned = desk.run("node", "return", "c01", "--yes")

    assert (drained[0], returned[0]) == (0, 0), drained[1] + returned[1]
    assert where == ["c02"]
    assert desk.fake.nova.computes["c01"].is_enabled


def test_f16_an_alias_that_leads_nowhere(desk: Desk) -> None:
    desk.has(ALIASES, c01=("c01", "203.0.113.21"))
    desk.silent.add("rack1-node1")

    code, said = desk.plan("rack1-node1")

    assert code == 2
    assert "Nova has no host for `rack1-node1`: it cannot be asked what it calls itself" in said
    assert "no nova-compute runs there" not in said


def test_f18_a_host_that_is_not_its_hypervisors_name(desk: Desk) -> None:
    desk.has(
        "c01\nc02\n",
        c01=("ip-192-0-2-21.internal", "192.0.2.21"),
        c02=("ip-192-0-2-22.internal", "192.0.2.22"),
    )

    code, said = desk.plan("c01")

    assert code == 0, said
    assert "Ironic" not in said


def test_f30_an_ipv6_address_spelled_otherwise(desk: Desk) -> None:
    desk.has("[compute]\nr1 ansible_host=2001:db8::21\n", c01=("c01", "2001:db8:0:0::21"))
    desk.says["r1"] = Itself(names=("c01",))
    desk.fake.nova.hosts = ("c01", "c02")
    desk.fake.nova.computes["c02"] = a_service("c02")

    code, said = desk.plan("c01")

    assert code == 0, said
    assert "drain `r1`" in said


def test_a_node_that_is_dead_is_named_by_its_address_and_nobody_else_is_asked(desk: Desk) -> None:
    desk.has(ALIASES, c01=("c01", "192.0.2.21"), c02=("c02", "192.0.2.22"))
    desk.silent.add("rack1-node1")
    desk.fake.nova.computes["c01"] = a_service("c01", is_up=False)

    code, said = desk.plan("c01")

    assert code == 3
    assert "rack1-node1" in said
    assert set(desk.shell.asked + desk.shell.asked_names) == {"rack1-node1"}


def test_contradictory_sources_are_refused_and_both_are_named(desk: Desk) -> None:
    desk.has(
        "c01 ansible_host=192.0.2.99\nrack1 ansible_host=192.0.2.21\n",
        c01=("c01", "192.0.2.21"),
    )
    desk.silent |= {"c01", "rack1"}

    code, said = desk.plan("c01")

    assert code == 3
    assert "2 nodes of the inventory may be `c01`: `c01` and `rack1`" in said
    assert "nothing was changed" in said
    assert desk.shell.asked == []


def test_one_of_two_sites_is_dead_and_the_other_is_not_taken_for_it(desk: Desk) -> None:
    """Nova's `c07` is the dead node of site 2; the living one of site 1 has the same short name."""
    desk.has(
        "c07.site-1.example ansible_host=198.51.100.7\nc07.site-2.example ansible_host=192.0.2.7\n",
        c07=("c07", "192.0.2.7"),
    )
    desk.says["c07.site-1.example"] = Itself(names=("c07", "c07.site-1.example"))
    desk.silent.add("c07.site-2.example")

    code, said = desk.plan("c07")

    assert code == 3, said
    assert "c07.site-2.example" in said
    assert set(desk.shell.asked) <= {"c07.site-2.example"}


OUT_OF_REACH = "[compute]\nrack1-node1 ansible_host=203.0.113.21\n"  # no address that Nova knows
ONCE_SAID = "known by what it said of itself at 2026-01-01 "


def test_a_plan_of_a_dead_node_says_when_it_last_told_which_host_it_is(desk: Desk) -> None:
    """It is always blocked, for the node is silent; so its warnings are not shown."""
    desk.has(OUT_OF_REACH, c01=("c01", "192.0.2.21"), c02=("c02", "192.0.2.22"))
    desk.says["rack1-node1"] = Itself(names=("c01",))
    living = desk.plan("rack1-node1")
    desk.silent.add("rack1-node1")
    desk.fake.nova.computes["c01"] = a_service("c01", is_up=False)

    code, said = desk.plan("c01")

    assert (living[0], "known by" in living[1]) == (0, False)
    assert code == 3
    assert "its nova-compute is down and the machine cannot be asked" in said
    assert ONCE_SAID in said


def test_a_return_of_a_dead_node_says_when_it_last_told_which_host_it_is(desk: Desk) -> None:
    desk.has(OUT_OF_REACH, c01=("c01", "192.0.2.21"), c02=("c02", "192.0.2.22"))
    desk.says["rack1-node1"] = Itself(names=("c01",))
    desk.plan("rack1-node1")
    desk.silent.add("rack1-node1")
    desk.fake.nova.computes["c01"] = disabled_and_dead()

    code, said = desk.run("node", "return", "c01", "--dry-run")

    assert code == 3
    assert ONCE_SAID in said


def test_a_dead_node_in_maintenance_has_its_name_of_the_inventory(desk: Desk) -> None:
    desk.has(OUT_OF_REACH, c01=("c01", "192.0.2.21"), c02=("c02", "192.0.2.22"))
    desk.says["rack1-node1"] = Itself(names=("c01",))
    desk.plan("rack1-node1")
    desk.silent.add("rack1-node1")
    desk.fake.nova.computes["c01"] = disabled_and_dead()

    code, said = desk.run("node", "list", "--maintenance", "-f", "value", "-c", "Node")

    assert code == 0
    assert said.splitlines()[0] == "rack1-node1"
    assert "`rack1-node1` is known by what it said of itself at 2026-01-01 " in said


def test_a_journal_that_cannot_be_opened_fails_no_list(desk: Desk) -> None:
    desk.has(OUT_OF_REACH, c01=("c01", "192.0.2.21"))
    desk.fake.nova.computes["c01"] = disabled_and_dead()
    (desk.place / FILE).write_text("no database")

    code, said = desk.run("node", "list", "--maintenance", "-f", "value", "-c", "Node")

    assert code == 0, said
    assert said.startswith("c01\n")
    assert "warning: the database of runs was not read: " in said


def disabled_and_dead() -> ComputeService:
    return a_service("c01", is_up=False, is_enabled=False, disabled_reason="by hand")


def test_a_copied_address_in_the_inventory_is_refused_and_both_are_named(desk: Desk) -> None:
    desk.has(
        "c08 ansible_host=192.0.2.7\nc07 ansible_host=192.0.2.7\n",
        c08=("c08", "192.0.2.8"),
        c07=("c07", "192.0.2.7"),
    )
    desk.says["c08"] = Itself(names=("c07",))

    code, said = desk.plan("c08")

    assert code == 3, said
    assert "the node `c08` says that it is `c07`, which is another host of Nova than `c08`" in said
    assert "nothing was changed" in said
    assert desk.shell.asked == []


def test_a_name_that_is_a_number(desk: Desk) -> None:
    (desk.place / "inventory").write_text("101\n1010\n")
    desk.fake = FakeCloud(FakeNova(hosts=("101", "1010")))
    desk.fake.nova.add(a_server(name="db-01", host="101"))

    code, said = desk.plan("101")

    assert code == 0, said
    assert "drain `101`" in said


def test_claims_name_the_node_of_the_inventory(desk: Desk) -> None:
    desk.has(ALIASES, c01=("c01", "192.0.2.21"), c02=("c02", "192.0.2.22"))
    desk.says["rack1-node1"] = Itself(names=("c01",))
    desk.fake.nova.computes["c01"] = replace(
        a_service("c01"), is_enabled=False, disabled_reason="by hand"
    )

    code, said = desk.run("node", "list", "--maintenance", "-f", "json")

    assert code == 0, said
    assert '"rack1-node1"' in said
