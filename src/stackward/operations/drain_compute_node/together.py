"""Several nodes that are emptied one after the other: they share the room that there is."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from stackward.model.node import ComputeNode
from stackward.operations.drain_compute_node.plan import plan_drain
from stackward.plan import Plan
from stackward.ports.world import World
from stackward.requests.drain_compute_node import DrainRequest


def plan_drains(facts: Sequence[ComputeNode], asked: Sequence[DrainRequest]) -> list[Plan[World]]:
    """Plan each drain with the room that those before it leave; none has another as its target.

    Once all are carried out, none of these nodes is in service: what is on one of them must find
    its place elsewhere. Where each comes back before the next has its turn, as for a reboot, that
    holds only of those that are away together. Which these will be shows in their turn, when each
    is planned again; here they are the next ones of one failure domain.
    """
    plans = dict[str, Plan[World]]()
    for together in _away_together(list(zip(facts, asked, strict=True))):
        hosts, taken = {node.host for node, _ in together}, dict[str, Counter[str]]()
        for node, request in together:
            plan = plan_drain(_beside(node, hosts, taken), request)
            for _, move in plan.moves():
                provider, needs = move.expects.get("provider"), move.expects.get("needs")
                if isinstance(provider, str) and isinstance(needs, Mapping):
                    room = taken.setdefault(provider, Counter())
                    room.update({name: int(str(amount)) for name, amount in needs.items()})
            plans[node.host] = plan
    return [plans[each.host] for each in facts]


_Drains = list[tuple[ComputeNode, DrainRequest]]


def _away_together(drains: _Drains) -> Iterator[_Drains]:
    """Return the drains whose nodes are out of service at the same time."""
    at_once = max((asked.away_at_once for _, asked in drains), default=0)
    if not at_once:
        yield drains
        return
    by_domain: dict[str, _Drains] = {}
    for each in drains:
        by_domain.setdefault(str(each[0].failure_domain), []).append(each)
    for those in by_domain.values():
        for first in range(0, len(those), at_once):
            yield those[first : first + at_once]


def _beside(node: ComputeNode, hosts: set[str], taken: Mapping[str, Counter[str]]) -> ComputeNode:
    """Return the node with the room that the other nodes leave to it."""
    candidates = {
        need: tuple(each for each in found if each.host not in hosts)
        for need, found in node.candidates.items()
    }
    reserved = {
        provider: dict(Counter(node.reserved.get(provider, {})) + taken.get(provider, Counter()))
        for provider in node.reserved.keys() | taken.keys()
    }
    return replace(node, candidates=candidates, reserved=reserved)
