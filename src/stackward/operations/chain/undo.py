"""A chain is undone by undoing its runs that have ended well, the last first."""

from dataclasses import replace

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
    items = tuple(
        ChainItem(
            name=names[move_of(each.step)],
            asked=dump(replace(asked, run=str(each.saw["run"]))),
        )
        for each in ordered
    )
    return (ChainRequest(what="undo", items=items, undoes=did.run.id),) if items else ()
