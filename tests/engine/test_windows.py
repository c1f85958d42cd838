"""When a run may begin: `--at` and `--window` in any zone, over two years of clock changes."""

from datetime import UTC, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from stackward.engine.windows import next_time, next_window, turn_at, turn_in_window
from stackward.errors import BadInput
from stackward.model.run import Turn

HOUR, TEN_MINUTES = timedelta(hours=1), timedelta(minutes=10)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
# North and south; half an hour; a change at midnight; none at all.
ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Beirut",
    "America/Santiago",
    "Asia/Kolkata",
    "UTC",
]
WINDOWS = ["01:00-05:00", "22:00-04:00", "02:30-06:00", "00:30-02:30", "02:10-02:50", "23:30-00:30"]
TWO_YEARS = range(2 * 366)


def here() -> ZoneInfo:
    return ZoneInfo("Europe/Berlin")


def berlin(text: str) -> datetime:
    """Return a time as clocks in Berlin show it, with its offset where that comes twice."""
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=here())).astimezone(UTC)


@cache
def two_years(window: str, zone: str) -> list[tuple[datetime, datetime]]:
    """Return every window of two years, each found from the end of the one before."""
    first, last = map(time.fromisoformat, window.split("-"))
    found: list[tuple[datetime, datetime]] = []
    now = NOON
    while now < NOON + timedelta(days=len(TWO_YEARS)):
        found.append(next_window(first, last, ZoneInfo(zone), now))
        now = found[-1][1]
    return found


@cache
def edges(window: str) -> tuple[time, time]:
    first, last = map(time.fromisoformat, window.split("-"))
    return first, last


def is_of(window: str, shown: time) -> bool:
    first, last = edges(window)
    return first <= shown < last if first < last else shown >= first or shown < last


ALL = [pytest.param(window, zone, id=f"{window}@{zone}") for window in WINDOWS for zone in ZONES]


@pytest.mark.parametrize(("window", "zone"), ALL)
def test_within_a_window_the_clock_shows_a_time_of_it(window: str, zone: str) -> None:
    there = ZoneInfo(zone)
    wrong = [
        at
        for begins, ends in two_years(window, zone)
        for minute in range(int((ends - begins) / TEN_MINUTES))
        if not is_of(window, (at := begins + minute * TEN_MINUTES).astimezone(there).time())
    ]

    assert wrong == []


@pytest.mark.parametrize(("window", "zone"), ALL)
def test_windows_come_in_order_one_on_each_day(window: str, zone: str) -> None:
    """But for the one day on which a window in the hour that is left out has no time."""
    found = two_years(window, zone)

    days = [begins.astimezone(ZoneInfo(zone)).date() for begins, _ in found]
    assert all(before < after for before, after in pairwise(days))
    assert len(TWO_YEARS) - 2 <= len(found) <= len(TWO_YEARS) + 1
    assert all(begins < ends for begins, ends in found)


@pytest.mark.parametrize(("window", "zone"), ALL)
def test_from_any_moment_the_same_window_is_the_next(window: str, zone: str) -> None:
    first, last = map(time.fromisoformat, window.split("-"))
    wrong = [
        now
        for (_, before), (begins, ends) in list(pairwise(two_years(window, zone)))[::7]
        for now in (before, begins - (begins - before) / 2, begins, ends - timedelta(seconds=1))
        if next_window(first, last, ZoneInfo(zone), now) != (begins, ends)
    ]

    assert wrong == []


