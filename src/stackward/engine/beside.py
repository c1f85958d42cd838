"""Which item of a chain may begin while others go on: only one of the same failure domain.

An item that was started and is not done counts: its node may be down. It does not matter which
worker has it, or where its run has stopped. So the rule holds after a take-over, after a resume,
and while another item is late.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from stackward.plan import Move, are_together, begins_runs


def is_bounded(moves: Iterable[Move[Any]]) -> bool:
    """Say whether there is one among them that may not go on together with all the others."""
    return any(each.domain or each.apart for move in moves for each in begins_runs(move))


def next_to_begin(
    waiting: Sequence[Move[Any]], moving: Iterable[Move[Any]], begun: Sequence[Move[Any]]
) -> Move[Any] | None:
    """Return the move that starts next; None: none may start now.

    `begun` are the moves that were started at any time and are not done. They go on before others
    start.
    """
    going = {each.key: each for each in moving}
    keys = {each.key for each in begun}
    for move in waiting:
        if move.key in keys and _may_go_on(move, going.values()):
            return move
    beside = {**going, **{each.key: each for each in begun}}
    return next((each for each in waiting if _may_go_on(each, beside.values())), None)


def _may_go_on(move: Move[Any], beside: Iterable[Move[Any]]) -> bool:
    return all(are_together(move, other) for other in beside if other.key != move.key)
