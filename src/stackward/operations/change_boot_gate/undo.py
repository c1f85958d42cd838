"""A gate that was put there is taken away, and the other way about."""

from stackward.facts.moved import Did
from stackward.operations.change_boot_gate.rules import NO_UNDO
from stackward.plan import Blocked, Request
from stackward.requests.change_boot_gate import GateRequest
from stackward.requests.undo_run import UndoRequest

_OTHER = {"installed": "removed", "removed": "installed"}


def undo_gate(did: Did, asked: UndoRequest) -> tuple[Request, ...] | Blocked:  # noqa: ARG001 # for any request
    """Return the request of the other way."""
    request = did.plan.request
    to = _OTHER.get(request.to) if isinstance(request, GateRequest) else None
    if to is None:
        return NO_UNDO.blocks(did.run.id, did.run.id)
    return (GateRequest(node=str(did.plan.facts["node"]), to=to),)
