"""Drain a compute node: cordon it, move every server off it, keep its nova-compute off.

The node must be alive; a dead node is fenced and evacuated instead.
Undone by `run undo`: the node is returned to service, and the servers that it moved come home.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from stackward.checks.compute import (
    IsCordoned,
    NoAllocations,
    NoArrivals,
    NoDomains,
    NoInstanceDirs,
    NoServersOn,
)
from stackward.checks.service import IsKeptOff
from stackward.model.claim import Claim
from stackward.model.compute import BlockStorage, ComputeNode, Server
from stackward.model.run import RunState
from stackward.plan import Blocked, Check, Json, Move, Plan, Stage, Step, Verdict, Warned
from stackward.policy import compute, node, worries
from stackward.policy.compute import Way
from stackward.policy.room import Choice, Chooser, Packing, Placed, in_units, pack
from stackward.ports.world import World
from stackward.steps.compute import (
    AbortMigration,
    ColdMigrate,
    ConfirmMigration,
    ForceComplete,
    LiveMigrate,
)
from stackward.steps.service import Cordon, KeepOff


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainRequest:
    """What the operator asked for."""

    kind: ClassVar[str] = "drain-compute-node"

    node: str
    reason: str
    allow_downtime: bool = False  # stop what cannot move live
    leave_behind: tuple[str, ...] = ()  # ids of servers that stay
    target: str | None = None  # all go there
    at_once: int = 2
    slow_after_s: float = 1800.0
    when_slow: str = "wait"  # or "force-complete", "abort"
    keep_service: bool = False  # leave nova-compute running afterwards
    with_mask: bool = True  # of the unit that is kept off


@dataclass(frozen=True, slots=True)
class Judged:
    """All verdicts on one server, and how it leaves if none blocks."""

    server: Server
    way: Way | None
    choice: Choice
    verdicts: tuple[Verdict, ...] = ()

    @property
    def is_blocked(self) -> bool:
        """Say whether any verdict blocks."""
        return any(isinstance(each, Blocked) for each in self.verdicts)


def plan_drain(facts: ComputeNode, asked: DrainRequest) -> Plan[World]:
    """Plan how to empty the node, from facts alone: no reads, no changes.

    A node that is in maintenance already has nothing to be done: only the proofs are left. One that
    a run of our own journal left half-way (cancelled, say) is drained on under a claim of our own.
    """
    leaving = [each for each in facts.servers if each.id not in asked.leave_behind]
    replaces = None
    if facts.claim and facts.is_in_maintenance:
        is_half_way = facts.claiming_run not in {None, RunState.SUCCEEDED}
        if not (leaving and is_half_way and facts.service.is_up):
            return _plan_proofs(facts, facts.claim, asked)
        replaces = facts.claim.run
        facts = replace(facts, acting_run=replaces)
    judged, packing = _judge_and_pack(leaving, facts, asked)
    verdicts = [
        *judge_node(facts, asked),
        *_left_behind(facts, asked),
        *(verdict for each in judged for verdict in each.verdicts),
        *packing.left_out,
    ]
    blockers = tuple(each for each in verdicts if isinstance(each, Blocked))
    moves = tuple(moves_of(judged, packing, facts, asked))
    return Plan(
        title=f"drain `{facts.name}`",
        request=asked,
        holds=(facts.host,),
        decisions=_decisions(facts, asked, packing),
        facts=_told(facts, judged, moves),
        notices=tuple(_notices(judged, facts)),
        blockers=blockers,
        warnings=tuple(each for each in verdicts if isinstance(each, Warned)),
        stages=_stages(facts, asked, moves, replaces),
        verify=_proofs(facts, asked),
    )


def judge_again(facts: ComputeNode, asked: DrainRequest, move: Move[World]) -> Iterator[Blocked]:
    """Return what now stands against a move, from facts that hold its server only."""
    judged, packing = _judge_and_pack(facts.servers, facts, asked)
    for each in judged:
        yield from (verdict for verdict in each.verdicts if isinstance(verdict, Blocked))
        if each.way is not None and each.way.value != move.how:
            yield worries.CHANGED.blocks(
                move.thing, move.thing_id, how=move.how, status=each.server.status
            )
        pinned = {step.target for step in move.steps if isinstance(step, LiveMigrate | ColdMigrate)}
        offered = {candidate.host for candidate in each.choice.candidates}
        for target in pinned - offered - {None}:
            yield worries.NOT_ON_TARGET.blocks(
                move.thing, move.thing_id, target=target, why="placement offers it no more"
            )
    yield from packing.left_out


def _judge_and_pack(
    servers: Sequence[Server], facts: ComputeNode, asked: DrainRequest
) -> tuple[list[Judged], Packing]:
    chooser = Chooser(facts, asked.target)
    judged = [judge(server, facts, asked, chooser.choose(server)) for server in servers]
    wanted = [
        (each.server, facts.needs[each.server.id], each.choice.candidates)
        for each in judged
        if each.choice.candidates
    ]
    return judged, pack(wanted, facts.promised)


def _plan_proofs(facts: ComputeNode, claim: Claim, asked: DrainRequest) -> Plan[World]:
    verdicts = [
        *node.judge_returned(facts, claim, asked.leave_behind),
        *node.judge_guests(facts),
        *node.judge_migrations(facts),
        *_left_behind(facts, asked),
    ]
    return Plan(
        title=f"drain `{facts.name}`",
        request=asked,
        holds=(facts.host,),
        decisions=_decisions(facts, asked, Packing()),
        facts=_told(facts, [], ()) | {"in maintenance": str(claim)},
        notices=(f"nothing: `{facts.name}` is in maintenance already",),
        blockers=tuple(each for each in verdicts if isinstance(each, Blocked)),
        warnings=tuple(each for each in verdicts if isinstance(each, Warned)),
        verify=_proofs(facts, asked),
    )


def judge_node(facts: ComputeNode, asked: DrainRequest) -> Iterator[Verdict]:
    """Return every verdict on the node itself."""
    yield from node.judge_service(facts)
    yield from node.judge_guests(facts)
    yield from node.judge_migrations(facts)
    yield from node.judge_surroundings(facts)
    here = {server.id for server in facts.servers}
    for given in asked.leave_behind:
        # Once the run goes on, one that is gone is one less to leave behind.
        if given not in here and facts.acting_run is None:
            yield worries.UNKNOWN_LEFT_BEHIND.blocks(facts.name, given=given)
    usable = {
        name
        for found in facts.candidates.values()
        for each in found
        if each.is_usable
        for name in (each.host, each.name)
    }
    if asked.target is not None and facts.servers and asked.target not in usable:
        yield worries.UNKNOWN_TARGET.blocks(facts.name, target=asked.target)


def judge(server: Server, facts: ComputeNode, asked: DrainRequest, choice: Choice) -> Judged:
    """Say how the server leaves the node, and all that stands against it."""
    way = compute.way_of(server)
    unplaced = choice.blocks(server)
    against_live = list(compute.judge_live(server, facts)) if way is Way.LIVE else []
    if way is Way.LIVE and choice.only_live and unplaced:
        against_live.append(unplaced)
    verdicts: list[Verdict] = [
        *compute.judge_state(server, facts),
        *compute.judge_devices(server, facts),
        *compute.judge_volumes(server),
        *compute.judge_lock(server),
        *compute.judge_allocation(server, facts),
    ]
    if unplaced and not choice.only_live:
        verdicts.append(unplaced)
    elif way is not None:
        verdicts += compute.judge_disks(server, facts)
    if against_live and asked.allow_downtime and server.status == "ACTIVE":
        because = "; ".join(each.reason for each in against_live)
        verdicts.append(worries.STOPS.warns(server.label, server.id, because=because))
        way = Way.COLD
    elif against_live and server.status == "ACTIVE":
        verdicts += against_live
    else:  # cold migration takes ACTIVE and SHUTOFF only: the flag would not help a paused server
        verdicts += [_for_a_paused(each) for each in against_live]
    if way is Way.COLD and choice.cold_candidates:
        choice = Choice(choice.cold_candidates)
    return Judged(server, way, choice, tuple(verdicts))


def _for_a_paused(blocked: Blocked) -> Blocked:
    return worries.PAUSED_AND_BOUND.blocks(blocked.thing, blocked.thing_id, because=blocked.reason)


def _left_behind(facts: ComputeNode, asked: DrainRequest) -> Iterator[Verdict]:
    for server in facts.servers:
        if server.id in asked.leave_behind:
            yield worries.LEFT_BEHIND.warns(server.label, server.id)


def moves_of(
    judged: list[Judged], packing: Packing, facts: ComputeNode, asked: DrainRequest
) -> Iterator[Move[World]]:
    """Return the move of each server that may go and has a place."""
    for each in judged:
        placed = packing.placed.get(each.server.id)
        if each.way is None or each.is_blocked or placed is None:
            continue
        yield Move(
            thing=each.server.label,
            thing_id=each.server.id,
            how=each.way.value,
            steps=_steps(each, placed, facts, asked),
            on_slow=_on_slow(each, asked),
            slow_after_s=asked.slow_after_s,
            expects={
                "target": placed.candidate.host,
                "provider": placed.candidate.provider,
                "needs": facts.needs[each.server.id].amounts,
                "pinned": placed.is_pinned or asked.target is not None,
                "bytes": compute.local_bytes(each.server, facts)
                if compute.storage_of(each.server, facts) is BlockStorage.LOCAL
                else None,
            },
        )


def _steps(
    each: Judged, placed: Placed, facts: ComputeNode, asked: DrainRequest
) -> tuple[Step[World], ...]:
    server = each.server
    target = placed.candidate.host if placed.is_pinned or asked.target is not None else None
    shares_disks = compute.is_shared(facts)
    if each.way is Way.LIVE:
        return (
            LiveMigrate(
                server=server.id,
                name=server.label,
                source=facts.host,
                target=target,
                shares_disks=shares_disks,
            ),
        )
    return (
        ColdMigrate(server=server.id, name=server.label, source=facts.host, target=target),
        ConfirmMigration(
            server=server.id,
            name=server.label,
            source=facts.host,
            vm_state=server.vm_state,
            power_state=server.power_state,
            shares_disks=shares_disks,
        ),
    )


def _on_slow(each: Judged, asked: DrainRequest) -> tuple[Step[World], ...]:
    server = each.server
    if each.way is not Way.LIVE:
        return ()
    match asked.when_slow:
        # Nova forces ACTIVE servers only: a paused one has nothing to pause.
        case "force-complete" if server.status == "ACTIVE":
            return (ForceComplete(server=server.id, name=server.label),)
        case "abort":
            return (AbortMigration(server=server.id, name=server.label),)
        case _:
            return ()


def _stages(
    facts: ComputeNode,
    asked: DrainRequest,
    moves: tuple[Move[World], ...],
    replaces: str | None,
) -> tuple[Stage[World], ...]:
    cordon = Cordon(
        host=facts.host, provider=facts.provider.id, reason=asked.reason, replaces=replaces
    )
    is_cordoned = IsCordoned(host=facts.host, provider=facts.provider.id)
    stages = [
        # Cordon first: otherwise the scheduler refills the node while we empty it.
        Stage(name="cordon", moves=(Move(thing=facts.host, how="cordon", steps=(cordon,)),)),
        Stage(
            name="move",
            moves=moves,
            at_once=asked.at_once,
            needs=(is_cordoned, NoArrivals(host=facts.host)),
            goes_on=True,
        ),
        # Builds that the scheduler had sent here before the cordon.
        Stage(
            name="arrivals",
            moves=(),
            at_once=asked.at_once,
            needs=(is_cordoned, NoArrivals(host=facts.host)),
            goes_on=True,
            catches_up=True,
        ),
    ]
    if not asked.keep_service and not asked.leave_behind:
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


def _proofs(facts: ComputeNode, asked: DrainRequest) -> tuple[Check[World], ...]:
    kept = asked.leave_behind
    host, provider = facts.host, facts.provider.id
    is_off = not asked.keep_service and not kept
    return (
        NoServersOn(host=host, except_for=kept),
        NoDomains(host=host, node=facts.name, except_for=kept),
        NoAllocations(host=host, provider=provider, except_for=kept),
        NoInstanceDirs(
            host=host, node=facts.name, is_shared=compute.is_shared(facts), except_for=kept
        ),
        IsCordoned(host=host, provider=provider),
        *((IsKeptOff(node=facts.name),) if is_off else ()),
    )


def _decisions(facts: ComputeNode, asked: DrainRequest, packing: Packing) -> dict[str, str]:
    return {
        "cordon": facts.service.disabled_reason or "" if not facts.service.is_enabled else "free",
        "room": "not enough" if packing.left_out else "enough",
        "ends": "not empty: do not power off" if asked.leave_behind else "empty",
    }


def _told(
    facts: ComputeNode, judged: list[Judged], moves: tuple[Move[World], ...]
) -> dict[str, Json]:
    return {
        "node": facts.name,
        "host": facts.host,
        "zone": facts.zone,
        "read at": facts.read_at.isoformat(timespec="seconds"),
        "hypervisor": facts.hypervisor.kind,
        "servers": len(facts.servers),
        "moves": len(moves),
        "blocked": sum(each.is_blocked for each in judged),
        "usage": in_units(facts.provider.usages),
        "roles": [role.name for role in facts.roles],
    }


def _notices(judged: list[Judged], facts: ComputeNode) -> Iterator[str]:
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
    yield f"no new server is placed on `{facts.name}` from the cordon on"


def _servers(count: int) -> str:
    return "1 server" if count == 1 else f"{count} servers"
