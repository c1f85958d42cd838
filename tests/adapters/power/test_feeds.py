"""A node with several feeds is off only when each of them says so."""

from dataclasses import dataclass, field

import pytest

from stackward.adapters.power import Devices
from stackward.errors import Refused, StackwardError, Uncertain, Unreachable
from stackward.model.hardware import Hardware
from stackward.model.power import DeviceName, PowerDevice, PowerReturns, PowerState

ON, OFF = PowerState.ON, PowerState.OFF
DEAF = Unreachable("`pdu` does not answer")


@dataclass
class Outlet:
    """A feed that answers what it is given; an error it raises."""

    answer: PowerState | StackwardError
    orders: list[str] = field(default_factory=list)
    can_force_off: bool | None = True

    @property
    def name(self) -> DeviceName:
        return DeviceName(how="fence_pdu", at=("pdu",))

    def state(self, within_s: float, /) -> PowerState:
        if isinstance(self.answer, StackwardError):
            raise self.answer
        return self.answer

    def describe(self, within_s: float, /) -> PowerDevice:
        return PowerDevice(
            name=self.name,
            state=self.state(within_s),
            hardware=Hardware(),
            reset_types=("on", "off"),
            can_force_off=self.can_force_off,
        )

    def order_off(self, within_s: float, /) -> None:
        self._order("off")

    def order_on(self, within_s: float, /) -> None:
        self._order("on")

    def _order(self, order: str) -> None:
        if isinstance(self.answer, StackwardError):
            raise self.answer
        self.orders.append(order)


def over(*feeds: Outlet) -> Devices:
    return Devices({"c01": feeds})


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param((OFF,), OFF, id="one feed, off"),
        pytest.param((OFF, OFF), OFF, id="both off"),
        pytest.param((OFF, ON), ON, id="one is on"),
        pytest.param((DEAF, ON), ON, id="one is deaf, the other is on"),
        pytest.param((OFF, DEAF), Unreachable, id="one is off, the other is deaf: not known"),
        pytest.param((DEAF, DEAF), Unreachable, id="both are deaf"),
    ],
)
def test_when_a_node_is_off(
    answers: tuple[PowerState | StackwardError, ...], expected: PowerState | type[StackwardError]
) -> None:
    devices = over(*map(Outlet, answers))

    try:
        found: object = devices.state("c01")
    except StackwardError as error:
        found = type(error)

    assert found == expected


def test_an_order_goes_to_each_feed() -> None:
    feeds = (Outlet(ON), Outlet(ON))

    over(*feeds).order_off("c01")

    assert [each.orders for each in feeds] == [["off"], ["off"]]


def test_an_order_that_one_feed_did_not_take_is_still_given_to_the_other() -> None:
    deaf, well = Outlet(DEAF), Outlet(ON)

    with pytest.raises(Uncertain) as raised:
        over(deaf, well).order_off("c01")

    assert well.orders == ["off"]
    assert raised.value.message == (
        "of 2 feeds of `c01` 1 took the order `off`: `pdu` does not answer"
    )


def test_an_order_that_no_feed_took_was_not_sent() -> None:
    with pytest.raises(Unreachable):
        over(Outlet(DEAF), Outlet(DEAF)).order_off("c01")


def test_an_order_whose_answer_was_lost_may_have_been_carried_out() -> None:
    with pytest.raises(Uncertain):
        over(Outlet(DEAF), Outlet(Uncertain("no answer"))).order_off("c01")


def test_a_node_without_a_device_is_refused() -> None:
    with pytest.raises(Refused, match="names no device"):
        over().state("c01")

    assert over().device("c01") is None


def test_what_only_one_feed_can_do_cannot_be_done() -> None:
    told = over(Outlet(ON), Outlet(OFF, can_force_off=False)).describe("c01")

    assert (told.state, told.can_force_off) == (ON, False)
    assert told.power_returns is PowerReturns.UNTOLD
    assert told.name.text == "fence_pdu at pdu and pdu"


def test_a_feed_for_which_no_time_is_left_is_not_asked() -> None:
    with pytest.raises(Unreachable, match="no time was left"):
        over(Outlet(OFF)).state("c01", within_s=0)
