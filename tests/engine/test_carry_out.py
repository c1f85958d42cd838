"""How a run goes: what is done once, what stops it, how it ends."""

import re

import pytest

from engine.fakes import House, Tidy, TidyOperation, YardWorld
from postgres import ON_BOTH
from stackward.errors import ExitCode, Locked, Refused
from stackward.model.run import RunState, Settled
from stackward.plan import Blocked, Move

WHOLE = ["carry a", "seal a", "carry b", "seal b"]


@ON_BOTH
def test_a_run_does_each_thing_once_and_proves_it(house: House) -> None:
    run = house.carry_out(house.approved())

    assert (run.state, house.yard.changes) == (RunState.SUCCEEDED, WHOLE)
    assert house.told(run)[0] == "approved"
    assert house.told(run)[-2:] == ["proved", "succeeded"]


def test_an_intent_is_written_before_each_start_and_its_proof_after(house: House) -> None:
    run = house.carry_out(house.approved())

    first = house.journal.attempts(run.id)[0]
    assert (first.step, first.number, first.mark) == ("carry/a/0", 1, {"newest": 0})
    assert (first.settled, first.saw) == (Settled.DONE, {"at": "new"})


@pytest.mark.parametrize(
    ("trouble", "waited_s"),
    [
        pytest.param("", 0.0, id="it is so when the order is answered"),
        pytest.param("rust", 1.0, id="it is not so yet"),
    ],
)
def test_what_takes_effect_with_its_answer_is_looked_at_right_then(
    house: House, trouble: str, waited_s: float
) -> None:
    house.yard.set(trouble=trouble)

    run = house.carry_out(house.approved(shut=True))

    shut = next(each for each in house.journal.attempts(run.id) if each.step == "shut/gate/0")
    assert shut.settled_at is not None
    assert (shut.settled, shut.answered_at) == (Settled.DONE, shut.intended_at)
    assert (shut.settled_at - shut.intended_at).total_seconds() == waited_s


def test_moves_go_on_together_but_no_more_than_asked(house: House) -> None:
    run = house.carry_out(house.approved(at_once=2, seal=False))

    whats = house.told(run)
    assert run.state is RunState.SUCCEEDED
    assert whats.index("settled: done") > len(whats) - 1 - whats[::-1].index("intended")


def test_one_poll_of_the_world_serves_all_moves(house: House) -> None:
    house.yard.set(boxes={f"box-{n}": "old" for n in range(8)}, takes=4)

    house.carry_out(house.approved(at_once=8, seal=False))

    assert len(house.polls) <= 5


def test_what_is_done_already_is_left_as_it_is(house: House) -> None:
    run = house.approved()
    house.yard.set(boxes={"a": "new", "b": "old"}, sealed=["a"])

    ended = house.carry_out(run)

    assert (ended.state, house.yard.changes) == (RunState.SUCCEEDED, ["carry b", "seal b"])


def test_a_failed_step_stops_the_run_with_the_other_sides_words(house: House) -> None:
    house.yard.set(fails=["a"])

    run = house.carry_out(house.approved())

    assert (run.state, run.state.exit_code) == (RunState.STOPPED, ExitCode.STOPPED)
    assert (run.ending.says, run.ending.request_id) == ("the shelf is full", "req-1")
    assert house.yard.changes == ["carry a"]


def test_a_stage_that_goes_on_moves_the_others_after_a_failure(house: House) -> None:
    house.yard.set(fails=["a"])

    run = house.carry_out(house.approved(goes_on=True))

    assert run.state is RunState.STOPPED
    assert house.yard.changes == ["carry a", "carry b", "seal b"]


def test_what_fails_where_it_is_set_aside_holds_up_no_later_stage(house: House) -> None:
    house.yard.set(fails=["a"])

    run = house.carry_out(house.approved(sets_aside=True))

    assert (run.state, run.ending.says) == (RunState.STOPPED, "the shelf is full")
    assert house.yard.changes == ["carry a", "carry b", "seal b"]


