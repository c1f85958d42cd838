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
