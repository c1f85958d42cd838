"""A step in which nothing changes is examined: it may never end."""

from engine.fakes import House
from postgres import ON_BOTH
from stackward.model.run import RunState


@ON_BOTH
def test_a_step_that_is_stuck_stops_the_run_with_what_to_do(house: House) -> None:
    house.yard.set(boxes={"a": "old"}, standing=["a"], dropped=["a"])

    run = house.carry_out(house.approved(seal=False))

    assert (run.state, run.ending.reason) == (
        RunState.STOPPED,
        "carry `a`: it was dropped 60 s ago",
    )
    assert run.ending.details == ("remedy: pick it up",)


def test_a_step_that_only_stands_still_is_waited_for_and_that_is_told(house: House) -> None:
    house.yard.set(boxes={"a": "old"}, standing=["a"])

    def let_go() -> None:
        if house.clock.passed == 200:
            house.yard.set(standing=[])

    house.clock.on_wait.append(let_go)

    run = house.approved(seal=False)
    ended = house.carry_out(run)

    assert ended.state is RunState.SUCCEEDED
    assert house.told(run).count("nothing happens") == 3


@ON_BOTH
def test_a_step_of_which_a_closer_look_cannot_tell_stops_the_run_in_the_end(house: House) -> None:
    """Each look between two closer ones sees it under way: that is no news."""
    house.yard.set(boxes={"a": "old"}, standing=["a"], trouble="fog")
    run = house.approved(seal=False)

    ended = house.carry_out(run)

    assert ended.state is RunState.STOPPED
    assert ended.ending.reason == (
        "carry `a`: its state could not be read for 60 s: it cannot be seen for fog"
    )
    assert ended.ending.details == ("remedy: wait for sun",)
    assert 120 <= house.clock.passed < 130
    assert house.told(run).count("waiting") == 1


def test_a_step_that_a_closer_look_can_see_again_is_waited_for(house: House) -> None:
    house.yard.set(boxes={"a": "old"}, standing=["a"], trouble="fog")

    def lift() -> None:
        if house.clock.passed == 100:
            house.yard.set(trouble="")
        if house.clock.passed == 400:
            house.yard.set(standing=[])

    house.clock.on_wait.append(lift)

    ended = house.carry_out(house.approved(seal=False))

    assert ended.state is RunState.SUCCEEDED


def test_a_step_that_moves_on_is_never_examined(house: House) -> None:
    """It would be called dropped, if it were."""
    house.yard.set(takes=200, boxes={"a": "old"}, dropped=["a"])

    run = house.carry_out(house.approved(seal=False))

    assert run.state is RunState.SUCCEEDED


def test_a_stuck_step_is_settled_and_a_resume_attempts_it_anew(house: House) -> None:
    house.yard.set(boxes={"a": "old"}, standing=["a"], dropped=["a"])
    run = house.carry_out(house.approved(seal=False))
    house.yard.set(standing=[], dropped=[], carries=[])  # somebody has picked it up

    ended = house.carry_out(run)

    assert (ended.state, house.yard.changes) == (RunState.SUCCEEDED, ["carry a", "carry a"])
