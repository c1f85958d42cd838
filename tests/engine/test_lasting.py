"""What must last as long as a run is looked at again before each move; others may take it away."""

from typing import Any

import pytest

from engine.fakes import House, Yard
from killing import Crash, Fate
from postgres import ON_BOTH
from stackward.engine import Brakes
from stackward.errors import ExitCode
from stackward.model.run import Event, Run, RunState, Said

JUST_BEFORE_A = "before carry a"


def opens(yard: Yard, after: str) -> Any:
    """Let somebody open the gate once a change was made; say so once."""
    opened: list[bool] = []

    def watch() -> None:
        if after in yard.changes and not opened:
            opened.append(True)
            yard.set(gate="open")

    return watch


def stopped_half_way(house: House, **asked: Any) -> Run:
    house.clock.on_wait.append(opens(house.yard, "carry a"))
    return house.carry_out(house.approved(shut=True, seal=False, goes_on=True, **asked))


@ON_BOTH
def test_no_further_move_starts_once_others_have_opened_the_gate(house: House) -> None:
    run = stopped_half_way(house)

    assert (run.state, run.state.exit_code) == (RunState.STOPPED, ExitCode.STOPPED)
    assert house.yard.changes == ["shut", "carry a"]
    assert house.yard.seen()["boxes"] == {"a": "new", "b": "old"}


def test_it_says_whose_doing_it_is_and_blames_no_box(house: House) -> None:
    run = stopped_half_way(house)

    assert run.ending.reason == "nothing more was started: `gate` was opened by bob"
    assert run.ending.details == ("remedy: ask bob",)
    assert house.told(run).count("taken away") == 1
    assert "failed" not in house.told(run)


def test_moves_that_run_go_on_to_their_end(house: House) -> None:
    house.yard.set(boxes={"a": "old", "b": "old", "c": "old", "d": "old"}, takes=6)

    stopped_half_way(house, at_once=2)

    assert sorted(house.yard.changes) == ["carry a", "carry b", "shut"]
    assert [each["state"] for each in house.yard.seen()["carries"]] == ["done", "done"]


def test_what_was_never_started_is_not_taken_back(house: House) -> None:
    stopped_half_way(house, seal_failed=True)

    assert house.yard.changes == ["shut", "carry a"]


def test_a_run_that_is_resumed_does_it_again_and_goes_on(house: House) -> None:
    run = stopped_half_way(house)

    ended = house.carry_out(run)

    assert ended.state is RunState.SUCCEEDED
    assert house.yard.changes == ["shut", "carry a", "shut", "carry b"]


def test_a_worker_that_takes_over_stops_first_for_nobody_has_read_of_it(house: House) -> None:
    run = house.approved(shut=True, seal=False)
    with pytest.raises(Crash):
        house.carry_out(run, Fate(JUST_BEFORE_A))
    house.yard.set(gate="open")

    stopped = house.carry_out(run)

    assert (stopped.state, house.yard.changes) == (RunState.STOPPED, ["shut"])
    assert house.carry_out(run).state is RunState.SUCCEEDED


@pytest.mark.parametrize("cancelled", [False, True])
def test_the_end_is_that_of_a_stopped_or_a_cancelled_run(house: House, *, cancelled: bool) -> None:
    run = house.approved(shut=True, seal=False)
    house.clock.on_wait.append(opens(house.yard, "carry a"))
    if cancelled:
        house.clock.on_wait.append(lambda: house.cancel(run))

    ended = house.carry_out(run)

    assert ended.state is (RunState.CANCELLED if cancelled else RunState.STOPPED)


# --- incidents ----------------------------------------------------------------------------------


def is_told_and_left(house: House, run: Run, left: str) -> Run:
    """Let the worker of a run leave it as soon as it has said that the gate was opened."""
    house.brakes = Brakes(leaves_to_others=True)
    before = house.told(run).count("taken away")

    def watch() -> None:
        if house.told(run).count("taken away") > before:
            if left == "killed":
                raise Crash
            house.brakes.press()
            house.brakes.press()

    house.clock.on_wait.append(watch)
    if left == "killed":
        with pytest.raises(Crash):
            house.carry_out(run)
    else:
        assert house.carry_out(run).state is RunState.QUEUED
    house.clock.on_wait.clear()
    house.brakes = Brakes()
    return house.journal.run(run.id)


