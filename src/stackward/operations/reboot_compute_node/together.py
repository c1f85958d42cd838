"""Several nodes that are rebooted in one chain: those that are down together, and their groups."""

from collections.abc import Sequence
from dataclasses import replace

from stackward.operations.reboot_compute_node.drained import plan_drained
from stackward.operations.reboot_compute_node.facts import RebootFacts
from stackward.operations.reboot_compute_node.plan import plan_in_place
from stackward.operations.reboot_compute_node.rules import judge_apart
from stackward.plan import Plan
from stackward.ports.world import World
from stackward.requests.reboot_compute_node import RebootNodeRequest


def plan_reboot(facts: RebootFacts, asked: RebootNodeRequest) -> Plan[World]:
    """Plan the reboot of one node: with its servers on it, or empty."""
    return plan_drained(facts, asked) if asked.is_drained else plan_in_place(facts, asked)


def plan_reboots(
    facts: Sequence[RebootFacts], asked: Sequence[RebootNodeRequest]
) -> list[Plan[World]]:
    """Plan each; of nodes that may be down together, no two have members of a group apart."""
    plans = list[Plan[World]]()
    for place, (node, request) in enumerate(zip(facts, asked, strict=True)):
        plan = plan_reboot(node, request)
        before = facts[:place] if request.nodes_at_once > 1 and not request.is_drained else ()
        plans.append(replace(plan, blockers=(*plan.blockers, *judge_apart(node, before))))
    return plans
