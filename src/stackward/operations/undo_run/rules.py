"""Whether a run may be undone, and which of its changes are still its own."""

from collections.abc import Iterator, Sequence
from dataclasses import fields

from stackward.model.maintenance import ReturningNode
from stackward.model.run import RunState
from stackward.model.unread import Unread
from stackward.operations.undo_run.undoing import Undoing
from stackward.plan import Blocked, Request
from stackward.policy.rule import Rule
from stackward.policy.undo import NOTHING_TO_UNDO
from stackward.requests.bring_back_servers import BringBackRequest
from stackward.requests.return_compute_node import ReturnRequest

UNDO_TOO_EARLY = Rule(
    "undo-too-early",
    "is {state}: it cannot be undone while it goes on",
    "`stackward run watch {run}` follows it to its end, `stackward run cancel {run}` ends it; "
    "then undo it",
    "Two runs on one node would undo each other's changes.",
)
UNDO_ELSEWHERE = Rule(
    "undo-cloud-not-said",
    "was planned by an older version, which did not record its cloud",
    "make sure that the run was carried out in the cloud that the plan of its undo names",
    "Nodes of two clouds may have the same names.",
)
UNDO_UNFINISHED = Rule(
    "undo-unfinished",
    "has left something unfinished: {what}",
    "`stackward run cancel {run}`, then `stackward run resume {run}`: it finishes the open steps, "
    "and starts nothing new; then undo it",
    "A change that may still be in progress cannot be undone.",
)
UNDO_GOES_ON = Rule(
    "undo-goes-on",
    "is being undone by run `{by}`, which is {state}",
    "`stackward run resume {by}` continues it, `stackward run watch {by}` follows it, and "
    "`stackward run cancel {by}` ends it; then plan again",
    "Only one run at a time may undo a run.",
)
UNDONE = Rule(
    "undone",
    "was undone by run `{by}`",
    "there is nothing to do; `stackward run show {by}` shows what that run did",
    "Its changes were undone, except those that the undo plan listed as left alone.",
)
UNKNOWN_KIND = Rule(
    "unknown-kind",
    "is of the kind `{kind}`: this version cannot undo such a run",
    "`stackward run show {thing} --events` shows what it has changed; undo that by hand",
    "Stackward undoes only changes that it knows to be the run's own.",
)
NOT_JOINED = Rule(
    "undo/not-joined",
    "needs several requests to undo it, but one plan cannot hold them: {requests}",
    "make these requests one after the other, in this order; `stackward run show {thing} --events` "
    "shows what the run has changed",
    "One plan can hold the return of a node and servers that come back. A request of another kind "
    "needs its own plan.",
)
NOT_MOVED_BACK = Rule(
    "not-moved-back",
    "stays on `{host}`: {because}",
    "{advice}, then {way}",
    "A server that cannot move does not stop the others.",
)


def judge_undo(facts: Undoing) -> Iterator[Blocked]:
    """Ask whether the run is over, has changed anything, and is not undone already."""
    run, by = facts.run, facts.undone_by
    if facts.state in {RunState.QUEUED, RunState.RUNNING}:
        yield UNDO_TOO_EARLY.blocks(run, run, run=run, state=facts.state)
    elif facts.state is RunState.STOPPED and facts.unfinished:
        what = ", ".join(facts.unfinished)
        yield UNDO_UNFINISHED.blocks(run, run, run=run, what=what)
    elif by and by.state is RunState.SUCCEEDED:
        yield UNDONE.blocks(run, run, by=by.run)
    elif by and by.state.keeps_others_from_undoing:
        yield UNDO_GOES_ON.blocks(run, run, by=by.run, state=by.state)
    elif not facts.has_changed:
        why = f"it was {facts.state}, and has changed nothing"
        yield NOTHING_TO_UNDO.blocks(run, run, why=why)
    elif facts.back is None:
        yield UNKNOWN_KIND.blocks(run, run, kind=facts.kind)
    elif isinstance(facts.back, Blocked):
        yield facts.back
    elif not _are_joined(facts.back):
        requests = ", ".join(map(_named, facts.back))
        yield NOT_JOINED.blocks(run, run, requests=requests)


def _are_joined(back: Sequence[Request]) -> bool:
    """Say whether one plan takes a run back by these: none of them may be passed over."""
    returns = [each for each in back if isinstance(each, ReturnRequest)]
    others = [each for each in back if not isinstance(each, ReturnRequest | BringBackRequest)]
    return len(back) == 1 if others else len(returns) <= 1


def _named(asked: Request) -> str:
    """Name a request by its kind, and by what it is of: its first field."""
    [of, *_] = fields(asked)  # type: ignore[arg-type]  # every request is a dataclass
    return f"`{asked.kind}` of `{getattr(asked, of.name)}`"


def is_to_return(facts: Undoing) -> bool:
    """Say whether the node is still out of service by the doing of the run itself."""
    node = facts.returning
    if node is None:
        return False
    if not node.service.is_enabled:
        return node.claim is not None and node.claim.run in facts.own_claims
    return facts.has_kept_off and (isinstance(node.marks, Unread) or node.marks.is_any)


def is_kept_off(node: ReturningNode) -> bool:
    """Say whether nova-compute has to be started there, as far as that can be seen."""
    return isinstance(node.marks, Unread) or node.marks.is_any or not node.service.is_up


def is_serving(node: ReturningNode) -> bool:
    """Say whether it is in service, and nothing keeps it off."""
    has_marks = not isinstance(node.marks, Unread) and node.marks.is_any
    return node.service.is_enabled and node.service.is_up and not has_marks


def why_node_is_left(facts: Undoing) -> str | None:
    """Say why the node that was taken out of service is not returned; None where it is."""
    node = facts.returning
    if node is None or is_to_return(facts):
        return None
    if node.service.is_enabled:
        return "it is in service already"
    text = node.service.disabled_reason or "without a reason"
    return f"it is disabled, and no longer by this run: {text}"