@pytest.mark.parametrize("left", ["killed", "told to leave"])
def test_a_dead_workers_successor_does_not_undo_what_bob_did_before_anybody_has_read_of_it(
    house: House, left: str
) -> None:
    house.yard.set(boxes={"a": "old", "b": "old", "c": "old"}, standing=["b"])
    run = house.approved(shut=True, seal=False, at_once=2)
    house.clock.on_wait.append(opens(house.yard, "carry b"))
    is_told_and_left(house, run, left)
    house.yard.set(standing=[])

    stopped = house.carry_out(run)

    assert stopped.state is RunState.STOPPED
    assert sorted(house.yard.changes) == ["carry a", "carry b", "shut"]
    assert stopped.ending.reason == "nothing more was started: `gate` was opened by bob"
    assert house.carry_out(run).state is RunState.SUCCEEDED
    assert house.yard.changes[3:] == ["shut", "carry c"]


def test_what_was_read_once_does_not_stand_for_the_second_time(house: House) -> None:
    """Bob opened the gate, shut it after the run had stopped, and then opened it once more."""
    house.yard.set(boxes=dict.fromkeys("abcde", "old"))
    run = stopped_half_way(house, at_once=2)
    house.yard.set(gate="shut", standing=["d"])
    house.clock.on_wait[:] = [opens(house.yard, "carry d")]
    is_told_and_left(house, run, "killed")
    house.yard.set(standing=[])

    stopped = house.carry_out(run)

    assert (stopped.state, house.yard.changes.count("shut")) == (RunState.STOPPED, 1)
    assert "carry d" in house.yard.changes
    assert "carry e" not in house.yard.changes


def test_a_run_is_resumed_though_the_clock_of_the_next_machine_is_behind(house: House) -> None:
    house.clock.passed = 300  # what it waits for, it waits so much longer
    run = house.approved(shut=True, seal=False)
    with pytest.raises(Crash):
        house.carry_out(run, Fate(JUST_BEFORE_A))
    house.yard.set(gate="open")
    house.clock.passed = 0

    assert house.carry_out(run).state is RunState.STOPPED
    assert house.carry_out(run).state is RunState.SUCCEEDED


def with_a_half_way(house: House, *, is_shutting: bool = False) -> Run:
    """Return a run that stopped for the open gate, with box a carried and not sealed."""
    run, now = house.approved(shut=True), house.clock.now()
    house.yard.set(boxes={"a": "new", "b": "old"})
    epoch = house.journal.take_up(run.id, "one", now).epoch
    for step in ("shut/gate/0", "carry/a/0"):
        house.journal.found_done(run.id, epoch, step, now, {})
    told = Event(at=now, epoch=epoch, what="taken away", thing="gate", step="shut/gate/0")
    house.journal.tell(run.id, told)
    if is_shutting:
        house.journal.intend(run.id, epoch, "shut/gate/0", {}, now)
    return house.journal.end(run.id, epoch, RunState.STOPPED, now, Said())


@pytest.mark.parametrize(
    ("yard", "reason"),
    [
        ({"gate": "barred"}, "shut the gate: it is barred by carol"),
        ({"trouble": "dark"}, "the gate cannot be seen"),
        ({"trouble": "forbidden"}, "nobody may look at the gate"),
    ],
)
def test_what_is_half_way_is_not_left_so_where_the_gate_cannot_be_shut_again(
    house: House, yard: dict[str, str], reason: str
) -> None:
    run = with_a_half_way(house)
    house.yard.set(**yard)

    stopped = house.carry_out(run)

    assert (stopped.state, house.yard.changes) == (RunState.STOPPED, ["seal a"])
    assert stopped.ending.reason == reason
    house.yard.set(gate="open", trouble="")
    assert house.carry_out(run).state is RunState.SUCCEEDED
    assert house.yard.changes == ["seal a", "shut", "carry b", "seal b"]


def test_what_is_half_way_is_not_left_so_where_the_shutting_fails_in_its_stage(
    house: House,
) -> None:
    run = with_a_half_way(house, is_shutting=True)
    house.yard.set(gate="barred")

    stopped = house.carry_out(run)

    assert (stopped.state, house.yard.changes) == (RunState.STOPPED, ["seal a"])
    assert stopped.ending.reason == "shut the gate: it is barred by carol"


def test_what_is_half_way_is_not_left_so_where_nobody_may_look_before_its_stage(
    house: House,
) -> None:
    run = with_a_half_way(house)
    house.yard.set(trouble="forbidden")
    house.brakes.press()  # so that nothing is done again

    stopped = house.carry_out(run)

    assert (stopped.state, house.yard.changes) == (RunState.STOPPED, ["seal a"])
    assert stopped.ending.reason == "nobody may look at the gate"
