"""Numbers, sizes and times in words: one function for each, so that all texts say them alike."""

from collections.abc import Iterable
from datetime import UTC, datetime

OUR_ZONE = "[UTC]"  # after a time in a sentence of ours

_STEP = 1024
_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB")


def count_of(number: int, one: str, many: str | None = None) -> str:
    """Say how many there are: "1 server", "2 servers"; `many` where an "s" does not do."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def first_of(names: Iterable[str], most: int) -> str:
    """Name the first and count the rest: "c01, c02 and 7 more"; a single one more is named too."""
    listed = list(names)
    if len(listed) <= most + 1:
        return ", ".join(listed)
    return f"{', '.join(listed[:most])} and {len(listed) - most} more"


def has_and_not(says: Iterable[tuple[str, bool]]) -> str:
    """Say which have a thing and which do not: "Nova and Cinder have it, libvirt does not"."""
    said = tuple(says)
    have = [who for who, has in said if has]
    lack = [who for who, has in said if not has]
    verb, no_verb = "has" if len(have) == 1 else "have", "does" if len(lack) == 1 else "do"
    return f"{' and '.join(have)} {verb} it, {' and '.join(lack)} {no_verb} not"


def near_to(name: str, known: Iterable[str]) -> list[str]:
    """Return the known names that a name may be meant for, at most three, the nearest first."""
    from difflib import get_close_matches  # noqa: PLC0415  # loaded for an error only

    return get_close_matches(name, [*known], n=3, cutoff=0.5)


def perhaps(near: Iterable[str]) -> str:
    """Name what may be meant: "perhaps `nova-api` or `nova-conductor`"."""
    return f"perhaps {' or '.join(f'`{one}`' for one in near)}"


def in_size(size: float) -> str:
    """Say a number of bytes, rounded to a tenth of the unit: "1.9 GiB", "300 MiB"."""
    if size < _STEP:
        return count_of(round(size), "byte")
    amount, unit = size, ""
    for unit in _UNITS:  # noqa: B007  # the last one is for all that is larger
        amount /= _STEP
        if round(amount, 1) < _STEP:
            break
    return f"{f'{amount:.1f}'.removesuffix('.0')} {unit}"


def utc_stamp(at: datetime | str) -> str:
    """Write a time as a value that is kept: "2026-11-27T00:10:05Z". Text without a zone is UTC."""
    if isinstance(at, str):
        try:
            read = datetime.fromisoformat(at)
        except ValueError:
            return at  # a service that writes times in another way is quoted
        at = read if read.tzinfo else read.replace(tzinfo=UTC)
    try:
        return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"
    except OverflowError:  # year 1 or 9999: some programs write so where they have no time
        return at.isoformat(timespec="seconds")


def in_utc(at: datetime | str) -> str:
    """Write a time into a sentence of ours: "2026-11-27T00:10:05Z[UTC]", as RFC 9557 has it.

    The zone in brackets marks it as ours. Our sentences are mixed with the words of tools, and the
    times in these have no zone in brackets. Only a marked time is turned into local time for people
    (`report.times.in_words`); what a tool said can be found again in its log.
    """
    stamp = utc_stamp(at)
    return f"{stamp}{OUR_ZONE}" if stamp.endswith("Z") else stamp
