"""Repair disagreements: each case of the classes that were named, where nothing speaks against it.

Not if the guest of the server is in doubt, or if any libvirt cannot be read. By API alone, except
for a guest that the request names to end. The same holds for what is left of servers and nodes that
are gone, if it is named. Neither is undone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from stackward.model.disagreement import Case
from stackward.model.orphan import Orphan
from stackward.operations.reconcile_cloud.facts import KILLS, ReconcileFacts
from stackward.operations.reconcile_cloud.judging import judge_case
from stackward.operations.reconcile_cloud.killing import ended_hosts, judge_kill, judge_named
from stackward.operations.reconcile_cloud.orphans import (
    chosen,
    judge_given,
    judge_orphan,
    warnings_of_removal,
)
from stackward.operations.reconcile_cloud.proofs import proofs
from stackward.operations.reconcile_cloud.removing import proofs_of_removal, stages_of_removal
from stackward.operations.reconcile_cloud.shown import notices, shown, title, warnings_of_kills
from stackward.operations.reconcile_cloud.stages import stages
from stackward.plan import Blocked, Plan, Warned
from stackward.ports.world import World
from stackward.requests.reconcile_cloud import ReconcileRequest


def plan_reconcile(facts: ReconcileFacts, asked: ReconcileRequest) -> Plan[World]:
    """Plan the repairs from facts alone. The request is kept with the cases that it is about."""
    is_new, asked = asked.cases is None, _named(facts, asked)
    cases = [one for one in facts.found.cases if one.name in asked.classes]
    judged: list[tuple[Case | Orphan, Warned | None]] = [
        *((case, _judge(facts, asked, case)) for case in cases),
        *((one, judge_orphan(facts, asked, one)) for one in chosen(facts, asked)),
    ]
    alone = [(thing, warning) for thing, warning in judged if warning is not None]
    well = [thing for thing, warning in judged if warning is None]
    repaired = [one for one in well if isinstance(one, Case)]
    removed = [one for one in well if isinstance(one, Orphan)]
    refused = (
        *_refused(facts, asked, alone, is_nothing=is_new and not well),
        *judge_given(facts, asked, is_new=is_new),
        *(judge_named(facts, asked) if is_new else ()),
    )
    left_alone = {thing.word for thing, _ in alone}
    return Plan(
        title=title(asked),
        request=asked,
        holds=asked.hosts,
        facts=shown(facts, asked, len(well), len(alone)),
        notices=notices(facts, asked, repaired, removed),
        blockers=refused,
        warnings=()
        if refused
        else (
            *(warning for _, warning in alone),
            *warnings_of_kills(facts, asked, repaired),
            *warnings_of_removal(removed),
        ),
        stages=()
        if refused
        else (*stages(facts, asked, repaired), *stages_of_removal(facts, removed)),
        verify=(
            *proofs(facts, asked, [one for one in asked.cases or () if one not in left_alone]),
            *proofs_of_removal(
                facts, [one for one in asked.orphans or () if one not in left_alone]
            ),
        ),
    )


def _judge(facts: ReconcileFacts, asked: ReconcileRequest, case: Case) -> Warned | None:
    if case.name in KILLS:
        return judge_kill(facts, asked, case)
    return judge_case(facts, case)


def _refused(
    facts: ReconcileFacts,
    asked: ReconcileRequest,
    alone: Sequence[tuple[Case | Orphan, Warned]],
    *,
    is_nothing: bool,
) -> Iterator[Blocked]:
    """Return what is refused: all, where nothing is repaired; what was named itself, always."""
    for thing, why in alone:
        is_named = (
            thing.named in asked.remove
            if isinstance(thing, Orphan)
            else bool(ended_hosts(facts.found.testimony, thing, asked))
        )
        if is_nothing or is_named:
            yield Blocked(why.thing, why.reason, why.remedy, why.thing_id, why.worry)


def _named(facts: ReconcileFacts, asked: ReconcileRequest) -> ReconcileRequest:
    """Return the request with the cases that two looks have seen, if it does not name them yet."""
    if asked.cases is not None:
        return asked
    cases = [one for one in facts.found.cases if one.name in asked.classes]
    left = chosen(facts, asked)
    touched = [*(one.hosts for one in cases), *(one.hosts for one in left)]
    hosts = dict.fromkeys(host for each in touched for host in each)
    return replace(
        asked,
        cases=tuple(one.word for one in cases),
        hosts=tuple(hosts),
        orphans=tuple(one.word for one in left) if asked.remove else None,
    )
