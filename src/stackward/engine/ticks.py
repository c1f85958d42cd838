"""Advance the moves of a stage together, each in a thread, one tick at a time."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from stackward.errors import StackwardError
from stackward.plan import Move, Standing


@dataclass(slots=True, eq=False)
class Moving:
    """A move on its way."""

    move: Move[Any]
    path: str
    steps: Iterator[Standing]
    is_done: bool = False
    failed: StackwardError | None = None
    ended: BaseException | None = None  # what ends the worker itself
    thread: threading.Thread | None = None

    @property
    def is_settled(self) -> bool:
        """Say whether it is over, for this run of the engine."""
        return self.is_done or self.failed is not None

    def advance(self) -> None:
        """Take the move as far as it goes without waiting."""
        try:
            next(self.steps)
        except StopIteration:
            self.is_done = True
        except BaseException as error:  # noqa: BLE001  # the one place: the tick sorts it out
            self.ended = error


def tick(moving: Sequence[Moving], straggler_s: float, sort: Callable[[Moving], None]) -> None:
    """Advance each move once, together; wait `straggler_s` in all for those that are busy asking.

    That is the limit for any number of moves, because the run shows signs of life only between two
    ticks. `sort` is given each move that has advanced, in this thread.
    """
    for each in moving:
        if each.thread is None:
            # A daemon: a process that must exit does not wait for a slow answer.
            each.thread = threading.Thread(target=each.advance, name=each.path, daemon=True)
            each.thread.start()
    until = time.monotonic() + straggler_s
    for each in moving:
        if each.thread is not None:
            each.thread.join(max(0.0, until - time.monotonic()))
            if not each.thread.is_alive():
                each.thread = None
                sort(each)
