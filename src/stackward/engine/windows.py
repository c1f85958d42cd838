"""When a run may begin: the words of `--at` and `--window` as moments. Pure.

Within a window, the clock of its zone always shows a time of the window. If that clock is put
forward over the begin or the end of a window, that begin or end is the moment of the change. If it
is put back, a window begins the second time that the clock shows its begin. It ends the first time
that the clock shows its end. If both are in the hour that comes twice, it is the first hour.
"""

import re
from collections.abc import Callable
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stackward.errors import BadInput
from stackward.model.run import Turn

LATE = timedelta(hours=1)  # after the time of `--at`; then it is not begun at all
_FURTHEST = timedelta(days=366)

_TIME = r"\d{1,2}:\d{2}(?::\d{2})?"
_ZONE = r"(?:@(?P<zone>\S+))?"
_WINDOW = re.compile(rf"(?P<first>{_TIME})-(?P<last>{_TIME}){_ZONE}")
_AT = re.compile(
    rf"(?:(?P<day>\d{{4}}-\d{{2}}-\d{{2}})[T ])?(?P<time>{_TIME})"
    rf"(?P<offset>Z|[+-]\d{{2}}:[0-5]\d)?{_ZONE}"
)
_HOW_WINDOW = "write `--window 01:00-05:00`, or `--window 01:00-05:00@Europe/Berlin`"
_HOW_AT = "write `--at 01:00`, `--at 2026-11-28T01:00` or `--at 2026-11-28T01:00@Europe/Berlin`"


def turn_in_window(words: str, now: datetime, zone_here: Callable[[], ZoneInfo]) -> Turn:
    """Return the next window of these words; if one is open now, that is the next."""
    found = _WINDOW.fullmatch(words.strip())
    if found is None:
        raise BadInput(f"`--window {words}` is not a window", hint=_HOW_WINDOW)
    first, last = (_time(found[which], "--window", words) for which in ("first", "last"))
    if first == last:
        raise BadInput(
            f"`--window {words}` is empty: it begins and ends at {first:%H:%M:%S}", hint=_HOW_WINDOW
        )
    zone = _zone(found["zone"], "--window", words) if found["zone"] else zone_here()
    begins, ends = next_window(first, last, zone, now)
    said = words.strip() if found["zone"] else f"{words.strip()}@{zone.key}"
    return Turn(at=begins, by=ends, until=ends, asked=f"--window {said}")


def turn_at(words: str, now: datetime, zone_here: Callable[[], ZoneInfo]) -> Turn:
    """Return the turn that begins at the time of these words; without a day, the next such time."""
    found = _AT.fullmatch(words.strip())
    if found is None or (found["offset"] and (found["zone"] or not found["day"])):
        raise BadInput(f"`--at {words}` is not a time", hint=_HOW_AT)
    shown = _time(found["time"], "--at", words)
    if found["offset"]:
        at = _of_day(found["day"], words, shown, found["offset"])
        said = words.strip()
    else:
        zone = _zone(found["zone"], "--at", words) if found["zone"] else zone_here()
        said = words.strip() if found["zone"] else f"{words.strip()}@{zone.key}"
        if found["day"]:
            at = _once(_of_day(found["day"], words, shown), zone, words)
        else:
            at = next_time(shown, zone, now)
    if at <= now:
        raise _passed(words)
    if at - now > _FURTHEST:
        raise _too_far(words)
    return Turn(at=at, by=at + LATE, asked=f"--at {said}")


def next_window(
    first: time, last: time, zone: ZoneInfo, now: datetime
) -> tuple[datetime, datetime]:
    """Return when the window begins and ends that is open now, otherwise the next one, in UTC.

    A window that has no time on the day of a clock change is passed over.
    """
    today = now.astimezone(zone).date()
    days = (today + timedelta(days=number) for number in range(-2, 9))
    windows = (_window_of(day, first, last, zone) for day in days)
    return next((begins, ends) for begins, ends in windows if begins < ends and now < ends)


