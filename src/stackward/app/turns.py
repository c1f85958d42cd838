"""When a run may begin, in the words of an operator, by the clock and the zone of this machine."""

from stackward.adapters.clock import SystemClock
from stackward.adapters.zone import zone_here
from stackward.engine.windows import turn_at, turn_in_window
from stackward.errors import BadInput
from stackward.model.run import Turn


def turn_of(at: str | None, window: str | None) -> Turn | None:
    """Return when a run may begin; None: at once."""
    if at is not None and window is not None:
        raise BadInput("`--at` and `--window` exclude each other", hint="leave one of them out")
    now = SystemClock().now()
    if window is not None:
        return turn_in_window(window, now, zone_here)
    return turn_at(at, now, zone_here) if at is not None else None
