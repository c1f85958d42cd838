"""Each invariant can fail: a sound history, spoiled at one place, breaks it and says where."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from engine.fakes import House
from stackward.adapters.store.database import url_of
from stackward.adapters.store.kept import open_histories
from stackward.engine.invariants import INVARIANTS, broken_in
from stackward.model.history import History, Hold
from stackward.model.run import UNDONE, Event, RunState, Settled

Spoil = Callable[[History], History]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Given what a journal holds of a run that has succeeded."""
    place = tmp_path_factory.mktemp("sound")
    house = House(place)
    house.carry_out(house.approved())
    house.close()
    with open_histories(url_of(place)) as kept:
        [history] = kept
    return history


def test_a_run_that_went_well_breaks_none(sound: History) -> None:
    assert broken_in(sound) == []


def with_run(**changed: object) -> Spoil:
    return lambda sound: replace(sound, run=replace(sound.run, **changed))  # type: ignore[arg-type]  # by name


def with_attempt(at: int, **changed: object) -> Spoil:
    def spoil(sound: History) -> History:
        attempts = list(sound.attempts)
        attempts[at] = replace(attempts[at], **changed)  # type: ignore[arg-type]  # by name
        return replace(sound, attempts=tuple(attempts))

    return spoil


def again(sound: History) -> History:
    """Attempt the first step once more, although its last attempt is open."""
    first = sound.attempts[0]
    opened = replace(first, settled=None, settled_at=None)
    return replace(sound, attempts=(opened, replace(first, number=2), *sound.attempts[1:]))


def without_event(what: str) -> Spoil:
    return lambda sound: replace(
        sound, events=tuple(event for event in sound.events if event.what != what)
    )


def with_event(
    what: str, *, after: int = -1, epoch: int = 1, step: str = "", thing: str = ""
) -> Spoil:
    """Add an event after another one; by default at the end."""

    def spoil(sound: History) -> History:
        events = list(sound.events)
        at = len(events) if after < 0 else after + 1
        added = Event(
            at=events[0].at, epoch=epoch, what=what, step=step, thing=thing, number=at + 1
        )
        events.insert(at, added)
        numbered = (replace(event, number=n) for n, event in enumerate(events, 1))
        return replace(sound, events=tuple(numbered))

    return spoil


def swapped(sound: History) -> History:
    """Let the steps of the first box change their places."""
    names = {"carry/a/0": "carry/a/1", "carry/a/1": "carry/a/0"}
    events = (replace(each, step=names.get(each.step, each.step)) for each in sound.events)
    attempts = (replace(each, step=names.get(each.step, each.step)) for each in sound.attempts)
    return replace(sound, events=tuple(events), attempts=tuple(attempts))


def shut_last(sound: History) -> History:
    """Let there be a stage before the only one, of which nothing was done."""
    plan = sound.run.plan.replace(
        '"stages": [',
        '"stages": [{"name": "shut", "moves": [{"thing": "gate", "steps": [{"kind": "shut"}]}]},',
    )
    return with_run(plan=plan)(sound)


def holding(*holds: Hold, state: RunState | None = None) -> Spoil:
    def spoil(sound: History) -> History:
        mine = tuple(replace(hold, run=hold.run or sound.run.id) for hold in holds)
        run = replace(sound.run, state=state or sound.run.state)
        return replace(sound, run=run, holds=mine)

    return spoil


def undone_by_two(sound: History) -> History:
    spoiled = with_event(UNDONE, thing="01B")(with_event(UNDONE, thing="01A")(sound))
    states = {"01A": RunState.SUCCEEDED, "01B": RunState.RUNNING}
    return replace(spoiled, states={**sound.states, **states})


YARD = Hold(node="yard", run="")

