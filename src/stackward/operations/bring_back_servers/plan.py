"""Bring the servers home that a drain moved away, once their node is in service again.

Each is judged, moved and proved as the drain's own moves are, with the node as its target. What was
deleted or moved by others since stays as it is. Undone by draining the node again.
"""

from collections.abc import Iterator
from dataclasses import replace

from stackward.checks.compute import AreOn
from stackward.checks.service import InService
from stackward.model.maintenance import Away, Homecoming
from stackward.moving.leaving_servers import STALLS, Judged, judge, moves_of
from stackward.operations.bring_back_servers.rules import HOME_CLOSED, advice_for, judge_source
from stackward.plan import Blocked, Move, Plan, Stage, Warned
from stackward.policy.capacity import Chooser, pack
from stackward.policy.maintenance import (
    STAYS_AWAY,
    judge_words,
    why_it_stays,
)
from stackward.ports.world import World
from stackward.requests.bring_back_servers import BringBackRequest
from stackward.requests.how_to_move import HowToMove
from stackward.wording import count_of


def plan_bring_back(facts: Homecoming, asked: BringBackRequest) -> Plan[World]:
    """Plan who comes home, and how, from facts alone."""
    way = facts.way or f"`stackward node return {facts.name} --bring-back` again"
    coming = [
        each for each in facts.away if why_it_stays(each, facts, asked.how.leave_behind) is None
    ]
    judged = [(each, _judged(each, facts, asked)) for each in coming]
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
        if away.node and not _against(away, each)
        for move in moves_of([each], packing, away.node, _how(facts, asked), facts.host)
    )
    provider = facts.hypervisor.id
    return Plan(
        title=f"bring servers home to `{facts.name}`",
        request=asked,
        holds=(facts.host,),
        facts={
            "node": facts.name,
            "host": facts.host,
            "drained by": facts.drained.run,
            "moved away": len(facts.drained.servers),
            "moves": len(moves),
        },
        notices=tuple(_notices(facts, asked, moves)),
        blockers=(*_closed(facts), *_slips(facts, asked)),
        warnings=tuple(_stay(judged, left_out, way)),
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


def _slips(facts: Homecoming, asked: BringBackRequest) -> Iterator[Blocked]:
    if not facts.is_of_one:  # the others are not among the facts then
        yield from judge_words(facts.name, [facts], asked.how)


def _how(facts: Homecoming, asked: BringBackRequest) -> HowToMove:
    """Return how the servers move: also by what owners have agreed to before the drain."""
    return replace(asked.how, consents=(*asked.how.consents, *facts.drained.consents))


def _judged(away: Away, facts: Homecoming, asked: BringBackRequest) -> Judged:
    assert away.node is not None  # noqa: S101  # `why_it_stays` has sorted out the others
    [server] = away.node.servers
    choice = Chooser(away.node, facts.host).choose(server)
    return judge(server, away.node, _how(facts, asked), choice)


def _against(away: Away, judged: Judged) -> list[Blocked]:
    verdicts = [*judged.verdicts, *(judge_source(away.node) if away.node else ())]
    return [each for each in verdicts if isinstance(each, Blocked)]


def _closed(facts: Homecoming) -> Iterator[Blocked]:
    if not facts.service.is_enabled or not facts.service.is_up:
        yield HOME_CLOSED.blocks(facts.name)


def _stay(
    judged: list[tuple[Away, Judged]], left_out: dict[str, Blocked], way: str
) -> Iterator[Warned]:
    """Tell who stays away for now, and why; and what is to be known of those who come."""
    for away, each in judged:
        server = each.server
        against = _against(away, each)
        if not against and server.id in left_out:
            against = [left_out[server.id]]
        if against:
            because = "; ".join(one.reason for one in against)
            yield STAYS_AWAY.warns(
                server.label,
                server.id,
                host=server.host,
                because=because,
                advice=advice_for(server.id, against),
                way=way,
            )
        else:
            yield from (one for one in each.verdicts if isinstance(one, Warned))


def _notices(
    facts: Homecoming, asked: BringBackRequest, moves: tuple[Move[World], ...]
) -> Iterator[str]:
    for away in facts.away:
        if (why := why_it_stays(away, facts, asked.how.leave_behind)) is not None:
            yield f"`{away.drained.name}` is left alone: {why}"
    if moves:
        yield f"{count_of(len(moves), 'server moves', 'servers move')} to `{facts.name}`; {STALLS}"
    else:
        yield "nothing moves"
