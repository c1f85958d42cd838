"""What is left is removed, and nothing that lives: each step looks once more before its order."""

from dataclasses import replace

import pytest

from builders import a_server, a_service, an_id
from fakes.cloud import FakeCloud
from fakes.neutron import FakeNeutron
from fakes.world import a_world
from stackward.errors import StepFailed, Unreachable
from stackward.plan import Standing, Step
from stackward.ports.world import World
from stackward.steps.left_behind import RemoveAgent, RemovePort, RemoveService

GONE = a_server(name="gone")
LOST = "compute-99"
PORT = RemovePort(port=an_id("port-left"), name="web", server=GONE.id)
SERVICE = RemoveService(service=an_id(f"service-{LOST}"), binary="nova-compute", host=LOST)
AGENT = RemoveAgent(agent=an_id(f"{LOST}-OVN agent"), name="OVN agent", host=LOST)
STEPS = [PORT, SERVICE, AGENT]


@pytest.fixture
def cloud() -> FakeCloud:
    cloud = FakeCloud()
    cloud.neutron.leftovers = {PORT.port: GONE.id}
    cloud.nova.computes[LOST] = a_service(LOST, is_up=False, updated="2025-12-01T00:00:00")
    cloud.neutron.agents = {LOST: ("OVN agent",)}
    cloud.neutron.silent_agents = {LOST}
    return cloud


def stands(step: Step[World], world: World) -> Standing:
    return step.look(world, step.mark(world)).standing


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.kind)
def test_it_is_removed_once(cloud: FakeCloud, step: Step[World]) -> None:
    world = a_world(cloud)
    before = stands(step, world)

    step.start(world)

    assert (before, stands(step, world)) == (Standing.TODO, Standing.DONE)
    assert len([*cloud.neutron.deleted, *cloud.nova.deleted_services]) == 1
    assert step.undo.startswith("not at all")


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.kind)
def test_what_lives_again_is_in_other_hands(cloud: FakeCloud, step: Step[World]) -> None:
    cloud.neutron.leftovers = {PORT.port: an_id("other")}
    cloud.nova.computes[LOST] = a_service(LOST)
    cloud.neutron.silent_agents = set()

    assert stands(step, a_world(cloud)) is Standing.FOREIGN


def test_a_port_whose_server_is_there_by_now_is_kept(cloud: FakeCloud) -> None:
    cloud.nova.add(GONE)

    with pytest.raises(StepFailed, match="by now"):
        PORT.start(a_world(cloud))

    assert cloud.neutron.leftovers == {PORT.port: GONE.id}


def test_a_service_whose_host_has_a_server_by_now_is_kept(cloud: FakeCloud) -> None:
    cloud.nova.add(replace(GONE, host=LOST))

    with pytest.raises(StepFailed, match="has 1 server"):
        SERVICE.start(a_world(cloud))

    assert LOST in cloud.nova.computes


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.kind)
def test_what_lives_again_since_it_was_judged_is_kept(cloud: FakeCloud, step: Step[World]) -> None:
    """Between the judge and the order there may be minutes, on a large cloud."""
    cloud.neutron.leftovers = {PORT.port: an_id("other")}
    cloud.nova.computes[LOST] = a_service(LOST)
    cloud.neutron.silent_agents = set()

    with pytest.raises(StepFailed, match="by now"):
        step.start(a_world(cloud))

    assert (cloud.neutron.deleted, cloud.nova.deleted_services) == ([], [])


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.kind)
def test_what_others_have_removed_since_it_was_judged_counts_as_removed(
    cloud: FakeCloud, step: Step[World]
) -> None:
    cloud.neutron.leftovers = {}
    del cloud.nova.computes[LOST]
    cloud.neutron.agents = {}

    assert step.start(a_world(cloud)) is None
    assert (cloud.neutron.deleted, cloud.nova.deleted_services) == ([], [])


def test_a_service_that_is_not_listed_while_a_cell_is_down_is_not_known(cloud: FakeCloud) -> None:
    del cloud.nova.computes[LOST]
    cloud.nova.cells_down = {"compute-07"}

    assert stands(SERVICE, a_world(cloud)) is Standing.UNKNOWN


def test_a_service_whose_cell_is_down_is_not_taken_for_gone(cloud: FakeCloud) -> None:
    cloud.nova.cells_down = {LOST}

    assert stands(SERVICE, a_world(cloud)) is Standing.FOREIGN


def test_an_agent_that_went_with_its_chassis_counts_as_removed(
    cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OVN lists two agents of one chassis; each neutron-server forgets them by itself."""
    world = a_world(cloud)
    listed = stands(AGENT, world)
    monkeypatch.setattr(type(cloud.neutron), "every_agent", lambda _: ())

    assert (listed, AGENT.start(world)) == (Standing.TODO, None)


def test_what_others_delete_at_the_same_moment_counts_as_removed(
    cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(neutron: FakeNeutron, port: str) -> str:
        neutron.leftovers.pop(port)
        raise StepFailed("could not change it: Neutron answered 404")

    monkeypatch.setattr(FakeNeutron, "delete_port", gone)

    assert PORT.start(a_world(cloud)) is None


def test_an_agent_that_is_not_removed_and_is_listed_still_is_an_error(
    cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object, __: str) -> str:
        raise StepFailed("could not change it: Neutron answered 500")

    monkeypatch.setattr(type(cloud.neutron), "delete_agent", refuse)

    with pytest.raises(StepFailed, match="500"):
        AGENT.start(a_world(cloud))


def test_what_does_not_answer_is_not_taken_for_gone(cloud: FakeCloud) -> None:
    cloud.neutron.unread.add("compute-07")

    with pytest.raises(Unreachable):
        PORT.look(a_world(cloud), None)
