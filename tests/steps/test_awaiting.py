"""Waiting for a nova-compute that starts, against the fake cloud."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from builders import a_server, an_id
from fakes.cloud import FakeCloud
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.errors import StepFailed
from stackward.plan import Standing
from stackward.steps.awaiting import AwaitCompute

NODE = "compute-07"
BOOTED = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
BEFORE, SINCE = "2026-11-22T02:59:59.000000", "2026-11-22T03:00:20.000000"
STEP = AwaitCompute(node=NODE, host=NODE, hypervisor=an_id(NODE), booted=BOOTED.isoformat())


def a_cloud(updated: str = BEFORE, *, is_up: bool = True) -> FakeCloud:
    cloud = FakeCloud()
    cloud.nova.add(a_server())
    cloud.nova.computes[NODE] = replace(cloud.nova.computes[NODE], updated=updated, is_up=is_up)
    return cloud


def test_what_nova_heard_before_the_boot_is_no_sign_and_nobody_is_called_for_it() -> None:
    cloud = a_cloud()
    cloud.nova.without_rpc.add(NODE)

    look = STEP.look(a_world(cloud), None)

    assert look.standing is Standing.UNDERWAY
    assert "has not reported since the node booted; 1 guest runs there" in (look.reason or "")


def test_it_is_done_once_nova_has_heard_from_it_since_the_boot_and_it_answers() -> None:
    assert STEP.look(a_world(a_cloud(SINCE)), None).standing is Standing.DONE


def test_one_that_nova_calls_down_is_waited_for() -> None:
    assert STEP.look(a_world(a_cloud(is_up=False)), None).standing is Standing.UNDERWAY


def test_one_that_reports_and_does_not_answer_ends_the_wait() -> None:
    cloud = a_cloud(SINCE)
    cloud.nova.without_rpc.add(NODE)

    look = STEP.look(a_world(cloud), None)

    assert (look.standing, look.reason) == (
        Standing.FAILED,
        "nova-compute does not answer over RPC",
    )


def test_one_that_was_forced_down_meanwhile_ends_the_wait() -> None:
    cloud = a_cloud()
    cloud.nova.computes[NODE] = replace(cloud.nova.computes[NODE], is_forced_down=True)

    assert STEP.look(a_world(cloud), None).standing is Standing.FAILED


@pytest.mark.parametrize(("quiet_s", "expected"), [(599.0, None), (600.0, Standing.FAILED)])
def test_it_gives_up_where_nothing_has_changed_for_long(
    quiet_s: float, expected: Standing | None
) -> None:
    look = STEP.examine(a_world(a_cloud()), None, quiet_s)

    assert (look and look.standing) is expected


def test_a_guest_that_comes_up_is_a_change() -> None:
    cloud = a_cloud()
    shell = FakeShell(cloud, domains={(NODE, an_id("db-01")): "shut off"})
    first = STEP.look(a_world(cloud, shell), None)
    shell.domains.clear()

    assert STEP.look(a_world(cloud, shell), None).reason != first.reason


def test_nothing_of_it_is_ever_started() -> None:
    with pytest.raises(StepFailed):
        STEP.start(a_world(a_cloud()))
