"""Items of a chain by failure domain, and those that never go on at the same time.

The facts of a run's plan say what its node shares with others, if that matters.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stackward.operations.chain.rules import CANARY_TOO_WIDE
from stackward.plan import APART, DOMAIN, Blocked, Plan
from stackward.ports.world import World
from stackward.requests.chain import ChainItem, ChainRequest
from stackward.wording import count_of


@dataclass(frozen=True)
class ItemPlans:
    """An item of a chain, with the plans of its runs, in their order."""

    item: ChainItem
    plans: tuple[Plan[World], ...]

    @property
    def domain(self) -> str:
        """Return its failure domain; empty where that does not matter."""
        return next((str(plan.facts[DOMAIN]) for plan in self.plans if DOMAIN in plan.facts), "")

    @property
    def hosts(self) -> Sequence[str]:
        """Return the nodes that its runs hold."""
        return tuple(dict.fromkeys(host for plan in self.plans for host in plan.holds))


def by_domain(items: Sequence[ItemPlans]) -> Sequence[ItemPlans]:
    """Return the items, those of one domain together, otherwise in the order that was given."""
    order = list(dict.fromkeys(each.domain for each in items))
    return sorted(items, key=lambda each: order.index(each.domain))


def apart_from(one: ItemPlans, items: Sequence[ItemPlans]) -> Iterator[str]:
    """Return the names of the items that never go on together with this one."""
    for other in items:
        if other is not one and (_names(one, other) or _names(other, one)):
            yield other.item.name


def _names(one: ItemPlans, other: ItemPlans) -> bool:
    told = [plan.facts.get(APART) for plan in one.plans]
    named = [host for hosts in told if isinstance(hosts, list) for host in hosts]
    return any(host in named for host in other.hosts)


def judge_canary(items: Sequence[ItemPlans], asked: ChainRequest) -> Iterator[Blocked]:
    """Refuse a canary of more than one failure domain."""
    first = items[0].domain if items else ""
    count = sum(1 for each in items if each.domain == first)
    if first and asked.canary > count:
        yield CANARY_TOO_WIDE.blocks(
            first, first, canary=asked.canary, nodes=count_of(count, "node"), count=count
        )
