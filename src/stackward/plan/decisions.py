"""Compare the decisions of two plans for one request: the approved one, and one from fresh facts.

Usages, times and expected targets differ from minute to minute and are never compared. What was
decided is: which things are moved and how, what blocks, what is warned of, what is proved. This
also catches a stored plan that was edited by hand.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from stackward.model.cloud import CLOUD, KnownCloud
from stackward.plan.of_cloud import cloud_of
from stackward.plan.plan import Move, Plan, Stage
from stackward.plan.stored import decided, dump


@dataclass(frozen=True, slots=True)
class Differences:
    """What differs: what refuses the approved plan, and what is only reported."""

    against: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    gone: frozenset[tuple[str, str]] = frozenset()  # (stage, move) that have nothing left to do


def differences(approved: Plan[Any], fresh: Plan[Any]) -> Differences:
    """Compare what was approved with what would be decided now."""
    against = [*_of_the_whole(approved, fresh), *_of_verdicts(approved, fresh)]
    against += _of_moves(approved, fresh)
    blocked = {blocker.thing_id or blocker.thing for blocker in fresh.blockers}
    now = {(stage.name, move.key) for stage, move in fresh.moves()}
    gone = {
        (stage.name, move.key): move
        for stage, move in approved.moves()
        if (stage.name, move.key) not in now and move.key not in blocked
    }
    told = [f"`{move.thing}` is gone: nothing to do for it" for move in gone.values()]
    told += _no_longer(approved, fresh)
    return Differences(tuple(against), tuple(told), frozenset(gone))


def _of_the_whole(approved: Plan[Any], fresh: Plan[Any]) -> Iterator[str]:
    for change in _changes(dump(approved.request), dump(fresh.request)):
        yield f"the request: {change}"
    if approved.title != fresh.title:
        yield f"the title was {approved.title!r}, is {fresh.title!r}"
    if approved.holds != fresh.holds:
        yield f"the nodes held were {_named(approved.holds)}, are {_named(fresh.holds)}"
    yield from _of_the_cloud(cloud_of(approved), cloud_of(fresh))
    for name in sorted((approved.decisions.keys() | fresh.decisions.keys()) - {CLOUD}):
        before, after = (each.decisions.get(name, "not said") for each in (approved, fresh))
        if before != after:
            yield f"{name}: was {before}, is {after}"
    order = [[stage.name for stage in each.stages] for each in (approved, fresh)]
    was, now = (
        [name for name in names if name in set(order[0]) & set(order[1])] for names in order
    )
    if was != now:
        yield f"the order of the stages was {_named(was)}, is {_named(now)}"
    proved = [decided(check) for check in approved.verify]
    for check in fresh.verify:
        if decided(check) not in proved:
            yield f"it would now also be proved that {check.summary}"


def _of_the_cloud(before: KnownCloud, after: KnownCloud) -> Iterator[str]:
    if before.id != after.id:
        yield f"the cloud was {before}, is {after}"


def _of_verdicts(approved: Plan[Any], fresh: Plan[Any]) -> Iterator[str]:
    known = {blocker.key for blocker in approved.blockers}
    for blocker in fresh.blockers:
        if blocker.key not in known:
            yield f"a new blocker, `{blocker.thing}`: {blocker.reason}; remedy: {blocker.remedy}"
    known = {warning.key for warning in approved.warnings}
    for warning in fresh.warnings:
        if warning.key not in known:
            yield f"`{warning.thing}` has a new warning: {warning.reason}"


def _no_longer(approved: Plan[Any], fresh: Plan[Any]) -> Iterator[str]:
    for what, before, after in (
        ("blocks", approved.blockers, fresh.blockers),
        ("is warned of", approved.warnings, fresh.warnings),
    ):
        left = {verdict.key for verdict in after}
        for verdict in before:
            if verdict.key not in left:
                yield f"`{verdict.thing}` no longer {what}: {verdict.reason}"


def _of_moves(approved: Plan[Any], fresh: Plan[Any]) -> Iterator[str]:
    stages = {stage.name: stage for stage in approved.stages}
    for stage in fresh.stages:
        before = stages.get(stage.name)
        moves = {move.key: move for move in before.moves} if before else {}
        if before is not None:
            now = stage if before.sets_aside is not None else replace(stage, sets_aside=None)
            for change in _changes(_manner(before), _manner(now)):
                yield f"stage `{stage.name}`: {change}"
        for move in stage.moves:
            if move.key not in moves:
                yield f"`{move.thing}` is new: it would be moved {move.how}"
            else:
                yield from _of_move(moves[move.key], move)


def _of_move(before: Move[Any], after: Move[Any]) -> Iterator[str]:
    if before.how != after.how:
        yield f"`{after.thing}`: the plan moves it {before.how}; it would now be moved {after.how}"
    else:
        for change in _changes(_what(before), _what(after)):
            yield f"`{after.thing}`: {change}"


def _changes(was: object, now: object, name: str = "") -> Iterator[str]:
    """Return what differs in two values, each by its place in them."""
    match was, now:
        case Mapping(), Mapping():
            for key in dict.fromkeys([*was, *now]):
                yield from _changes(was.get(key), now.get(key), f"{name} {key}".lstrip())
        case list() | tuple(), list() | tuple() if len(was) == len(now):
            for place, (before, after) in enumerate(zip(was, now, strict=True), 1):
                yield from _changes(before, after, f"{name} {place}")
        case _:
            if was != now:
                yield f"{name} was {_word(was)}, is {_word(now)}"


def _word(value: object) -> str:
    match value:
        case None | () | []:
            return "none"
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return f"{len(value)} of them"
        case Mapping():
            return f"`{value.get('kind', 'another')}`"
        case _:
            return f"`{value}`"


def _what(move: Move[Any]) -> Mapping[str, Any]:
    return {
        "steps": [decided(step) for step in move.steps],
        "when slow": [decided(step) for step in move.on_slow],
        "slow after": move.slow_after_s,
        "instead of a slow one": [decided(step) for step in move.instead],
        "when failed": [decided(step) for step in move.on_failed],
    }


def _manner(stage: Stage[Any]) -> Mapping[str, Any]:
    return {
        "at once": stage.at_once,
        "goes on after a failure": stage.goes_on,
        "catches up": stage.catches_up,
        "sets aside what fails": stage.sets_aside,
        "needs": [decided(check) for check in stage.needs],
    }


def _named(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"
