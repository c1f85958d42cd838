"""Finding the compute node that somebody names; the incidents are those of real sites."""

from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import pytest
from typing_extensions import override

from builders import a_server, a_service, an_id
from fakes.cloud import FakeCloud
from fakes.nova import FakeNova
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.adapters.store.database import open_database, url_of
from stackward.adapters.store.journal import SqlJournal
from stackward.adapters.together import Threads
from stackward.errors import BadInput, Refused, Unreachable
from stackward.facts.compute import read_compute_node, read_maintenance
from stackward.facts.named import find_node
from stackward.model.identity import Itself, Known
from stackward.model.node import ComputeNode
from stackward.model.unread import Hindrance, Unread
from stackward.operations import plan_request
from stackward.ports.world import World
from stackward.requests.drain_compute_node import DrainRequest
from stackward.status.lookups import hypervisor_of
from stackward.status.proof import no_domain_on_source
from stackward.status.stalled import read_guests

A, B = "c01.site-a.example", "c01.site-b.example"


def a_site(
    hosts: tuple[str, ...], *inventory: Known, **named: tuple[str, str | None]
) -> tuple[FakeCloud, FakeShell]:
    """Return a cloud of these hosts, with `named` hypervisors, and the nodes of an inventory."""
    cloud = FakeCloud(FakeNova(hosts=hosts, named=dict(named)))
    return cloud, FakeShell(cloud, inventory=inventory)


def a_node(name: str, address: str | None = None) -> Known:
    return Known(name=name, address=address or name)


def read(cloud: FakeCloud, shell: FakeShell, name: str) -> ComputeNode:
    return read_compute_node(a_world(cloud, shell), name)


def test_a_node_of_another_site_with_the_same_short_name_is_not_touched() -> None:
    """F02: the plan named the other site's machine, and would have stopped its nova-compute."""
    cloud, shell = a_site(
        (A,), a_node(B, "198.51.100.21"), a_node("c02.site-b.example", "198.51.100.22")
    )
    cloud.nova.named[A] = (A, "192.0.2.21")

    node = read(cloud, shell, A)

    assert node.name == A
    assert node.domains == Unread(f"the inventory names no node for `{A}`", Hindrance.UNNAMED)
    assert (shell.asked, shell.asked_names) == ([], [])


def test_a_name_of_the_other_sites_inventory_is_no_compute_node_here() -> None:
    """F02, the other way round: the word is the inventory's, and its machine is not in Nova."""
    cloud, shell = a_site((A,), a_node(B, "198.51.100.21"))

    with pytest.raises(BadInput, match=f"Nova has no host for `{B}`: it calls itself `{B}`"):
        read(cloud, shell, B)


@pytest.mark.parametrize("name", ["rack1-node1", "c01"])
def test_an_alias_is_found_by_its_address(name: str) -> None:
    """F16: the alias was said to be no compute node."""
    cloud, shell = a_site(
        ("c01", "c02"),
        a_node("rack1-node1", "192.0.2.21"),
        a_node("rack1-node2", "192.0.2.22"),
        c01=("c01", "192.0.2.21"),
        c02=("c02", "192.0.2.22"),
    )
    shell.says["rack1-node1"] = Itself(names=("c01",))

    node = read(cloud, shell, name)

    assert (node.name, node.host) == ("rack1-node1", "c01")
    assert set(shell.asked_names) == {"rack1-node1"}


def test_an_alias_is_found_by_what_it_calls_itself() -> None:
    """F16, where the address is of another network than Nova's."""
    cloud, shell = a_site(("c01",), a_node("rack1-node1", "198.51.100.21"))
    shell.says["rack1-node1"] = Itself(names=("x99",), configured="c01")

    assert read(cloud, shell, "rack1-node1").host == "c01"


def test_an_alias_of_a_dead_node_is_found_by_its_address() -> None:
    cloud, shell = a_site(("c01",), a_node("rack1-node1", "192.0.2.21"), c01=("c01", "192.0.2.21"))
    shell.silent.add("rack1-node1")

    assert read(cloud, shell, "rack1-node1").name == "rack1-node1"


def test_an_alias_that_nothing_leads_to_is_told_as_just_that() -> None:
    """F16: all that is known is that Nova has no host of that name."""
    cloud, shell = a_site(("c01",), a_node("rack1-node1", "198.51.100.21"))
    shell.silent.add("rack1-node1")

    with pytest.raises(BadInput) as caught:
        read(cloud, shell, "rack1-node1")

    assert caught.value.message == (
        "Nova has no host for `rack1-node1`: it cannot be asked what it calls itself"
    )


