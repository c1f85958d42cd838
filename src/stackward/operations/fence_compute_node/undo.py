"""A fence is not undone by Stackward: power alone makes no node well."""

from stackward.facts.moved import Did
from stackward.operations.fence_compute_node.rules import NO_UNDO
from stackward.plan import Blocked
from stackward.requests.undo_run import UndoRequest


def undo_fence(did: Did, asked: UndoRequest) -> Blocked:  # noqa: ARG001 # for any request
    """Refuse: a person switches it on, and sees it boot; then it returns."""
    return NO_UNDO.blocks(did.run.id, did.run.id, host=did.run.holds[0])
