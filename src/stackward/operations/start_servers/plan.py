"""Start servers that are off, each where it is, in waves by tier and priority.

Not for a node that was lost: `node recover` finds out who ran. A start is not undone.
"""

from collections.abc import Iterator
from dataclasses import replace

from stackward.moving.bringing_up import all_run, judge_order, judge_start, wave_stages
from stackward.operations.start_servers.facts import StartFacts
from stackward.operations.start_servers.rules import judge_nodes
from stackward.plan import Blocked, Plan, Verdict, Warned
from stackward.ports.world import World
from stackward.requests.start_servers import StartRequest
from stackward.wording import count_of


def plan_start(facts: StartFacts, asked: StartRequest) -> Plan[World]:
    """Plan the start from facts alone. The request is kept with the servers' ids.

    The run has the nodes for itself: a drain that began during it would move the servers under it.
    """
    verdicts = tuple(_judge(facts, asked))
    count = len(facts.servers)
    return Plan(
        title=f"start {count_of(count, 'server')}",
        request=replace(asked, servers=tuple(one.server.id for one in facts.servers)),
        holds=tuple(facts.services),
        facts={
            "servers": count,
            "hosts": list(facts.services),
            "read at": facts.read_at.isoformat(timespec="seconds"),
        },
        notices=(
            "Nova starts each as a hard reboot does: its guest is defined again, and boots",
            "where a guest boots by UEFI, its boot entries are reset; no attachment is deleted",
            "the run keeps each definition of before, and says what has changed of it",
            "what cannot be started is set aside with its reason, and holds up no other",
        ),
        blockers=tuple(each for each in verdicts if isinstance(each, Blocked)),
        warnings=tuple(each for each in verdicts if isinstance(each, Warned)),
        stages=wave_stages(
            facts.servers,
            facts.tags,
            asked.tiers,
            at_once=asked.at_once,
            within_s=asked.within_s,
        ),
        verify=all_run(facts.servers),
    )


def _judge(facts: StartFacts, asked: StartRequest) -> Iterator[Verdict]:
    yield from judge_nodes(facts)
    for one in facts.servers:
        yield from judge_start(one)
    yield from judge_order(facts.servers, facts.tags, asked.tiers)
