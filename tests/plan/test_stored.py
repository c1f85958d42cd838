"""A plan as stored: nothing is lost, and nothing is understood by half."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.fakes import Carry, Hurry, IsAt, IsOpen, Seal, Tidy, TidyOperation, YardWorld
from stackward.errors import BadInput
from stackward.plan import Blocked, Kinds, Move, Plan, Stage, Warned, from_json, to_json

GOLDEN = Path(__file__).with_name("format-1.json")
KINDS = TidyOperation.kinds


def a_plan() -> Plan[YardWorld]:
    return Plan(
        title="tidy the yard",
        request=Tidy(at_once=2, when_slow="force"),
        holds=("yard",),
        decisions={"gate": "open"},
        facts={"load": 1, "parts": [1, 2.5, None, {"deep": True}]},
        notices=("boxes cannot be opened meanwhile",),
        blockers=(Blocked("c", "is heavy", "lift it", thing_id="id-c", worry="heavy"),),
        warnings=(Warned("a", "is fragile"),),
        stages=(
            Stage(
                name="carry",
                moves=(
                    Move(
                        thing="a",
                        thing_id="id-a",
                        how="by hand",
                        steps=(Carry("a"), Seal("a")),
                        on_slow=(Hurry("a", well=True),),
                        on_failed=(Seal("a"),),
                        slow_after_s=30,
                        expects={"shelf": "new"},
                    ),
                ),
                at_once=2,
                needs=(IsOpen(),),
                goes_on=True,
            ),
        ),
        verify=(IsAt(("a",)),),
    )


def test_nothing_is_lost() -> None:
    assert from_json(to_json(a_plan()), KINDS) == a_plan()


def test_the_format_is_the_one_that_older_versions_wrote() -> None:
    """If this fails, stored plans of running drains can no longer be read: migrate them."""
    assert to_json(a_plan()) == GOLDEN.read_text()
    assert from_json(GOLDEN.read_text(), KINDS) == a_plan()


def test_what_came_later_has_its_usual_value_in_an_older_plan() -> None:
    stored = json.loads(to_json(a_plan()))
    del stored["stages"][0]["goes_on"]

    assert from_json(json.dumps(stored), KINDS).stages[0].goes_on is False


def test_what_is_done_instead_is_not_lost_either() -> None:
    [stage] = a_plan().stages
    [move] = stage.moves
    otherwise = replace(stage, moves=(replace(move, instead=(Seal("a"),)),))

    plan = replace(a_plan(), stages=(otherwise,))

    assert from_json(to_json(plan), KINDS) == plan


def test_a_move_that_nothing_gives_up_has_nothing_to_be_done_instead() -> None:
    with pytest.raises(ValueError, match="without `on_slow`"):
        Move(thing="a", how="by hand", steps=(Carry("a"),), instead=(Seal("a"),))


@pytest.mark.parametrize(("later", "usual"), [("record", ""), ("instead", ())])
def test_what_came_later_to_moves_has_its_usual_value_in_an_older_plan(
    later: str, usual: object
) -> None:
    stored = json.loads(to_json(a_plan()))
    del stored["stages"][0]["moves"][0][later]

    [move] = from_json(json.dumps(stored), KINDS).stages[0].moves
    assert getattr(move, later) == usual


def changed(change: Callable[[Any], object]) -> str:
    stored = json.loads(to_json(a_plan()))
    change(stored)
    return json.dumps(stored)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("{", "not JSON", id="cut off"),
        pytest.param("[]", "not a stored plan", id="another file"),
        pytest.param(changed(lambda p: p.update(format=2)), "format 2", id="a newer format"),
        pytest.param(changed(lambda p: p.update(more=1)), "unknown fields: more", id="more"),
        pytest.param(changed(lambda p: p.pop("title")), "no title", id="less"),
        pytest.param(
            changed(lambda p: p["request"].update(at_once="2")), "at_once", id="another type"
        ),
        pytest.param(changed(lambda p: p.update(title=2)), "title input", id="a number for a text"),
        pytest.param(changed(lambda p: p.update(title="\ud800")), "title", id="half a character"),
        pytest.param(changed(lambda p: p.update(stages={})), "stages", id="no list"),
        pytest.param(
            changed(lambda p: p["stages"][0].update(goes_on=1)), "goes_on", id="no truth value"
        ),
        pytest.param(
            changed(lambda p: p["stages"][0].update(at_once=True)), "at_once", id="no number"
        ),
        pytest.param(
            changed(lambda p: p["request"].update(sudo=True)), "unknown fields: sudo", id="a field"
        ),
        pytest.param(
            changed(lambda p: p["stages"][0]["moves"][0]["steps"][0].update(kind="burn")),
            "a step `burn`",
            id="an unknown step",
        ),
        pytest.param(
            changed(lambda p: p["stages"].append(p["stages"][0])), "two stages", id="twice"
        ),
    ],
)
def test_what_is_not_understood_is_refused(text: str, says: str) -> None:
    with pytest.raises(BadInput) as refused:
        from_json(text, KINDS)

    assert says in refused.value.message


def test_two_classes_of_one_kind_are_a_defect() -> None:
    class Carry2:
        kind = "carry"

    with pytest.raises(ValueError, match="two classes of the kind 'carry'"):
        Kinds.of(steps=(Carry, Carry2))
