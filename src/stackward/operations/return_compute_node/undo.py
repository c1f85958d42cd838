"""A return is undone by a drain: what has come to the node since must leave it too."""

from dataclasses import dataclass

from stackward.facts.moved import Did
from stackward.model.claim import read_claim
from stackward.model.run import Settled
from stackward.plan import Blocked
from stackward.policy.undo import NOTHING_TO_UNDO
from stackward.requests.drain_compute_node import DrainRequest
from stackward.requests.undo_run import UndoRequest
from stackward.steps.service import Cordon, Uncordon


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnRecord:
    """What a return to service changed, so that the node can be taken out again."""

    node: str
    is_uncordoned: bool
    reason: str | None  # for which the node had been out; None where that is not known
    kept_off_by: tuple[str, ...] = ()  # what was taken away, in the words of its plan


def undo_return(did: Did, asked: UndoRequest) -> tuple[DrainRequest] | Blocked:
    """Return the drain that takes it back; a blocker where it has opened nothing."""
    run, returned = did.run.id, returned_by(did)
    if not returned.is_uncordoned:
        node = returned.node
        why = (
            f"it has not brought `{node}` into service; `stackward node drain {node}` takes it out "
            "of service"
        )
        return NOTHING_TO_UNDO.blocks(run, run, why=why)
    return (drain_again(run, returned, asked),)


def drain_again(run: str, returned: ReturnRecord, asked: UndoRequest) -> DrainRequest:
    """Return the drain that keeps the node out as it had been before it was returned."""
    return DrainRequest(
        node=returned.node,
        reason=returned.reason or f"run {run} is undone",
        keep_service=asked.keep_service or not returned.kept_off_by,
        with_mask="mask" in returned.kept_off_by,
        how=asked.how,
    )


def returned_by(did: Did) -> ReturnRecord:
    """Return what a return changed, as its journal has it."""
    kept = did.plan.facts.get("kept off by")
    uncordons = list(did.attempts_at(Uncordon.kind))
    texts = [attempt.mark.get("reason") for attempt in uncordons if attempt.mark]
    claim = read_claim(next((text for text in texts if isinstance(text, str)), None))
    is_open = any(attempt.settled is Settled.DONE for attempt in uncordons)
    was_closed_again = any(did.attempts_at(Cordon.kind))
    return ReturnRecord(
        node=str(did.plan.facts.get("node")),
        is_uncordoned=is_open and not was_closed_again,
        reason=claim.reason if claim else None,
        kept_off_by=tuple(map(str, kept)) if isinstance(kept, list | tuple) else (),
    )
