"""The steps of a repair, by the class of its case."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from stackward.model.disagreement import Case
from stackward.model.testimony import HostTestimony
from stackward.operations.reconcile_cloud.facts import (
    DELETED,
    DOUBLE,
    KILLS,
    LEFT,
    ORPHAN,
    ReconcileFacts,
)
from stackward.operations.reconcile_cloud.judging import all_held, held_on, provider_of
from stackward.operations.reconcile_cloud.killing import ended_hosts, guest_on
from stackward.plan import Json, Move, Stage, Step
from stackward.ports.world import World
from stackward.requests.reconcile_cloud import ReconcileRequest
from stackward.steps.allocations import RemoveAllocations
from stackward.steps.network import RemoveBinding
from stackward.steps.stale_guest import KillDomain


def stages(
    facts: ReconcileFacts, asked: ReconcileRequest, cases: Sequence[Case]
) -> Iterator[Stage[World]]:
    """Return a stage for each class, with a move for each thing that is repaired."""
    for name in dict.fromkeys(one.name for one in cases):
        moves = tuple(
            move for one in cases if one.name == name for move in _moves(facts, asked, one)
        )
        yield Stage(name=name, moves=moves, goes_on=True)


def _moves(facts: ReconcileFacts, asked: ReconcileRequest, case: Case) -> Iterator[Move[World]]:
    expects: dict[str, Json] = {"says": case.says}
    if case.name in KILLS:
        for one in ended_hosts(facts.found.testimony, case, asked):
            yield Move(
                thing=case.thing,
                thing_id=f"{case.thing_id}.{one.host}",
                how=case.name,
                steps=(_of_kill(facts, case, one),),
                expects=expects,
            )
        return
    yield Move(
        thing=case.thing,
        # A server may have several ports that have a binding left; each is one thing.
        thing_id=f"{case.thing_id}.{case.place}.{case.hosts[-1]}"
        if case.name == LEFT
        else case.thing_id,
        how=case.name,
        steps=(REPAIRS[case.name](facts, case),),
        expects=expects,
    )


def _of_kill(facts: ReconcileFacts, case: Case, one: HostTestimony) -> Step[World]:
    server = facts.found.testimony.servers.get(case.thing_id)
    domain = guest_on(one, case.thing_id)
    return KillDomain(
        node=one.node or one.host,
        host=one.host,
        server=case.thing_id,
        name=case.thing,
        source=(server.host or "") if server else "",
        disks=tuple(
            disk.path
            for disk in (domain.disks if domain else ())
            if disk.path is not None and disk.directory_of(case.thing_id) is not None
        ),
        must_run_there=case.name != DELETED,
        is_deleted=case.name == DELETED,
    )


def _of_double(facts: ReconcileFacts, case: Case) -> Step[World]:
    own, *others = case.hosts
    return RemoveAllocations(
        consumer=case.thing_id,
        name=case.thing,
        providers=held_on(facts, case, others),
        hosts=tuple(others),
        host=own,
        keep=provider_of(facts.found.testimony, own),
    )


def _of_orphan(facts: ReconcileFacts, case: Case) -> Step[World]:
    return RemoveAllocations(
        consumer=case.thing_id,
        name=case.thing,
        providers=all_held(facts, case),
        hosts=case.hosts,
    )


def _of_left(facts: ReconcileFacts, case: Case) -> Step[World]:  # noqa: ARG001  # as its like
    return RemoveBinding(port=case.place, name=case.thing, host=case.hosts[-1])


REPAIRS: Mapping[str, Callable[[ReconcileFacts, Case], Step[World]]] = {
    DOUBLE: _of_double,
    ORPHAN: _of_orphan,
    LEFT: _of_left,
}
