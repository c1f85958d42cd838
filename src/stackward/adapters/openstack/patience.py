"""How long a call waits for an API that asks for patience, or that failed once."""

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from stackward.ports.clock import Clock
from stackward.ports.haste import is_starting

_log = logging.getLogger(__name__)

BUSY = {429, 503}  # those that may say when to come back
# For a reading call: a gateway lost its service for a moment, or the service failed once.
AGAIN = BUSY | {500, 502, 504}
NOT_DONE = {429}  # nothing was done; all else may have taken effect, where it was an order
_FIRST_S = 1.0
_SAID_AGAIN_S = 30.0  # an outage is reported once, and then as often


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """The bounds of all waiting for one call: how often, and how long in all."""

    clock: Clock
    most: int = 6
    most_unasked: int = 3  # where the service does not say when to come back
    longest_s: float = 60.0
    in_all_s: float = 120.0
    _told: dict[tuple[str, str], float] = field(default_factory=dict, repr=False, compare=False)

    def begin(self) -> "Waiting":
        """Begin with one call."""
        return Waiting(self)

    def is_news(self, service: str, why: str) -> bool:
        """Say whether it is time to report that a service is waited for, and why."""
        now = self.clock.monotonic()
        if now - self._told.get((service, why), -_SAID_AGAIN_S) < _SAID_AGAIN_S:
            return False
        self._told[service, why] = now
        return True


class Waiting:
    """The waiting for one call."""

    def __init__(self, bounds: Patience) -> None:
        self._bounds = bounds
        self._until = bounds.clock.monotonic() + bounds.in_all_s
        self.times = 0

    def waits(self, service: str, what: str, why: str, after: str | float | None) -> bool:
        """Wait before the call is repeated, and say so; or say that it is not repeated.

        `after` is what the service said of when to come back. Nobody waits in the start of a step.
        """
        if is_starting():
            return False
        bounds = self._bounds
        left = self._until - bounds.clock.monotonic()
        asked = seconds_of(after, bounds.clock.now())
        most = bounds.most if asked is not None else bounds.most_unasked
        if self.times >= most or left <= 0:
            return False
        pause = min(
            asked if asked is not None else _FIRST_S * 2**self.times, bounds.longest_s, left
        )
        self.times += 1
        level = logging.WARNING if bounds.is_news(service, why) else logging.DEBUG
        _log.log(level, "waits %.0f s for %s, then asks again: %s (%s)", pause, service, why, what)
        bounds.clock.wait(pause)
        return True


def seconds_of(after: str | float | None, now: datetime) -> float | None:
    """Return in how many seconds to come back: `Retry-After` has them, or a date of HTTP."""
    if after is None or isinstance(after, int | float):
        return float(after) if after else None
    if after.strip().isdecimal():
        return float(after.strip()[:9])
    try:
        at = parsedate_to_datetime(after)
    except (ValueError, TypeError, IndexError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())
