"""Several nodes that are rebooted in one chain: those that are down together, and their groups."""

from collections.abc import Sequence
from dataclasses import replace

from stackward.model.server import Server
from stackward.operations.reboot_compute_node.drained import plan_drained
from stackward.operations.reboot_compute_node.facts import RebootFacts
from stackward.operations.reboot_compute_node.plan import plan_in_place
from stackward.operations.reboot_compute_node.rules import kept_apart
from stackward.plan import APART, Json, Plan
from stackward.ports.world import World
from stackward.requests.reboot_compute_node import RebootNodeRequest


def plan_reboot(facts: RebootFacts, asked: RebootNodeRequest) -> Plan[World]:
    """Plan the reboot of one node: with its servers on it, or empty."""
    return plan_drained(facts, asked) if asked.is_drained else plan_in_place(facts, asked)


def plan_reboots(
    facts: Sequence[RebootFacts], asked: Sequence[RebootNodeRequest]
) -> list[Plan[World]]:
    """Plan each; name nodes with members of a group that keeps them apart: never down at once."""
    plans = list[Plan[World]]()
    for place, (node, request) in enumerate(zip(facts, asked, strict=True)):
        plan = plan_reboot(node, request)
        before = facts[:place] if request.nodes_at_once > 1 and not request.is_drained else ()
        apart = [(other.node.host, list(kept_apart(node, other))) for other in before]
        pairs = [(host, *pair) for host, found in apart for pair in found]
        if pairs:
            hosts: list[Json] = [host for host, found in apart if found]
            told = (_told(*each) for each in pairs)
            plan = replace(plan, facts={**plan.facts, APART: hosts}, notices=(*plan.notices, *told))
        plans.append(plan)
    return plans


def _told(host: str, one: Server, other: Server) -> str:
    group = one.group.name if one.group else ""
    return (
        f"`{one.label}` here and `{other.label}` on `{host}` are of the group `{group}`, which "
        "keeps them apart: the two nodes are never down at the same time"
    )
