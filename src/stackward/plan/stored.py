"""A plan as JSON and back, without loss.

The form has a number. A newer number is refused, and so is everything that this version does not
know. A plan that is not understood to its last field is not carried out.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from stackward.errors import BadInput
from stackward.plan.kinds import Kinds, Stored, class_of
from stackward.plan.plan import Blocked, Move, Plan, Stage, Warned

FORMAT = 1

# A plan has few types and many values: to make an adapter takes far longer than to use it.
_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)


VOLATILE: Mapping[str, bool] = {"volatile": True}
"""For `field(metadata=VOLATILE)`: used and shown, but not a decision, so it is never compared."""

FLAT: Mapping[str, bool] = {"flat": True}
"""For `field(metadata=FLAT)`: a dataclass whose fields are stored among those of what holds it."""


def to_json(plan: Plan[Any]) -> str:
    """Return the plan as text that people can read and `from_json` turns back."""
    return json.dumps(to_mapping(plan), indent=1, ensure_ascii=False) + "\n"


def to_mapping(plan: Plan[Any]) -> dict[str, Any]:
    """Return the plan as JSON values."""
    return {
        "format": FORMAT,
        "title": plan.title,
        "request": dump(plan.request),
        "holds": list(plan.holds),
        "decisions": dict(plan.decisions),
        "facts": plan.facts,
        "notices": list(plan.notices),
        "blockers": [_fields_of(each) for each in plan.blockers],
        "warnings": [_fields_of(each) for each in plan.warnings],
        "stages": [_stage(each) for each in plan.stages],
        "verify": [dump(each) for each in plan.verify],
        "undoes": plan.undoes,
    }


def _stage(stage: Stage[Any]) -> dict[str, Any]:
    later = {} if stage.sets_aside is None else {"sets_aside": stage.sets_aside}
    return {
        "name": stage.name,
        "at_once": stage.at_once,
        "goes_on": stage.goes_on,
        "catches_up": stage.catches_up,
        **later,
        "needs": [dump(each) for each in stage.needs],
        "moves": [dump_move(each) for each in stage.moves],
    }


def dump_move(move: Move[Any]) -> dict[str, Any]:
    """Return a move as JSON values."""
    return {
        "thing": move.thing,
        "thing_id": move.thing_id,
        "how": move.how,
        "slow_after_s": move.slow_after_s,
        "expects": move.expects,
        "record": move.record,
        "steps": [dump(each) for each in move.steps],
        "on_slow": [dump(each) for each in move.on_slow],
        "instead": [dump(each) for each in move.instead],
        "on_failed": [dump(each) for each in move.on_failed],
    }


def dump(each: Stored) -> dict[str, Any]:
    """Return a step, check or request: its kind, then its fields."""
    return {"kind": each.kind, **_fields_of(each)}


def _fields_of(each: object) -> dict[str, Any]:
    dumped = _adapter(type(each)).dump_python(each, mode="json")
    stored: dict[str, Any] = {}
    for one in fields(each):  # type: ignore[arg-type]  # a dataclass
        stored |= dumped[one.name] if _is_flat(one) else {one.name: dumped[one.name]}
    return stored


def _is_flat(one: "Field[Any]") -> bool:
    return bool(one.metadata.get("flat"))


def decided(each: Stored) -> dict[str, Any]:
    """Return what of a step, check or request is a decision: all but its volatile fields."""
    passing = {one.name for one in fields(each) if one.metadata.get("volatile")}  # type: ignore[arg-type]  # a dataclass
    return {name: value for name, value in dump(each).items() if name not in passing}


def from_json(text: str, kinds: Kinds) -> Plan[Any]:
    """Read what `to_json` wrote; refuse what is not understood, and say where."""
    try:
        stored = json.loads(text)
    except ValueError as error:
        raise BadInput(
            f"the plan is not JSON: {error}", hint="write it again with `--plan-out`"
        ) from error
    return from_mapping(stored, kinds)


def from_mapping(stored: object, kinds: Kinds) -> Plan[Any]:
    """Turn JSON values into the plan that they mean."""
    if not isinstance(stored, dict) or not isinstance(stored.get("format"), int):
        raise BadInput(
            "this is not a stored plan: it has no `format`",
            hint="`--plan-out FILE` writes one",
        )
    if stored["format"] > FORMAT:
        raise BadInput(
            f"the plan has the format {stored['format']}; this version of Stackward knows those "
            f"up to {FORMAT}",
            hint="use the version that made the plan, or plan again",
        )
    whole = _known({**stored}, Plan, "the plan", beside={"format"})
    try:
        return Plan(
            title=_as(str, whole["title"], "title"),
            request=_load(whole["request"], kinds.requests, "request"),
            holds=_as(tuple[str, ...], whole["holds"], "holds"),
            decisions=_as(dict[str, str], whole["decisions"], "decisions"),
            facts=_as(dict[str, Any], whole["facts"], "facts"),
            notices=_as(tuple[str, ...], whole["notices"], "notices"),
            blockers=_as(tuple[Blocked, ...], whole["blockers"], "blockers"),
            warnings=_as(tuple[Warned, ...], whole["warnings"], "warnings"),
            stages=tuple(
                _to_stage(each, kinds) for each in _as(list[Any], whole["stages"], "stages")
            ),
            verify=_load_all(whole["verify"], kinds.checks, "check"),
            undoes=_as(str | None, whole["undoes"], "undoes"),
        )
    except ValueError as error:
        raise _wrong("the plan", str(error)) from error


def _to_stage(stored: object, kinds: Kinds) -> Stage[Any]:
    whole = _known(stored, Stage, "a stage")
    if isinstance(stored, dict) and "sets_aside" not in stored:
        whole["sets_aside"] = None  # nobody has decided it: False would be a decision
    return Stage(
        name=_as(str, whole["name"], "the name of a stage"),
        at_once=_as(int, whole["at_once"], "at_once"),
        goes_on=_as(bool, whole["goes_on"], "goes_on"),
        catches_up=_as(bool, whole["catches_up"], "catches_up"),
        sets_aside=_as(bool | None, whole["sets_aside"], "sets_aside"),
        needs=_load_all(whole["needs"], kinds.checks, "check"),
        moves=tuple(load_move(each, kinds) for each in _as(list[Any], whole["moves"], "moves")),
    )


def load_move(stored: object, kinds: Kinds) -> Move[Any]:
    """Read what `dump_move` wrote; refuse what is not understood, and say where."""
    whole = _known(stored, Move, "a move")
    return Move(
        thing=_as(str, whole["thing"], "the thing of a move"),
        thing_id=_as(str, whole["thing_id"], "thing_id"),
        how=_as(str, whole["how"], "how"),
        slow_after_s=_as(float | None, whole["slow_after_s"], "slow_after_s"),
        expects=_as(dict[str, Any], whole["expects"], "expects"),
        record=_as(str, whole["record"], "record"),
        steps=_load_all(whole["steps"], kinds.steps, "step"),
        on_slow=_load_all(whole["on_slow"], kinds.steps, "step"),
        instead=_load_all(whole["instead"], kinds.steps, "step"),
        on_failed=_load_all(whole["on_failed"], kinds.steps, "step"),
    )


def load_request(stored: Mapping[str, Any], kinds: Kinds) -> Any:  # noqa: ANN401  # by its kind
    """Read a request that `dump` wrote; refuse what is not understood, and say where."""
    return _load(stored, kinds.requests, "request")


def _load_all(stored: object, known: Mapping[str, type[Any]], what: str) -> tuple[Any, ...]:
    return tuple(_load(each, known, what) for each in _as(list[Any], stored, f"the {what}s"))


def _load(stored: object, known: Mapping[str, type[Any]], what: str) -> Any:  # noqa: ANN401  # by its kind
    if not isinstance(stored, dict):
        raise _wrong(f"a {what}", "is not a mapping with a `kind`")
    meant = class_of(stored.get("kind"), known, what)
    whole = _known(stored, meant, f"the {what} `{meant.kind}`", beside={"kind"})
    made = {
        one.name: {each.name: whole[each.name] for each in fields(_class_of(one))}
        if _is_flat(one)
        else whole[one.name]
        for one in fields(meant)
    }
    return _as(meant, made, f"{what} `{meant.kind}`", [*filter(_is_flat, fields(meant))])


def _declared(meant: type[Any]) -> "Iterator[Field[Any]]":
    """Return the fields of a class as they are stored."""
    for one in fields(meant):
        yield from fields(_class_of(one)) if _is_flat(one) else (one,)


def _class_of(one: "Field[Any]") -> type[Any]:
    assert isinstance(one.type, type)  # noqa: S101  # no room of stored classes has them as words
    return one.type


def _known(
    stored: object, meant: type[Any], what: str, beside: frozenset[str] | set[str] = frozenset()
) -> dict[str, Any]:
    """Return the stored fields, all of them known, those that came later with their defaults."""
    if not isinstance(stored, dict):
        raise _wrong(what, "is not a mapping")
    declared = {one.name: one for one in _declared(meant)}
    unknown = sorted(stored.keys() - declared.keys() - beside)
    if unknown:
        raise _wrong(what, f"has unknown fields: {', '.join(unknown)}")
    whole = {name: stored[name] if name in stored else _usual(declared[name]) for name in declared}
    missing = sorted(name for name, value in whole.items() if value is MISSING)
    if missing:
        raise _wrong(what, f"has no {', '.join(missing)}")
    return whole


def _usual(of: "Field[Any]") -> Any:  # noqa: ANN401 # the field's default, of any type
    usual = of.default_factory() if of.default_factory is not MISSING else of.default
    return list(usual) if isinstance(usual, tuple) else usual


def _as(
    meant: Any,  # noqa: ANN401  # types as values
    stored: object,
    what: str,
    flat: "Sequence[Field[Any]]" = (),
) -> Any:  # noqa: ANN401  # same
    """Take a JSON value as a type, strictly: "2" is not 2."""
    if _is_plainly(meant, stored):
        return stored
    try:
        return _adapter(meant).validate_json(json.dumps(stored), strict=True)
    except ValidationError as error:
        [first, *_] = error.errors()
        where = (
            first["loc"][1:] if first["loc"][:1] in [(one.name,) for one in flat] else first["loc"]
        )
        at = ".".join(str(each) for each in where)
        raise _wrong(what, f"{at + ': ' if at else ''}{first['msg'].lower()}") from error


def _is_plainly(meant: Any, stored: object) -> bool:  # noqa: ANN401  # types as values
    """Say whether a value needs no reading: most of a plan are words, numbers and lists of parts.

    What is in a list of anything is read by itself; a text is looked at for half a character.
    """
    if meant is str:
        return isinstance(stored, str) and stored.isascii()
    if meant in {bool, int}:
        return type(stored) is meant
    return bool(meant == list[Any] and type(stored) is list)


def _wrong(what: str, why: str) -> BadInput:
    return BadInput(
        f"the stored plan cannot be understood: {what} {why}",
        hint="a plan is not edited by hand: plan again with `--plan-out`",
    )
