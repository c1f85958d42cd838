"""A move that was given up for being slow goes another way, whoever dies meanwhile."""

from pathlib import Path

from engine.fakes import House, tidying
from killing import killed
from postgres import ON_BOTH
from stackward.model.run import Run, RunState, Settled

WHOLE = ["carry a", "hurry a", "seal a", "push a"]
NEVER_ARRIVES = {"takes": 10_000, "boxes": {"a": "old"}}


def slow(house: House, **yard: object) -> Run:
    """Approve a run of one box that never arrives, and is pushed where that takes too long."""
    house.yard.set(**NEVER_ARRIVES, **yard)
    return house.approved(when_slow="push", seal=False)


@ON_BOTH
def test_what_was_given_up_goes_the_other_way_step_by_step(house: House) -> None:
    run = slow(house)

    ended = house.carry_out(run)

    steps = {one.step: one.settled for one in house.journal.attempts(run.id)}
    assert (ended.state, house.yard.changes) == (RunState.SUCCEEDED, WHOLE)
    assert steps["carry/a/0"] is Settled.FAILED
    assert [steps["carry/a/instead-0"], steps["carry/a/instead-1"]] == [Settled.DONE] * 2
    assert "was given up and goes another way" in house.told(run)


def test_a_move_that_is_quick_goes_as_planned(house: House) -> None:
    run = slow(house)
    house.yard.set(takes=3)

    assert (house.carry_out(run).state, house.yard.changes) == (RunState.SUCCEEDED, ["carry a"])


def test_a_move_that_fails_before_the_deadline_goes_no_other_way(house: House) -> None:
    run = slow(house)
    house.yard.set(takes=3, fails=["a"])

    assert (house.carry_out(run).state, house.yard.changes) == (RunState.STOPPED, ["carry a"])


def test_a_move_that_arrives_though_it_was_to_be_given_up_is_done(house: House) -> None:
    """The order came too late: the world settles the move, not the deadline."""
    run = slow(house)

    def arrive() -> None:
        if "hurry a" in house.yard.changes:
            carries = [each | {"state": "done"} for each in house.yard.seen()["carries"]]
            house.yard.set(boxes={"a": "new"}, carries=carries)

    house.clock.on_wait.append(arrive)

    ended = house.carry_out(run)

    assert (ended.state, house.yard.changes) == (RunState.SUCCEEDED, WHOLE[:2])


def test_a_move_that_fails_otherwise_though_it_was_to_be_given_up_goes_no_other_way(
    house: House,
) -> None:
    """Nobody knows how things stand then: the run stops, and says what the world says."""
    run = slow(house)

    def fail() -> None:
        carries = [each | {"state": "failed"} for each in house.yard.seen()["carries"]]
        if "hurry a" in house.yard.changes:
            house.yard.set(carries=carries)

    house.clock.on_wait.append(fail)

    ended = house.carry_out(run)

    assert (ended.state, house.yard.changes) == (RunState.STOPPED, WHOLE[:2])
    assert ended.ending.says == "the shelf is full"


def interfered_with(house: House) -> Run:
    """Carry out a run of which the box is taken by somebody else once it is given up."""
    run = slow(house)

    def interfere() -> None:
        carries = house.yard.seen()["carries"]
        if "hurry a" in house.yard.changes and len(carries) == 1:
            theirs = {"box": "a", "by": "them", "state": "going", "left": 9}
            house.yard.set(carries=[*carries, theirs])

    house.clock.on_wait.append(interfere)
    ended = house.carry_out(run)
    house.clock.on_wait.clear()
    return ended


def test_what_somebody_else_does_meanwhile_is_no_reason_for_another_way(house: House) -> None:
    ended = interfered_with(house)

    assert (ended.state, house.yard.changes) == (RunState.STOPPED, WHOLE[:2])
    assert "carried by somebody else" in (ended.ending.reason or "")


def test_what_was_asked_for_an_earlier_start_gives_up_no_later_one(house: House) -> None:
    run = interfered_with(house)
    house.yard.set(takes=3, fails=["a"], carries=[])

    ended = house.carry_out(run)

    assert (ended.state, house.yard.changes[2:]) == (RunState.STOPPED, ["carry a"])


def test_a_later_start_that_is_slow_is_given_up_by_its_own_deadline(house: House) -> None:
    run = interfered_with(house)
    house.yard.set(carries=[], changes=[])

    ended = house.carry_out(run)

    assert (ended.state, house.yard.changes) == (RunState.SUCCEEDED, WHOLE)


def test_the_judge_is_asked_again_before_the_other_way_is_begun(house: House) -> None:
    run = slow(house)
    house.clock.on_wait.append(lambda: house.yard.set(hot=["a"]))

    ended = house.carry_out(run)

    assert (ended.state, house.yard.changes) == (RunState.STOPPED, WHOLE[:2])
    assert "`a` is hot" in (ended.ending.reason or "")


def test_where_the_other_way_fails_it_is_said_what_is_done_and_how_that_is_undone(
    house: House,
) -> None:
    run = slow(house, trouble="stuck")

    ended = house.carry_out(run)

    assert ended.state is RunState.STOPPED
    assert "done before: seal `a`; undo: break the seal" in ended.ending.details


def test_a_run_that_stopped_on_the_other_way_is_resumed_on_it(house: House) -> None:
    run = slow(house, trouble="stuck")
    house.carry_out(run)
    house.yard.set(trouble="")

    ended = house.carry_out(run)

    assert (ended.state, house.yard.changes) == (RunState.SUCCEEDED, WHOLE)


def test_a_crash_at_any_write_or_change_is_harmless(tmp_path: Path) -> None:
    well = (RunState.SUCCEEDED, WHOLE)

    tidies = tidying(yard=NEVER_ARRIVES, when_slow="push", seal=False, ends=well)

    killed(tidies, tmp_path, every=2)
