"""Drain a compute node: cordon it, move every server off it, keep its nova-compute off.

The node must be alive; a dead node is fenced and evacuated instead.
Undone by `run undo`: the node is returned to service, and the servers that it moved come home.
"""

from collections.abc import Iterator
from dataclasses import replace

from stackward.checks.compute import (
    IsCordoned,
    NoAllocations,
    NoArrivals,
    NoDomains,
    NoInstanceDirs,
    NoServersOn,
)
from stackward.checks.instance_ha import InstanceHaKnows
from stackward.checks.service import IsKeptOff
from stackward.model.claim import Claim
from stackward.model.node import ComputeNode
from stackward.moving.instance_ha import telling_instance_ha
from stackward.moving.leaving_servers import (
    Judged,
    judge_and_pack,
    moves_of,
    tidying_of,
)
from stackward.operations.drain_compute_node.rules import (
    judge_guests,
    judge_migrations,
    judge_node,
    judge_returned,
    judge_staying,
    judge_undone,
)
from stackward.operations.drain_compute_node.undone import (
    Undone,
    as_if_up,
    find_undone,
    is_guarded,
    is_whole,
)
from stackward.plan import Blocked, Check, Json, Move, Plan, Stage, Verdict, Warned
from stackward.policy import compute, node
from stackward.policy.capacity import Packing, in_units
from stackward.policy.compute import Way
from stackward.ports.world import World
from stackward.requests.drain_compute_node import DrainRequest
from stackward.steps.service import Cordon, KeepOff
from stackward.wording import count_of


