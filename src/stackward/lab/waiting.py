"""Wait for a state of the world, never for a number of seconds."""

import time
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")


def wait_until(is_so: Callable[[], bool], *, within_s: float, every_s: float = 0.2) -> bool:
    """Ask `is_so` every `every_s` seconds until it says yes; say whether it did in time."""
    deadline = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(every_s)
    return True


def last_seen(look: Callable[[], Seen], is_so: Callable[[Seen], bool], *, within_s: float) -> Seen:
    """Look until `is_so` says yes, for `within_s` seconds at most; return what was seen last."""
    seen: list[Seen] = []

    def is_there() -> bool:
        seen[:] = [look()]
        return is_so(seen[0])

    wait_until(is_there, within_s=within_s, every_s=0.5)
    return seen[0]
