"""Who else has a node, and which of its servers may come home: for a drain and its way back."""

from collections.abc import Iterator, Sequence

from stackward.model.claim import Claim
from stackward.model.maintenance import AwayServer, BringBackFacts
from stackward.plan import Blocked
from stackward.policy.rule import Rule
from stackward.policy.wishes import needs_consent
from stackward.requests.how_to_move import HowToMove
from stackward.wording import in_utc

UNKNOWN_LEFT_BEHIND = Rule(
    "unknown-left-behind",
    "`--leave-behind {given}` names no server of this plan",
    "give the id of a server of the plan, or leave the flag out",
    "An id that matches nothing must be a mistake.",
)
CLAIM_UNKNOWN = Rule(
    "claim-unknown",
    "run `{run}` of {operator} on {machine} has it since {since}; the database of runs here does "
    "not have that run",
    "ask {operator} whether that run is over; then `stackward node return {node} --run {run}`",
    "It may still be running: only the database of runs of its own machine shows that.",
)
NODE_SILENT = Rule(
    "node-silent",
    "does not answer: {why}",
    "switch it on if it is off; {way}; then plan again",
    "Stackward must start its nova-compute there, and ask its libvirt.",
)
HELD = Rule(
    "held",
    "is held by run {run} ({title}), which is {state}",
    "`stackward run watch {run}` follows it while it runs, `stackward run resume {run}` continues "
    "it if it has stopped, and `stackward run cancel {run}` ends it; then plan again",
    "Two runs on one node would undo each other's changes.",
)
UNKNOWN_CONSENT = Rule(
    "unknown-consent",
    "`--consent {given}=...` names no server that would move and whose owner wishes to be asked",
    "give the id of such a server (its blocker names it), or leave the flag out",
    "A consent that nobody needs must be a mistake: it may be meant for another server.",
)
STAYS_AWAY = Rule(
    "stays-away",
    "stays on `{host}`: {because}",
    "{advice}, then {way}",
    "A server that cannot move does not stop the others.",
)


SETTLE = "settle that"


def claimed_elsewhere(claim: Claim, node: str) -> Blocked:
    """Return what blocks a node that is held by a run which our journal does not know."""
    return CLAIM_UNKNOWN.blocks(
        node,
        node=node,
        run=claim.run,
        operator=claim.operator,
        machine=claim.machine,
        since=in_utc(claim.since),
    )


def judge_words(name: str, homes: Sequence[BringBackFacts], how: HowToMove) -> Iterator[Blocked]:
    """Ask whether each id that was given is that of a server which it can be meant for."""
    away = [each for home in homes for each in home.away]
    known = {each.drained.id for each in away}
    asking = {each.server.id for each in away if each.server and needs_consent(each.server)}
    for given in how.leave_behind:
        if given not in known:
            yield UNKNOWN_LEFT_BEHIND.blocks(name, given=given)
    for consent in how.consents:
        if consent.server not in asking - {*how.leave_behind}:
            yield UNKNOWN_CONSENT.blocks(name, given=consent.server)


def why_it_stays(
    away: AwayServer, facts: BringBackFacts, leave_behind: Sequence[str] = ()
) -> str | None:
    """Say why a server that was drained is left where it is; None where it may come home."""
    server = away.server
    if server is None:
        return "it was deleted"
    if server.host == facts.host:
        return f"it is on `{facts.host}` already"
    if server.host != away.drained.target:
        put = away.drained.target or "no node that is known"
        return f"it is on `{server.host}`, and the {facts.drained.by} put it on `{put}`"
    if server.task_state is not None:
        return f"it is busy ({server.task_state})"
    if server.id in leave_behind:
        return "`--leave-behind` was given"
    return None
