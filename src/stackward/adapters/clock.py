"""The system's clock as the port `Clock`."""

import time
from datetime import UTC, datetime


class SystemClock:
    """Time as the operating system has it."""

    def now(self) -> datetime:
        """Return the time of day, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Return after this number of seconds."""
        time.sleep(seconds)
