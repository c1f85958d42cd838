"""Plan a chain: a step for each run that it begins, the canary first, so many at once.

Where its nodes are down for a time, those at once are of one failure domain.

It stops at the first run that does not end well. An item may be several runs on one node, which
follow each other. Its runs are planned again as their turn comes.
Undone by `run undo`: its runs are undone, the last first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from stackward.operations.chain.domains import ItemPlans, apart_from, by_domain, judge_canary
from stackward.operations.chain.rules import TWICE
from stackward.plan import AS_OF_NOW, Blocked, Move, Plan, Stage, to_mapping
from stackward.ports.world import World
from stackward.requests.chain import ChainRequest
from stackward.requests.drain_compute_node import DrainRequest
from stackward.steps.chain import CarryOutRun
from stackward.wording import count_of


def plan_chain(facts: Sequence[Plan[World]], asked: ChainRequest) -> Plan[World]:
    """Plan which runs follow each other, from their plans as of now: no reads, no changes."""
    by_item = by_domain(list(_by_item(facts, asked)))
    moves = [_move(each, by_item, asked) for each in by_item]
    first, then = moves[: asked.canary], moves[asked.canary :]
    stages = [
        Stage(name=name, moves=tuple(each), at_once=asked.at_once)
        for name, each in (("canary", first), ("items", then))
        if each
    ]
    nodes = count_of(len(asked.items), "node") if asked.undoes is None else "chain"
    of = f"run `{asked.undoes}`, a" if asked.undoes else ""
    names = ", ".join(each.name for each in asked.items)
    return Plan(
        title=" ".join(filter(None, (asked.what, of, f"{nodes}: {names}"))),
        request=asked,
        holds=tuple(dict.fromkeys(host for plan in facts for host in plan.holds)),
        facts={"as of": "now", AS_OF_NOW: [to_mapping(each) for each in facts]},
        notices=tuple(_notices(by_item, asked)),
        blockers=(*_twice(by_item), *judge_canary(by_item, asked), *_blockers(by_item)),
        warnings=tuple(dict.fromkeys(each for plan in facts for each in plan.warnings)),
        stages=tuple(stages),
    )


def _by_item(facts: Sequence[Plan[World]], asked: ChainRequest) -> Iterator[ItemPlans]:
    """Return each item with the plans of its runs, in their order."""
    left = iter(facts)
    for item in asked.items:
        yield ItemPlans(item, tuple(islice(left, len(item.requests))))


def _move(one: ItemPlans, by_item: Sequence[ItemPlans], asked: ChainRequest) -> Move[World]:
    runs, item = len(one.plans), one.item
    steps = tuple(
        CarryOutRun(
            item=item.name,
            title=plan.title,
            asked=request,
            decisions=dict(plan.decisions),
            part=part,
            is_last=part == runs - 1,
            how=str(request["kind"]).replace("-", " ") if runs > 1 else "",
            domain=one.domain,
            needs_well=asked.needs_well,
            apart=tuple(apart_from(one, by_item)),
        )
        for part, (request, plan) in enumerate(zip(item.requests, one.plans, strict=True))
    )
    return Move(thing=item.name, how=asked.what, steps=steps)


def _twice(by_item: Sequence[ItemPlans]) -> Iterator[Blocked]:
    named: dict[str, list[str]] = {}
    for each in by_item:
        for host in each.hosts:
            named.setdefault(host, []).append(each.item.name)
    for host, names in named.items():
        if len(names) > 1:
            yield TWICE.blocks(host, host, names=", ".join(f"`{each}`" for each in names))


def _blockers(by_item: Sequence[ItemPlans]) -> Iterator[Blocked]:
    """Return what blocks any of them, with its item."""
    for one in by_item:
        for each in (blocker for plan in one.plans for blocker in plan.blockers):
            is_named = each.thing == one.item.name
            reason = each.reason if is_named else f"of `{one.item.name}`: {each.reason}"
            yield replace(each, reason=reason)


def _notices(by_item: Sequence[ItemPlans], asked: ChainRequest) -> Iterator[str]:
    if asked.needs_well:
        yield (
            "before each node the cloud is looked at, as `stackward cloud check` does: while it is "
            "not well, nothing new begins, and what runs is finished; what passes is waited for: "
            "60 s, and 300 s for an answer that does not come in time"
        )
    if any(each.domain for each in by_item):
        yield (
            "nodes at the same time are of one failure domain, one domain after another; a node "
            "that has started and is not done keeps those of other domains waiting"
        )
    # Where more runs follow its drain, the servers come home before the next node has its turn.
    drains = [one for one in asked.items if one.asked["kind"] == DrainRequest.kind]
    if len(asked.items) > 1 and not all(one.then for one in drains):
        yield (
            "a server may move more than once: to a node whose turn is still to come; "
            "`--target` keeps it from that"
        )
    if any(each.then for each in asked.items):
        yield (
            "the runs of one item have its node from the begin of the first to the end of the "
            "last; a run that follows another one is shown as it would be after that"
        )
