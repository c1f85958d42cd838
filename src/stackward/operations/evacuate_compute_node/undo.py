"""An evacuation is not undone: the node's own copies are destroyed when it comes back."""

from stackward.facts.moved import Did
from stackward.operations.evacuate_compute_node.rules import NO_UNDO
from stackward.plan import Blocked
from stackward.requests.undo_run import UndoRequest


def undo_evacuation(did: Did, asked: UndoRequest) -> Blocked:  # noqa: ARG001 # for any request
    """Say that no run takes it back, and what is done instead."""
    return NO_UNDO.blocks(did.run.id, did.run.id, host=did.run.holds[0])
