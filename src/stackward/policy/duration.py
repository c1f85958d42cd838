"""How long moves will take on this cloud, judged by those that it has seen.

For each kind of move, over the past moves of that kind (`facts/durations.py`):

    GiB carried   the disk that is copied; for a live move also the server's memory
    rate          the median slope between any two of them that differ by a quarter of a GiB or more
                  (Theil and Sen: up to 29% of wild figures do not move it), at least 0
    fixed part    the median of (seconds - rate * GiB), at least 0: scheduling, confirming, proving
    likely        fixed part + rate * GiB
    low, high     likely, times the 10th and the 90th percentile of (seconds / likely) over the past

Fewer than three past moves of a kind say nothing, nor do they about a server more than twice as
big as any of them. That moves slow each other down is not modelled: it is in the past figures as it
was then.

All of this is shown and never compared: no plan is stale for it, and no move is given up for it.
"""

from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heapreplace
from itertools import combinations
from statistics import median, quantiles

from stackward.model.duration import PastMove, Span
from stackward.model.values import Json

ENOUGH = 3  # past moves of a kind
SECONDS = "seconds"  # in what a move expects: low, likely, high
_APART_GIB = 0.25  # less of a difference in size than this tells nothing of the rate
_BIGGER = 2.0  # times the biggest of the past: beyond that nothing is known
_LEAST_S = 1.0  # what a past move is taken to have needed, at least


def carried_gib(how: str, memory_mib: float, copied_bytes: float) -> float:
    """Return what a move carries over the network, at most."""
    memory = memory_mib / 1024 if how == "live" else 0.0
    return memory + copied_bytes / 2**30


def expect(how: str, gib: float, past: Sequence[PastMove]) -> Span | None:
    """Return how long a move of that kind and size will take; None where the past does not tell."""
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


def span_of(expects: Mapping[str, Json]) -> Span | None:
    """Return how long a move is expected to take, as its plan has it."""
    match expects.get(SECONDS):
        case [int() | float() as low, int() | float() as likely, int() | float() as high]:
            return Span(low=float(low), likely=float(likely), high=float(high))
        case _:
            return None


def left_of(span: Span, passed_s: float) -> Span:
    """Return what is left of a move that has been under way for so long."""
    # One that takes longer than is likely ends by when nine of ten have; after that, any moment.
    low, high = max(0.0, span.low - passed_s), max(0.0, span.high - passed_s)
    likely = span.likely - passed_s
    return Span(low=low, likely=likely if likely > 0 else high / 2, high=high)


def together(spans: Iterable[Span], at_once: int) -> Span | None:
    """Return how long they take if so many go on at a time, each begun when a place is free.

    The range is that of all being quick and all being slow: what slows one move down, such as a
    busy network, mostly slows down the others too.
    """
    ordered = list(spans)
    if not ordered:
        return None
    return Span(
        low=_end([one.low for one in ordered], at_once),
        likely=_end([one.likely for one in ordered], at_once),
        high=_end([one.high for one in ordered], at_once),
    )


def _end(seconds: Sequence[float], at_once: int) -> float:
    places = [0.0] * min(at_once, len(seconds))
    heapify(places)
    for one in seconds:
        heapreplace(places, places[0] + one)
    return max(places)


def one_after_another(spans: Iterable[Span]) -> Span | None:
    """Return how long stages take, one after the other."""
    return together(spans, 1)


def in_time(span: Span, word: str = "") -> str:
    """Return a span as people read it: "4 min (3 to 7)", with a word "4 min left (3 to 7)"."""
    unit, of = next(
        (each for each in (("s", 1), ("min", 60)) if span.likely < 90 * each[1]), ("h", 3600)
    )
    digits = 1 if unit == "h" else 0

    def shown(seconds: float) -> str:
        return f"{seconds / of:.{digits}f}"

    told = f"{shown(span.likely)} {unit} {word}".rstrip()
    return f"{told} ({shown(span.low)} to {shown(span.high)})"
