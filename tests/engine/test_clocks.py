"""A run goes on, on a machine whose clock is behind or ahead: it waits by its own watch."""

import pytest

from engine.fakes import House
from killing import Crash, Fate
from stackward.model.run import Run, RunState, Settled

ONCE_EACH = ["carry a", "seal a", "carry b", "seal b"]


def dies_with_an_order_in_doubt(house: House) -> Run:
    """Return a run whose worker has died just before its first order left it, or after."""
    house.clock.passed = 3600
    run = house.approved()
    with pytest.raises(Crash):
        house.carry_out(run, Fate("before carry a"))
    return run


def arrives(house: House, at: float) -> None:
    """Let the order of the first box arrive late: at that time."""

    def arrive() -> None:
        if house.clock.passed == at:
            house.yard.ask("a")

    house.clock.on_wait.append(arrive)


def test_what_is_in_doubt_is_ordered_again_in_time_where_the_clock_is_behind(house: House) -> None:
    run = dies_with_an_order_in_doubt(house)
    house.clock.passed = 0

    ended = house.carry_out(run)

    assert (ended.state, house.yard.changes) == (RunState.SUCCEEDED, ONCE_EACH)
    assert house.clock.passed < 60


def test_what_is_in_doubt_may_still_show_itself_where_the_clock_is_ahead(house: House) -> None:
    run = dies_with_an_order_in_doubt(house)
    house.clock.passed = 7200
    arrives(house, 7203)

    ended = house.carry_out(run)

    assert (ended.state, house.yard.changes) == (RunState.SUCCEEDED, ONCE_EACH)


def test_what_was_accepted_may_still_show_itself_where_the_clock_is_ahead(house: House) -> None:
    run = house.approved()
    epoch = house.journal.take_up(run.id, "one", house.clock.now()).epoch
    made = house.journal.intend(run.id, epoch, "carry/a/0", {"newest": 0}, house.clock.now())
    house.journal.answered(run.id, epoch, made, house.clock.now())
    house.clock.passed = 3600
    arrives(house, 3610)

    ended = house.carry_out(run)

    last = [each for each in house.journal.attempts(run.id) if each.step == "carry/a/0"]
    assert (ended.state, house.yard.changes) == (RunState.SUCCEEDED, ONCE_EACH)
    assert [each.settled for each in last] == [Settled.DONE]
