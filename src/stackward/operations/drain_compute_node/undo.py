"""A drain is undone by a return of the node; then the servers that it moved come home."""

from stackward.facts.moved import Did
from stackward.moving.back import servers_back
from stackward.requests.bring_back_servers import BringBackRequest
from stackward.requests.return_compute_node import ReturnRequest
from stackward.requests.undo_run import UndoRequest


def undo_drain(did: Did, asked: UndoRequest) -> tuple[ReturnRequest | BringBackRequest, ...]:
    """Return the requests that take it back, in their order."""
    [host] = did.run.holds
    back = ReturnRequest(
        node=host,
        image=asked.image,
        flavor=asked.flavor,
        network=asked.network,
        run=did.run.id,
    )
    return (back, *servers_back(did, asked))
