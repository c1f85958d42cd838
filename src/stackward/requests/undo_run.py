"""What is asked of an undo."""

from dataclasses import dataclass
from typing import ClassVar

from stackward.model.wish import Consent


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoRequest:
    """What the operator asked for."""

    kind: ClassVar[str] = "undo-run"

    run: str
    image: str | None = None  # for the acceptance server, as in a return; so the next two
    flavor: str | None = None
    network: str | None = None
    allow_downtime: bool = False  # stop what cannot move live
    leave_behind: tuple[str, ...] = ()  # ids of servers that stay where they are
    consents: tuple[Consent, ...] = ()  # of owners, beside those that the run has on record
    keep_service: bool = False  # of a return: the drain that undoes it leaves nova-compute running
    at_once: int = 2
    slow_after_s: float = 1800.0
    when_slow: str = "wait"  # or "force-complete", "abort", "stop-server"