def next_time(shown: time, zone: ZoneInfo, now: datetime) -> datetime:
    """Return the next moment at which the clock of a zone shows a time, in UTC."""
    today = now.astimezone(zone).date()
    days = (today + timedelta(days=number) for number in range(-1, 4))
    moments = (at for day in days for at in moments_of(datetime.combine(day, shown), zone))
    return next(at for at in moments if at > now)  # they come in order


def _window_of(day: date, first: time, last: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    begins = moments_of(datetime.combine(day, first), zone)
    ends = moments_of(datetime.combine(day + timedelta(days=int(last <= first)), last), zone)
    begin = begins[-1] if begins[-1] < ends[0] else begins[0]
    return begin, ends[0]


def moments_of(shown: datetime, zone: ZoneInfo) -> list[datetime]:
    """Return the moments at which the clock of a zone shows this time, in UTC: one, or two.

    If the clock is put forward over it: the moment of that change.
    """
    moments = [shown.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    if moments[0] == moments[1]:  # no change of the clock is near, by PEP 495
        return moments[:1]
    real = [at for at in moments if _shown(at, zone) == shown]
    if real:
        return sorted(set(real))
    # Fold 0 uses the offset before the change and comes out after it; fold 1 comes out before.
    after, before = moments
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        before, after = (middle, after) if _shown(middle, zone) < shown else (before, middle)
    return [after]


def _shown(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def _once(shown: datetime, zone: ZoneInfo, words: str) -> datetime:
    moments = moments_of(shown, zone)
    if len(moments) > 1:
        offsets = " or ".join(at.astimezone(zone).isoformat(timespec="seconds") for at in moments)
        raise BadInput(f"`--at {words}`: that time comes twice", hint=f"write {offsets}")
    [at] = moments
    if _shown(at, zone) != shown:
        raise BadInput(
            f"`--at {words}`: there is no such time, the clock of `{zone.key}` is put forward then",
            hint=f"the clock shows {_shown(at, zone):%H:%M} next",
        )
    return at


def _passed(words: str) -> BadInput:
    return BadInput(f"`--at {words}` has passed", hint="name a time that is to come")


def _too_far(words: str) -> BadInput:
    return BadInput(f"`--at {words}` is more than a year from now", hint="name a nearer time")


def _of_day(day: str, words: str, shown: time, offset: str = "") -> datetime:
    """Return the time of a day: in UTC if it has an offset, otherwise as a clock shows it."""
    try:
        at = datetime.combine(date.fromisoformat(day), shown)
    except ValueError as error:
        raise BadInput(
            f"`--at {words}` is not a time: there is no such day", hint=_HOW_AT
        ) from error
    # In the first and the last year that Python has, no zone and no offset can be computed.
    if at.year == MINYEAR:
        raise _passed(words)
    if at.year == MAXYEAR:
        raise _too_far(words)
    if not offset:
        return at
    try:
        return datetime.fromisoformat(f"{at}{offset.replace('Z', '+00:00')}").astimezone(UTC)
    except ValueError as error:
        raise BadInput(
            f"`--at {words}` is not a time: there is no offset {offset}",
            hint="write it as `+01:00`; offsets are -23:59 to +23:59",
        ) from error


def _time(shown: str, option: str, words: str) -> time:
    try:
        return time.fromisoformat(shown.zfill(5) if len(shown) <= len("00:00") else shown.zfill(8))
    except ValueError as error:
        raise BadInput(
            f"`{option} {words}`: {shown} is no time of day: those are 00:00 to 23:59:59",
            hint=_HOW_WINDOW if option == "--window" else _HOW_AT,
        ) from error


def _zone(name: str, option: str, words: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadInput(
            f"`{option} {words}`: this machine knows no zone `{name}`",
            hint="write it as the files below /usr/share/zoneinfo are called, such as "
            "`Europe/Berlin` or `UTC`; they are in the package `tzdata`",
        ) from error
