"""A binding that a lost move has left is removed; one that is in use never is."""

import pytest

from builders import a_server
from fakes.cloud import FakeCloud
from fakes.neutron import FakeNeutron
from fakes.world import a_world
from stackward.plan import Standing
from stackward.steps.network import RemoveBinding

SERVER = a_server()
PORT = SERVER.ports[0].id
HERE = ("compute-07", "ACTIVE")
STEP = RemoveBinding(port=PORT, name="db-01", host="compute-09")


def a_cloud(*bindings: tuple[str, str]) -> FakeCloud:
    cloud = FakeCloud(neutron=FakeNeutron(bound={PORT: bindings}))
    cloud.nova.add(SERVER)
    return cloud


def test_it_is_removed_and_the_one_in_use_stays() -> None:
    cloud = a_cloud(HERE, ("compute-09", "INACTIVE"))
    world = a_world(cloud)

    before = STEP.look(world, None).standing
    STEP.start(world)

    assert (before, STEP.look(world, STEP.mark(world)).standing) == (Standing.TODO, Standing.DONE)
    assert cloud.neutron.bindings_of(PORT) == (HERE,)


@pytest.mark.parametrize(
    ("bindings", "standing"),
    [
        pytest.param((HERE,), Standing.DONE, id="gone by itself"),
        pytest.param((("compute-09", "ACTIVE"),), Standing.FOREIGN, id="in use by now"),
    ],
)
def test_what_is_not_inactive_is_left_alone(
    bindings: tuple[tuple[str, str], ...], standing: Standing
) -> None:
    assert STEP.look(a_world(a_cloud(*bindings)), None).standing is standing
