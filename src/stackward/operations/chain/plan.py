"""Plan a chain: a step for each run that it begins, the canary first, so many at once.

It stops at the first run that does not end well. An item may be several runs on one node, which
follow each other. Its runs are planned again as their turn comes.
Undone by `run undo`: its runs are undone, the last first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from stackward.operations.chain.rules import TWICE
from stackward.plan import AS_OF_NOW, Blocked, Move, Plan, Stage, to_mapping
from stackward.ports.world import World
from stackward.requests.chain import ChainItem, ChainRequest
from stackward.requests.drain_compute_node import DrainRequest
from stackward.steps.chain import CarryOutRun
from stackward.wording import count_of


def plan_chain(facts: Sequence[Plan[World]], asked: ChainRequest) -> Plan[World]:
    """Plan which runs follow each other, from their plans as of now: no reads, no changes."""
    by_item = list(_by_item(facts, asked))
    moves = [_move(item, plans, asked) for item, plans in by_item]
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
        notices=tuple(_notices(asked)),
        blockers=(*_twice(by_item), *_blockers(by_item)),
        warnings=tuple(dict.fromkeys(each for plan in facts for each in plan.warnings)),
        stages=tuple(stages),
    )


def _by_item(
    facts: Sequence[Plan[World]], asked: ChainRequest
) -> Iterator[tuple[ChainItem, Sequence[Plan[World]]]]:
    """Return each item with the plans of its runs, in their order."""
    left = iter(facts)
    for item in asked.items:
        yield item, [*islice(left, len(item.requests))]


def _move(item: ChainItem, plans: Sequence[Plan[World]], asked: ChainRequest) -> Move[World]:
    runs = len(plans)
    steps = tuple(
        CarryOutRun(
            item=item.name,
            title=plan.title,
            asked=request,
            decisions=dict(plan.decisions),
            part=part,
            is_last=part == runs - 1,
            how=str(request["kind"]).replace("-", " ") if runs > 1 else "",
        )
        for part, (request, plan) in enumerate(zip(item.requests, plans, strict=True))
    )
    return Move(thing=item.name, how=asked.what, steps=steps)


def _twice(by_item: Sequence[tuple[ChainItem, Sequence[Plan[World]]]]) -> Iterator[Blocked]:
    named: dict[str, list[str]] = {}
    for item, plans in by_item:
        for host in dict.fromkeys(host for plan in plans for host in plan.holds):
            named.setdefault(host, []).append(item.name)
    for host, names in named.items():
        if len(names) > 1:
            yield TWICE.blocks(host, host, names=", ".join(f"`{each}`" for each in names))


def _blockers(by_item: Sequence[tuple[ChainItem, Sequence[Plan[World]]]]) -> Iterator[Blocked]:
    """Return what stands against any of them, with the item that it is of."""
    for item, plans in by_item:
        for each in (blocker for plan in plans for blocker in plan.blockers):
            is_named = each.thing == item.name
            reason = each.reason if is_named else f"of `{item.name}`: {each.reason}"
            yield replace(each, reason=reason)


def _notices(asked: ChainRequest) -> Iterator[str]:
    is_of_drains = any(each.asked["kind"] == DrainRequest.kind for each in asked.items)
    if len(asked.items) > 1 and is_of_drains:
        yield (
            "a server may move more than once: to a node whose turn is still to come; "
            "`--target` keeps it from that"
        )
    if any(each.then for each in asked.items):
        yield (
            "the runs of one item have its node from the begin of the first to the end of the "
            "last; a run that follows another one is shown as it would be after that"
        )
