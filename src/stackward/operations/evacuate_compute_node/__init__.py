"""Evacuate a dead compute node: fence it, and bring its servers up elsewhere."""

from stackward.checks.listening import listen
from stackward.errors import Unreachable
from stackward.facts.bringing_up import read_to_bring_up
from stackward.facts.fence import read_fence
from stackward.health.members import read_fence_with_members
from stackward.model.power import PowerState
from stackward.model.run import Settled
from stackward.model.witness import Sign
from stackward.moving.bringing_up import START, judge_start
from stackward.moving.columns import SERVER_MOVES
from stackward.moving.fencing import FENCE
from stackward.operations import Operation
from stackward.operations.evacuate_compute_node import rules
from stackward.operations.evacuate_compute_node.facts import read_evacuation, read_leaving
from stackward.operations.evacuate_compute_node.judging import judge_servers
from stackward.operations.evacuate_compute_node.others import judge_cloud
from stackward.operations.evacuate_compute_node.plan import plan_evacuation
from stackward.operations.evacuate_compute_node.stages import DOWN
from stackward.operations.evacuate_compute_node.undo import undo_evacuation
from stackward.operations.evacuate_compute_node.without_device import (
    judge_death,
    rests_on_word,
    sign_of_life,
)
from stackward.plan import Blocked, Move
from stackward.policy.fence import UNNEEDED
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.evacuate_compute_node import EvacuateRequest
from stackward.status.fence import FenceFacts
from stackward.status.taken_back import end_the_run
from stackward.steps.evacuation import CUT_AGAIN, Evacuate, StartEvacuated

_PASSED = {UNNEEDED.name, rules.UNNEEDED.name}  # what a flag was needed for may have passed


def _judge(
    world: World, journal: Journal, asked: EvacuateRequest, move: Move[World]
) -> Blocked | None:
    """Judge the node again before its power is cut, and each server before its request."""
    run = world.acting.run if world.acting else None
    if move.how == FENCE or (move.how == DOWN and asked.confirmed_off):
        return _judge_node(world, journal, asked, move, run)
    if not move.thing_id:
        return None
    refused = _judge_life(world, journal, asked, run) or _judge_power(
        world, journal, asked, move, run
    )
    if refused is not None:
        return refused
    if move.how == START:
        return _judge_start(world, move)
    # Once more: to judge it takes a minute on a busy cloud, and a sign of life may have come since.
    return _judge_server(world, journal, asked, move) or _judge_life(world, journal, asked, run)


def _judge_node(
    world: World, journal: Journal, asked: EvacuateRequest, move: Move[World], run: str | None
) -> Blocked | None:
    """Judge the node before its power is cut; one without a device before it is called down.

    A member of RabbitMQ or MariaDB may have broken since: nodes that are well fall silent then.
    """
    fence = read_fence_with_members(world, journal, asked.fence, run)
    if move.how == DOWN and not rests_on_word(fence, asked.fence):
        return None  # judged before its power was cut
    if (lives := _judge_life(world, journal, asked, run)) is not None:
        return lives
    found = (each for each in judge_death(fence, asked.fence) if isinstance(each, Blocked))
    return next((each for each in found if each.worry not in _PASSED), None)


def _judge_life(
    world: World, journal: Journal, asked: EvacuateRequest, run: str | None
) -> Blocked | None:
    """Refuse any order if a person's word replaces a device and the run has seen a sign of life."""
    if run is None or not asked.confirmed_off or (why := sign_of_life(journal, run)) is None:
        return None
    return rules.LIVES.blocks(asked.node, why=why, way=end_the_run(world))


def _judge_power(
    world: World, journal: Journal, asked: EvacuateRequest, move: Move[World], run: str | None
) -> Blocked | None:
    """Refuse where the node lives, or has power once more after this run has cut it again."""
    for step in (one for one in move.steps if isinstance(one, Evacuate | StartEvacuated)):
        if run is None:
            continue
        if step.word is not None:
            continue  # no device shows it: `_judge_life`
        if world.power.state(step.node) is PowerState.OFF:
            continue
        dead = step.source if isinstance(step, Evacuate) else step.dead
        fence = read_fence(world, journal, asked.fence, run)
        if (why := _why_taken_back(fence, world)) is not None:
            return rules.TAKEN_BACK.blocks(step.node, why=why, way=end_the_run(world))
        cut = [
            each
            for each in journal.attempts(run)
            if each.settled is Settled.UNSENT and CUT_AGAIN in (each.said.reason or "")
        ]
        if cut:
            return rules.POWER_AGAIN.blocks(step.node, host=dead)
    return None


def _why_taken_back(facts: FenceFacts, world: World) -> str | None:
    """Say by what a node with power is known to be in use, or may be; None where nothing is."""
    if not facts.service.is_forced_down:
        return "its nova-compute is not forced down any more"
    if facts.signs.ssh is Sign.YES:
        return "it answers ssh"
    if facts.witnesses.sign is not Sign.NO:
        return facts.witnesses.text
    heard = listen(world, facts.host)
    return None if heard.silent else heard.why


def _judge_start(world: World, move: Move[World]) -> Blocked | None:
    """Refuse to start what does not wait for it where it was evacuated to."""
    for step in (one for one in move.steps if isinstance(one, StartEvacuated)):
        server = world.nova.server(step.server)
        if server is None:
            continue
        dead = (step.dead, *(host for host, _ in step.also_off))
        found = judge_start(read_to_bring_up(world, server, step.known, dead=dead))
        return next((each for each in found if isinstance(each, Blocked)), None)
    return None


def _judge_server(
    world: World, journal: Journal, asked: EvacuateRequest, move: Move[World]
) -> Blocked | None:
    leaving = read_leaving(world, journal, asked, only=move.thing_id, is_off=True)
    judged, packing = judge_servers(leaving, asked)
    found = [
        *judge_cloud(leaving),
        *(verdict for each in judged for verdict in each.verdicts),
        *packing.left_out,
    ]
    for verdict in found:
        if isinstance(verdict, Blocked) and verdict.worry == rules.LOCKED.name:
            # What the node held is let go once its lease is over: that is waited for.
            raise Unreachable(f"`{verdict.thing}` {verdict.reason}", hint=verdict.remedy)
        if isinstance(verdict, Blocked) and verdict.worry not in _PASSED:
            return verdict
    for each in judged:
        for step in (one for one in move.steps if isinstance(one, Evacuate)):
            if each.promised.get(step.target) is not step.promised:
                return rules.TARGET_GONE.blocks(move.thing, move.thing_id, target=step.target)
    return None


OPERATION = Operation(
    request=EvacuateRequest,
    read=read_evacuation,
    plan=plan_evacuation,
    judge=_judge,
    columns=SERVER_MOVES,
    undo=undo_evacuation,
)
