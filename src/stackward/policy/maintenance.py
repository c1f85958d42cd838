"""Whether a node may be returned to service."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from stackward.model.claim import Claim
from stackward.model.maintenance import DROP_IN, MAINTENANCE, Away, Homecoming, ReturningNode
from stackward.model.node import ComputeNode
from stackward.model.unread import Unread
from stackward.plan import Blocked, Verdict
from stackward.policy.node import FORCED_DOWN, judge_identity, judge_service
from stackward.policy.rule import Worry
from stackward.policy.wishes import WISH_ASK, WISH_LEAVE, needs_consent
from stackward.ports.login import way_to
from stackward.requests.how_to_move import HowToMove
from stackward.wording import in_utc

UNKNOWN_LEFT_BEHIND = Worry(
    "unknown-left-behind",
    "`--leave-behind {given}` names no server that it could be meant for",
    "give the id of a server of the plan, or leave the flag out",
    "An id that matches nothing is a slip.",
)
NOTHING_TO_RETURN = Worry(
    "nothing-to-return",
    "is in service: it is enabled, and nothing on it keeps its nova-compute off",
    "there is nothing to do; `stackward node drain {thing}` takes it out",
    "A return undoes a drain, and this node is not out of service.",
)
FOREIGN_CLAIM = Worry(
    "foreign-claim",
    "is disabled, and not by Stackward: {text}",
    "settle it with whoever disabled it: "
    "`openstack compute service set --enable {host} nova-compute`",
    "The reason of a disabled service is its owner's claim; another's claim is never taken over.",
)
CLAIM_UNKNOWN = Worry(
    "claim-unknown",
    "run `{run}` of {operator} on {machine} has it since {since}; the journal here does not know "
    "that run",
    "ask {operator} whether that run is over; then `stackward node return {node} --run {run}`",
    "It may go on at this moment: only the journal of its own machine tells.",
)
NODE_SILENT = Worry(
    "node-silent",
    "does not answer: {why}",
    "switch it on if it is off; {way}; then plan again",
    "Its nova-compute is started there, and libvirt is asked there.",
)
HELD = Worry(
    "held",
    "is held by run {run} ({title}), which is {state}",
    "`stackward run watch {run}` follows one that goes on, `stackward run resume {run}` carries on "
    "one that stopped, `stackward run cancel {run}` ends either; then plan again",
    "Two runs at work on one node would undo each other.",
)
RUNS_ALTHOUGH_OFF = Worry(
    "runs-although-off",
    "its nova-compute runs {what}, although its drain keeps it off",
    "find who started it; the return goes on from there",
    "What a drain keeps off was started past it: servers may have been put there since.",
)
SECOND_COMPUTE = Worry(
    "second-compute",
    "its nova-compute runs {what}; the return would start a second one as the unit "
    "`nova-compute.service`",
    "if the unit is not wanted there, take away what keeps it off (`systemctl unmask "
    "nova-compute`, {marks}), and see that it does not start at the next boot (`systemctl disable "
    "nova-compute`); else stop the other one; then plan again",
    "Two nova-computes of one host would both carry out its orders.",
)
PROCESSES_UNSEEN = Worry(
    "processes-unseen",
    "whether a nova-compute runs there already, outside its unit, could not be read: {why}",
    "see `ps -ef` there as root; approve only if no container and no other unit runs one",
    "The return starts the unit; two nova-computes of one host would both carry out its orders.",
)
NO_UNIT_TO_START = Worry(
    "no-unit-to-start",
    "no nova-compute runs there, and systemd has no unit `nova-compute.service` to start",
    "start it by what manages it there (a container, say), then plan again",
    "A return starts that unit only.",
)
UNKNOWN_CONSENT = Worry(
    "unknown-consent",
    "`--consent {given}=...` names no server that would move and whose owner wishes to be asked",
    "give the id of such a server (its blocker names it), or leave the flag out",
    "A consent that nobody asked for is a slip: it may be meant for another server.",
)
STAYS_AWAY = Worry(
    "stays-away",
    "stays on `{host}`: {because}",
    "{advice}, then {way}",
    "One server that cannot move keeps none of the others away.",
)


SETTLE = "settle that"


def judge_return(node: ReturningNode, over: str | None = None) -> Iterator[Verdict]:
    """Ask whether the node is out of service, by us, and can be reached.

    `over` is a run whose claim may be lifted although the journal here does not know that run.
    """
    service = node.service
    yield from judge_identity(node)
    if service.is_forced_down:
        yield FORCED_DOWN.blocks(node.name, host=node.host)
    if isinstance(node.marks, Unread):
        yield NODE_SILENT.blocks(node.name, why=node.marks.why, way=way_to(node.marks))
    elif service.is_enabled and not node.marks.is_any:
        yield NOTHING_TO_RETURN.blocks(node.name)
    yield from _judge_processes(node)
    if not service.is_enabled and node.claim is None:
        text = service.disabled_reason or "without a reason"
        yield FOREIGN_CLAIM.blocks(node.name, host=node.host, text=text)
    if node.claim and not node.is_claim_known and node.claim.run != over:
        yield _claimed_elsewhere(node.claim, node.name)
    for holder in node.holders:
        yield HELD.blocks(node.name, run=holder.run, title=holder.title, state=holder.state)


def _judge_processes(node: ReturningNode) -> Iterator[Verdict]:
    """Look for a nova-compute that runs although the node was to be kept off."""
    running, marks = node.running_as, node.marks
    if running is None or isinstance(marks, Unread):
        return
    if isinstance(running, Unread):
        yield PROCESSES_UNSEEN.warns(node.name, why=running.why)
        return
    if running.unit_load == "not-found" and not running.processes:
        yield NO_UNIT_TO_START.blocks(node.name)
    if not (marks.is_any and running.processes):
        return
    if elsewhere := running.outside:
        yield SECOND_COMPUTE.blocks(
            node.name, what=elsewhere[0].words, marks=f"`rm -f {MAINTENANCE} {DROP_IN}`"
        )
    else:
        yield RUNS_ALTHOUGH_OFF.warns(node.name, what=running.processes[0].words)


def is_run_elsewhere(node: ReturningNode) -> bool:
    """Say whether something else than the unit runs nova-compute there: it is not for us to start.

    A drain of such a node has left it running.
    """
    running = node.running_as
    if running is None or isinstance(running, Unread):
        return False
    has_marks = not isinstance(node.marks, Unread) and node.marks.is_any
    return bool(running.outside) and not has_marks


def _claimed_elsewhere(claim: Claim, node: str) -> Blocked:
    return CLAIM_UNKNOWN.blocks(
        node,
        node=node,
        run=claim.run,
        operator=claim.operator,
        machine=claim.machine,
        since=in_utc(claim.since),
    )


def judge_source(source: ComputeNode) -> Iterator[Verdict]:
    """Ask whether servers can leave the node on which a drain has put them.

    It may be in maintenance itself: what the run that is over has left there may go if it is alive.
    """
    if source.claim and source.claiming_run is None:
        yield _claimed_elsewhere(source.claim, source.name)
    if source.is_in_maintenance:
        source = replace(source, service=replace(source.service, is_enabled=True))
    yield from judge_service(source)


def judge_words(name: str, homes: Sequence[Homecoming], how: HowToMove) -> Iterator[Blocked]:
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


def advice_for(server: str, against: Sequence[Blocked]) -> str:
    """Say what lets a server come home; the remedies themselves are those of a drain."""
    advice = dict.fromkeys(_advice(server, each) for each in against)
    return "; ".join(sorted(advice, key=lambda each: each == SETTLE))


def _advice(server: str, blocked: Blocked) -> str:
    if blocked.worry in {WISH_ASK.name, WISH_LEAVE.name}:
        return f"get its owner's word and pass `--consent {server}=REFERENCE`"
    return "pass `--allow-downtime`" if "`--allow-downtime`" in blocked.remedy else SETTLE


def why_it_stays(away: Away, facts: Homecoming, leave_behind: Sequence[str] = ()) -> str | None:
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
