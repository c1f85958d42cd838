"""Undo a run: bring back what its journal says that it changed, and what is still its doing.

The operation of that run answers with the requests that take it back: for a drain a return, then
the servers that it moved come home; for a homecoming its servers go back to where they were; for a
return a drain, because servers that have come to the node since must leave it too. Each is planned
by its own operation, and they are joined here. What others have changed since is left alone, and
named. An undo is not undone in turn: what it undid needs a new plan.
"""

from collections.abc import Iterator
from dataclasses import replace

from stackward.checks.instance_ha import InstanceHaKnows
from stackward.moving.instance_ha import telling_instance_ha
from stackward.operations import operation
from stackward.operations.undo_run.rules import (
    UNDO_ELSEWHERE,
    is_kept_off,
    is_serving,
    is_to_return,
    judge_undo,
)
from stackward.operations.undo_run.shown import beyond, left_alone, notices
from stackward.operations.undo_run.undoing import Part, Undoing
from stackward.operations.undo_run.ways_back import plan_way_back
from stackward.plan import Blocked, Plan, Warned
from stackward.policy.maintenance import judge_words
from stackward.policy.undo import NOTHING_TO_UNDO
from stackward.ports.world import World
from stackward.requests.undo_run import UndoRequest

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
    ways = [plan_way_back(way, facts, asked, is_opened=back is not None) for way in facts.ways_back]
    told = _telling_instance_ha(facts, asked)
    parts = [*([back] if back else []), *([told] if told else []), *ways]
    stages = tuple(stage for part in parts for stage in part.stages)
    warnings = tuple(each for part in parts for each in part.warnings)
    left = [*left_alone(facts), *(line for way in ways for line in way.notices)]
    blockers = (*(back.blockers if back else ()), *_slips(facts, asked))
    if not (stages or blockers):
        why = "; ".join(
            [*facts.left_in_chain, *left, *(f"`{each.thing}` {each.reason}" for each in warnings)]
        )
        why = why or "what it has changed is not its doing any more"
        blockers = (NOTHING_TO_UNDO.blocks(facts.run, facts.run, why=why),)
    return replace(
        whole,
        holds=(facts.returning.host,)
        if facts.returning
        else tuple(each.home.host for each in facts.ways_back),
        decisions=back.decisions if back else {},
        facts={**whole.facts, **(back.facts if back else {})},
        notices=(*notices(facts, back, ways), *left),
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
        facts={**plan.facts, **facts.not_undone},
        notices=(*beyond(part.request, facts), *plan.notices),
        warnings=(*_of_which_cloud(facts), *plan.warnings),
        undoes=facts.run,
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
    """Return the plan that reports to the instance-HA service, if the node is in service anyway."""
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
