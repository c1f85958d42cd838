"""Wait for a state of the world, never for a number of seconds."""

import time
from collections.abc import Callable


def wait_until(is_so: Callable[[], bool], *, within_s: float, every_s: float = 0.2) -> bool:
    """Ask `is_so` every `every_s` seconds until it says yes; say whether it did in time."""
    deadline = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(every_s)
    return True
