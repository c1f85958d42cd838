"""How each server leaves a node: every verdict on it, its place, and the steps of its move."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from stackward.model.domain import BlockStorage
from stackward.model.node import ComputeNode
from stackward.model.server import IN_DOWN_CELL, Server
from stackward.model.wish import Wish
from stackward.plan import Blocked, Move, Step, Verdict
from stackward.policy import compute, volumes, wishes
from stackward.policy.capacity import Choice, Chooser, Packing, pack
from stackward.policy.compute import Way
from stackward.policy.rule import Rule
from stackward.policy.wishes import may_be_stopped, wish_of
from stackward.ports.world import World
from stackward.requests.how_to_move import HowToMove
from stackward.steps.compute import (
    AbortMigration,
    ColdMigrate,
    ConfirmMigration,
    ForceComplete,
    LiveMigrate,
)
from stackward.steps.network import RemoveBinding
from stackward.steps.server_power import OFF, StartServer, StopServer

PAUSED_AND_BOUND = Rule(
    "paused-and-bound",
    "is PAUSED, and cannot move live: {because}",
    "`openstack server unpause {id}`, then plan again with `--allow-downtime`; "
    "or pass `--leave-behind {id}`",
    "nova 31.0 compute/api.py: a cold migration takes ACTIVE and STOPPED servers only.",
)
STOPS = Rule(
    "stops",
    "will be stopped while it moves, as `--allow-downtime` allows ({because})",
    "",
    "`--allow-downtime` was given: it is moved cold.",
)
STOPS_WHEN_SLOW = Rule(
    "stops-when-slow",
    "if its live migration takes longer than {after} s, it will be stopped, moved cold and started "
    "again ({word})",
    "",
    "`--when-slow stop-server` was given, or `stackward:maintenance=stop` is in its metadata.",
)
WISH_LIVE = Rule(
    "wish-live",
    "its owner wishes that it is never stopped, and it cannot move live: {because}",
    "have its owner agree (`openstack server set --property stackward:maintenance=cold {id}`), "
    "then plan again; or pass `--leave-behind {id}`",
    "`stackward:maintenance=live` in its metadata; `--allow-downtime` does not override an owner.",
)
WISH_COLD = Rule(
    "wish-cold",
    "will be stopped while it moves, as its owner allows by `{wish}`",
    "",
    "`stackward:maintenance=cold` in its metadata; or `stop`, where it cannot move live.",
)


STALLS = "each running server pauses briefly at the end of its move"  # users notice that


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


def judge_and_pack(
    servers: Sequence[Server], facts: ComputeNode, how: HowToMove, target: str | None
) -> tuple[list[Judged], Packing]:
    """Judge the servers one by one, and pack those that have targets into the room there.

    All go to the target, if there is one.
    """
    chooser = Chooser(facts, target)
    judged = [judge(server, facts, how, chooser.choose(server)) for server in servers]
    packing = _pack(judged, facts)
    short = {each.thing_id for each in packing.left_out}
    if any(each.choice.doubtful for each in judged if each.server.id in short):
        # There is no room for all where every rule is fulfilled: Nova may not ask for them all.
        judged = [_widened(each) if each.server.id in short else each for each in judged]
        packing = _pack(judged, facts)
    return judged, packing


def _pack(judged: Sequence[Judged], facts: ComputeNode) -> Packing:
    wanted = [
        (each.server, facts.needs[each.server.id], each.choice.candidates)
        for each in judged
        if each.choice.candidates
    ]
    return pack(wanted, facts.reserved)


def _widened(judged: Judged) -> Judged:
    choice = judged.choice.widened
    warned = choice.warns(judged.server)
    verdicts = (*judged.verdicts, warned) if warned else judged.verdicts
    return replace(judged, choice=choice, verdicts=verdicts)


def judge(server: Server, facts: ComputeNode, how: HowToMove, choice: Choice) -> Judged:
    """Say how the server leaves the node, and all that blocks it."""
    if server.status == IN_DOWN_CELL:  # all else of it is unknown too
        return Judged(server, None, choice, tuple(compute.judge_state(server, facts)))
    way = compute.way_of(server)
    unplaced = choice.blocks(server)
    against_live = list(compute.judge_live(server, facts)) if way is Way.LIVE else []
    if way is Way.LIVE and choice.only_live and unplaced:
        against_live.append(unplaced)
    verdicts: list[Verdict] = [
        *compute.judge_state(server, facts),
        *compute.judge_devices(server, facts),
        *compute.judge_bindings(server),
        *volumes.judge_volumes(server),
        *compute.judge_cpus(server),
        *compute.judge_capabilities(server, choice.all),
        *compute.judge_zone(server, facts),
        *compute.judge_group(server),
        *compute.judge_lock(server),
        *wishes.judge_wish(server, how.consent_to(server)),
        *compute.judge_allocation(server, facts),
    ]
    if unplaced and not choice.only_live:
        verdicts.append(unplaced)
    elif way is not None:
        verdicts += compute.judge_disks(server, facts)
    if server.status == "ACTIVE":
        way, stops = _way_of_a_running(server, against_live, how)
        verdicts += stops
    else:  # cold migration takes ACTIVE and SHUTOFF only: the flag would not help a paused server
        verdicts += [_for_a_paused(each) for each in against_live]
    if word := by_whose_word(server, way, how):
        verdicts.append(
            STOPS_WHEN_SLOW.warns(
                server.label, server.id, after=f"{how.slow_after_s:.0f}", word=word
            )
        )
    if way is Way.COLD and choice.cold:
        choice = choice.cold
    if warned := choice.warns(server):
        verdicts.append(warned)
    return Judged(server, way, choice, tuple(verdicts))


def _way_of_a_running(
    server: Server, against_live: Sequence[Blocked], how: HowToMove
) -> tuple[Way, list[Verdict]]:
    """Say whether a running server moves live or is stopped for its move, and by whose word."""
    wish = wish_of(server)
    because = "; ".join(each.reason for each in against_live)
    if wish is Wish.COLD or (against_live and may_be_stopped(server)):
        return Way.COLD, [WISH_COLD.warns(server.label, server.id, wish=wish)]
    if not against_live:
        return Way.LIVE, []
    if wish is Wish.LIVE:
        return Way.LIVE, [WISH_LIVE.blocks(server.label, server.id, because=because)]
    if how.allow_downtime:
        return Way.COLD, [STOPS.warns(server.label, server.id, because=because)]
    return Way.LIVE, [*against_live]


def _for_a_paused(blocked: Blocked) -> Blocked:
    return PAUSED_AND_BOUND.blocks(blocked.thing, blocked.thing_id, because=blocked.reason)


def moves_of(
    judged: list[Judged], packing: Packing, facts: ComputeNode, how: HowToMove, target: str | None
) -> Iterator[Move[World]]:
    """Return the move of each server that may go and has a place; all to the target, if any."""
    for each in judged:
        placed = packing.placed.get(each.server.id)
        if each.way is None or each.is_blocked or placed is None:
            continue
        wish, consent = wish_of(each.server), how.consent_to(each.server)
        is_pinned = placed.is_pinned or target is not None
        goes_to = placed.candidate.host if is_pinned else None
        instead = _instead(each, goes_to, facts, how)
        yield Move(
            thing=each.server.label,
            thing_id=each.server.id,
            how=each.way.value,
            steps=_steps(each, goes_to, facts),
            on_slow=_on_slow(each, how),
            instead=instead,
            slow_after_s=how.slow_after_s,
            expects={
                "target": placed.candidate.host,
                "provider": placed.candidate.provider,
                "needs": facts.needs[each.server.id].amounts,
                "pinned": is_pinned,
                "bytes": compute.local_bytes(each.server, facts)
                if compute.storage_of(each.server, facts) is BlockStorage.LOCAL
                else None,
                "wish": wish.value if wish else None,
                "instead": Way.COLD.value if instead else None,
                "consent": consent.reference if consent else None,
            },
            record=f"its owner agreed: {consent.reference}" if consent else "",
        )


def _steps(each: Judged, target: str | None, facts: ComputeNode) -> tuple[Step[World], ...]:
    server = each.server
    shares_disks = compute.shares_directory(server, facts)
    directories = compute.directories_of(server, facts)
    if each.way is Way.LIVE:
        return (
            LiveMigrate(
                server=server.id,
                name=server.label,
                source=facts.host,
                target=target,
                shares_disks=shares_disks,
                directories=directories,
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
            directories=directories,
        ),
    )


def _instead(
    each: Judged, target: str | None, facts: ComputeNode, how: HowToMove
) -> tuple[Step[World], ...]:
    """Return how a server moves whose live migration was given up: stopped, moved, started."""
    if by_whose_word(each.server, each.way, how) is None:
        return ()
    server, (vm_state, power_state) = each.server, OFF
    off = replace(server, vm_state=vm_state, power_state=power_state)
    return (
        StopServer(server=server.id, name=server.label, host=facts.host),
        *_steps(replace(each, server=off, way=Way.COLD), target, facts),
        StartServer(server=server.id, name=server.label),
    )


def by_whose_word(server: Server, way: Way | None, how: HowToMove) -> str | None:
    """Say by whose word a server is stopped should its live migration be slow; None: it is not."""
    wish = wish_of(server)
    if way is not Way.LIVE or server.status != "ACTIVE" or wish is Wish.LIVE:
        return None
    if wish is Wish.STOP:
        return "its owner wishes `stop`"
    return "`--when-slow stop-server`" if how.when_slow == "stop-server" else None


def _on_slow(each: Judged, how: HowToMove) -> tuple[Step[World], ...]:
    server = each.server
    if each.way is not Way.LIVE:
        return ()
    if by_whose_word(server, each.way, how) is not None:
        return (AbortMigration(server=server.id, name=server.label),)
    match how.when_slow:
        # Nova forces ACTIVE servers only: a paused one has nothing to pause.
        case "force-complete" if server.status == "ACTIVE":
            return (ForceComplete(server=server.id, name=server.label),)
        case "abort":
            return (AbortMigration(server=server.id, name=server.label),)
        case _:
            return ()


def tidying_of(judged: list[Judged]) -> Iterator[Move[World]]:
    """Return what removes the bindings that earlier moves have left on the ports of the servers."""
    for each in (each for each in judged if not each.is_blocked):
        for port, host in compute.left_bindings(each.server):
            step = RemoveBinding(port=port, name=each.server.label, host=host)
            yield Move(thing=f"port {port} on {host}", how="tidy", steps=(step,))