@pytest.mark.parametrize(
    ("window", "now", "begins", "ends"),
    [
        pytest.param(
            "01:00-05:00", "2026-01-01T12:00", "2026-01-02T01:00", "2026-01-02T05:00", id="tonight"
        ),
        pytest.param(
            "01:00-05:00", "2026-01-02T03:00", "2026-01-02T01:00", "2026-01-02T05:00", id="open now"
        ),
        pytest.param(
            "01:00-05:00",
            "2026-01-02T05:00",
            "2026-01-03T01:00",
            "2026-01-03T05:00",
            id="just over",
        ),
        pytest.param(
            "22:00-02:00", "2026-01-02T01:59", "2026-01-01T22:00", "2026-01-02T02:00", id="midnight"
        ),
        pytest.param(
            "01:00-05:00",
            "2026-03-28T12:00",
            "2026-03-29T01:00",
            "2026-03-29T05:00",
            id="put forward within: an hour shorter",
        ),
        pytest.param(
            "02:30-05:00",
            "2026-03-28T12:00",
            "2026-03-29T03:00",
            "2026-03-29T05:00",
            id="put forward over its begin: from the change on",
        ),
        pytest.param(
            "01:00-02:30",
            "2026-03-28T12:00",
            "2026-03-29T01:00",
            "2026-03-29T03:00",
            id="put forward over its end: until the change",
        ),
        pytest.param(
            "02:10-02:50",
            "2026-03-28T12:00",
            "2026-03-30T02:10",
            "2026-03-30T02:50",
            id="in the hour that is left out: on the next day",
        ),
        pytest.param(
            "01:00-05:00",
            "2026-10-24T12:00",
            "2026-10-25T01:00",
            "2026-10-25T05:00",
            id="put back within: an hour longer",
        ),
        pytest.param(
            "02:30-05:00",
            "2026-10-24T12:00",
            "2026-10-25T02:30+01:00",
            "2026-10-25T05:00",
            id="put back over its begin: the second time",
        ),
        pytest.param(
            "01:00-02:30",
            "2026-10-24T12:00",
            "2026-10-25T01:00",
            "2026-10-25T02:30+02:00",
            id="put back over its end: the first time",
        ),
        pytest.param(
            "02:10-02:50",
            "2026-10-24T12:00",
            "2026-10-25T02:10+02:00",
            "2026-10-25T02:50+02:00",
            id="in the hour that comes twice: the first",
        ),
    ],
)
def test_the_next_window(window: str, now: str, begins: str, ends: str) -> None:
    turn = turn_in_window(window, berlin(now), here)

    assert turn == Turn(
        at=berlin(begins),
        by=berlin(ends),
        until=berlin(ends),
        asked=f"--window {window}@Europe/Berlin",
    )


