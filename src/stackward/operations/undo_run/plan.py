"""Undo a run: bring back what its journal says that it changed, and what is still its doing.

The operation of that run answers with the requests that take it back: of a drain a return, then the
servers come home that it moved; of a homecoming its servers go back to where they were; of a return
a drain, for what has come to the node since must leave it too. Each is planned by its own
operation, and they are joined here. What others have changed since is left alone, and named. An
undo is not undone in turn: what it undid is planned anew.
"""

from collections.abc import Iterator
from dataclasses import replace

from stackward.checks.instance_ha import InstanceHaKnows
from stackward.model.maintenance import Homecoming
from stackward.model.run import RunState
from stackward.moving.instance_ha import telling_instance_ha
from stackward.moving.leaving_servers import STALLS
from stackward.operations import operation
from stackward.operations.undo_run.rules import (
    NOT_MOVED_BACK,
    UNDO_ELSEWHERE,
    is_kept_off,
    is_open,
    is_serving,
    is_to_return,
    judge_undo,
    once_open,
    why_node_is_left,
)
from stackward.operations.undo_run.undoing import Part, Undoing, WayBack
from stackward.plan import Blocked, Plan, Request, Warned
from stackward.policy.maintenance import SETTLE, STAYS_AWAY, judge_words, why_it_stays
from stackward.policy.undo import NOTHING_TO_UNDO
from stackward.ports.world import World
from stackward.requests.drain_compute_node import DrainRequest
from stackward.requests.undo_run import UndoRequest
from stackward.wording import count_of

_START = "start"  # the stage of a return that starts nova-compute


def plan_undo(facts: Undoing, asked: UndoRequest) -> Plan[World]:
    """Plan how things come back to what they were before the run, from facts alone."""
    whole: Plan[World] = Plan(
        title=f"undo run `{facts.run}`, {facts.title}",
        request=asked,
        facts={"undoes": facts.run, "read at": facts.read_at.isoformat(timespec="seconds")},
        blockers=tuple(judge_undo(facts)),
        undoes=facts.run,
    )
    if whole.blockers:
        return whole
    if facts.whole is not None:
        return _as_undo(facts.whole, facts)
    back = _return(facts)
    ways = [_way_back(way, facts, asked, is_opened=back is not None) for way in facts.ways_back]
    told = _telling_instance_ha(facts, asked)
    parts = [*([back] if back else []), *([told] if told else []), *ways]
    stages = tuple(stage for part in parts for stage in part.stages)
    warnings = tuple(each for part in parts for each in part.warnings)
    left = [*_left(facts), *(line for way in ways for line in way.notices)]
    blockers = (*(back.blockers if back else ()), *_slips(facts, asked))
    if not (stages or blockers):
        why = "; ".join([*left, *(f"`{each.thing}` {each.reason}" for each in warnings)])
        why = why or "what it has changed is not its doing any more"
        blockers = (NOTHING_TO_UNDO.blocks(facts.run, facts.run, why=why),)
    return replace(
        whole,
        holds=(facts.returning.host,)
        if facts.returning
        else tuple(each.home.host for each in facts.ways_back),
        decisions=back.decisions if back else {},
        facts={**whole.facts, **(back.facts if back else {})},
        notices=(*_notices(facts, back, ways), *left),
        blockers=blockers,
        warnings=(*_of_which_cloud(facts), *warnings),
        stages=stages,
        verify=tuple(dict.fromkeys(check for part in parts for check in part.verify)),
    )


def _as_undo(part: Part, facts: Undoing) -> Plan[World]:
    """Return the one plan that takes all of the run back, with what it does beyond that."""
    plan = operation(part.request.kind).plan(part.facts, part.request)
    return replace(
        plan,
        notices=(*_beyond(part.request, facts), *plan.notices),
        warnings=(*_of_which_cloud(facts), *plan.warnings),
        undoes=facts.run,
    )


def _beyond(asked: Request, facts: Undoing) -> Iterator[str]:
    if isinstance(asked, DrainRequest):
        yield (
            f"the return of run `{facts.run}` is undone by a drain: every server that is on the "
            "node now leaves it, whoever put it there"
        )


def _of_which_cloud(facts: Undoing) -> tuple[Warned, ...]:
    return () if facts.is_cloud_known else (UNDO_ELSEWHERE.warns(facts.run, facts.run),)


