"""Whether a node may be returned to service."""

from collections.abc import Iterator
from dataclasses import replace

from stackward.model.claim import Claim
from stackward.model.compute import ComputeNode, Unread
from stackward.model.maintenance import Away, Homecoming, ReturningNode
from stackward.plan import Blocked, Verdict
from stackward.policy import worries
from stackward.policy.node import judge_service


def judge_return(node: ReturningNode, over: str | None = None) -> Iterator[Verdict]:
    """Ask whether the node is out of service, by us, and can be reached.

    `over` is a run whose claim may be lifted although the journal here does not know that run.
    """
    service = node.service
    if service.is_forced_down:
        yield worries.FORCED_DOWN.blocks(node.name, host=node.host)
    if isinstance(node.marks, Unread):
        yield worries.NODE_SILENT.blocks(node.name, why=node.marks.why)
    elif service.is_enabled and not node.marks.is_any:
        yield worries.NOTHING_TO_RETURN.blocks(node.name)
    if not service.is_enabled and node.claim is None:
        text = service.disabled_reason or "without a reason"
        yield worries.FOREIGN_CLAIM.blocks(node.name, host=node.host, text=text)
    if node.claim and not node.is_claim_known and node.claim.run != over:
        yield _claimed_elsewhere(node.claim, node.name)
    for holder in node.holders:
        yield worries.HELD.blocks(node.name, run=holder.run, title=holder.title, state=holder.state)


def _claimed_elsewhere(claim: Claim, node: str) -> Blocked:
    return worries.CLAIM_UNKNOWN.blocks(
        node,
        node=node,
        run=claim.run,
        operator=claim.operator,
        machine=claim.machine,
        since=claim.since,
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


def why_it_stays(away: Away, facts: Homecoming) -> str | None:
    """Say why a server that was drained is none of ours now; None where it may come home."""
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
    return None
