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
from stackward.checks.instance_ha import InstanceHaKnows
from stackward.checks.service import IsKeptOff
from stackward.model.claim import Claim
from stackward.model.compute import BlockStorage, ComputeNode, Server, Unread
from stackward.model.maintenance import HA_OFF
from stackward.model.project import Project
from stackward.model.run import RunState
from stackward.model.wish import Consent, Wish
from stackward.plan import Blocked, Check, Json, Move, Plan, Stage, Step, Verdict, Warned
from stackward.policy import compute, node, wishes, worries
from stackward.policy.compute import Way
from stackward.policy.room import Choice, Chooser, Packing, Placed, in_units, pack
from stackward.policy.wishes import may_be_stopped, needs_consent, wish_of
from stackward.ports.world import World
from stackward.steps.compute import (
    AbortMigration,
    ColdMigrate,
    ConfirmMigration,
    ForceComplete,
    LiveMigrate,
)
from stackward.steps.instance_ha import TellInstanceHa
from stackward.steps.network import RemoveBinding
from stackward.steps.power import OFF, StartServer, StopServer
from stackward.steps.service import Cordon, KeepOff


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainRequest:
    """What the operator asked for."""

    kind: ClassVar[str] = "drain-compute-node"

    node: str
    reason: str
    allow_downtime: bool = False  # stop what cannot move live
    leave_behind: tuple[str, ...] = ()  # ids of servers that stay
    projects: tuple[Project, ...] = ()  # only their servers move; none: all do
    consents: tuple[Consent, ...] = ()  # of owners who wish to be asked
    target: str | None = None  # all go there
    at_once: int = 2
    slow_after_s: float = 1800.0
    when_slow: str = "wait"  # or "force-complete", "abort", "stop-server"
    keep_service: bool = False  # leave nova-compute running afterwards
    with_mask: bool = True  # of the unit that is kept off

    def takes(self, server: Server) -> bool:
        """Say whether the server is to leave: here, and nowhere else, that is decided."""
        if server.id in self.leave_behind:
            return False
        return not self.projects or server.project in self.project_ids

    def consent_to(self, server: Server) -> Consent | None:
        """Return the owner's consent to move the server, if there is one."""
        return next((each for each in self.consents if each.server == server.id), None)

    @property
    def project_ids(self) -> tuple[str, ...]:
        """Return the ids of the projects whose servers move; none: of all."""
        return tuple(each.id for each in self.projects)

    @property
    def empties_the_node(self) -> bool:
        """Say whether nothing is to stay: only then may the node be powered off."""
        return not (self.leave_behind or self.projects)


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
    a run of our own journal left half-way (cancelled, say), or with servers of other projects, is
    drained on under a claim of our own.
    """
    leaving = [each for each in facts.servers if asked.takes(each)]
    replaces = None
    if facts.claim and facts.is_in_maintenance:
        is_whole = facts.claiming_run is RunState.SUCCEEDED and not facts.is_left_occupied
        is_half_way = facts.claiming_run is not None and not is_whole
        if not (leaving and is_half_way and facts.service.is_up):
            return _plan_proofs(facts, facts.claim, asked)
        replaces = facts.claim.run
        facts = replace(facts, acting_run=replaces)
    judged, packing = _judge_and_pack(leaving, facts, asked)
    verdicts = [
        *judge_node(facts, asked),
        *_staying(facts, asked),
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
        facts=_told(facts, asked, judged, moves),
        notices=tuple(_notices(judged, facts, asked)),
        blockers=blockers,
        warnings=tuple(each for each in verdicts if isinstance(each, Warned)),
        stages=_stages(facts, asked, tuple(_tidying(judged)), moves, replaces),
        verify=_proofs(facts, asked),
    )


def judge_again(facts: ComputeNode, asked: DrainRequest, move: Move[World]) -> Iterator[Blocked]:
    """Return what now stands against a move, from facts that hold its server only."""
    for server in facts.servers:
        if not asked.takes(server):
            yield worries.NOT_TO_MOVE.blocks(server.label, server.id)
    judged, packing = _judge_and_pack(facts.servers, facts, asked)
    for each in judged:
        yield from (verdict for verdict in each.verdicts if isinstance(verdict, Blocked))
        for port, host in compute.left_bindings(each.server):
            yield worries.BINDING_LEFT.blocks(
                move.thing, move.thing_id, port=port, left_on=host, run=facts.acting_run
            )
        if each.way is not None and each.way.value != move.how:
            yield worries.CHANGED.blocks(
                move.thing, move.thing_id, how=move.how, status=each.server.status
            )
        if move.instead and by_whose_word(each.server, each.way, asked) is None:
            yield worries.STOPS_NO_MORE.blocks(move.thing, move.thing_id)
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
        *node.judge_returned(
            facts, claim, [each.id for each in facts.servers if not asked.takes(each)]
        ),
        *node.judge_guests(facts),
        *node.judge_migrations(facts),
        *_staying(facts, asked),
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
    projects = {server.project for server in facts.servers}
    for project in asked.projects:
        # The same: those that have moved are here no more.
        if project.id not in projects and facts.acting_run is None:
            yield worries.NO_SERVER_OF_PROJECT.blocks(
                facts.name, project=project.name, project_id=project.id
            )
    asking = {each.id for each in facts.servers if asked.takes(each) and needs_consent(each)}
    for consent in asked.consents:
        if consent.server not in asking and facts.acting_run is None:
            yield worries.UNKNOWN_CONSENT.blocks(facts.name, given=consent.server)
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
        *compute.judge_bindings(server),
        *compute.judge_volumes(server),
        *compute.judge_lock(server),
        *wishes.judge_wish(server, asked.consent_to(server)),
        *compute.judge_allocation(server, facts),
    ]
    if unplaced and not choice.only_live:
        verdicts.append(unplaced)
    elif way is not None:
        verdicts += compute.judge_disks(server, facts)
    if server.status == "ACTIVE":
        way, stops = _way_of_a_running(server, against_live, asked)
        verdicts += stops
    else:  # cold migration takes ACTIVE and SHUTOFF only: the flag would not help a paused server
        verdicts += [_for_a_paused(each) for each in against_live]
    if word := by_whose_word(server, way, asked):
        verdicts.append(
            worries.STOPS_WHEN_SLOW.warns(
                server.label, server.id, after=f"{asked.slow_after_s:.0f}", word=word
            )
        )
    if way is Way.COLD and choice.cold_candidates:
        choice = Choice(choice.cold_candidates)
    return Judged(server, way, choice, tuple(verdicts))


def _way_of_a_running(
    server: Server, against_live: Sequence[Blocked], asked: DrainRequest
) -> tuple[Way, list[Verdict]]:
    """Say whether a running server moves live or is stopped for its move, and by whose word."""
    wish = wish_of(server)
    because = "; ".join(each.reason for each in against_live)
    if wish is Wish.COLD or (against_live and may_be_stopped(server)):
        return Way.COLD, [worries.WISH_COLD.warns(server.label, server.id, wish=wish)]
    if not against_live:
        return Way.LIVE, []
    if wish is Wish.LIVE:
        return Way.LIVE, [worries.WISH_LIVE.blocks(server.label, server.id, because=because)]
    if asked.allow_downtime:
        return Way.COLD, [worries.STOPS.warns(server.label, server.id, because=because)]
    return Way.LIVE, [*against_live]


def _for_a_paused(blocked: Blocked) -> Blocked:
    return worries.PAUSED_AND_BOUND.blocks(blocked.thing, blocked.thing_id, because=blocked.reason)


def _staying(facts: ComputeNode, asked: DrainRequest) -> Iterator[Verdict]:
    if asked.projects:
        # One warning, whoever else is here: a server that others build refuses no plan.
        names = ", ".join(f"`{each.name}`" for each in asked.projects)
        yield worries.ONLY_PROJECTS.warns(facts.name, projects=names)
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
        wish, consent = wish_of(each.server), asked.consent_to(each.server)
        instead = _instead(each, placed, facts, asked)
        yield Move(
            thing=each.server.label,
            thing_id=each.server.id,
            how=each.way.value,
            steps=_steps(each, placed, facts, asked),
            on_slow=_on_slow(each, asked),
            instead=instead,
            slow_after_s=asked.slow_after_s,
            expects={
                "target": placed.candidate.host,
                "provider": placed.candidate.provider,
                "needs": facts.needs[each.server.id].amounts,
                "pinned": placed.is_pinned or asked.target is not None,
                "bytes": compute.local_bytes(each.server, facts)
                if compute.storage_of(each.server, facts) is BlockStorage.LOCAL
                else None,
                "wish": wish.value if wish else None,
                "instead": Way.COLD.value if instead else None,
                "consent": consent.reference if consent else None,
            },
            record=f"its owner agreed: {consent.reference}" if consent else "",
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


def _instead(
    each: Judged, placed: Placed, facts: ComputeNode, asked: DrainRequest
) -> tuple[Step[World], ...]:
    """Return how a server moves whose live migration was given up: stopped, moved, started."""
    if by_whose_word(each.server, each.way, asked) is None:
        return ()
    server, (vm_state, power_state) = each.server, OFF
    off = replace(server, vm_state=vm_state, power_state=power_state)
    return (
        StopServer(server=server.id, name=server.label, host=facts.host),
        *_steps(replace(each, server=off, way=Way.COLD), placed, facts, asked),
        StartServer(server=server.id, name=server.label),
    )


def by_whose_word(server: Server, way: Way | None, asked: DrainRequest) -> str | None:
    """Say by whose word a server is stopped should its live migration be slow; None: it is not."""
    wish = wish_of(server)
    if way is not Way.LIVE or server.status != "ACTIVE" or wish is Wish.LIVE:
        return None
    if wish is Wish.STOP:
        return "its owner wishes `stop`"
    return "`--when-slow stop-server`" if asked.when_slow == "stop-server" else None


def _on_slow(each: Judged, asked: DrainRequest) -> tuple[Step[World], ...]:
    server = each.server
    if each.way is not Way.LIVE:
        return ()
    if by_whose_word(server, each.way, asked) is not None:
        return (AbortMigration(server=server.id, name=server.label),)
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
    tidying: tuple[Move[World], ...],
    moves: tuple[Move[World], ...],
    replaces: str | None,
) -> tuple[Stage[World], ...]:
    cordon = Cordon(
        host=facts.host, provider=facts.provider.id, reason=asked.reason, replaces=replaces
    )
    is_cordoned = IsCordoned(host=facts.host, provider=facts.provider.id)
    stages = [
        # Before anything else: what goes off on purpose must not look like a failure.
        *([_telling_instance_ha(facts)] if is_guarded(facts, asked) else []),
        # Cordon before the moves: otherwise the scheduler refills the node while we empty it.
        Stage(name="cordon", moves=(Move(thing=facts.host, how="cordon", steps=(cordon,)),)),
        *([Stage(name="tidy", moves=tidying, needs=(is_cordoned,))] if tidying else []),
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
    if not asked.keep_service and asked.empties_the_node:
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


def _tidying(judged: list[Judged]) -> Iterator[Move[World]]:
    """Return what removes the bindings that earlier moves have left on the ports of the servers."""
    for each in (each for each in judged if not each.is_blocked):
        for port, host in compute.left_bindings(each.server):
            step = RemoveBinding(port=port, name=each.server.label, host=host)
            yield Move(thing=f"port {port} on {host}", how="tidy", steps=(step,))


def is_guarded(facts: ComputeNode, asked: DrainRequest) -> bool:
    """Say whether the instance-HA service is to be told; not of a node that keeps servers."""
    return bool(facts.guarded) and not isinstance(facts.guarded, Unread) and asked.empties_the_node


def _telling_instance_ha(facts: ComputeNode) -> Stage[World]:
    tell = TellInstanceHa(host=facts.host, is_in_maintenance=True)
    return Stage(name=HA_OFF, moves=(Move(thing=facts.host, how="tell", steps=(tell,)),))


def _proofs(facts: ComputeNode, asked: DrainRequest) -> tuple[Check[World], ...]:
    kept, of = asked.leave_behind, asked.project_ids
    host, provider = facts.host, facts.provider.id
    is_off = not asked.keep_service and asked.empties_the_node
    return (
        NoServersOn(host=host, except_for=kept, projects=of),
        NoDomains(host=host, node=facts.name, except_for=kept, projects=of),
        NoAllocations(host=host, provider=provider, except_for=kept, projects=of),
        NoInstanceDirs(
            host=host,
            node=facts.name,
            is_shared=compute.is_shared(facts),
            except_for=kept,
            projects=of,
        ),
        IsCordoned(host=host, provider=provider),
        *((IsKeptOff(node=facts.name),) if is_off else ()),
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
    here = [each for each in facts.servers if asked.projects and each.id not in asked.leave_behind]
    return sum(not asked.takes(each) for each in here)


def _servers(count: int) -> str:
    return "1 server" if count == 1 else f"{count} servers"
