"""Several nodes that are emptied one after the other: they share the room that there is."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from stackward.model.node import ComputeNode
from stackward.operations.drain_compute_node.plan import plan_drain
from stackward.plan import Plan
from stackward.ports.world import World
from stackward.requests.drain_compute_node import DrainRequest


def plan_drains(facts: Sequence[ComputeNode], asked: Sequence[DrainRequest]) -> list[Plan[World]]:
    """Plan each drain with the room that those before it leave; none has another as its target.

    Once all are carried out, none of these nodes is in service: what is on one of them must find
    its place elsewhere.
    """
    hosts = {each.host for each in facts}
    plans, taken = list[Plan[World]](), dict[str, Counter[str]]()
    for node, request in zip(facts, asked, strict=True):
        plan = plan_drain(_beside(node, hosts, taken), request)
        for _, move in plan.moves():
            provider, needs = move.expects.get("provider"), move.expects.get("needs")
            if isinstance(provider, str) and isinstance(needs, Mapping):
                room = taken.setdefault(provider, Counter())
                room.update({name: int(str(amount)) for name, amount in needs.items()})
        plans.append(plan)
    return plans


def _beside(node: ComputeNode, hosts: set[str], taken: Mapping[str, Counter[str]]) -> ComputeNode:
    """Return the node with what is left beside the others."""
    candidates = {
        need: tuple(each for each in found if each.host not in hosts)
        for need, found in node.candidates.items()
    }
    reserved = {
        provider: dict(Counter(node.reserved.get(provider, {})) + taken.get(provider, Counter()))
        for provider in node.reserved.keys() | taken.keys()
    }
    return replace(node, candidates=candidates, reserved=reserved)