def _return(facts: Undoing) -> Plan[World] | None:
    """Return how the node comes back that the run took out; None where that is not its doing."""
    node, asked = facts.returning, facts.request_of_return
    if node is None or asked is None or not is_to_return(facts):
        return None
    back = operation(asked.kind).plan(node, asked)
    # A run that came no further than its cordon has stopped nothing.
    stages = tuple(each for each in back.stages if each.name != _START or is_kept_off(node))
    return replace(back, stages=stages)


def _telling_instance_ha(facts: Undoing, asked: UndoRequest) -> Plan[World] | None:
    """Return how the instance-HA service is told, where the node is in service all the same."""
    node = facts.returning
    if node is None or not facts.has_told_ha or is_to_return(facts) or not is_serving(node):
        return None
    return Plan(
        title="",
        request=asked,
        stages=(telling_instance_ha(node.host, is_in_maintenance=False),),
        verify=(InstanceHaKnows(host=node.host, is_in_maintenance=False),),
    )


def _slips(facts: Undoing, asked: UndoRequest) -> Iterator[Blocked]:
    if not facts.is_of_one:  # the others are not among the facts then
        yield from judge_words(facts.run, [each.home for each in facts.ways_back], asked.how)


def _way_back(way: WayBack, facts: Undoing, asked: UndoRequest, *, is_opened: bool) -> Plan[World]:
    """Return how servers come back to a node that they left; its notices name who stays."""
    request, home = way.request, way.home
    if not (is_opened or is_open(home)):
        return Plan(title="", request=request, warnings=tuple(_shut_out(home, facts, asked)))
    found = replace(once_open(home, facts) if is_opened else home, way=_way(home, facts))
    plan = operation(request.kind).plan(found, request)
    [stage] = plan.stages
    return replace(
        plan,
        blockers=(),  # that the node is closed: it is opened before
        warnings=tuple(map(_told, plan.warnings)),
        notices=tuple(_stays(home, asked)),
        stages=(replace(stage, name=f"back to {home.name}"),) if stage.moves else (),
        verify=plan.verify if stage.moves else (),
    )


def _stays(home: Homecoming, asked: UndoRequest) -> Iterator[str]:
    for away in home.away:
        if (why := why_it_stays(away, home, asked.how.leave_behind)) is not None:
            yield f"`{away.drained.name}` is left alone: {why}"


def _shut_out(home: Homecoming, facts: Undoing, asked: UndoRequest) -> Iterator[Warned]:
    for away in home.away:
        if away.server and why_it_stays(away, home, asked.how.leave_behind) is None:
            yield NOT_MOVED_BACK.warns(
                away.server.label,
                away.server.id,
                host=away.server.host,
                because=f"`{home.name}` is not in service",
                advice=SETTLE,
                way=_way(home, facts),
            )


def _told(warned: Warned) -> Warned:
    """Call who stays by the word of an undo."""
    if warned.worry != STAYS_AWAY.name:
        return warned
    return replace(warned, worry=NOT_MOVED_BACK.name)


def _way(home: Homecoming, facts: Undoing) -> str:
    if facts.returning:
        way = f"`stackward node return {home.name} --bring-back --run {facts.run}`"
        return f"plan again; or later {way}"
    return "plan again"


def _left(facts: Undoing) -> Iterator[str]:
    """Name all else that the run did and that is not undone, each with why."""
    if facts.returning and (why := why_node_is_left(facts)):
        yield f"`{facts.returning.name}` is left as it is: {why}"
    for each, why in facts.homeless:
        yield f"`{each.name}` is left alone: {why}"
    for stray in facts.strays:
        yield (
            f"`{stray.name}` is left alone: its move was never proved, and it is {stray.status} "
            f"on `{stray.host}`"
        )


def _notices(facts: Undoing, back: Plan[World] | None, ways: list[Plan[World]]) -> Iterator[str]:
    if facts.state is RunState.STOPPED:
        yield f"run `{facts.run}` is given up by that: it can be resumed no more"
    if back and facts.returning:
        name = facts.returning.name
        yield f"from the uncordon on, servers are placed on `{name}` again"
        yield "one small server is booted there and removed again"
        if facts.claimed_before:
            yield f"`{name}` was disabled before that run too: {facts.claimed_before}"
    for way in ways:
        if count := sum(len(stage.moves) for stage in way.stages):
            going = count_of(count, "server moves", "servers move")
            yield (f"{going} back to `{way.facts['node']}`; {STALLS}")
    if back and any(way.stages for way in ways):
        yield "whether there is room for each is asked again once the node is in service"
