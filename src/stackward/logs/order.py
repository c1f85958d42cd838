"""The order of events from several clocks: in time, and only where time can show it."""

from collections.abc import Iterable, Sequence

from stackward.logs.event import Event


def in_order(events: Iterable[Event]) -> list[Event]:
    """Sort by time; what has the same time stays in the order of its file."""
    return sorted(events, key=lambda one: (one.at, one.node, one.file, one.offset))


def is_about_same_time(first: Event, second: Event) -> bool:
    """Say whether the clocks cannot show which of two events was before the other."""
    if first.file == second.file and first.node == second.node:
        return False  # written one after the other
    apart_s = abs((second.at - first.at).total_seconds())
    # On one node it is one clock; but some lines give whole seconds alone.
    error_s = 0.0 if first.node == second.node else first.error_s + second.error_s
    coarse_s = max(first.resolution_s, second.resolution_s)
    return apart_s < error_s + (coarse_s if coarse_s >= 1 else 0.0)


def marks_of_order(events: Sequence[Event]) -> list[bool]:
    """Say of each event whether it may have been before the one above it."""
    return [
        bool(number) and is_about_same_time(events[number - 1], one)
        for number, one in enumerate(events)
    ]
