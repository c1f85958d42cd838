"""Plan a chain: a step for each run that it begins, the canary first, so many at once.

It stops at the first run that does not end well. Its runs are planned again as their turn comes.
Undone by `run undo`: its runs are undone, the last first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from stackward.operations.chain.rules import TWICE
from stackward.plan import AS_OF_NOW, Blocked, Move, Plan, Stage, to_mapping
from stackward.ports.world import World
from stackward.requests.chain import ChainItem, ChainRequest
from stackward.steps.chain import CarryOutRun
from stackward.wording import count_of


def plan_chain(facts: Sequence[Plan[World]], asked: ChainRequest) -> Plan[World]:
    """Plan which runs follow each other, from their plans as of now: no reads, no changes."""
    moves = [_move(item, plan, asked) for item, plan in zip(asked.items, facts, strict=True)]
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
        notices=tuple(_notices(facts, asked)),
        blockers=(*_twice(facts, asked), *_blockers(facts, asked)),
        warnings=tuple(dict.fromkeys(each for plan in facts for each in plan.warnings)),
        stages=tuple(stages),
    )


def _move(item: ChainItem, plan: Plan[World], asked: ChainRequest) -> Move[World]:
    step = CarryOutRun(
        item=item.name,
        title=plan.title,
        asked=item.asked,
        decisions=dict(plan.decisions),
    )
    return Move(thing=item.name, how=asked.what, steps=(step,))


def _twice(facts: Sequence[Plan[World]], asked: ChainRequest) -> Iterator[Blocked]:
    named: dict[str, list[str]] = {}
    for item, plan in zip(asked.items, facts, strict=True):
        for host in plan.holds:
            named.setdefault(host, []).append(item.name)
    for host, names in named.items():
        if len(names) > 1:
            yield TWICE.blocks(host, host, names=", ".join(f"`{each}`" for each in names))


def _blockers(facts: Sequence[Plan[World]], asked: ChainRequest) -> Iterator[Blocked]:
    """Return what stands against any of them, with the item that it is of."""
    for item, plan in zip(asked.items, facts, strict=True):
        for each in plan.blockers:
            is_named = each.thing == item.name
            reason = each.reason if is_named else f"of `{item.name}`: {each.reason}"
            yield replace(each, reason=reason)


def _notices(facts: Sequence[Plan[World]], asked: ChainRequest) -> Iterator[str]:
    if len(facts) > 1 and asked.undoes is None:
        yield (
            "a server may move more than once: to a node whose turn is still to come; "
            "`--target` keeps it from that"
        )
