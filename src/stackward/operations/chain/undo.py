"""A chain is undone by undoing its runs that have ended well, the last first.

However they came to their end: also one that was resumed by itself. One that is undone is left out.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from stackward.facts.moved import Did, InChain
from stackward.model.run import RunState
from stackward.plan import Blocked, dump
from stackward.policy.undo import NO_WAY_BACK
from stackward.requests.chain import ChainItem, ChainRequest
from stackward.requests.undo_run import UndoRequest


def undo_chain(did: Did, asked: UndoRequest) -> tuple[ChainRequest, ...] | Blocked:
    """Return the one request that takes it back; none, where no run of it is left to undo."""
    request = did.plan.request
    if isinstance(request, ChainRequest) and request.undoes is not None:
        return NO_WAY_BACK.blocks(did.run.id, did.run.id, again=_again(did.run.comes_to))
    done = [each for each in did.begun if each.run.state is RunState.SUCCEEDED]
    items: dict[str, list[InChain]] = {}
    for each in sorted((each for each in done if not each.is_undone), key=_ended, reverse=True):
        items.setdefault(each.run.item, []).append(each)
    undos = tuple(_item(name, runs, asked) for name, runs in items.items())
    return (ChainRequest(what="undo", items=undos, undoes=did.run.id),) if undos else ()


def _ended(one: InChain) -> tuple[str, str]:
    return str(one.run.ended_at), one.run.id


def _item(name: str, runs: Iterable[InChain], asked: UndoRequest) -> ChainItem:
    # One follows another: their order is that of the item, not that of its workers' clocks.
    ordered = sorted(runs, key=lambda each: (each.run.part, each.run.id), reverse=True)
    first, *then = [_undo(each, asked) for each in ordered]
    return ChainItem(name=name, asked=first, then=tuple(then))


def _undo(one: InChain, asked: UndoRequest) -> dict[str, Any]:
    return dump(replace(asked, run=one.run.id))


def _again(nodes: Iterable[str]) -> str:
    return "; ".join(
        f"`stackward node drain {node}` takes `{node}` out, "
        f"`stackward node return {node} --bring-back` brings it back"
        for node in nodes
    )