def test_a_host_that_is_not_named_after_its_hypervisor_is_found_by_its_service() -> None:
    """F18: `[DEFAULT] host` is set; Nova works with that."""
    cloud, shell = a_site(
        ("c01", "c02"),
        a_node("c01"),
        c01=("ip-192-0-2-21.internal", "192.0.2.21"),
        c02=("ip-192-0-2-22.internal", "192.0.2.22"),
    )
    cloud.nova.add(a_server(host="c01"))

    node = read(cloud, shell, "c01")

    assert (node.name, node.hypervisor.name) == ("c01", "ip-192-0-2-21.internal")
    [targets] = node.candidates.values()
    assert [(each.host, each.is_usable) for each in targets] == [("c02", True)]


def test_all_hypervisors_are_read_once_where_none_is_named_after_its_host() -> None:
    """Each look at each server read the list of all again."""
    cloud, shell = a_site(
        ("c01", "c02"),
        a_node("c01"),
        c01=("ip-192-0-2-21.internal", "192.0.2.21"),
        c02=("ip-192-0-2-22.internal", "192.0.2.22"),
    )
    server = a_server(host="c01")
    cloud.nova.add(server)

    first = read(cloud, shell, "c01")
    again = read_compute_node(a_world(cloud, shell), "c01", only=server.id)

    assert cloud.calls["all hypervisors"] == 1
    assert (again.hypervisor, again.candidates) == (first.hypervisor, first.candidates)


def test_a_hypervisor_that_has_another_name_since_is_found_again() -> None:
    cloud, shell = a_site(("c01",), a_node("c01"), c01=("ip-192-0-2-21.internal", None))
    read(cloud, shell, "c01")
    cloud.nova.named["c01"] = ("ip-192-0-2-99.internal", None)

    assert read(cloud, shell, "c01").hypervisor.name == "ip-192-0-2-99.internal"
    assert cloud.calls["all hypervisors"] == 2


def test_an_ipv6_address_is_compared_as_an_address() -> None:
    """F30: `2001:db8:0:0::21` is `2001:db8::21`."""
    cloud, shell = a_site(("c01",), a_node("r1", "2001:db8::21"), c01=("c01", "2001:db8:0:0::21"))
    shell.says["r1"] = Itself(names=("c01",))

    assert read(cloud, shell, "c01").name == "r1"


def test_a_host_of_ironic_is_no_machine() -> None:
    """F25."""
    cloud, shell = a_site(("ctl1-ironic",), a_node("ctl1"))
    cloud.nova.kind = "ironic"

    with pytest.raises(Refused, match="`ctl1-ironic` is no machine"):
        read(cloud, shell, "ctl1-ironic")


def test_a_host_without_a_hypervisor_is_refused() -> None:
    cloud, shell = a_site(("c01",), a_node("c01"))
    cloud.nova.computes["c09"] = a_service("c09")

    with pytest.raises(Unreachable, match="Nova has 0 hypervisors for the host `c09`"):
        read(cloud, shell, "c09")


def test_two_candidates_are_both_named_and_nothing_else_is_asked_of_them() -> None:
    """Contradictory sources: the name leads to one node, the address to another."""
    cloud, shell = a_site(
        ("c01",),
        a_node("c01", "192.0.2.99"),
        a_node("rack1", "192.0.2.21"),
        c01=("c01", "192.0.2.21"),
    )
    shell.silent |= {"c01", "rack1"}

    with pytest.raises(Refused, match="2 nodes of the inventory may be `c01`: `c01` and `rack1`"):
        read(cloud, shell, "c01")

    assert shell.asked == []
    assert shell.asked_names == ["c01", "rack1"]


def test_the_inventorys_word_for_another_machine_than_novas_is_refused() -> None:
    """Contradictory sources: the inventory calls Nova's `c01` `c02`, and Nova's `c02` `c01`."""
    cloud, shell = a_site(
        ("c01", "c02"),
        a_node("c01", "192.0.2.22"),
        a_node("c02", "192.0.2.21"),
        c01=("c01", "192.0.2.21"),
        c02=("c02", "192.0.2.22"),
    )
    shell.says = {"c01": Itself(names=("c02",)), "c02": Itself(names=("c01",))}

    with pytest.raises(Refused, match="cannot determine which machine `c01` is"):
        read(cloud, shell, "c01")

    assert shell.asked == []


