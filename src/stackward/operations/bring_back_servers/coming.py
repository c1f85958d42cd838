"""Who comes home, who stays away for now, and why: each server judged by itself."""

from collections.abc import Iterator
from dataclasses import replace

from stackward.model.maintenance import AwayServer, BringBackFacts
from stackward.moving.leaving_servers import STALLS, Judged, judge
from stackward.operations.bring_back_servers.rules import advice_for, judge_source
from stackward.plan import Blocked, Move, Warned
from stackward.policy.capacity import Chooser
from stackward.policy.maintenance import STAYS_AWAY, why_it_stays
from stackward.ports.world import World
from stackward.requests.bring_back_servers import BringBackRequest
from stackward.requests.how_to_move import HowToMove
from stackward.wording import count_of


def how_of(facts: BringBackFacts, asked: BringBackRequest) -> HowToMove:
    """Return how the servers move: also by what owners have agreed to before the drain."""
    return replace(asked.how, consents=(*asked.how.consents, *facts.drained.consents))


def judge_coming(away: AwayServer, facts: BringBackFacts, asked: BringBackRequest) -> Judged:
    """Say how a server comes home, and all that blocks it."""
    assert away.node is not None  # noqa: S101  # `why_it_stays` has sorted out the others
    [server] = away.node.servers
    choice = Chooser(away.node, facts.host).choose(server)
    return judge(server, away.node, how_of(facts, asked), choice)


def against(away: AwayServer, judged: Judged) -> list[Blocked]:
    """Return what keeps a server where it is, also on the side of its node now."""
    verdicts = [*judged.verdicts, *(judge_source(away.node) if away.node else ())]
    return [each for each in verdicts if isinstance(each, Blocked)]


def who_stays(
    judged: list[tuple[AwayServer, Judged]], left_out: dict[str, Blocked], way: str
) -> Iterator[Warned]:
    """Warn of servers that stay away for now, and why; and of what to know of the others."""
    for away, each in judged:
        server = each.server
        blocked = against(away, each)
        if not blocked and server.id in left_out:
            blocked = [left_out[server.id]]
        if blocked:
            because = "; ".join(one.reason for one in blocked)
            yield STAYS_AWAY.warns(
                server.label,
                server.id,
                host=server.host,
                because=because,
                advice=advice_for(server.id, blocked),
                way=way,
            )
        else:
            yield from (one for one in each.verdicts if isinstance(one, Warned))


def notices(
    facts: BringBackFacts, asked: BringBackRequest, moves: tuple[Move[World], ...]
) -> Iterator[str]:
    """Say who is left alone and why, and what users of the others will notice."""
    for away in facts.away:
        if (why := why_it_stays(away, facts, asked.how.leave_behind)) is not None:
            yield f"`{away.drained.name}` is left alone: {why}"
    if moves:
        yield f"{count_of(len(moves), 'server moves', 'servers move')} to `{facts.name}`; {STALLS}"
    elif not facts.drained.run:
        yield "which servers come home is known once the drain before it is done"
    else:
        yield "nothing moves"
