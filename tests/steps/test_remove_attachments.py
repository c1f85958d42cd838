"""What Cinder still has of an evacuated server on its dead node, against the fake cloud."""

from typing import Any

import pytest

from builders import a_server, an_id
from fakes.cloud import FakeCloud
from fakes.world import a_world
from stackward.errors import StepFailed
from stackward.model.volume import Volume
from stackward.plan import Standing
from stackward.steps.evacuation import RemoveAttachments

DB, DEAD, THERE = an_id("db-01"), "compute-07", "compute-08"
STEP = RemoveAttachments(server=DB, name="db-01", dead=DEAD)


def a_cloud(**changes: Any) -> FakeCloud:  # noqa: ANN401  # fields of the server
    cloud = FakeCloud()
    cloud.nova.add(a_server(**{"host": THERE, "volume_ids": ("v1",), **changes}))
    cloud.cinder.volumes["v1"] = Volume(id="v1", backend="ctl@nfs#x")
    return cloud


def test_what_is_left_on_the_dead_node_is_removed_and_the_rest_is_proved() -> None:
    cloud = a_cloud()
    cloud.cinder.left = {"stale": ("v1", DEAD)}
    world = a_world(cloud)
    before = STEP.look(world, None)

    request = STEP.start(world)
    after = STEP.look(world, None)

    assert (before.standing, after.standing) == (Standing.TODO, Standing.DONE)
    assert (cloud.cinder.left, request) == ({}, "req-stale")
    assert after.saw == {"target": THERE, "volumes": "holds"}


def test_what_is_left_on_another_node_is_not_touched_and_proves_nothing() -> None:
    cloud = a_cloud()
    cloud.cinder.left = {"other": ("v1", "compute-09")}

    look = STEP.look(a_world(cloud), None)

    assert look.standing is Standing.FAILED
    assert "compute-09" in str(look.reason)
    assert cloud.cinder.left


def test_one_that_nova_uses_is_refused_by_cinder_and_stays() -> None:
    cloud = a_cloud(host=DEAD)

    with pytest.raises(StepFailed):
        STEP.start(a_world(cloud))
