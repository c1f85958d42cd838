"""Times: for people in their own zone, with its name; for programs in UTC, as RFC 3339.

Only this file writes a time for people. The zone is that of `TZ`, else the machine's. What is kept,
and what is written into the world, is UTC: sentences that are kept hold our times as
`wording.in_utc` marks them, and are shown through `in_words`; data that is printed for programs
goes through `for_programs`, which takes the mark away. No other time in a sentence is changed: it
is in the words of a tool, or in a claim on a node, which all others read in UTC.
"""

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from stackward.wording import OUR_ZONE, in_utc

if TYPE_CHECKING:
    from stackward.model.values import Json

_OURS = re.compile(
    rf"\b(?P<at>\d{{4}}-\d{{2}}-\d{{2}}T\d{{2}}:\d{{2}}:\d{{2}}Z){re.escape(OUR_ZONE)}"
)
_OFFSET = re.compile(r"([+-]\d{2}):?(\d{2})?")


class Words(str):
    """A sentence of ours in a table: people read its times in their own zone.

    `plain` is what people read in place of it, where data would be in it.
    """

    __slots__ = ("plain",)
    plain: str

    def __new__(cls, text: str, plain: str | None = None) -> Self:
        """Make a sentence; without `plain` people read the same as programs."""
        made = super().__new__(cls, text)
        made.plain = text if plain is None else plain
        return made


def local(at: datetime) -> str:
    """Return a time as people read it: "2026-11-27 01:10:05 CET"."""
    try:
        here = at.astimezone()
    except OverflowError:  # year 1 or 9999: some programs write so where they have no time
        return at.isoformat()
    # Not by strftime: it writes year 1 as "1".
    return f"{here.replace(tzinfo=None).isoformat(' ', 'seconds')} {_zone(here)}"


def time_of_day(at: datetime) -> str:
    """Return the same without the date, for what happens now: "01:10:05 CET"."""
    return local(at).split(" ", 1)[1]


def to_the_millisecond(at: datetime) -> str:
    """Return a time of day for lines of a log, whose order is what matters: "01:10:05.123"."""
    try:
        here = at.astimezone()
    except OverflowError:  # as above
        here = at
    return here.replace(tzinfo=None).time().isoformat("milliseconds")


def utc(at: datetime, timespec: str = "milliseconds") -> str:
    """Return a time as programs read it: RFC 3339, in UTC."""
    try:
        return at.astimezone(UTC).isoformat(timespec=timespec)
    except OverflowError:  # as above
        return at.isoformat(timespec=timespec)


def in_words(text: str) -> str:
    """Return a sentence of ours with our times as people read them; the words of tools stay."""
    return _OURS.sub(lambda found: _shown(found["at"]) or found[0], text)


def for_programs(value: object) -> object:
    """Return data whose sentences have our times in RFC 3339: their mark is for people's zones."""
    match value:
        case str():
            return _OURS.sub(r"\g<at>", value)
        case list() | tuple():
            return [for_programs(each) for each in value]
        case Mapping():
            return {name: for_programs(each) for name, each in value.items()}
        case _:
            return value


def with_our_times(value: "Json") -> "Json":
    """Return a value with each part of it that is a time, and no part of a text, as ours."""
    match value:
        case str() if time_in(value):
            return in_utc(value)
        case list() | tuple():
            return [with_our_times(each) for each in value]
        case Mapping():
            return {name: with_our_times(each) for name, each in value.items()}
        case _:
            return value


def time_in(text: str) -> datetime | None:
    """Return the time that a text consists of; None where it is another text, or has no zone."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None


def _shown(stamp: str) -> str | None:
    at = time_in(stamp)
    return local(at) if at else None  # such as a 30th of February


def _zone(here: datetime) -> str:
    """Return the name of the zone at that time; its offset where it has no name but a number."""
    name = here.tzname() or ""
    if not here.utcoffset() and os.environ.get("TZ", "").startswith(f"{name}/"):
        return "UTC"  # the machine knows no such zone; it then takes its first letters for a name
    if found := _OFFSET.fullmatch(name):
        return f"{found[1]}:{found[2] or '00'}"
    return name
