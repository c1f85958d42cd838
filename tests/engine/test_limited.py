"""A service that limits the rate of orders: each is asked for anew, and never by two."""

from collections.abc import Callable

import pytest

from engine.fakes import House
from postgres import ON_BOTH
from stackward.errors import Superseded
from stackward.model.run import RunState, Settled


def at(house: House, passed: float, what: Callable[[], object]) -> None:
    """Let something happen once so much time has passed."""

    def look() -> None:
        if house.clock.passed == passed:
            what()

    house.clock.on_wait.append(look)


def taken_over(house: House, run_id: str) -> None:
    """Let another worker take the run up."""
    house.journal.take_up(run_id, "two", house.clock.now())


@ON_BOTH
def test_an_order_that_is_limited_is_asked_for_again_with_a_new_intent(house: House) -> None:
    """F20: a run does not stop at the first 429."""
    house.yard.set(trouble="limits", rest=7)
    at(house, 20, lambda: house.yard.set(trouble=""))

    run = house.carry_out(house.approved())

    tries = [one for one in house.journal.attempts(run.id) if one.step == "carry/a/0"]
    began = [(one.intended_at - tries[0].intended_at).total_seconds() for one in tries]
    assert run.state is RunState.SUCCEEDED
    assert began == [0, 7, 14, 21]
    assert [one.settled for one in tries] == [Settled.UNSENT] * 3 + [Settled.DONE]


def test_a_service_that_asks_for_a_day_is_asked_again_after_a_minute(house: House) -> None:
    house.yard.set(trouble="limits", rest=86400)
    at(house, 20, lambda: house.yard.set(trouble=""))

    run = house.carry_out(house.approved())

    [unsent, done] = [one for one in house.journal.attempts(run.id) if one.step == "carry/a/0"]
    assert run.state is RunState.SUCCEEDED
    assert (done.intended_at - unsent.intended_at).total_seconds() == 60


def test_a_limit_that_never_ends_stops_the_run(house: House) -> None:
    house.yard.set(trouble="limits", rest=7)

    run = house.carry_out(house.approved())

    assert (run.state, house.yard.changes) == (RunState.STOPPED, [])
    assert "the yard takes one order at a time" in str(run.ending.reason)
    assert house.clock.passed < 2 * house.pace.patience_s


def test_an_order_that_was_limited_is_not_sent_after_ctrl_c(house: House) -> None:
    house.yard.set(trouble="limits", rest=7)
    at(house, 3, house.brakes.press)
    at(house, 5, lambda: house.yard.set(trouble=""))

    run = house.carry_out(house.approved())

    assert (run.state, house.yard.changes, house.clock.passed) == (RunState.STOPPED, [], 3)
    assert run.ending.reason == "interrupted: 2 not begun in stage `carry`"


def test_an_order_that_was_limited_is_not_sent_once_another_has_taken_over(house: House) -> None:
    run = house.approved()
    house.yard.set(trouble="limits", rest=7)
    at(house, 3, lambda: taken_over(house, run.id))
    house.clock.on_wait.append(lambda: house.yard.set(trouble=""))

    with pytest.raises(Superseded):
        house.carry_out(run)

    assert house.yard.changes == []


def test_an_order_that_comes_late_is_not_sent_once_another_has_taken_over(house: House) -> None:
    """A step reads before it orders: that took a minute, and the move was done twice."""
    run = house.approved()

    def is_slow() -> None:
        house.clock.passed += 60
        taken_over(house, run.id)

    house.yard.on_way.append(is_slow)

    with pytest.raises(Superseded):
        house.carry_out(run)

    assert house.yard.changes == []
