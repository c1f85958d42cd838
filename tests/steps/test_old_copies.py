"""What a node that returns has still of servers that live elsewhere."""

from dataclasses import replace

import pytest

from builders import a_server, an_id
from fakes.cloud import FakeCloud
from fakes.power import FakeDevice, FakePower
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.checks.evacuations import EvacuationsSettled
from stackward.errors import StepFailed
from stackward.model.migration import Migration
from stackward.model.power import PowerState
from stackward.plan import Holds, Refuted, Standing
from stackward.ports.world import World
from stackward.steps.old_copies import FenceOldGuests, StopForRecords
from stackward.steps.service import BringUp, ForceUp

NODE = "compute-07"
DB = an_id("db-01")
FENCE = FenceOldGuests(node=NODE, host=NODE, servers=(DB,), has_device=True)
STOP = StopForRecords(node=NODE, host=NODE, number=1)
UP = ForceUp(host=NODE)
START = BringUp(node=NODE, host=NODE, is_forced_down=True)


def site(*statuses: str) -> tuple[World, FakeCloud, FakeShell, FakeDevice]:
    """Return a node that is forced down, with a record of db-01 in each of these states."""
    cloud = FakeCloud()
    cloud.nova.add(replace(a_server(name="db-01"), host="compute-08"))
    cloud.nova.force_down(cloud.nova.computes[NODE].id)
    cloud.nova.migrations += [
        Migration(
            id=number,
            uuid=an_id(f"record-{number}"),
            server=DB,
            kind="evacuation",
            status=status,
            source=NODE,
            target="compute-08",
        )
        for number, status in enumerate(statuses, 1)
    ]
    shell, device = FakeShell(cloud), FakeDevice()
    return a_world(cloud, shell, power=FakePower(shell, {NODE: device})), cloud, shell, device


@pytest.mark.parametrize("state", ["shut off", "crashed"])
def test_an_old_guest_that_is_off_is_left_to_nova(state: str) -> None:
    world, _, shell, _ = site("done")
    shell.domains[NODE, DB] = state

    assert FENCE.look(world, None).standing is Standing.DONE


@pytest.mark.parametrize("state", ["running", "paused"])
def test_an_old_guest_that_runs_is_fenced_again_and_named(state: str) -> None:
    world, _, shell, device = site("done")
    shell.domains[NODE, DB] = state
    mark = FENCE.mark(world)
    before = FENCE.look(world, None).standing

    FENCE.start(world)

    look = FENCE.look(world, mark)
    assert (before, device.state, look.standing) == (
        Standing.TODO,
        PowerState.OFF,
        Standing.FAILED,
    )
    assert DB in str(look.reason)


def test_without_a_device_an_old_guest_that_runs_stops_the_return_and_a_person_cuts_it() -> None:
    world, _, shell, _ = site("done")
    shell.domains[NODE, DB] = "running"
    fence = replace(FENCE, has_device=False)

    with pytest.raises(StepFailed, match=DB) as refused:
        fence.start(world)

    assert "cut the power" in str(refused.value.hint)


def test_guests_that_cannot_be_read_are_never_taken_for_none() -> None:
    world, _, shell, _ = site("done")
    shell.libvirt_down.add(NODE)

    assert FENCE.look(world, None).standing is Standing.UNKNOWN


def test_nova_compute_is_stopped_again_only_while_a_record_is_open() -> None:
    world, cloud, shell, _ = site("done")
    before = STOP.look(world, None).standing

    STOP.start(world)

    stopped = STOP.look(world, None).standing
    shell.units[NODE] = ("active", "enabled")
    cloud.nova.act_on_evacuations(NODE)
    assert (before, stopped) == (Standing.TODO, Standing.DONE)
    assert STOP.look(world, None).standing is Standing.DONE


def test_each_start_settles_one_record_of_a_server_and_only_then_it_is_called_up() -> None:
    world, cloud, _, _ = site("pre-migrating", "done")
    settled = EvacuationsSettled(host=NODE)
    answers = [settled.ask(world)]
    with pytest.raises(StepFailed, match="400"):
        UP.start(world)

    for _ in range(2):
        STOP.start(world)
        START.start(world)
        answers.append(settled.ask(world))
    UP.start(world)

    assert [type(each) for each in answers] == [Refuted, Refuted, Holds]
    assert (UP.look(world, None).standing, cloud.nova.computes[NODE].is_up) == (
        Standing.DONE,
        True,
    )


def test_a_node_that_is_forced_down_has_started_once_nova_has_heard_from_it_since() -> None:
    world, cloud, _, _ = site("done")
    mark = START.mark(world)
    before = START.look(world, None).standing

    START.start(world)

    not_yet = START.look(world, mark).standing
    cloud.nova.pass_time()
    assert (before, not_yet) == (Standing.TODO, Standing.UNKNOWN)
    assert START.look(world, mark).standing is Standing.DONE
