"""A node's power is cut, and before that its nova-compute is kept off where that is possible."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from typing_extensions import override

from fakes.cloud import FakeCloud
from fakes.power import FakeDevice, FakePower
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.errors import Unreachable
from stackward.model.maintenance import MAINTENANCE
from stackward.model.power import PowerState
from stackward.plan import Standing
from stackward.ports.world import World
from stackward.steps.node_power import PowerOff, PowerOn, TryKeepOff

NODE = "compute-07"
OFF = PowerOff(node=NODE, host=NODE, device="Redfish at bmc-07")
ON = PowerOn(node=NODE, host=NODE, device="Redfish at bmc-07", within_s=120.0)
BY_HAND = PowerOn(node=NODE, host=NODE, device=None, within_s=120.0)
KEEP = TryKeepOff(node=NODE, reason="it was fenced")


def site() -> tuple[World, FakeShell, FakeDevice]:
    cloud = FakeCloud()
    shell, device = FakeShell(cloud), FakeDevice()
    power = FakePower(shell, {NODE: device})
    return a_world(cloud, shell, power=power), shell, device


def test_power_that_is_on_is_cut_and_then_off() -> None:
    world, _, device = site()
    mark = OFF.mark(world)
    before = OFF.look(world, None).standing

    OFF.start(world)

    assert (before, device.state) == (Standing.TODO, PowerState.OFF)
    assert OFF.look(world, mark).standing is Standing.DONE


def test_a_device_says_off_twice_and_some_seconds_lie_between() -> None:
    world, _, device = site()
    device.state = PowerState.OFF

    look = OFF.look(world, None)

    assert look.saw["off"] == ["2026-11-22T03:00:00+00:00", "2026-11-22T03:00:05+00:00"]


@dataclass
class Flickers(FakePower):
    """A device that says Off as it takes the order, and On a moment later."""

    @override
    def state(self, node: str, /, *, within_s: float | None = None) -> PowerState:
        self.ordered.append((node, "asked"))
        return PowerState.OFF if len(self.ordered) == 1 else PowerState.ON


def test_a_device_that_says_off_only_once_has_not_cut_the_power() -> None:
    cloud = FakeCloud()
    world = a_world(cloud, FakeShell(cloud), power=Flickers())

    assert OFF.look(world, None).standing is Standing.TODO


def test_a_device_that_does_not_answer_is_not_taken_for_off() -> None:
    world, _, device = site()
    device.is_deaf = True

    with pytest.raises(Unreachable):
        OFF.look(world, None)


def test_nova_compute_is_kept_off_also_when_the_power_returns() -> None:
    world, shell, _ = site()
    mark = KEEP.mark(world)

    KEEP.start(world)

    assert KEEP.look(world, mark).saw["kept off"] is True
    assert shell.units[NODE] == ("inactive", "masked")
    assert shell.files[NODE, MAINTENANCE] == "it was fenced\n"


@pytest.mark.parametrize(
    ("passed_s", "standing"), [(0, Standing.UNDERWAY), (9, Standing.UNDERWAY), (10, Standing.DONE)]
)
def test_a_node_that_falls_silent_is_not_waited_for(passed_s: int, standing: Standing) -> None:
    world, shell, _ = site()
    mark = KEEP.mark(world)
    shell.silent.add(NODE)
    world.clock.wait(passed_s)

    look = KEEP.look(world, mark)

    assert look.standing is standing
    assert look.saw.get("kept off") in ({None} if passed_s < 10 else {False})


def test_a_node_that_carries_the_orders_out_no_more_is_not_waited_for_either() -> None:
    world, shell, _ = site()
    mark = KEEP.mark(world)
    shell.refused[NODE] = "sudo: /var is read-only"

    KEEP.start(world)
    world.clock.wait(timedelta(seconds=20).total_seconds())

    look = KEEP.look(world, mark)
    assert (look.standing, look.saw["kept off"]) == (Standing.DONE, False)
    assert look.reason is not None


def test_what_was_begun_and_not_ended_is_begun_again() -> None:
    world, shell, _ = site()
    mark = KEEP.mark(world)
    shell.files[NODE, MAINTENANCE] = "it was fenced\n"  # its worker died then

    assert KEEP.look(world, mark).standing is Standing.TODO


# --- switched on again ---------------------------------------------------------------------------


def without_power() -> tuple[World, FakeShell, FakeDevice]:
    world, shell, device = site()
    world.power.order_off(NODE)
    shell.clock = world.clock
    return world, shell, device


def test_a_node_is_on_once_it_answers_after_a_new_boot_and_that_is_kept_with_its_device() -> None:
    world, _, _ = without_power()
    mark = ON.mark(world)
    before = ON.look(world, None).standing

    ON.start(world)

    look = ON.look(world, mark)
    assert (before, look.standing) == (Standing.TODO, Standing.DONE)
    booted = world.clock.now().isoformat(timespec="seconds")
    assert look.saw == {"booted": booted, "device": "Redfish at bmc-07"}


def test_what_answers_already_is_not_switched_on_and_proves_nothing() -> None:
    world, _, _ = site()

    look = ON.look(world, None)

    assert (look.standing, "device" in look.saw) == (Standing.DONE, False)


def test_a_node_that_answers_and_has_not_booted_since_is_not_that_of_the_device() -> None:
    world, shell, _ = without_power()
    mark = ON.mark(world)
    ON.start(world)
    shell.booted = world.clock.now() - timedelta(days=3)

    look = ON.look(world, mark)

    assert look.standing is Standing.FAILED
    assert "another machine's" in str(look.reason)


def test_an_order_that_has_not_arrived_is_given_again() -> None:
    world, _, _ = without_power()

    assert ON.look(world, ON.mark(world)).standing is Standing.TODO


def test_a_node_that_never_answers_fails_after_its_time() -> None:
    world, shell, device = without_power()
    mark = ON.mark(world)
    device.state = PowerState.ON  # it hangs in its firmware
    waits = ON.look(world, mark).standing

    world.clock.wait(121.0)

    assert (waits, ON.look(world, mark).standing) == (Standing.UNDERWAY, Standing.FAILED)
    assert NODE in shell.silent


def test_where_nothing_switches_it_a_person_is_asked_and_waited_for() -> None:
    world, shell, device = without_power()
    mark = BY_HAND.mark(world)
    BY_HAND.start(world)
    asked = BY_HAND.look(world, mark)

    shell.silent.discard(NODE)
    shell.booted = world.clock.now()

    assert (asked.standing, "by hand" in str(asked.reason)) == (Standing.UNDERWAY, True)
    assert BY_HAND.look(world, mark).standing is Standing.DONE
    assert device.state is PowerState.OFF  # nobody has asked it
