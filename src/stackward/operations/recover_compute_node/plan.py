"""Recover a node that is back after it was lost: what ran runs again, in its order.

Not for a node that is dead, nor for one whose servers were evacuated: those run elsewhere. What was
off stays off. A recovery is not undone.
"""

from collections.abc import Iterator

from stackward.model.unread import Unread
from stackward.moving.bringing_up import all_run, judge_order, wave_stages
from stackward.operations.recover_compute_node.facts import RecoveryFacts
from stackward.operations.recover_compute_node.returning import (
    Returning,
    judge_returning,
    to_run,
    to_start,
    who_returns,
)
from stackward.operations.recover_compute_node.rules import judge_flags, judge_node
from stackward.plan import Blocked, Move, Plan, Stage, Verdict, Warned
from stackward.policy.node import booted_told
from stackward.ports.world import World
from stackward.requests.recover_compute_node import RecoverRequest
from stackward.steps.awaiting import AwaitCompute
from stackward.wording import count_of


def plan_recovery(facts: RecoveryFacts, asked: RecoverRequest) -> Plan[World]:
    """Plan who is brought up, in which order, from facts alone."""
    returning = who_returns(facts, asked)
    starts = to_start(facts, returning)
    verdicts = tuple(_judge(facts, asked, returning))
    return Plan(
        title=f"recover `{facts.name}`",
        request=asked,
        holds=(facts.host,),
        facts={
            "node": facts.name,
            "host": facts.host,
            "servers": len(facts.servers),
            **booted_told(facts.booted),
            "to start": len(starts),
            "running already": sum(each.runs for each in returning),
        },
        notices=tuple(_notices(facts, returning)),
        blockers=tuple(each for each in verdicts if isinstance(each, Blocked)),
        warnings=tuple(each for each in verdicts if isinstance(each, Warned)),
        stages=(
            *_waits(facts),
            *wave_stages(
                starts, facts.tags, asked.tiers, at_once=asked.at_once, within_s=asked.within_s
            ),
        ),
        verify=all_run(to_run(facts, returning)),
    )


def _waits(facts: RecoveryFacts) -> Iterator[Stage[World]]:
    """Wait first for a nova-compute that starts: it may bring up guests by itself."""
    if not facts.is_coming_up or isinstance(facts.booted, Unread):
        return
    step = AwaitCompute(
        node=facts.name,
        host=facts.host,
        hypervisor=facts.hypervisor.id,
        booted=facts.booted.isoformat(),
    )
    move: Move[World] = Move(thing=facts.name, how="wait", steps=(step,))
    yield Stage(name="node", moves=(move,))


def _judge(
    facts: RecoveryFacts, asked: RecoverRequest, returning: tuple[Returning, ...]
) -> Iterator[Verdict]:
    yield from judge_node(facts)
    yield from judge_flags(facts, asked)
    yield from judge_returning(facts, returning)
    yield from judge_order(to_start(facts, returning), facts.tags, asked.tiers)


def _notices(facts: RecoveryFacts, returning: tuple[Returning, ...]) -> Iterator[str]:
    """Say of each server why it is brought up, or left as it is."""
    started = {each.server.id for each in to_start(facts, returning)}
    if facts.is_coming_up:
        yield (
            "nova-compute has not reported since the node booted: it is waited for; what it starts "
            "by itself is proved, and not started again"
        )
    running = [each.server.label for each in returning if each.runs]
    if facts.logs_unread:
        yield f"libvirt's logs cannot be read: {facts.logs_unread}: one witness less"
    if facts.list_unread:
        why = facts.list_unread
        yield f"the list that a reboot writes cannot be read: {why}: one witness less"
    if running:
        yield f"{count_of(len(running), 'server runs', 'servers run')} already"
    for each in returning:
        if each.server.id in started:
            yield f"`{each.server.label}` is started: {each.because}"
    for each in returning:
        if not each.runs and each.server.id not in started:
            busy = f", and Nova calls it busy: {task}" if (task := each.server.task_state) else ""
            how = f"{each.server.status}{busy}"
            yield f"`{each.server.label}` stays as it is ({how}): {each.because}"