@pytest.mark.parametrize("name", ["c01", "r1"])
def test_two_hosts_of_nova_that_may_be_meant_are_both_named(name: str) -> None:
    cloud, shell = a_site((A, B), a_node("r1"))
    shell.says["r1"] = Itself(names=("c01",))

    with pytest.raises(Refused, match=f"2 hosts of Nova may be it: `{A}` and `{B}`"):
        read(cloud, shell, name)


def test_a_short_name_that_one_whole_name_begins_with_is_that_one() -> None:
    cloud, shell = a_site((A, "c02.site-a.example"), a_node(A), a_node("c02.site-a.example"))

    assert read(cloud, shell, "c01").host == A


def test_a_whole_name_is_not_taken_for_a_short_one_that_it_begins_with() -> None:
    cloud, shell = a_site(("c01",), a_node("c01"))
    shell.says["c01"] = Itself(names=("c01", A))

    assert read(cloud, shell, A).name == "c01"
    with pytest.raises(BadInput, match=f"there is no compute node `{B}`"):
        read(cloud, shell, B)


def test_of_a_renamed_machine_its_own_word_says_which_record_is_todays() -> None:
    """Nova keeps the record of the old name, and it is down."""
    cloud, shell = a_site((A,), a_node("r1"))
    cloud.nova.computes["old"] = a_service("old", is_up=False)
    shell.says["r1"] = Itself(names=("c01", A), configured=A)

    assert read(cloud, shell, "r1").host == A


def test_a_name_that_is_a_number_is_a_name() -> None:
    cloud, shell = a_site(("101", "1010"), a_node("101"), a_node("1010"))

    assert read(cloud, shell, "101").name == "101"


def test_of_2000_nodes_only_the_candidate_is_asked() -> None:
    inventory = [a_node(f"r{n:04}", f"10.0.{n // 250}.{n % 250}") for n in range(2000)]
    hosts = {f"c{n:04}": (f"c{n:04}", f"10.0.{n // 250}.{n % 250}") for n in range(2000)}
    cloud, shell = a_site(tuple(hosts), *inventory, **hosts)
    shell.says["r0757"] = Itself(names=("c0757",))

    found = find_node(a_world(cloud, shell), cloud.nova.services(), "c0757")

    assert found.match.node == "r0757"
    assert shell.asked_names == ["r0757"]
    assert shell.asked == []


# --- a node of the very name that is another machine ---


def a_slip(said: Itself | None = None, address: str = "192.0.2.27") -> tuple[FakeCloud, FakeShell]:
    """Return two hosts, where the inventory has the address of `c07` for `c08`, too."""
    cloud, shell = a_site(
        ("c07", "c08"),
        a_node("c07", "192.0.2.27"),
        a_node("c08", address),
        c07=("c07", "192.0.2.27"),
        c08=("c08", "192.0.2.28"),
    )
    if said:
        shell.says["c08"] = said
    else:
        shell.silent.add("c08")
    return cloud, shell


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(Itself(names=("c07", "c07.site-a.example")), id="its host name"),
        pytest.param(Itself(names=("x99",), configured="c07"), id="its nova-compute's `host`"),
        pytest.param(Itself(names=("c08",), configured="c07"), id="`host` prevails"),
    ],
)
def test_a_copied_address_leads_to_another_host_and_is_refused(said: Itself) -> None:
    """The plan for `c08` went by its name alone, and would have stopped `c07`'s nova-compute."""
    cloud, shell = a_slip(said)

    with pytest.raises(Refused) as caught:
        read(cloud, shell, "c08")

    assert caught.value.message == (
        "cannot determine which machine `c08` is: the node `c08` says that it is `c07`, which is "
        "another host of Nova than `c08`"
    )
    assert (shell.asked, shell.asked_names) == ([], ["c08"])


def test_a_copied_address_of_a_dead_node_is_refused_by_novas_addresses() -> None:
    cloud, shell = a_slip()

    with pytest.raises(Refused) as caught:
        read(cloud, shell, "c08")

    assert caught.value.message == (
        "cannot determine which machine `c08` is: the inventory has the address 192.0.2.27 for the "
        "node `c08`, and it is `c07`'s in Nova, where `c08` has 192.0.2.28"
    )
    assert shell.asked == []


def test_nothing_of_a_refused_node_is_kept(tmp_path: Path) -> None:
    """A wrong match must not come back as what was once seen."""
    cloud, shell = a_slip(Itself(names=("c07",)))
    with closing(SqlJournal(open_database(url_of(tmp_path)))) as journal:
        with pytest.raises(Refused):
            plan_request(a_world(cloud, shell), journal, DrainRequest(node="c08", reason="r"))

        assert list(journal.observations(cloud.identity().id, "names")) == []


