"""Bring the servers home that a drain moved away, once their node is in service again.

Each is judged, moved and proved as the drain's own moves are, with the node as its target. What was
deleted or moved by others since stays as it is. Undone by draining the node again.
"""

from collections.abc import Iterator
from dataclasses import replace

from stackward.checks.compute import AreOn
from stackward.checks.service import InService
from stackward.model.maintenance import BringBackFacts
from stackward.moving.leaving_servers import moves_of
from stackward.operations.bring_back_servers.coming import (
    against,
    how_of,
    judge_coming,
    notices,
    who_stays,
)
from stackward.operations.bring_back_servers.rules import HOME_CLOSED
from stackward.plan import Blocked, Plan, Stage
from stackward.policy.capacity import pack
from stackward.policy.maintenance import (
    judge_words,
    why_it_stays,
)
from stackward.ports.world import World
from stackward.requests.bring_back_servers import BringBackRequest


def plan_bring_back(facts: BringBackFacts, asked: BringBackRequest) -> Plan[World]:
    """Plan who comes home, and how, from facts alone."""
    way = facts.way or f"`stackward node return {facts.name} --bring-back` again"
    coming = [
        each for each in facts.away if why_it_stays(each, facts, asked.how.leave_behind) is None
    ]
    judged = [(each, judge_coming(each, facts, asked)) for each in coming]
    packing = pack(
        [
            (each.server, away.node.needs[each.server.id], each.choice.candidates)
            for away, each in judged
            if away.node and each.choice.candidates
        ],
        {},
    )
    left_out = {each.thing_id: each for each in packing.left_out}
    moves = tuple(
        move
        for away, each in judged
        if away.node and not against(away, each)
        for move in moves_of([each], packing, away.node, how_of(facts, asked), facts.host)
    )
    provider = facts.hypervisor.id
    return Plan(
        title=f"bring servers home to `{facts.name}`",
        request=replace(asked, run=facts.drained.run),
        holds=(facts.host,),
        facts={
            "node": facts.name,
            "host": facts.host,
            "drained by": facts.drained.run,
            "moved away": len(facts.drained.servers),
            "moves": len(moves),
        },
        notices=tuple(notices(facts, asked, moves)),
        blockers=(*_closed(facts), *_slips(facts, asked)),
        warnings=tuple(who_stays(judged, left_out, way)),
        stages=(
            Stage(
                name="bring home",
                moves=moves,
                at_once=asked.how.at_once,
                needs=(InService(host=facts.host, provider=provider),),
                goes_on=True,
            ),
        ),
        verify=(
            AreOn(host=facts.host, servers=tuple(move.thing_id for move in moves)),
            InService(host=facts.host, provider=provider),
        ),
    )


def _slips(facts: BringBackFacts, asked: BringBackRequest) -> Iterator[Blocked]:
    if not facts.is_of_one:  # the others are not among the facts then
        yield from judge_words(facts.name, [facts], asked.how)


def _closed(facts: BringBackFacts) -> Iterator[Blocked]:
    if not facts.service.is_enabled or not facts.service.is_up:
        yield HOME_CLOSED.blocks(facts.name)
