"""Time, so that tests need not wait for it."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Gives the time and waits."""

    def now(self) -> datetime:
        """Return the time of day, in UTC: for what is written down."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards: for deadlines."""
        ...

    def wait(self, seconds: float) -> None:
        """Return after so many seconds."""
        ...
