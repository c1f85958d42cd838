"""How an operator stops a run: first nothing more starts, then the engine leaves at once."""

import threading
from collections.abc import Callable


class Brakes:
    """Pressed once: wait for the moves in progress. Pressed twice: leave them running."""

    def __init__(self, *, leaves_to_others: bool = False) -> None:
        """Begin unpressed; a run that stops is queued for other workers, or left to its owner."""
        self.leaves_to_others = leaves_to_others
        self._pressed = 0
        self._told: list[Callable[[], None]] = []
        self._lock = threading.RLock()  # a second signal may come in the middle of the first

    def press(self) -> int:
        """Press once more; return how often that was."""
        with self._lock:
            self._pressed += 1
            pressed = self._pressed
        for tell in self._told:
            tell()
        return pressed

    def when_pressed(self, tell: Callable[[], None]) -> None:
        """Have `tell` called at each press; it may be called within a signal."""
        self._told.append(tell)

    @property
    def is_stopping(self) -> bool:
        """Say whether nothing more may start."""
        return self._pressed > 0

    @property
    def is_leaving(self) -> bool:
        """Say whether the moves in progress are left running too."""
        return self._pressed > 1
