"""What comes while a run goes on is carried out too, if nothing stands against it."""

import pytest

from engine.fakes import Crash, Fate, House
from stackward.model.run import RunState

POINTS = 24  # two for each write and each change


def approved_then_comes(house: House, box: str, **yard: object) -> str:
    """Approve a run of one box; let another come before it is carried out to the end."""
    house.yard.set(boxes={"a": "old"})
    run = house.approved(seal=False, catch_up=True)

    def come() -> None:
        seen = house.yard.seen()
        if box not in seen["boxes"]:
            house.yard.set(boxes=seen["boxes"] | {box: "old"}, **yard)

    house.clock.on_wait.append(come)
    return run.id


def test_what_is_new_is_moved_under_the_same_approval(house: House) -> None:
    run = house.journal.run(approved_then_comes(house, "b"))

    ended = house.carry_out(run)

    assert (ended.state, house.yard.changes) == (RunState.SUCCEEDED, ["carry a", "carry b"])
    assert [one.step for one in house.journal.attempts(run.id)] == ["carry/a/0", "late/b/0"]


@pytest.mark.parametrize(
    ("yard", "says"),
    [
        pytest.param({"heavy": ["b"]}, "`b` is heavy (lift it)", id="blocked"),
        pytest.param({"fragile": ["b"]}, "`b` is fragile", id="warned of"),
    ],
)
def test_what_is_new_and_not_harmless_stops_the_run(
    house: House, yard: dict[str, list[str]], says: str
) -> None:
    run = house.journal.run(approved_then_comes(house, "b", **yard))

    ended = house.carry_out(run)

    assert (ended.state, house.yard.changes) == (RunState.STOPPED, ["carry a"])
    assert says in ended.ending.details


@pytest.mark.parametrize("dies_at", range(1, POINTS + 1))
def test_a_crash_meanwhile_does_nothing_twice(house: House, dies_at: int) -> None:
    run = house.journal.run(approved_then_comes(house, "b"))
    with pytest.raises(Crash):
        house.carry_out(run, Fate(dies_at))

    ended = house.journal.run(run.id)
    if not ended.state.is_over:
        ended = house.carry_out(run)

    assert (ended.state, house.yard.changes) == (RunState.SUCCEEDED, ["carry a", "carry b"])
