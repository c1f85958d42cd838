"""Reboot a compute node with its servers on it.

The node is cordoned; the list of running servers is written on it; these servers are stopped, the
node reboots, and exactly these are started again. Not for a node that must be empty: drain that
first. A reboot is not undone.
"""

from collections.abc import Iterator

from stackward.checks.node_health import NodeIsWell
from stackward.checks.node_reboot import RunsChosenKernel
from stackward.checks.server import AllRun
from stackward.checks.service import InService
from stackward.operations.reboot_compute_node.facts import RebootFacts
from stackward.operations.reboot_compute_node.rules import judge_node, judge_server
from stackward.operations.reboot_compute_node.shown import beside_told, notices_of
from stackward.operations.reboot_compute_node.stages import stages_of
from stackward.plan import Blocked, Check, Plan, Warned
from stackward.policy.node import booted_told, identity_told
from stackward.ports.world import World
from stackward.requests.reboot_compute_node import RebootNodeRequest


def plan_in_place(facts: RebootFacts, asked: RebootNodeRequest) -> Plan[World]:
    """Plan the reboot from facts alone: no reads, no changes."""
    node = facts.node
    verdicts = (
        *judge_node(facts, asked),
        *(each for server in node.servers for each in judge_server(facts, server, asked)),
    )
    return Plan(
        title=f"reboot `{node.name}` in place",
        request=asked,
        holds=(node.host,),
        facts={
            "node": node.name,
            "host": node.host,
            **identity_told(node),
            "zone": node.zone,
            "read at": node.read_at.isoformat(timespec="seconds"),
            "servers": len(node.servers),
            "running": len(facts.running),
            **booted_told(facts.booted),
            **beside_told(facts, asked),
        },
        notices=tuple(notices_of(facts)),
        blockers=tuple(each for each in verdicts if isinstance(each, Blocked)),
        warnings=tuple(each for each in verdicts if isinstance(each, Warned)),
        stages=stages_of(facts, asked),
        verify=tuple(_proofs(facts)),
    )


def _proofs(facts: RebootFacts) -> Iterator[Check[World]]:
    node = facts.node
    yield RunsChosenKernel(node=node.name)
    yield InService(host=node.host, provider=node.provider.id)
    yield NodeIsWell(node=node.name)
    if facts.running:
        yield AllRun(host=node.host, servers=tuple(each.id for each in facts.running))
