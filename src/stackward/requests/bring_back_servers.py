"""What is asked of a homecoming."""

from dataclasses import dataclass
from typing import ClassVar

from stackward.model.wish import Consent


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
