"""A deadline starts what was declared for it; it never settles what the world works on."""

from dataclasses import replace
from pathlib import Path

import pytest

from engine.fakes import QUICK, House, tidying
from killing import killed
from postgres import ON_BOTH
from stackward.model.run import Run, RunState, Settled

SELDOM = replace(QUICK, poll_s=10)


@ON_BOTH
@pytest.mark.parametrize(
    ("when_slow", "state", "changes"),
    [
        pytest.param("force", RunState.SUCCEEDED, ["carry a", "hurry a"], id="forced: it is done"),
        pytest.param("abort", RunState.STOPPED, ["carry a", "hurry a"], id="aborted: it stops"),
    ],
)
def test_what_was_declared_is_started_once_at_the_deadline(
    house: House, when_slow: str, state: RunState, changes: list[str]
) -> None:
    house.yard.set(takes=10_000, boxes={"a": "old"})

    run = house.carry_out(house.approved(when_slow=when_slow, seal=False))

    assert (run.state, house.yard.changes) == (state, changes)
    assert 30 <= house.clock.passed < 35


def test_a_slow_move_without_a_policy_is_waited_for(house: House) -> None:
    house.yard.set(takes=200, boxes={"a": "old"})

    run = house.carry_out(house.approved(seal=False))

    assert (run.state, house.yard.changes) == (RunState.SUCCEEDED, ["carry a"])
    assert house.told(run).count("is slow") == 1


def test_help_that_comes_too_late_is_settled_as_moot(house: House) -> None:
    house.yard.set(takes=60, boxes={"a": "old"})
    run = house.approved(when_slow="force", seal=False)
    house.clock.on_wait.append(
        lambda: house.yard.set(changes=[c for c in house.yard.changes if "hurry" not in c])
    )

    ended = house.carry_out(run)

    [late] = [one for one in house.journal.attempts(run.id) if "slow-" in one.step]
    assert (ended.state, late.settled) == (RunState.SUCCEEDED, Settled.MOOT)


@pytest.mark.parametrize(
    ("when_slow", "boxes"),
    [
        pytest.param("force", {"a": "old"}, id="the move is done, and was all there was"),
        pytest.param("force", {"a": "old", "b": "old"}, id="the move is done, another is left"),
        pytest.param("push", {"a": "old"}, id="the move was given up, and goes another way"),
    ],
)
def test_help_is_settled_wherever_the_worker_dies(
    tmp_path: Path, when_slow: str, boxes: dict[str, str]
) -> None:
    """Help that takes long is open when its move ends; whoever comes next settles it."""

    def left_open(house: House, run: Run) -> object:
        return run.state, [one for one in house.journal.attempts(run.id) if one.is_in_flight]

    points = killed(
        tidying(
            yard={"takes": 9, "boxes": boxes, "slow_help": True},
            pace=SELDOM,
            stands=left_open,
            ends=(RunState.SUCCEEDED, []),
            when_slow=when_slow,
            seal=False,
        ),
        tmp_path,
        every=2,
    )

    assert "after intend carry/a/slow-0" in points


def test_a_proof_that_stays_wrong_fails_in_the_end_and_the_run_can_be_cancelled(
    house: House,
) -> None:
    house.yard.set(boxes={"a": "old"}, trouble="dust")
    run = house.approved(seal=False)

    ended = house.carry_out(run)

    assert (ended.state, ended.ending.reason) == (RunState.STOPPED, "carry `a`: it is dusty")
    assert house.cancel(run).state is RunState.CANCELLED
    assert "waiting" in house.told(run)
