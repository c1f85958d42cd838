"""An approved plan is carried out only if the same would be decided now."""

import pytest

from engine.fakes import House
from postgres import ON_BOTH
from stackward.model.run import RunState


@ON_BOTH
@pytest.mark.parametrize(
    ("given", "says"),
    [
        pytest.param(
            {"heavy": ["a"]}, "a new blocker, `a`: is heavy; remedy: lift it", id="a new blocker"
        ),
        pytest.param({"fragile": ["a"]}, "`a` has a new warning: is fragile", id="a new warning"),
        pytest.param(
            {"boxes": {"a": "old", "b": "old", "c": "old"}},
            "`c` is new: it would be moved by hand",
            id="a new thing",
        ),
        pytest.param({"gate": "shut"}, "gate: was open, is shut", id="another decision"),
    ],
)
def test_a_stale_plan_changes_nothing_and_says_what_differs(
    house: House, given: dict[str, object], says: str
) -> None:
    run = house.approved()
    house.yard.set(**given)

    ended = house.carry_out(run)

    assert (ended.state, house.yard.changes) == (RunState.REFUSED, [])
    assert says in ended.ending.details


def test_a_stale_plan_frees_its_node(house: House) -> None:
    run = house.approved()
    house.yard.set(gate="shut")
    house.carry_out(run)

    assert house.approved().state is RunState.QUEUED


def test_other_numbers_and_things_that_are_gone_do_not_make_a_plan_stale(house: House) -> None:
    house.yard.set(fragile=["a"])
    run = house.approved()
    house.yard.set(load=77, fragile=[], boxes={"b": "old"})

    ended = house.carry_out(run)

    assert (ended.state, house.yard.changes) == (RunState.SUCCEEDED, ["carry b", "seal b"])
    reasons = [event.says.get("reason") for event in house.journal.events(run.id)]
    assert "`a` is gone: nothing to do for it" in reasons


def test_a_plan_is_compared_before_its_first_step_only(house: House) -> None:
    house.yard.set(fails=["b"])
    run = house.carry_out(house.approved())
    house.yard.set(fails=[], gate="shut")

    assert house.carry_out(run).state is RunState.SUCCEEDED
