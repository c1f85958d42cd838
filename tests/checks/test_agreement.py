"""What was repaired is proved by those that the repair did not change."""

from dataclasses import replace

import pytest

from builders import a_port, a_server, an_id
from fakes.cloud import FakeCloud
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.checks.agreement import AllocatedWhereTheyAre, BoundOnce, HoldNothing
from stackward.plan import Holds, Refuted, Unverified
from stackward.ports.world import World

SERVER = a_server()
NOBODY = an_id("nobody")
PORT = a_port().id
ALLOCATED = AllocatedWhereTheyAre(servers=(SERVER.id,))
NOTHING = HoldNothing(consumers=(NOBODY,))
BOUND = BoundOnce(ports=((PORT, SERVER.id),))


@pytest.fixture
def cloud() -> FakeCloud:
    cloud = FakeCloud()
    cloud.nova.add(SERVER)
    return cloud


@pytest.fixture
def shell(cloud: FakeCloud) -> FakeShell:
    return FakeShell(cloud)


@pytest.fixture
def world(cloud: FakeCloud, shell: FakeShell) -> World:
    return a_world(cloud, shell)


@pytest.mark.parametrize("check", [ALLOCATED, NOTHING, BOUND], ids=lambda check: check.kind)
def test_it_holds_where_all_agree(check: AllocatedWhereTheyAre, world: World) -> None:
    assert isinstance(check.ask(world), Holds)


def test_allocations_elsewhere_are_a_finding(cloud: FakeCloud, world: World) -> None:
    cloud.placement.leftovers = {SERVER.id: {an_id("compute-08")}, NOBODY: {an_id("compute-08")}}

    assert isinstance(ALLOCATED.ask(world), Refuted)
    assert isinstance(NOTHING.ask(world), Refuted)


def test_a_guest_that_is_not_there_is_a_finding_and_one_unread_proves_nothing(
    shell: FakeShell, world: World
) -> None:
    shell.without.add(("compute-07", SERVER.id))
    absent = ALLOCATED.ask(world)
    shell.silent.add("compute-07")

    assert (type(absent), type(ALLOCATED.ask(world))) == (Refuted, Unverified)


def test_a_server_of_that_id_is_a_finding(cloud: FakeCloud, world: World) -> None:
    cloud.nova.add(replace(a_server(name="nobody")))

    assert isinstance(NOTHING.ask(world), Refuted)


@pytest.mark.parametrize(
    "bound",
    [
        (("compute-07", "ACTIVE"), ("compute-08", "INACTIVE")),
        (("compute-08", "ACTIVE"),),
        (),
    ],
    ids=["left", "elsewhere", "none"],
)
def test_a_port_that_is_bound_otherwise_is_a_finding(
    cloud: FakeCloud, world: World, bound: tuple[tuple[str, str], ...]
) -> None:
    cloud.neutron.bound[PORT] = bound

    assert isinstance(BOUND.ask(world), Refuted)


@pytest.mark.parametrize("check", [ALLOCATED, BOUND], ids=lambda check: check.kind)
def test_a_server_that_was_deleted_since_is_no_finding(
    cloud: FakeCloud, world: World, check: BoundOnce
) -> None:
    cloud.nova.known.clear()

    assert isinstance(check.ask(world), Holds)
