"""When a run may begin, in sentences."""

from datetime import datetime

from stackward.model.run import Run, Turn
from stackward.report.times import local


def in_turn(turn: Turn) -> str:
    """Say what is approved for when."""
    at = local(turn.at)
    if turn.until is None:
        by = f", or by {local(turn.by)}" if turn.by else ""
        return f"a worker begins it at {at}{by}; later it is not begun at all"
    return (
        f"a worker begins it between {at} and {local(turn.until)}; from then on nothing more is "
        "started"
    )


def waits(run: Run, now: datetime) -> str:
    """Say of a queued run what it waits for."""
    return f"queued until {local(run.turn.at)}" if run.turn and run.is_early(now) else "queued"
