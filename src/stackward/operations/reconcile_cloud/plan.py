"""Repair disagreements: each case of the classes that were named, where nothing speaks against it.

Not where the guest of the server is in doubt, or where any libvirt cannot be read. By API alone. A
repair is not undone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from stackward.checks.agreement import AllocatedWhereTheyAre, BoundOnce, HoldNothing
from stackward.model.disagreement import Case
from stackward.operations.reconcile_cloud.facts import ORPHAN, ReconcileFacts
from stackward.operations.reconcile_cloud.judging import judge_case, provider_of
from stackward.plan import Check, Move, Plan, Stage, Step
from stackward.ports.world import World
from stackward.requests.reconcile_cloud import ReconcileRequest
from stackward.steps.allocations import RemoveAllocations
from stackward.steps.network import RemoveBinding

DOUBLE, LEFT = "allocation-double", "binding-left"


def plan_reconcile(facts: ReconcileFacts, asked: ReconcileRequest) -> Plan[World]:
    """Plan the repairs from facts alone. The request is kept with the cases that it is about."""
    asked = _named(facts, asked)
    judged = [
        (case, judge_case(facts, case)) for case in facts.found.cases if case.name in asked.classes
    ]
    left_alone = {case.word for case, warning in judged if warning is not None}
    return Plan(
        title=f"repair disagreements: {', '.join(asked.classes)}",
        request=asked,
        holds=asked.hosts,
        facts={
            "looks": facts.found.looks,
            "read at": facts.found.testimony.at.isoformat(timespec="seconds"),
        },
        notices=("nothing: no guest, disk or address is touched",),
        warnings=tuple(warning for _, warning in judged if warning is not None),
        stages=tuple(_stages(facts, [case for case, warning in judged if warning is None])),
        verify=tuple(_proofs([one for one in asked.cases or () if one not in left_alone])),
    )


def _named(facts: ReconcileFacts, asked: ReconcileRequest) -> ReconcileRequest:
    """Return the request with the cases that two looks have seen, if it does not name them yet."""
    if asked.cases is not None:
        return asked
    cases = [one for one in facts.found.cases if one.name in asked.classes]
    hosts = dict.fromkeys(host for one in cases for host in one.hosts)
    return replace(asked, cases=tuple(one.word for one in cases), hosts=tuple(hosts))


def _stages(facts: ReconcileFacts, cases: list[Case]) -> Iterator[Stage[World]]:
    for name in dict.fromkeys(one.name for one in cases):
        moves = tuple(_move(facts, one) for one in cases if one.name == name)
        yield Stage(name=name, moves=moves, goes_on=True)


def _move(facts: ReconcileFacts, case: Case) -> Move[World]:
    return Move(
        thing=case.thing,
        # A server may have several ports that have a binding left; each is one thing.
        thing_id=f"{case.thing_id}.{case.place}.{case.hosts[-1]}"
        if case.name == LEFT
        else case.thing_id,
        how=case.name,
        steps=(REPAIRS[case.name](facts, case),),
        expects={"says": case.says},
    )


def _of_double(facts: ReconcileFacts, case: Case) -> Step[World]:
    own, *others = case.hosts
    testimony = facts.found.testimony
    return RemoveAllocations(
        consumer=case.thing_id,
        name=case.thing,
        providers=tuple(provider_of(testimony, one) for one in others),
        hosts=tuple(others),
        host=own,
        keep=provider_of(testimony, own),
    )


def _of_orphan(facts: ReconcileFacts, case: Case) -> Step[World]:
    return RemoveAllocations(
        consumer=case.thing_id,
        name=case.thing,
        providers=tuple(provider_of(facts.found.testimony, one) for one in case.hosts),
        hosts=case.hosts,
    )


def _of_left(facts: ReconcileFacts, case: Case) -> Step[World]:  # noqa: ARG001  # as its like
    return RemoveBinding(port=case.place, name=case.thing, host=case.hosts[-1])


REPAIRS: Mapping[str, Callable[[ReconcileFacts, Case], Step[World]]] = {
    DOUBLE: _of_double,
    ORPHAN: _of_orphan,
    LEFT: _of_left,
}


def _proofs(words: Sequence[str]) -> Iterator[Check[World]]:
    """Prove all that the plan names: what others have repaired since counts as well."""
    parts = [word.split(" ") for word in words]
    if double := tuple(part[1] for part in parts if part[0] == DOUBLE):
        yield AllocatedWhereTheyAre(servers=double)
    if orphans := tuple(part[1] for part in parts if part[0] == ORPHAN):
        yield HoldNothing(consumers=orphans)
    if left := dict.fromkeys((part[2], part[1]) for part in parts if part[0] == LEFT):
        yield BoundOnce(ports=tuple(left))
