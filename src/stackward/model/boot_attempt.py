"""The last time that Nova was asked to have a guest run."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BootAttempt:
    """A request of Nova's action log that starts a guest, and how it ended."""

    action: str  # in Nova's words
    request: str
    started: datetime
    has_failed: bool
    says: str | None = None  # why, in Nova's words
