"""One end for many questions: it is handed down, and each takes no more than what is left."""

from dataclasses import dataclass

from stackward.ports.clock import Clock

FAIR = 0.5  # of its own limit, what a question must have had


def is_fair(given_s: float, limit_s: float) -> bool:
    """Say whether a question had enough of its own limit: with less, silence proves nothing.

    An answer proves as much however late it comes.
    """
    return given_s >= FAIR * limit_s


@dataclass(frozen=True, slots=True)
class Deadline:
    """When something is over, on the clock that never runs backwards."""

    clock: Clock
    ends: float

    @classmethod
    def after(cls, clock: Clock, seconds: float) -> "Deadline":
        """Return the end of something that begins now."""
        return cls(clock, clock.monotonic() + seconds)

    def left_s(self) -> float:
        """Return how much time is left; after the end it is always none."""
        return max(0.0, self.ends - self.clock.monotonic())

    def allows(self, limit_s: float) -> bool:
        """Say whether there is a fair time for a question of that limit."""
        return is_fair(self.left_s(), limit_s)

    def within(self, most_s: float) -> float:
        """Return the limit of one question: its own, or what is left."""
        return min(most_s, self.left_s())

    def sooner(self, seconds: float) -> "Deadline":
        """Return an end that leaves so much time for what comes after it."""
        return Deadline(self.clock, self.ends - seconds)
