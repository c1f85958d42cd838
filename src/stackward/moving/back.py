"""How the servers that a run moved come back to the hosts that they left, as requests."""

from stackward.facts.moved import Did
from stackward.requests.bring_back_servers import BringBackRequest
from stackward.requests.undo_run import UndoRequest


def servers_back(did: Did, asked: UndoRequest) -> tuple[BringBackRequest, ...]:
    """Return one request for each host that servers left by the run, in the order of moves."""
    return tuple(
        BringBackRequest(node=source, run=did.run.id, how=asked.how)
        for source in dict.fromkeys(each.source or "" for each in did.moved())
    )
