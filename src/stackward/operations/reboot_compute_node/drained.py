"""Reboot a node that was drained just before: nothing runs there, and it stays out of service.

One run of several on a node: a drain comes before it, a return follows.
"""

from stackward.checks.compute import NoServersOn
from stackward.checks.node_health import NodeIsWell
from stackward.checks.node_reboot import NothingRuns, RunsChosenKernel
from stackward.operations.reboot_compute_node.facts import RebootFacts
from stackward.operations.reboot_compute_node.rules import judge_drained
from stackward.operations.reboot_compute_node.shown import beside_told
from stackward.operations.reboot_compute_node.stages import REBOOT, of_node
from stackward.plan import Blocked, Check, Plan, Warned
from stackward.policy.node import booted_told
from stackward.ports.world import World
from stackward.requests.reboot_compute_node import RebootNodeRequest
from stackward.steps.node_reboot import ListWhoRuns, RebootNode


def plan_drained(facts: RebootFacts, asked: RebootNodeRequest) -> Plan[World]:
    """Plan the reboot of an empty node from facts alone: no reads, no changes."""
    node, verdicts = facts.node, tuple(judge_drained(facts, asked))
    has_domains = node.hypervisor.has_domains
    is_empty: tuple[Check[World], ...] = (
        NoServersOn(host=node.host),
        *((NothingRuns(host=node.host, node=node.name),) if has_domains else ()),
    )
    reboot = RebootNode(node=node.name, host=node.host, within_s=asked.boot_within_s)
    listing = ListWhoRuns(node=node.name, host=node.host)
    return Plan(
        title=f"reboot `{node.name}`, which is empty",
        request=asked,
        holds=(node.host,),
        facts={
            "node": node.name,
            "host": node.host,
            "zone": node.zone,
            "read at": node.read_at.isoformat(timespec="seconds"),
            **booted_told(facts.booted),
            **beside_told(facts, asked),
        },
        blockers=tuple(each for each in verdicts if isinstance(each, Blocked)),
        warnings=tuple(each for each in verdicts if isinstance(each, Warned)),
        stages=(
            of_node(facts, "list who runs", listing, needs=is_empty),
            of_node(facts, REBOOT, reboot, needs=is_empty),
        ),
        verify=(
            RunsChosenKernel(node=node.name),
            NoServersOn(host=node.host),
            NodeIsWell(node=node.name),
        ),
    )
