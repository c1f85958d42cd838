"""What is asked of a homecoming."""

from dataclasses import dataclass, field
from typing import ClassVar

from stackward.errors import Refused
from stackward.plan import FLAT, Request
from stackward.requests.how_to_move import HowToMove
from stackward.requests.return_compute_node import ReturnRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class BringBackRequest:
    """What the operator asked for."""

    kind: ClassVar[str] = "bring-back-servers"

    node: str
    run: str  # of the drain; empty: the one that the same chain has carried out before
    how: HowToMove = field(default=HowToMove(), metadata=FLAT)  # with the consents of the drain


def bring_back_request(returned: Request, how: HowToMove) -> BringBackRequest:
    """Return the request that follows a return; `Refused` where no drain of the node is known."""
    if not isinstance(returned, ReturnRequest) or returned.run is None:
        raise Refused(
            "cannot bring servers back: no drain of the node is known here",
            hint="name its run with `--run ID`; `stackward run list` shows those known",
        )
    return BringBackRequest(node=returned.node, run=returned.run, how=how)
