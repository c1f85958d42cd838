"""Whether Nova can evacuate as it must, and whether nobody else acts on the node."""

from collections.abc import Iterator

from stackward.model.claim import read_claim
from stackward.model.run import RunState
from stackward.model.unread import Unread
from stackward.operations.evacuate_compute_node import rules
from stackward.operations.evacuate_compute_node.facts import Leaving
from stackward.plan import Verdict
from stackward.policy.node import RUN_GOES_ON, RUN_UNFINISHED


def judge_cloud(facts: Leaving) -> Iterator[Verdict]:
    """Ask whether Nova can do it, and whether nobody else does."""
    node, service = facts.node, facts.node.service
    if not facts.is_stopping:
        yield rules.TOO_OLD.blocks(node.name)
    if isinstance(facts.ha, Unread):
        yield rules.HA_UNREAD.blocks(node.name, why=facts.ha.why)
    else:
        for one in (each for each in facts.ha if each.is_open):
            yield rules.HA_ACTS.blocks(node.name, notification=one.id, status=one.status)
    if claim := node.claim:
        if node.claiming_run is None:
            yield rules.CLAIMED_BY_OTHERS.blocks(
                node.name, host=node.host, text=service.disabled_reason
            )
        elif not node.claiming_run.is_over:
            goes_on = node.claiming_run is RunState.RUNNING
            yield (RUN_GOES_ON if goes_on else RUN_UNFINISHED).blocks(
                node.name, run=claim.run, operator=claim.operator, state=node.claiming_run
            )
    elif not service.is_enabled and read_claim(service.disabled_reason) is None:
        text = service.disabled_reason or "without a reason"
        yield rules.CLAIMED_BY_OTHERS.blocks(node.name, host=node.host, text=text)
