"""A chain is undone by undoing its runs that have ended well, the last first."""

from dataclasses import replace
from typing import Any

from stackward.facts.moved import Did
from stackward.model.run import Settled
from stackward.plan import dump
from stackward.plan.path import move_of
from stackward.requests.chain import ChainItem, ChainRequest
from stackward.requests.undo_run import UndoRequest


def undo_chain(did: Did, asked: UndoRequest) -> tuple[ChainRequest, ...]:
    """Return the one request that takes it back; none, where no run of it has ended well."""
    done = [each for each in did.last.values() if each.settled is Settled.DONE and each.settled_at]
    ordered = sorted(done, key=lambda each: (each.settled_at, each.step), reverse=True)
    names = {stage.path_of(move): move.thing for stage, move in did.plan.moves()}
    undos: dict[str, list[dict[str, Any]]] = {}
    for each in ordered:
        undo = dump(replace(asked, run=str(each.saw["run"])))
        undos.setdefault(names[move_of(each.step)], []).append(undo)
    items = tuple(
        ChainItem(name=name, asked=first, then=tuple(then))
        for name, (first, *then) in undos.items()
    )
    return (ChainRequest(what="undo", items=items, undoes=did.run.id),) if items else ()