def test_what_was_set_aside_goes_through_all_stages_once_the_run_is_resumed(house: House) -> None:
    house.yard.set(fails=["a"])
    run = house.carry_out(house.approved(sets_aside=True))
    house.yard.set(fails=[])

    ended = house.carry_out(run)

    assert ended.state is RunState.SUCCEEDED
    assert house.yard.changes == ["carry a", "carry b", "seal b", "carry a", "seal a"]


def test_both_ends_are_told_where_a_later_stage_fails_too(house: House) -> None:
    house.yard.set(fails=["a"])
    run = house.approved(sets_aside=True)
    house.yard.set(hot=["b"])

    ended = house.carry_out(run)

    assert (ended.state, ended.ending.says) == (RunState.STOPPED, "the shelf is full")
    assert any("is hot" in line for line in ended.ending.details)


def test_resume_of_a_failed_step_opens_a_new_attempt(house: House) -> None:
    house.yard.set(fails=["a"])
    run = house.carry_out(house.approved())
    house.yard.set(fails=[])

    ended = house.carry_out(run)

    settled = [
        (attempt.number, attempt.settled)
        for attempt in house.journal.attempts(run.id)
        if attempt.step == "carry/a/0"
    ]
    assert ended.state is RunState.SUCCEEDED
    assert settled == [(1, Settled.FAILED), (2, Settled.DONE)]


def test_a_refused_start_stops_the_run(house: House) -> None:
    run = house.approved()
    house.yard.set(trouble="refuses")

    ended = house.carry_out(run)

    assert (ended.state, ended.ending.says) == (RunState.STOPPED, "no room")


def test_a_start_that_was_refused_is_on_record_as_failed_and_not_as_unsent(house: House) -> None:
    run = house.approved()
    house.yard.set(trouble="refuses")

    house.carry_out(run)

    assert [each.settled for each in house.journal.attempts(run.id)] == [Settled.FAILED]


def test_a_lost_answer_is_looked_for_and_never_repeated_blindly(house: House) -> None:
    run = house.approved()
    house.yard.set(trouble="loses answers")

    ended = house.carry_out(run)

    assert (ended.state, house.yard.changes) == (RunState.SUCCEEDED, WHOLE)
    assert house.told(run).count("answer lost") == 2


def test_a_foreign_action_stops_the_run_and_is_named(house: House) -> None:
    run = house.approved()
    house.yard.set(carries=[{"box": "a", "by": "eve", "state": "going", "left": 9}])

    ended = house.carry_out(run)

    assert (ended.state, house.yard.changes) == (RunState.STOPPED, [])
    assert "`a` is carried by somebody else" in (ended.ending.reason or "")


def test_a_yard_that_is_down_for_a_while_is_waited_for(house: House) -> None:
    run = house.approved()
    house.clock.on_wait.append(
        lambda: house.yard.set(trouble="down" if 1 < house.clock.passed < 20 else "")
    )

    ended = house.carry_out(run)

    assert (ended.state, house.yard.changes) == (RunState.SUCCEEDED, WHOLE)


def test_a_yard_that_stays_down_stops_the_run_which_can_be_resumed(house: House) -> None:
    run = house.approved()
    house.clock.on_wait.append(lambda: house.yard.set(trouble="down"))
    stopped = house.carry_out(run)
    house.clock.on_wait.clear()
    house.yard.set(trouble="")

    ended = house.carry_out(run)

    assert "no answer from the yard" in (stopped.ending.reason or "")
    assert (stopped.state, ended.state) == (RunState.STOPPED, RunState.SUCCEEDED)
    assert house.yard.changes == WHOLE


def test_what_must_be_true_before_a_stage_is_asked_there(house: House) -> None:
    run = house.approved()
    house.yard.set(trouble="closed")

    ended = house.carry_out(run)

    assert (ended.state, house.yard.changes) == (RunState.STOPPED, [])
    assert "`yard` is closed" in (ended.ending.reason or "")


