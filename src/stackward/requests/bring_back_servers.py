"""What is asked of a homecoming."""

from dataclasses import dataclass
from typing import ClassVar

from stackward.errors import Refused
from stackward.model.wish import Consent
from stackward.plan import Request
from stackward.requests.return_compute_node import ReturnRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class BringBackRequest:
    """What the operator asked for."""

    kind: ClassVar[str] = "bring-back-servers"

    node: str
    run: str  # of the drain
    allow_downtime: bool = False  # stop what cannot move live
    leave_behind: tuple[str, ...] = ()  # ids of servers that stay where they are
    consents: tuple[Consent, ...] = ()  # of owners, beside those that the drain has on record
    at_once: int = 2
    slow_after_s: float = 1800.0
    when_slow: str = "wait"  # or "force-complete", "abort"


def bring_back_request(  # noqa: PLR0913  # what was asked for
    returned: Request,
    *,
    allow_downtime: bool,
    leave_behind: tuple[str, ...],
    consents: tuple[Consent, ...],
    at_once: int,
    slow_after_s: float,
    when_slow: str,
) -> BringBackRequest:
    """Return the request that follows a return; `Refused` where no drain of the node is known."""
    if not isinstance(returned, ReturnRequest) or returned.run is None:
        raise Refused(
            "cannot bring servers back: no drain of the node is known here",
            hint="name its run with `--run ID`; `stackward run list` shows those known",
        )
    return BringBackRequest(
        node=returned.node,
        run=returned.run,
        allow_downtime=allow_downtime,
        leave_behind=leave_behind,
        consents=consents,
        at_once=at_once,
        slow_after_s=slow_after_s,
        when_slow=when_slow,
    )
