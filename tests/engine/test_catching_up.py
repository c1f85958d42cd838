"""What comes while a run goes on is carried out too, if nothing stands against it."""

from pathlib import Path

import pytest

from engine.fakes import House, tidying
from killing import killed
from postgres import ON_BOTH
from stackward.model.run import RunState

ONE_BOX = {"boxes": {"a": "old"}}


def comes(house: House, box: str, **yard: object) -> None:
    """Let another box come before a run is carried out to the end."""

    def come() -> None:
        seen = house.yard.seen()
        if box not in seen["boxes"]:
            house.yard.set(boxes=seen["boxes"] | {box: "old"}, **yard)

    house.clock.on_wait.append(come)


def approved_then_comes(house: House, box: str, **yard: object) -> str:
    """Approve a run of one box; let another come before it is carried out to the end."""
    house.yard.set(**ONE_BOX)
    run = house.approved(seal=False, catch_up=True)
    comes(house, box, **yard)
    return run.id


@ON_BOTH
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


def test_a_crash_meanwhile_does_nothing_twice(tmp_path: Path) -> None:
    well = (RunState.SUCCEEDED, ["carry a", "carry b"])

    killed(
        tidying(
            yard=ONE_BOX,
            before=lambda house: comes(house, "b"),
            seal=False,
            catch_up=True,
            ends=well,
        ),
        tmp_path,
        every=2,
    )