def test_each_thing_is_judged_again_just_before_its_move(house: House) -> None:
    run = house.approved()
    house.clock.on_wait.append(lambda: house.yard.set(hot=["b"]))

    ended = house.carry_out(run)

    assert (ended.state, house.yard.changes) == (RunState.STOPPED, ["carry a", "seal a"])
    assert "`b` is hot" in (ended.ending.reason or "")


def test_what_others_have_done_while_it_was_judged_is_done(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = house.approved()

    def judge(
        _: TidyOperation, world: YardWorld, __: Tidy, move: Move[YardWorld]
    ) -> Blocked | None:
        if move.thing != "b":
            return None
        with world.yard.open() as yard:
            yard["boxes"]["b"] = "new"
        return Blocked("b", "may not move now", "plan again")

    monkeypatch.setattr(TidyOperation, "judge", judge)

    ended = house.carry_out(run)

    assert ended.state is RunState.SUCCEEDED, ended.ending.reason
    assert "carry b" not in house.yard.changes


@pytest.mark.parametrize(
    ("given", "state", "says"),
    [
        pytest.param(
            {"haunted": True},
            RunState.FAILED,
            ("`a` is not on the new shelf", "remedy: carry it"),
            id="not",
        ),
        pytest.param(
            {"trouble": "fog"},
            RunState.UNVERIFIED,
            ("`yard`: cannot be seen", "remedy: wait for the fog to lift"),
            id="fog",
        ),
    ],
)
def test_the_end_is_what_was_proved(
    house: House, given: dict[str, object], state: RunState, says: tuple[str, ...]
) -> None:
    run = house.approved()
    house.yard.set(**given)

    ended = house.carry_out(run)

    assert (ended.state, ended.ending.details) == (state, says)


def test_what_does_not_answer_in_time_is_asked_for_longer_and_its_end_says_how_often(
    house: House,
) -> None:
    run = house.approved()
    house.yard.set(trouble="rush")

    ended = house.carry_out(run)

    [said, remedy] = ended.ending.details
    assert (ended.state, remedy) == (RunState.UNVERIFIED, "remedy: ask again")
    asked = re.fullmatch(r"`yard`: nobody answers in time \(asked (\d+) times in (\d+) s\)", said)
    assert asked is not None, said
    assert (int(asked[1]) > 1, int(asked[2]) > house.pace.verify_s) == (True, True)


def test_what_answers_after_a_while_is_proved(house: House) -> None:
    run = house.approved()
    house.yard.set(trouble="rush")
    began = house.clock.monotonic()

    def answer() -> None:
        if house.clock.monotonic() - began > 2 * house.pace.verify_s:
            house.yard.set(trouble="")

    house.clock.on_wait.append(answer)

    assert house.carry_out(run).state is RunState.SUCCEEDED


def test_two_runs_cannot_have_the_same_node(house: House) -> None:
    first = house.approved()

    with pytest.raises(Locked) as locked:
        house.approved()

    assert first.id in locked.value.message
    assert [run.id for run in house.journal.runs(limit=9)] == [first.id]


def test_a_run_that_ended_frees_its_node(house: House) -> None:
    house.carry_out(house.approved())
    house.yard.set(boxes={"a": "old", "b": "new"})

    assert house.approved().state is RunState.QUEUED


def test_a_plan_with_blockers_is_not_approved(house: House) -> None:
    house.yard.set(heavy=["a"])

    with pytest.raises(Refused) as refused:
        house.approved()

    assert refused.value.details == ("a  is heavy  lift it",)
    assert house.journal.runs(limit=9) == []


def test_a_run_that_is_over_cannot_be_resumed(house: House) -> None:
    run = house.carry_out(house.approved())

    with pytest.raises(Refused, match="is over: succeeded"):
        house.carry_out(run)
