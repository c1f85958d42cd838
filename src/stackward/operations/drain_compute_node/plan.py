"""Drain a compute node: cordon it, move every server off it, keep its nova-compute off.

The node must be alive; a dead node is fenced and evacuated instead.
Undone by `run undo`: the node is returned to service, and the servers that it moved come home.
"""

from dataclasses import replace

from stackward.model.claim import Claim
from stackward.model.node import ComputeNode
from stackward.moving.leaving_servers import (
    judge_and_pack,
    moves_of,
    tidying_of,
)
from stackward.operations.drain_compute_node.proofs import proofs_of
from stackward.operations.drain_compute_node.rules import (
    judge_evacuated,
    judge_node,
    judge_returned,
    judge_staying,
    judge_undone,
)
from stackward.operations.drain_compute_node.shown import facts_shown, notices, taken_over
from stackward.operations.drain_compute_node.stages import stages_of
from stackward.operations.drain_compute_node.undone import (
    Undone,
    as_if_up,
    find_undone,
    is_whole,
)
from stackward.plan import Blocked, Plan, Verdict, Warned
from stackward.policy.capacity import Packing
from stackward.policy.on_node import judge_guests, judge_migrations
from stackward.ports.world import World
from stackward.requests.drain_compute_node import DrainRequest


def plan_drain(facts: ComputeNode, asked: DrainRequest) -> Plan[World]:
    """Plan how to empty the node, from facts alone: no reads, no changes.

    If another run has taken the node out of service, the missing steps are done under our own
    claim. If nothing is missing, only the proofs are left.
    """
    undone = find_undone(facts, asked)
    if undone is None:
        return _plan_steps(facts, asked, None)
    came_back = bool(undone.servers) and is_whole(facts)
    against = () if came_back or not undone.is_any else tuple(judge_undone(facts, undone))
    if came_back or against or not undone.is_any:
        return _plan_proofs(facts, undone.claim, asked, against)
    return _plan_steps(facts, asked, undone)


def _plan_steps(facts: ComputeNode, asked: DrainRequest, undone: Undone | None) -> Plan[World]:
    leaving = [each for each in facts.servers if asked.takes(each)]
    if undone:
        facts = replace(facts, acting_run=undone.claim.run)
    judged, packing = judge_and_pack(leaving, facts, asked.how, asked.target)
    verdicts = [
        *judge_node(as_if_up(facts, undone), asked),
        *judge_staying(facts, asked),
        *judge_evacuated(facts, asked),
        *(verdict for each in judged for verdict in each.verdicts),
        *packing.left_out,
    ]
    blockers = tuple(each for each in verdicts if isinstance(each, Blocked))
    moves = tuple(moves_of(judged, packing, facts, asked.how, asked.target))
    return Plan(
        title=f"drain `{facts.name}`",
        request=asked,
        holds=(facts.host,),
        decisions=_decisions(facts, asked, packing),
        facts=facts_shown(facts, asked, judged, moves),
        notices=(*taken_over(undone), *notices(judged, facts, asked)),
        blockers=blockers,
        warnings=tuple(each for each in verdicts if isinstance(each, Warned)),
        stages=stages_of(facts, asked, tuple(tidying_of(judged)), moves, undone),
        verify=proofs_of(facts, asked),
    )


def _plan_proofs(
    facts: ComputeNode, claim: Claim, asked: DrainRequest, against: tuple[Blocked, ...]
) -> Plan[World]:
    stays = [each.id for each in facts.servers if not asked.takes(each)]
    verdicts: list[Verdict] = [
        *(against or judge_returned(facts, claim, stays)),
        *judge_guests(facts),
        *judge_migrations(facts),
        *judge_staying(facts, asked),
    ]
    return Plan(
        title=f"drain `{facts.name}`",
        request=asked,
        holds=(facts.host,),
        decisions=_decisions(facts, asked, Packing()),
        facts=facts_shown(facts, asked, [], ()) | {"in maintenance": str(claim)},
        notices=(f"nothing: `{facts.name}` is in maintenance already",),
        blockers=tuple(each for each in verdicts if isinstance(each, Blocked)),
        warnings=tuple(each for each in verdicts if isinstance(each, Warned)),
        verify=proofs_of(facts, asked),
    )


def _decisions(facts: ComputeNode, asked: DrainRequest, packing: Packing) -> dict[str, str]:
    return {
        "cordon": facts.service.disabled_reason or "" if not facts.service.is_enabled else "free",
        "room": "not enough" if packing.left_out else "enough",
        "ends": "empty" if asked.empties_the_node else "not empty: do not power off",
    }