SPOILED = [
    pytest.param("one-open-intent", again, "attempt 1 is open, and attempt 2", id="two open"),
    pytest.param("attempts-counted", with_attempt(0, number=3), "the numbers 3", id="a gap"),
    pytest.param("mark-before-start", with_attempt(0, mark=None), "without a mark", id="no mark"),
    pytest.param(
        "settled-once",
        with_attempt(0, settled=Settled.UNSENT),
        "was answered, and never sent",
        id="an answer to what was never sent",
    ),
    pytest.param("settled-once", with_attempt(0, settled_at=None), "is done at None", id="no time"),
    pytest.param(
        "attempts-told", without_event("answered"), "attempt 1: the events are", id="not told"
    ),
    pytest.param(
        "attempts-told",
        with_event("settled: done", after=6, step="carry/a/0"),
        "the events are",
        id="told of no attempt",
    ),
    pytest.param(
        "no-write-below-epoch",
        with_event("taken up", after=4, epoch=2),
        "written at epoch 1; the last worker took the run at 2",
        id="a frozen worker wrote on",
    ),
    pytest.param(
        "no-write-below-epoch",
        with_event("taken up", after=4, epoch=1),
        "run taken at epoch 1, after 1",
        id="taken over without a new epoch",
    ),
    pytest.param("no-write-below-epoch", with_run(epoch=0), "the run is at epoch 0", id="fallen"),
    pytest.param(
        "attempts-of-takers", with_attempt(0, epoch=7), "of epoch 7", id="an epoch of nobody"
    ),
    pytest.param(
        "events-in-turn", without_event("taken up"), "the run was queued then", id="not taken up"
    ),
    pytest.param(
        "nothing-after-end", with_event("late"), "the run was over then, succeeded", id="after it"
    ),
    pytest.param(
        "nothing-after-end", with_event("failed"), "over then, succeeded", id="a second end"
    ),
    pytest.param(
        "state-as-told", with_run(state=RunState.FAILED), "it is succeeded", id="another end"
    ),
    pytest.param("end-has-time", with_run(ended_at=None), "not written down", id="no time"),
    pytest.param(
        "nothing-open-after-end",
        with_attempt(-1, settled=None, settled_at=None),
        "is open; the run is succeeded",
        id="left open",
    ),
    pytest.param(
        "refused-did-nothing",
        with_run(state=RunState.REFUSED),
        "it is refused, and has 4 attempts",
        id="refused midway",
    ),
    pytest.param("holds-of-living-runs", holding(YARD), "it holds `yard`", id="over and holds"),
    pytest.param(
        "holds-of-living-runs",
        holding(replace(YARD, node="elsewhere"), YARD, state=RunState.RUNNING),
        "it did not ask for",
        id="not asked for",
    ),
    pytest.param(
        "living-runs-hold", holding(state=RunState.QUEUED), "does not hold `yard`", id="no hold"
    ),
    pytest.param(
        "one-run-per-node",
        holding(YARD, replace(YARD, run="01B"), state=RunState.RUNNING),
        "is held by run `01B` too",
        id="two runs, one node",
    ),
    pytest.param(
        "running-has-worker",
        with_run(state=RunState.RUNNING, for_workers=True),
        "its worker `one` is not among the workers",
        id="a worker that nobody knows",
    ),
    pytest.param(
        "running-has-worker",
        with_run(state=RunState.RUNNING, worker=None),
        "no worker has started it",
        id="nobody",
    ),
    pytest.param("undone-once", undone_by_two, "undoes it, and run `01B` too", id="undone twice"),
    pytest.param(
        "undone-once", with_event(UNDONE, thing="01X"), "there is no such run", id="by no run"
    ),
    pytest.param("plan-readable", with_run(plan="{}"), "can be read", id="no plan"),
    pytest.param(
        "steps-of-plan",
        with_attempt(0, step="carry/c/0"),
        "`carry/c/0` was attempted, and is no step",
        id="a box that was not planned",
    ),
    pytest.param(
        "steps-in-order", swapped, "started while `carry/a/0` was not started", id="swapped"
    ),
    pytest.param(
        "stages-in-order", shut_last, "of stage `shut` was not done", id="the gate stood open"
    ),
    pytest.param(
        "success-is-whole",
        with_attempt(-1, settled=Settled.FAILED),
        "and `carry/b/1` is not proved done",
        id="a step failed",
    ),
    pytest.param(
        "success-is-proved", without_event("proved"), "only 0 of 1 check are proved", id="no proof"
    ),
]


@pytest.mark.parametrize(("name", "spoil", "found"), SPOILED)
def test_each_invariant_finds_what_breaks_it(
    sound: History, name: str, spoil: Spoil, found: str
) -> None:
    broken = broken_in(spoil(sound))

    assert found in "; ".join(each.found for each in broken if each.invariant.name == name)
    assert all(sound.run.id in each.remedy for each in broken)


def test_every_invariant_is_spoiled_once() -> None:
    assert {case.values[0] for case in SPOILED} == {each.name for each in INVARIANTS}


def test_names_and_sentences_are_of_one_invariant_each() -> None:
    assert len({each.name for each in INVARIANTS}) == len(INVARIANTS)
    assert len({each.sentence for each in INVARIANTS}) == len(INVARIANTS)


PARTS = [
    pytest.param("instead-0", "the move was not given up", id="instead of what goes on"),
    pytest.param("failed-0", "was not taking the move back", id="taken back without a reason"),
    pytest.param("slow-0", "no step of its move was in progress", id="hurried before it began"),
]


@pytest.mark.parametrize(("step", "found"), PARTS)
def test_what_is_declared_for_a_case_is_begun_in_that_case_only(
    tmp_path: Path, step: str, found: str
) -> None:
    house = House(tmp_path)
    run = house.approved(when_slow="push", seal_failed=True)
    house.close()
    with open_histories(url_of(tmp_path)) as kept:
        [history] = kept
    begun = with_event("intended", step=f"carry/a/{step}")(with_event("taken up")(history))

    broken = broken_in(begun)

    assert run.id == history.run.id
    assert any(found in each.found for each in broken)
