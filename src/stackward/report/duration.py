"""How long moves are expected to take, as a plan has it: together, and as people read it.

All of this is shown and never compared: no plan is stale for it, and no move is given up for it.
"""

from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heapreplace

from stackward.model.duration import SECONDS, Span
from stackward.model.values import Json


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
    """Return how long they take if so many go on at a time; each starts when a place is free.

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