@pytest.mark.parametrize(
    ("said", "address"),
    [
        pytest.param(Itself(names=("x99",)), "192.0.2.28", id="renamed, its address is Nova's"),
        pytest.param(Itself(names=("c07",), configured="c08"), "c08", id="`host` is Nova's"),
        pytest.param(Itself(names=("c07", "c08")), "c08", id="one of its names is"),
        pytest.param(Itself(names=("localhost",)), "c08", id="what everybody is called"),
        pytest.param(None, "198.51.100.28", id="dead, and of another network"),
        pytest.param(None, "192.0.2.28", id="dead, and its address is Nova's"),
    ],
)
def test_a_node_of_the_very_name_that_nothing_contradicts_is_that_one(
    said: Itself | None, address: str
) -> None:
    cloud, shell = a_slip(said, address)

    found = find_node(a_world(cloud, shell), cloud.nova.services(), "c08")

    assert (found.match.node, shell.asked_names) == ("c08", ["c08"])


@pytest.mark.parametrize(
    ("said", "address"),
    [
        pytest.param(Itself(names=("x99",)), "198.51.100.28", id="a name of nobody, elsewhere"),
        pytest.param(Itself(names=("x99",)), "c08", id="an address that cannot be compared"),
        pytest.param(Itself(names=("x99",), configured="x99"), "192.0.2.28", id="`host` is x99"),
        pytest.param(Itself(names=("d07", "d07.b"), configured="d07"), "c08", id="another site's"),
    ],
)
def test_a_node_of_the_very_name_that_is_another_machine_by_its_own_words_is_refused(
    said: Itself, address: str
) -> None:
    """A drain went by the name alone, and shut nova-compute off on another site's machine."""
    cloud, shell = a_slip(said, address)

    with pytest.raises(Refused) as caught:
        find_node(a_world(cloud, shell), cloud.nova.services(), "c08")

    own = ", ".join(f"`{each}`" for each in said.all_names)
    assert caught.value.message == (
        f"cannot determine which machine `c08` is: the node `c08` calls itself {own}, and Nova "
        "knows this host as `c08` at 192.0.2.28"
    )
    assert shell.asked == []


@pytest.mark.parametrize(
    ("address", "says", "lists"),
    [
        pytest.param("192.0.2.28", True, 0, id="it answers"),
        pytest.param("198.51.100.28", True, 0, id="it answers, of another network"),
        pytest.param("192.0.2.28", False, 0, id="dead, its address is Nova's"),
        pytest.param("198.51.100.28", False, 1, id="dead, and of another network"),
    ],
)
def test_all_hypervisors_are_read_only_where_a_silent_nodes_address_is_not_novas(
    address: str, lists: int, *, says: bool
) -> None:
    cloud, shell = a_slip(Itself(names=("c08",)) if says else None, address)

    find_node(a_world(cloud, shell), cloud.nova.services(), "c08")

    assert cloud.calls["all hypervisors"] == lists


# --- how long it takes ---


@pytest.mark.parametrize(
    "search",
    [
        pytest.param(lambda world: find_node(world, world.nova.services(), "c01"), id="a plan"),
        pytest.param(lambda world: read_guests(world, an_id("db-01"), ["c01"]), id="its guests"),
        pytest.param(
            lambda world: no_domain_on_source(
                world, an_id("db-01"), hypervisor_of(world.nova, "c01")
            ),
            id="a proof of a move",
        ),
    ],
)
def test_all_candidates_are_asked_at_the_same_time(search: Callable[[World], object]) -> None:
    """Of four that are dead each took 12 s; the barrier lets nobody on who is asked alone."""
    nodes = tuple(a_node(f"c01.site{number}.example", f"192.0.2.{number}") for number in range(4))
    cloud, _ = a_site(("c01",), *nodes)
    shell = AllAtOnce(cloud, inventory=nodes, silent={each.name for each in nodes})

    with suppress(Refused):
        search(replace(a_world(cloud, shell), together=Threads()))

    assert {*shell.met} == {each.name for each in nodes}


