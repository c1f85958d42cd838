"""How long moves took, and how long they are expected to take."""

from dataclasses import dataclass

SECONDS = "seconds"  # in what a move expects: low, likely, high


@dataclass(frozen=True, slots=True, kw_only=True)
class PastMove:
    """One move that was started and proved on this cloud."""

    how: str  # "live", "cold"
    gib: float  # of memory and disk that it carried
    seconds: float  # from its first intent to its last proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A time that is expected: one case in ten is below `low`, one in ten above `high`."""

    low: float
    likely: float
    high: float