def test_a_window_may_name_its_zone_and_seconds() -> None:
    turn = turn_in_window("1:00:30-05:00@Asia/Kolkata", NOON, here)

    assert (turn.at, turn.until) == (
        datetime(2026, 1, 1, 19, 30, 30, tzinfo=UTC),
        datetime(2026, 1, 1, 23, 30, tzinfo=UTC),
    )
    assert turn.asked == "--window 1:00:30-05:00@Asia/Kolkata"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param("01:00", "is not a window", id="one time"),
        pytest.param("1-5", "is not a window", id="hours alone"),
        pytest.param("01:00-05:00@", "is not a window", id="no zone after the @"),
        pytest.param("", "is not a window", id="nothing"),
        pytest.param("01:00-01:00", "is empty", id="empty"),
        pytest.param("1:00-01:00:00", "is empty", id="empty, in other words"),
        pytest.param("01:00-25:00", "25:00 is no time of day: those are", id="over 24 h"),
        pytest.param("01:60-05:00", "01:60 is no time of day", id="minutes"),
        pytest.param("01:00-05:00@Mars/Base", "knows no zone `Mars/Base`", id="no such zone"),
        pytest.param("01:00-05:00@../passwd", "knows no zone", id="a path"),
        pytest.param("01:00-05:00@Europe", "knows no zone `Europe`", id="a folder of zones"),
        pytest.param("01:00-05:00@CEST", "knows no zone `CEST`", id="no zone, but a time of one"),
    ],
)
def test_what_is_no_window_is_refused(words: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        turn_in_window(words, NOON, here)

    assert said in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize(
    ("words", "at"),
    [
        pytest.param("14:00", "2026-01-01T14:00", id="today"),
        pytest.param("13:00", "2026-01-02T13:00", id="now is not to come: tomorrow"),
        pytest.param("01:00", "2026-01-02T01:00", id="tomorrow"),
        pytest.param("2026-02-01T01:00", "2026-02-01T01:00", id="a day"),
        pytest.param("2026-02-01 01:00:10", "2026-02-01T01:00:10", id="with seconds"),
        pytest.param("2026-02-01T01:00Z", "2026-02-01T02:00", id="in UTC"),
        pytest.param("2026-02-01T01:00-05:00", "2026-02-01T07:00", id="with an offset"),
        pytest.param("2026-02-01T01:00@UTC", "2026-02-01T02:00", id="a zone"),
        pytest.param("2026-10-25T02:30+01:00", "2026-10-25T02:30+01:00", id="of a time twice"),
    ],
)
def test_a_time_to_begin_at(words: str, at: str) -> None:
    turn = turn_at(words, NOON, here)

    assert (turn.at, turn.by, turn.until) == (berlin(at), berlin(at) + HOUR, None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param("soon", "is not a time", id="a word"),
        pytest.param("01:00Z", "is not a time", id="an offset without a day"),
        pytest.param("2026-02-01T01:00Z@UTC", "is not a time", id="an offset and a zone"),
        pytest.param("2026-02-30T01:00", "there is no such day", id="a day that is none"),
        pytest.param("24:00", "24:00 is no time of day", id="an hour that is none"),
        pytest.param("2026-01-01T12:59", "has passed", id="in the past"),
        pytest.param("0001-01-01T00:00+23:00", "has passed", id="before all time"),
        pytest.param("0001-01-01T00:00@Asia/Tokyo", "has passed", id="before all time, there"),
        pytest.param(
            "9999-12-31T23:59@America/New_York", "more than a year", id="after all time, there"
        ),
        pytest.param("9999-12-31T23:59-10:00", "more than a year", id="after all time"),
        pytest.param("2026-12-01T01:00+25:00", "no offset +25:00", id="an offset that is none"),
        pytest.param("2026-12-01T01:00+01:75", "is not a time", id="minutes that are none"),
        pytest.param("2126-01-01T12:59", "more than a year", id="in a hundred years"),
        pytest.param("2026-03-29T02:30", "there is no such time", id="an hour that is left out"),
        pytest.param("2026-10-25T02:30", "comes twice", id="an hour that comes twice"),
        pytest.param("01:00@Nowhere/City", "knows no zone `Nowhere/City`", id="no such zone"),
    ],
)
def test_what_is_no_time_to_begin_at_is_refused(words: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        turn_at(words, NOON, here)

    assert said in refused.value.message
    assert refused.value.hint


def test_of_a_time_that_comes_twice_both_are_named() -> None:
    with pytest.raises(BadInput) as refused:
        turn_at("2026-10-25T02:30", NOON, here)

    assert refused.value.hint == "write 2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00"


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("shown", ["01:00", "02:30", "00:15"])
def test_the_next_time_comes_within_a_day_of_any_moment(shown: str, zone: str) -> None:
    wanted, of = time.fromisoformat(shown), ZoneInfo(zone)
    nows = [NOON + hours * HOUR for hours in range(0, len(TWO_YEARS) * 24, 5)]

    found = [(now, next_time(wanted, of, now)) for now in nows]

    assert [now for now, at in found if not now < at <= now + 25 * HOUR] == []
    assert [at for _, at in found if wanted not in shown_around(at, of)] == []


def shown_around(at: datetime, zone: ZoneInfo) -> list[time]:
    """Return what the clock shows then; where it is put forward then, all that it leaves out."""
    before, after = ((at - ago).astimezone(zone) for ago in (timedelta(minutes=1), timedelta()))
    skipped = after.replace(tzinfo=None) - before.replace(tzinfo=None) - timedelta(minutes=1)
    left_out = range(int(skipped / timedelta(minutes=1)))
    return [
        (after.replace(tzinfo=None) - timedelta(minutes=each)).time() for each in (0, *left_out)
    ] + [(after.replace(tzinfo=None) - skipped).time()]
