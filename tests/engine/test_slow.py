"""A deadline starts what was declared for it; it never settles what the world works on."""

import pytest

from engine.fakes import House
from stackward.model.run import RunState, Settled


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


def test_a_proof_that_stays_wrong_fails_in_the_end_and_the_run_can_be_cancelled(
    house: House,
) -> None:
    house.yard.set(boxes={"a": "old"}, trouble="dust")
    run = house.approved(seal=False)

    ended = house.carry_out(run)

    assert (ended.state, ended.ending.reason) == (RunState.STOPPED, "carry `a`: it is dusty")
    assert house.cancel(run).state is RunState.CANCELLED
    assert "waiting" in house.told(run)
