"""Ctrl-C once and twice, and cancel."""

import pytest

from engine.fakes import House
from postgres import ON_BOTH
from stackward.engine import approve
from stackward.errors import Locked, Refused
from stackward.model.run import Approval, Run, RunState, Said, Settled


@ON_BOTH
def test_the_first_ctrl_c_begins_nothing_more_and_waits_for_the_move_under_way(
    house: House,
) -> None:
    house.clock.on_wait.append(lambda: house.clock.passed == 1 and house.brakes.press())

    run = house.carry_out(house.approved())

    assert (run.state, house.yard.changes) == (RunState.STOPPED, ["carry a", "seal a"])
    assert run.ending.reason == "interrupted: 1 not begun in stage `carry`"


def test_the_second_ctrl_c_leaves_at_once_and_says_what_is_under_way(house: House) -> None:
    house.clock.on_wait.append(house.brakes.press)
    house.yard.set(takes=50)

    run = house.carry_out(house.approved())

    assert (run.state, house.clock.passed) == (RunState.STOPPED, 2)
    assert run.ending.details == ("`a` is under way",)


def test_what_was_left_under_way_keeps_its_node_and_is_settled_by_resume(house: House) -> None:
    house.clock.on_wait.append(house.brakes.press)
    house.yard.set(takes=50)
    run = house.carry_out(house.approved())
    with pytest.raises(Locked):
        house.approved()
    house.clock.on_wait.clear()

    ended = house.journal.run(run.id[:10])
    house.brakes = type(house.brakes)()
    ended = house.carry_out(ended)

    assert ended.state is RunState.SUCCEEDED
    assert house.yard.changes == ["carry a", "seal a", "carry b", "seal b"]


def test_cancel_waits_for_what_is_under_way_and_ends_the_run(house: House) -> None:
    run = house.approved()
    house.clock.on_wait.append(lambda: house.clock.passed == 1 and house.cancel(run))

    ended = house.carry_out(run)

    assert (ended.state, house.yard.changes) == (RunState.CANCELLED, ["carry a", "seal a"])
    assert ended.ending.reason == "cancelled by bob"


def test_a_cancelled_run_is_not_over_until_it_is_seen_how_its_move_has_ended(
    house: House,
) -> None:
    """Over, it could not be resumed: nobody would look again, and the node would be free."""
    run = house.approved()
    house.yard.set(takes=10)

    def cancel_in_the_mist() -> None:
        if house.clock.passed == 1:
            house.yard.set(trouble="mist")
            house.cancel(run)

    house.clock.on_wait.append(cancel_in_the_mist)
    stopped = house.carry_out(run)
    with pytest.raises(Locked):
        house.approved()
    house.yard.set(trouble="")
    ended = house.carry_out(run)

    assert (stopped.state, stopped.cancel_asked_by) == (RunState.STOPPED, "bob")
    assert "the shelves cannot be seen" in (stopped.ending.reason or "")
    assert (ended.state, house.yard.changes) == (RunState.CANCELLED, ["carry a", "seal a"])
    assert not any(one.is_in_flight for one in house.journal.attempts(run.id))


def lost_for_ever(house: House) -> Run:
    """Return a run that was cancelled while nobody can see any more what it has started."""
    run = house.approved()
    house.yard.set(takes=10)

    def mist() -> None:
        if house.clock.passed == 1:
            house.yard.set(trouble="mist")

    house.clock.on_wait.append(mist)
    house.carry_out(run)
    house.clock.on_wait.clear()
    house.cancel(run)
    return house.carry_out(run)


def test_what_nobody_can_ever_see_is_given_up_by_a_person_who_says_why(house: House) -> None:
    """On a node that died the run would hold it for ever: nobody could bring its servers back."""
    run = lost_for_ever(house)

    ended = house.give_up(run, "c01 burned")

    last = house.journal.attempts(run.id)[-1]
    assert run.state is RunState.STOPPED
    assert (ended.state, ended.ending.reason) == (
        RunState.CANCELLED,
        "given up by bob: c01 burned",
    )
    assert (last.settled, last.said.reason) == (Settled.LOST, "given up by bob: c01 burned")
    assert house.approved().state is RunState.QUEUED  # its node is free


def test_what_somebody_may_still_see_is_not_given_up(house: House) -> None:
    approval = Approval(by="ann", at=house.clock.now(), how="--yes")
    queued = approve(house.plan(), approval, house.journal, for_workers=True)

    with pytest.raises(Refused, match="waits for a worker"):
        house.give_up(queued, "no patience")

    assert house.journal.run(queued.id).state is RunState.QUEUED


def test_a_run_that_is_over_is_not_given_up(house: House) -> None:
    run = house.carry_out(house.approved())

    with pytest.raises(Refused, match="is over"):
        house.give_up(run, "no need")


def test_a_run_that_nobody_carries_out_is_cancelled_at_once(house: House) -> None:
    run = house.approved()

    cancelled = house.cancel(run)

    assert cancelled.state is RunState.CANCELLED
    assert house.approved().state is RunState.QUEUED
    with pytest.raises(Refused, match="is over"):
        house.carry_out(cancelled)


def test_a_stopped_run_with_a_box_half_way_is_cancelled_by_its_resume(house: House) -> None:
    """Carried, and not sealed: that is no state to leave a box in."""
    run, now = house.approved(), house.clock.now()
    house.yard.set(boxes={"a": "new", "b": "old"})
    epoch = house.journal.take_up(run.id, "one", now).epoch
    house.journal.found_done(run.id, epoch, "carry/a/0", now, {})
    house.journal.end(run.id, epoch, RunState.STOPPED, now, Said())

    asked = house.cancel(run)
    ended = house.carry_out(run)

    assert (asked.state, asked.cancel_asked_by) == (RunState.STOPPED, "bob")
    assert (ended.state, house.yard.changes) == (RunState.CANCELLED, ["seal a"])
