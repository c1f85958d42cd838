"""Allocations that nothing uses are removed, and nothing else."""

from dataclasses import replace

import pytest

from builders import a_server, an_id
from fakes.cloud import FakeCloud
from fakes.world import a_world
from stackward.errors import StepFailed, Uncertain
from stackward.plan import Standing
from stackward.ports.world import World
from stackward.steps.allocations import RemoveAllocations

SERVER = a_server()
NOBODY = an_id("nobody")
OTHER = an_id("compute-08")
DOUBLE = RemoveAllocations(
    consumer=SERVER.id,
    name="db-01",
    providers=(OTHER,),
    hosts=("compute-08",),
    host="compute-07",
    keep=an_id("compute-07"),
)
ORPHAN = RemoveAllocations(consumer=NOBODY, name=NOBODY, providers=(OTHER,), hosts=("compute-08",))


@pytest.fixture
def cloud() -> FakeCloud:
    cloud = FakeCloud()
    cloud.nova.add(SERVER)
    cloud.placement.leftovers = {SERVER.id: {OTHER}, NOBODY: {OTHER}}
    return cloud


def stands(step: RemoveAllocations, world: World) -> Standing:
    return step.look(world, step.mark(world)).standing


@pytest.mark.parametrize("step", [DOUBLE, ORPHAN], ids=["double", "orphan"])
def test_it_is_removed_once_and_what_is_used_is_kept(
    cloud: FakeCloud, step: RemoveAllocations
) -> None:
    world = a_world(cloud)
    before = stands(step, world)

    step.start(world)

    assert (before, stands(step, world)) == (Standing.TODO, Standing.DONE)
    kept = {an_id("compute-07")} if step is DOUBLE else set()
    assert cloud.placement.allocations_of(step.consumer) == kept


@pytest.mark.parametrize(
    "server",
    [replace(SERVER, host="compute-08"), replace(SERVER, task_state="migrating"), None],
    ids=["moved", "busy", "deleted"],
)
def test_nothing_is_removed_of_a_server_that_is_not_as_it_was_planned(
    cloud: FakeCloud, server: object
) -> None:
    cloud.nova.known = {SERVER.id: server} if server is not None else {}  # type: ignore[dict-item]

    with pytest.raises(StepFailed):
        DOUBLE.start(a_world(cloud))

    assert cloud.placement.kept == []


def test_nothing_is_removed_of_what_is_a_server_by_now(cloud: FakeCloud) -> None:
    cloud.nova.add(a_server(name="nobody"))

    with pytest.raises(StepFailed, match="is a server by now"):
        ORPHAN.start(a_world(cloud))

    assert cloud.placement.kept == []


def test_a_consumer_that_has_changed_since_it_was_read_is_looked_at_again(
    cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = a_world(cloud)
    read = type(cloud.placement).account_of

    def overtaken(_: object, consumer: str) -> object:
        account = read(cloud.placement, consumer)
        cloud.placement.generations[consumer] += 1
        return account

    monkeypatch.setattr(type(cloud.placement), "account_of", overtaken)

    with pytest.raises(Uncertain):
        ORPHAN.start(world)

    assert stands(ORPHAN, world) is Standing.TODO


def test_a_server_that_holds_nothing_where_it_is_fails_it(cloud: FakeCloud) -> None:
    cloud.placement.unheld.add(SERVER.id)
    cloud.placement.leftovers.clear()

    look = DOUBLE.look(a_world(cloud), None)

    assert look.standing is Standing.FAILED
    assert "heal_allocations" in str(look.remedy)
