"""What a worker waits with: for a while, or until there is something to do."""

from typing import Protocol


class Wakeup(Protocol):
    """Ends a wait early."""

    def wait(self, seconds: float) -> None:
        """Return after so many seconds, or at once if it was woken since the last wait."""
        ...

    def wake(self) -> None:
        """End the wait, or the next one; from any thread, and from a signal."""
        ...
