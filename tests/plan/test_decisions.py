"""What makes an approved plan differ from one of fresh facts."""

from dataclasses import replace

import pytest

from engine.fakes import Carry, IsAt, IsOpen, Seal, Tidy, YardWorld
from stackward.model.cloud import CloudIdentity
from stackward.plan import Blocked, Move, Plan, Stage, differences, of_cloud


def a_move(thing: str, *, how: str = "by hand", target: object = None) -> Move[YardWorld]:
    return Move(thing=thing, how=how, steps=(Carry(thing),), expects={"target": str(target)})


def a_plan(*moves: Move[YardWorld], **other: object) -> Plan[YardWorld]:
    plan: Plan[YardWorld] = Plan(
        title="tidy",
        request=Tidy(),
        stages=(Stage(name="close", moves=()), Stage(name="carry", moves=moves)),
        verify=(IsAt(("a",)),),
    )
    return replace(plan, **other)  # type: ignore[arg-type]  # whatever the test changes


def test_300_things_one_gone_and_other_targets_still_hold() -> None:
    approved = a_plan(*(a_move(f"box-{n}", target=1) for n in range(300)))
    fresh = a_plan(*(a_move(f"box-{n}", target=2) for n in range(1, 300)), facts={"load": 50})

    found = differences(approved, fresh)

    assert (found.against, found.told) == ((), ("`box-0` is gone: nothing to do for it",))
    assert found.gone == {("carry", "box-0")}


@pytest.mark.parametrize(
    ("approved", "says"),
    [
        pytest.param(a_plan(a_move("a", how="thrown")), "would now be moved by hand", id="how"),
        pytest.param(
            a_plan(replace(a_move("a"), steps=(Seal("a"),))),
            "`a`: steps 1 kind was `seal`, is `carry`",
            id="a step",
        ),
        pytest.param(
            a_plan(replace(a_move("a"), slow_after_s=1)),
            "`a`: slow after was `1`, is none",
            id="its deadline",
        ),
        pytest.param(a_plan(a_move("a"), verify=()), "would now also be proved", id="the proof"),
        pytest.param(
            a_plan(a_move("a"), request=Tidy(at_once=9)),
            "the request: at_once was `9`, is `1`",
            id="asked",
        ),
        pytest.param(a_plan(a_move("a"), holds=("yard",)), "nodes held were", id="the nodes"),
        pytest.param(
            a_plan(
                stages=(Stage(name="carry", moves=(a_move("a"),)), Stage(name="close", moves=()))
            ),
            "the order of the stages",
            id="the order",
        ),
        pytest.param(
            a_plan(
                stages=(
                    Stage(name="close", moves=(), needs=(IsOpen(),)),
                    Stage(name="carry", moves=(a_move("a"),)),
                )
            ),
            "stage `close`: needs was 1 of them, is none",
            id="what a stage needs",
        ),
        pytest.param(a_plan(), "`a` is new", id="a thing"),
    ],
)
def test_another_decision_refuses_the_approved_plan(approved: Plan[YardWorld], says: str) -> None:
    """Each of these is also what a plan file edited by hand looks like."""
    [against] = differences(approved, a_plan(a_move("a"))).against

    assert says in against


def test_a_plan_of_another_cloud_is_refused_though_both_have_one_name() -> None:
    here, there = (of_cloud(a_plan(), CloudIdentity(id=each, name="east")) for each in "ab")

    [against] = differences(here, there).against

    assert against.startswith("the cloud was")


def test_numbers_in_a_reason_do_not_make_another_verdict() -> None:
    before, after = (Blocked("a", f"is {kg} kg", "lift it", worry="heavy") for kg in (10, 11))

    found = differences(a_plan(blockers=(before,)), a_plan(blockers=(after,)))

    assert (found.against, found.told) == ((), ())
