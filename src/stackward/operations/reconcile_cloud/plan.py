"""Repair disagreements: each case of the classes that were named, where nothing speaks against it.

Not where the guest of the server is in doubt, or where any libvirt cannot be read. By API alone,
but for a guest that was named to be ended. A repair is not undone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from stackward.model.disagreement import Case
from stackward.operations.reconcile_cloud.facts import KILLS, ReconcileFacts
from stackward.operations.reconcile_cloud.judging import judge_case
from stackward.operations.reconcile_cloud.killing import ended_hosts, judge_kill, judge_named
from stackward.operations.reconcile_cloud.proofs import proofs
from stackward.operations.reconcile_cloud.shown import counted, notices, warnings_of_kills
from stackward.operations.reconcile_cloud.stages import stages
from stackward.plan import Blocked, Plan, Warned
from stackward.ports.world import World
from stackward.requests.reconcile_cloud import ReconcileRequest


def plan_reconcile(facts: ReconcileFacts, asked: ReconcileRequest) -> Plan[World]:
    """Plan the repairs from facts alone. The request is kept with the cases that it is about."""
    is_new, asked = asked.cases is None, _named(facts, asked)
    cases = [one for one in facts.found.cases if one.name in asked.classes]
    judged = [(case, _judge(facts, asked, case)) for case in cases]
    alone = [(case, warning) for case, warning in judged if warning is not None]
    repaired = [case for case, warning in judged if warning is None]
    refused = tuple(_refused(facts, asked, alone, is_nothing=is_new and not repaired))
    if is_new:
        refused += tuple(judge_named(facts, asked))
    left_alone = {case.word for case, _ in alone}
    return Plan(
        title=f"repair disagreements: {', '.join(asked.classes)}",
        request=asked,
        holds=asked.hosts,
        facts={
            "looks": facts.found.looks,
            "read at": facts.found.testimony.at.isoformat(timespec="seconds"),
            "cases": counted(len(repaired), len(alone)),
        },
        notices=notices(facts, asked, repaired),
        blockers=refused,
        warnings=()
        if refused
        else (
            *(warning for _, warning in alone),
            *warnings_of_kills(facts, asked, repaired),
        ),
        stages=() if refused else tuple(stages(facts, asked, repaired)),
        verify=tuple(
            proofs(facts, asked, [one for one in asked.cases or () if one not in left_alone])
        ),
    )


def _judge(facts: ReconcileFacts, asked: ReconcileRequest, case: Case) -> Warned | None:
    if case.name in KILLS:
        return judge_kill(facts, asked, case)
    return judge_case(facts, case)


def _refused(
    facts: ReconcileFacts,
    asked: ReconcileRequest,
    alone: Sequence[tuple[Case, Warned]],
    *,
    is_nothing: bool,
) -> Iterator[Blocked]:
    """Return what is refused: all, where nothing is repaired; a guest that was named, always."""
    for case, why in alone:
        if is_nothing or ended_hosts(facts.found.testimony, case, asked):
            yield Blocked(why.thing, why.reason, why.remedy, why.thing_id, why.worry)


def _named(facts: ReconcileFacts, asked: ReconcileRequest) -> ReconcileRequest:
    """Return the request with the cases that two looks have seen, if it does not name them yet."""
    if asked.cases is not None:
        return asked
    cases = [one for one in facts.found.cases if one.name in asked.classes]
    hosts = dict.fromkeys(host for one in cases for host in one.hosts)
    return replace(asked, cases=tuple(one.word for one in cases), hosts=tuple(hosts))