@dataclass
class AllAtOnce(FakeShell):
    """Nodes that only end a question when all four are being asked."""

    barrier: Barrier = field(default_factory=lambda: Barrier(4))
    met: list[str] = field(default_factory=list)

    @override
    def itself(self, node: str, /, *, within_s: float | None = None) -> Itself | None:
        with suppress(BrokenBarrierError):
            self.barrier.wait(timeout=5)
            self.met.append(node)
        return super().itself(node, within_s=within_s)


# --- what was seen before -----------------------------------------------------------------------


def test_a_dead_node_is_known_by_what_it_once_said() -> None:
    cloud, shell = a_site(("c01",), a_node("rack1-node1"))
    shell.silent.add("rack1-node1")
    once = {"rack1-node1": Itself(names=("c01",), seen_at=a_world(cloud).clock.now())}

    node = read_compute_node(a_world(cloud, shell), "c01", remembered=once)

    assert (node.name, node.identified_at) == ("rack1-node1", a_world(cloud).clock.now())


def test_a_plan_keeps_what_a_living_node_calls_itself(tmp_path: Path) -> None:
    """And a later plan knows the node by it once it is dead: its date is in the plan."""
    cloud, shell = a_site(("c01",), a_node("rack1-node1"), c01=("c01", None))
    shell.says["rack1-node1"] = Itself(names=("x99",), configured="c01")
    with closing(SqlJournal(open_database(url_of(tmp_path)))) as journal:
        asked = DrainRequest(node="rack1-node1", reason="r")
        first = plan_request(a_world(cloud, shell), journal, asked)
        [seen] = journal.observations(cloud.identity().id, "names")
        later = FakeShell(cloud, inventory=shell.inventory, silent={"rack1-node1"})
        cloud.nova.computes["c01"] = a_service("c01", is_up=False)

        second = plan_request(a_world(cloud, later), journal, replace(asked, node="c01"))

    assert (first.blockers, seen.node, seen.source) == ((), "rack1-node1", "node")
    assert seen.value == {
        "names": ["x99"],
        "configured": "c01",
        "host": "c01",
        "address": "rack1-node1",
    }
    assert [each.worry for each in second.blockers] == ["node-dead"]
    [warning] = [one for one in second.warnings if one.worry == "identity-remembered"]
    assert (warning.thing, "at 2026-11-22T03:00:00Z[UTC]" in warning.reason) == (
        "rack1-node1",
        True,
    )


# --- what else is on it ---


def test_what_else_a_machine_does_is_found_by_each_of_its_names() -> None:
    """OVN names its chassis by the whole host name, where Nova has the short one."""
    cloud, shell = a_site(("c01",), a_node("c01"), c01=(A, None))
    cloud.neutron.agents[A] = ("OVN Controller Gateway agent",)

    assert [role.name for role in read(cloud, shell, "c01").roles] == ["OVN gateway"]


# --- claims -------------------------------------------------------------------------------------


def test_claims_name_the_node_by_its_address_in_one_more_call() -> None:
    cloud, shell = a_site(
        ("c01", "c02"), a_node("rack1-node1", "192.0.2.21"), c01=("c01", "192.0.2.21")
    )
    shell.says["rack1-node1"] = Itself(names=("c01",))
    cloud.nova.computes["c01"] = replace(
        a_service("c01"), is_enabled=False, disabled_reason="by hand"
    )

    [claimed] = read_maintenance(a_world(cloud, shell))

    assert claimed.node == "rack1-node1"
    assert (cloud.calls["services"], cloud.calls["all hypervisors"]) == (1, 1)
    assert shell.asked_names == []  # it is often switched off


def test_claims_are_one_call_where_the_inventory_has_novas_names() -> None:
    cloud, shell = a_site(("c01", "c02"), a_node("c01"), a_node("c02"))
    cloud.nova.computes["c01"] = replace(
        a_service("c01"), is_enabled=False, disabled_reason="by hand"
    )

    [claimed] = read_maintenance(a_world(cloud, shell))

    assert (claimed.node, sum(cloud.calls.values()), shell.asked_names) == ("c01", 1, [])


def test_the_claim_of_another_sites_host_is_told_by_novas_name() -> None:
    cloud, shell = a_site((A,), a_node(B))
    cloud.nova.computes[A] = replace(a_service(A), is_enabled=False, disabled_reason="by hand")

    [claimed] = read_maintenance(a_world(cloud, shell))

    assert (claimed.node, shell.asked_names) == (A, [])


def test_the_id_of_a_fake_hypervisor_is_that_of_its_provider() -> None:
    """What the tests above rest on."""
    assert FakeCloud().placement.provider_names()[an_id("compute-07")] == "compute-07"
