"""What every `Power` promises: asked of the fake, a BMC's emulator and a fence agent."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from stackward.errors import Refused, StackwardError, Unreachable
from stackward.model.power import PowerState
from stackward.ports.power import Power

ON, OFF = PowerState.ON, PowerState.OFF


@dataclass(frozen=True)
class PowerAtWork:
    """A node that is on, what switches it, and what makes that misbehave."""

    power: Power
    node: str
    is_on: Callable[[], bool]  # in truth
    make_deaf: Callable[[], None]
    make_stuck: Callable[[], None]
    refuse_login: Callable[[], None]
    within_s: float = 5.0  # a call of a device that is well takes less


class PowerContract:
    """Tests; a subclass gives the fixture `at_work`."""

    def test_the_power_that_is_cut_is_gone(self, at_work: PowerAtWork) -> None:
        before = at_work.power.state(at_work.node)

        at_work.power.order_off(at_work.node)

        assert (before, at_work.power.state(at_work.node)) == (ON, OFF)
        assert not at_work.is_on()

    def test_power_comes_back(self, at_work: PowerAtWork) -> None:
        at_work.power.order_off(at_work.node)

        at_work.power.order_on(at_work.node)

        assert (at_work.power.state(at_work.node), at_work.is_on()) == (ON, True)

    def test_to_cut_what_is_off_is_fine(self, at_work: PowerAtWork) -> None:
        at_work.power.order_off(at_work.node)

        at_work.power.order_off(at_work.node)

        assert at_work.power.state(at_work.node) is OFF

    def test_an_order_that_was_taken_proves_nothing(self, at_work: PowerAtWork) -> None:
        at_work.make_stuck()

        at_work.power.order_off(at_work.node)

        assert (at_work.power.state(at_work.node), at_work.is_on()) == (ON, True)

    def test_a_device_that_does_not_answer_says_no_state(self, at_work: PowerAtWork) -> None:
        at_work.make_deaf()

        with pytest.raises(Unreachable):
            at_work.power.state(at_work.node, within_s=at_work.within_s / 5)

    def test_a_device_that_does_not_answer_carries_out_no_order(self, at_work: PowerAtWork) -> None:
        at_work.make_deaf()

        with pytest.raises(StackwardError):
            at_work.power.order_off(at_work.node, within_s=at_work.within_s / 5)

        assert at_work.is_on()

    def test_a_wrong_login_is_no_state(self, at_work: PowerAtWork) -> None:
        at_work.refuse_login()

        with pytest.raises((Refused, Unreachable)) as raised:
            at_work.power.state(at_work.node, within_s=at_work.within_s)

        assert "wrong-password" not in f"{raised.value.message} {raised.value.says}"

    def test_a_node_without_a_device_is_refused(self, at_work: PowerAtWork) -> None:
        with pytest.raises(Refused):
            at_work.power.state("no-such-node")

        assert at_work.power.device("no-such-node") is None

    def test_a_device_says_what_it_can_do(self, at_work: PowerAtWork) -> None:
        told = at_work.power.describe(at_work.node)

        assert (told.state, told.can_force_off) == (ON, True)
        assert told.name == at_work.power.device(at_work.node)
        assert at_work.is_on()
