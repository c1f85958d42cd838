"""How long moves will take on this cloud, judged by its past moves.

For each kind of move, over the past moves of that kind (`facts/durations.py`):

    GiB carried   the disk that is copied; for a live move also the server's memory
    rate          the median slope between any two of them that differ by a quarter of a GiB or more
                  (Theil and Sen: up to 29% of wild figures do not move it), at least 0
    fixed part    the median of (seconds - rate * GiB), at least 0: scheduling, confirming, proving
    likely        fixed part + rate * GiB
    low, high     likely, times the 10th and the 90th percentile of (seconds / likely) over the past

Fewer than three past moves of a kind say nothing, nor do they about a server more than twice as big
as any of them. That moves slow each other down is not modelled: the past figures already contain
it.

All of this is shown and never compared: no plan is stale for it, and no move is given up for it.
"""

from collections.abc import Sequence
from itertools import combinations
from statistics import median, quantiles

from stackward.model.duration import PastMove, Span

ENOUGH = 3  # past moves of a kind
_APART_GIB = 0.25  # a smaller difference in size shows nothing of the rate
_BIGGER = 2.0  # times the biggest of the past: beyond that nothing is known
_LEAST_S = 1.0  # what a past move is taken to have needed, at least


def carried_gib(how: str, memory_mib: float, copied_bytes: float) -> float:
    """Return what a move carries over the network, at most."""
    memory = memory_mib / 1024 if how == "live" else 0.0
    return memory + copied_bytes / 2**30


def expect(how: str, gib: float, past: Sequence[PastMove]) -> Span | None:
    """Return how long a move of that kind and size will take; None: past moves do not show it."""
    known = [one for one in past if one.how == how]
    if len(known) < ENOUGH or gib > _BIGGER * max(one.gib for one in known) + _APART_GIB:
        return None
    rate = _rate(known)
    fixed = max(0.0, median(one.seconds - rate * one.gib for one in known))

    def likely(size: float) -> float:
        return max(_LEAST_S, fixed + rate * size)

    parts = quantiles([one.seconds / likely(one.gib) for one in known], n=10, method="inclusive")
    mid = likely(gib)
    return Span(low=mid * min(parts[0], 1.0), likely=mid, high=mid * max(parts[-1], 1.0))


def _rate(known: Sequence[PastMove]) -> float:
    slopes = [
        (other.seconds - one.seconds) / (other.gib - one.gib)
        for one, other in combinations(known, 2)
        if abs(other.gib - one.gib) >= _APART_GIB
    ]
    return max(0.0, median(slopes)) if slopes else 0.0
