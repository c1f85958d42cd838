"""What the undo of a chain leaves as it is: each of its runs that is not undone, and why."""

from collections.abc import Iterator, Sequence

from stackward.facts.moved import Did, InChain, has_begun, read_did
from stackward.kinds import KINDS
from stackward.model.run import RunState
from stackward.ports.journal import Journal
from stackward.steps.service import Cordon
from stackward.wording import count_of


def left_in_chain(journal: Journal, did: Did) -> Iterator[str]:
    """Name each run of a chain that its undo leaves, and what the node is left with."""
    undone = [each for each in did.begun if _is_to_undo(each)]
    left = [each for each in did.begun if not _is_to_undo(each)]
    for each in left:
        yield from _left(journal, each)
    begun = {each.run.item for each in did.begun if _may_have_changed(journal, each)}
    items = dict.fromkeys(move.thing for _, move in did.plan.moves())
    if never := [f"`{item}`" for item in items if item not in begun]:
        yield f"{', '.join(never)}: the chain changed nothing there"
    back = {
        moved.id: moved.name
        for each in undone
        for moved in read_did(journal, each.run, KINDS).moved()
    }
    for each in left:
        if each.is_undone:
            continue
        for moved in read_did(journal, each.run, KINDS).moved():
            if moved.id in back:
                yield (
                    f"`{moved.name}`: run `{each.run.id}` of the chain itself moved it on; it "
                    "stays where it is unless you undo that run first"
                )


def _is_to_undo(one: InChain) -> bool:
    return one.run.state is RunState.SUCCEEDED and not one.is_undone


def _may_have_changed(journal: Journal, one: InChain) -> bool:
    """Say whether a run of the chain has changed anything, or may still do so."""
    goes_on = one.run.state in {RunState.QUEUED, RunState.RUNNING}
    return goes_on or _is_to_undo(one) or read_did(journal, one.run, KINDS).has_changed


def _left(journal: Journal, one: InChain) -> Iterator[str]:
    run, called = one.run, f"run `{one.run.id}`, {one.run.title}"
    if one.is_undone and one.undoer is not None:
        yield f"{called}: run `{one.undoer.id}` undid it already"
        return
    if run.state in {RunState.QUEUED, RunState.RUNNING}:
        yield f"{called}: it is {run.state}; `stackward run watch {run.id}` follows it"
        return
    did = read_did(journal, run, KINDS)
    if not did.has_changed:
        return
    nodes = ", ".join(f"`{each}`" for each in run.holds)
    is_cordoned = any(map(has_begun, did.attempts_at(Cordon.kind)))
    still = f"; {nodes} is still cordoned by it" if is_cordoned else ""
    ways = [f"`stackward run undo {run.id}` undoes it"]
    if run.state is RunState.STOPPED:
        ways.insert(0, f"`stackward run resume {run.id}` finishes it")
    yield f"{called}: it is {run.state}{still}{_moved(did)}; {', '.join(ways)}"


def _moved(did: Did) -> str:
    names: Sequence[str] = [each.name for each in did.moved()]
    if not names:
        return "; it moved no server"
    few = ", ".join(f"`{each}`" for each in names[:3])
    more = f" and {count_of(len(names) - 3, 'more server')}" if len(names) > 3 else ""  # noqa: PLR2004
    return f"; it moved {few}{more}"
