"""What must last as long as a run is looked at again before each move; others may take it away."""

from typing import Any

import pytest

from engine.fakes import Crash, Fate, House, Yard
from stackward.errors import ExitCode
from stackward.model.run import Run, RunState

JUST_BEFORE_A = 13  # the point of a worker's life at which box a is about to be carried


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
