"""The window of time that is asked for: in times and in spans."""

import re
from datetime import datetime, timedelta

from stackward.errors import BadInput

_AS_SHOWN = re.compile(r" UTC$")
_SPAN = re.compile(r"(?P<number>\d{1,9})(?P<unit>[smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def is_span(given: str) -> bool:
    """Say whether this is a span, which counts back from something."""
    return _SPAN.fullmatch(given) is not None


def read_time(given: str, *, flag: str, newest: datetime) -> datetime:
    """Return the time that is meant; a span counts back from `newest`.

    A time without a zone is one of this machine; "UTC" may follow it, as where we show it. Raises
    BadInput for what is neither.
    """
    if found := _SPAN.fullmatch(given):
        try:
            return newest - timedelta(**{_UNITS[found["unit"]]: int(found["number"])})
        except OverflowError as error:
            raise _odd(given, flag) from error
    try:
        at = datetime.fromisoformat(_AS_SHOWN.sub("Z", given))
        return at if at.tzinfo else at.astimezone()
    except (ValueError, OverflowError) as error:
        raise _odd(given, flag) from error


def _odd(given: str, flag: str) -> BadInput:
    return BadInput(
        f"`{flag} {given}` is no time",
        hint="write a time such as 2026-11-27T22:00 or 2026-11-27T22:00Z, or a span such as 90s, "
        "30m, 6h or 2d",
    )