def plan_drain(facts: ComputeNode, asked: DrainRequest) -> Plan[World]:
    """Plan how to empty the node, from facts alone: no reads, no changes.

    On a node that another run has taken out of service, what is lacking is done under a claim of
    our own. Where nothing is, only the proofs are left.
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
        facts=_told(facts, asked, judged, moves),
        notices=(*_taken_over(undone), *_notices(judged, facts, asked)),
        blockers=blockers,
        warnings=tuple(each for each in verdicts if isinstance(each, Warned)),
        stages=_stages(facts, asked, tuple(tidying_of(judged)), moves, undone),
        verify=_proofs(facts, asked),
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
        facts=_told(facts, asked, [], ()) | {"in maintenance": str(claim)},
        notices=(f"nothing: `{facts.name}` is in maintenance already",),
        blockers=tuple(each for each in verdicts if isinstance(each, Blocked)),
        warnings=tuple(each for each in verdicts if isinstance(each, Warned)),
        verify=_proofs(facts, asked),
    )


def _taken_over(undone: Undone | None) -> Iterator[str]:
    if undone:
        run, operator = undone.claim.run, undone.claim.operator
        yield f"taken over from run `{run}` of {operator}, which has left undone: {undone.words}"


def _stages(
    facts: ComputeNode,
    asked: DrainRequest,
    tidying: tuple[Move[World], ...],
    moves: tuple[Move[World], ...],
    undone: Undone | None,
) -> tuple[Stage[World], ...]:
    cordon = Cordon(
        host=facts.host,
        provider=facts.provider.id,
        reason=asked.reason,
        replaces=undone.claim.run if undone else None,
    )
    is_cordoned = IsCordoned(host=facts.host, provider=facts.provider.id)
    tells = undone.is_untold if undone else is_guarded(facts, asked)
    stages = [
        # Before anything else: what goes off on purpose must not look like a failure.
        *([telling_instance_ha(facts.host, is_in_maintenance=True)] if tells else []),
        # Cordon before the moves: otherwise the scheduler refills the node while we empty it.
        Stage(name="cordon", moves=(Move(thing=facts.host, how="cordon", steps=(cordon,)),)),
    ]
    if undone is None or undone.can_move:
        stages += _moving(facts, asked, tidying, moves)
    if undone.runs if undone else asked.keeps_off:
        # Only after every confirmation: a confirm needs this node's nova-compute.
        keep_off = KeepOff(node=facts.name, reason=asked.reason, with_mask=asked.with_mask)
        stages.append(
            Stage(
                name="keep off",
                moves=(Move(thing=facts.name, how="keep off", steps=(keep_off,)),),
                needs=(is_cordoned, NoServersOn(host=facts.host)),
            )
        )
    return tuple(stages)


def _moving(
    facts: ComputeNode,
    asked: DrainRequest,
    tidying: tuple[Move[World], ...],
    moves: tuple[Move[World], ...],
) -> Iterator[Stage[World]]:
    is_cordoned = IsCordoned(host=facts.host, provider=facts.provider.id)
    nothing_comes = NoArrivals(host=facts.host)
    if tidying:
        yield Stage(name="tidy", moves=tidying, needs=(is_cordoned,))
    yield Stage(
        name="move",
        moves=moves,
        at_once=asked.how.at_once,
        needs=(is_cordoned, nothing_comes),
        goes_on=True,
    )
    # Builds that the scheduler had sent here before the cordon.
    yield Stage(
        name="arrivals",
        moves=(),
        at_once=asked.how.at_once,
        needs=(is_cordoned, nothing_comes),
        goes_on=True,
        catches_up=True,
    )


def _proofs(facts: ComputeNode, asked: DrainRequest) -> tuple[Check[World], ...]:
    kept, of = asked.how.leave_behind, asked.project_ids
    host, provider = facts.host, facts.provider.id
    return (
        NoServersOn(host=host, except_for=kept, projects=of),
        NoDomains(host=host, node=facts.name, except_for=kept, projects=of),
        NoAllocations(host=host, provider=provider, except_for=kept, projects=of),
        NoInstanceDirs(
            host=host,
            node=facts.name,
            is_shared=compute.is_shared(facts),
            other_directories=compute.own_directories(facts),
            except_for=kept,
            projects=of,
        ),
        IsCordoned(host=host, provider=provider),
        *((IsKeptOff(node=facts.name, host=host),) if asked.keeps_off else ()),
        *(
            (InstanceHaKnows(host=host, is_in_maintenance=True),)
            if is_guarded(facts, asked)
            else ()
        ),
    )


def _decisions(facts: ComputeNode, asked: DrainRequest, packing: Packing) -> dict[str, str]:
    return {
        "cordon": facts.service.disabled_reason or "" if not facts.service.is_enabled else "free",
        "room": "not enough" if packing.left_out else "enough",
        "ends": "empty" if asked.empties_the_node else "not empty: do not power off",
    }


def _told(
    facts: ComputeNode, asked: DrainRequest, judged: list[Judged], moves: tuple[Move[World], ...]
) -> dict[str, Json]:
    return {
        "node": facts.name,
        "host": facts.host,
        **node.identity_told(facts),
        "zone": facts.zone,
        "read at": facts.read_at.isoformat(timespec="seconds"),
        "hypervisor": facts.hypervisor.kind,
        "servers": len(facts.servers),
        "of other projects": _others(facts, asked),
        "moves": len(moves),
        "blocked": sum(each.is_blocked for each in judged),
        "usage": in_units(facts.provider.usages),
        "roles": [role.name for role in facts.roles],
    }


def _notices(judged: list[Judged], facts: ComputeNode, asked: DrainRequest) -> Iterator[str]:
    """Say what users of the servers will notice."""
    going = [each for each in judged if not each.is_blocked]
    live = [each for each in going if each.way is Way.LIVE]
    running = [each for each in live if each.server.status == "ACTIVE"]
    cold = [each for each in going if each.way is Way.COLD]
    stopping = [each.server.label for each in cold if each.server.status == "ACTIVE"]
    if running:
        yield f"running on while they move, with a stall at the end: {_servers(len(running))}"
    if paused := len(live) - len(running):
        yield f"paused, and staying so: {_servers(paused)}"
    if stopped := len(cold) - len(stopping):
        yield f"off, and not to be started while they move: {_servers(stopped)}"
    if stopping:
        yield f"stopped for the time of their move: {', '.join(stopping)}"
    if any(each.server.volume_ids for each in going):
        yield "attached volumes move along; they cannot be detached meanwhile"
    if others := _others(facts, asked):
        yield f"of other projects, and left alone: {_servers(others)}"
    yield f"no new server is placed on `{facts.name}` from the cordon on"


def _others(facts: ComputeNode, asked: DrainRequest) -> int:
    """Count the servers that stay because they are of other projects."""
    here = [
        each for each in facts.servers if asked.projects and each.id not in asked.how.leave_behind
    ]
    return sum(not asked.takes(each) for each in here)


def _servers(count: int) -> str:
    return count_of(count, "server")
