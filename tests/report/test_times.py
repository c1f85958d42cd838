"""Times: for people in their own zone, for programs in UTC."""

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

import stackward
from stackward.report.tables import Form, Table, render_rows
from stackward.report.times import Words, in_words, local, time_in, time_of_day, utc
from stackward.wording import in_utc, utc_stamp

WINTER = datetime(2026, 11, 27, 0, 10, 5, 123456, tzinfo=UTC)
SUMMER = datetime(2026, 6, 30, 22, 15, tzinfo=UTC)

Zone = Callable[[str], None]


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Zone]:
    """Let the operator be elsewhere."""
    before = os.environ.get("TZ", "UTC")

    def move_to(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield move_to
    move_to(before)


@pytest.mark.parametrize(
    ("name", "at", "expected"),
    [
        pytest.param("UTC", WINTER, "2026-11-27 00:10:05 UTC", id="UTC"),
        pytest.param("Europe/Berlin", WINTER, "2026-11-27 01:10:05 CET", id="winter"),
        pytest.param("Europe/Berlin", SUMMER, "2026-07-01 00:15:00 CEST", id="summer: next month"),
        pytest.param("Asia/Kolkata", WINTER, "2026-11-27 05:40:05 IST", id="half an hour off"),
        pytest.param("America/St_Johns", WINTER, "2026-11-26 20:40:05 NST", id="the day before"),
        pytest.param("America/St_Johns", SUMMER, "2026-06-30 19:45:00 NDT", id="its summer"),
        pytest.param("Asia/Dubai", WINTER, "2026-11-27 04:10:05 +04:00", id="a zone without name"),
        pytest.param("Asia/Kathmandu", WINTER, "2026-11-27 05:55:05 +05:45", id="same, 45 minutes"),
        pytest.param(
            "America/Sao_Paulo", WINTER, "2026-11-26 21:10:05 -03:00", id="same, in the west"
        ),
        pytest.param("Nowhere/Such", WINTER, "2026-11-27 00:10:05 UTC", id="no such zone: UTC"),
        pytest.param("XYZ-2", WINTER, "2026-11-27 02:10:05 XYZ", id="a zone of the operator's own"),
        pytest.param("<+0230>-2:30", WINTER, "2026-11-27 02:40:05 +02:30", id="same, a number"),
    ],
)
def test_people_read_times_in_their_own_zone(
    zone: Zone, name: str, at: datetime, expected: str
) -> None:
    zone(name)

    assert local(at) == expected


@pytest.mark.parametrize(
    ("name", "hour", "expected"),
    [
        pytest.param("Europe/Berlin", (2026, 3, 29, 0, 59), "01:59:00 CET", id="before spring"),
        pytest.param("Europe/Berlin", (2026, 3, 29, 1, 0), "03:00:00 CEST", id="spring"),
        pytest.param("Europe/Berlin", (2026, 10, 25, 0, 30), "02:30:00 CEST", id="first 02:30"),
        pytest.param("Europe/Berlin", (2026, 10, 25, 1, 30), "02:30:00 CET", id="second 02:30"),
        pytest.param("America/St_Johns", (2026, 11, 1, 3, 30), "01:00:00 NDT", id="first 01:00"),
        pytest.param("America/St_Johns", (2026, 11, 1, 4, 30), "01:00:00 NST", id="second 01:00"),
        pytest.param("Australia/Lord_Howe", (2026, 4, 4, 14, 45), "01:45:00 +11:00", id="first"),
        pytest.param("Australia/Lord_Howe", (2026, 4, 4, 15, 15), "01:45:00 +10:30", id="second"),
    ],
)
def test_both_sides_of_a_change_are_told_apart(
    zone: Zone, name: str, hour: tuple[int, int, int, int, int], expected: str
) -> None:
    zone(name)

    assert time_of_day(datetime(*hour, tzinfo=UTC)) == expected


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns"])
def test_programs_read_the_same_everywhere(zone: Zone, name: str) -> None:
    zone(name)
    table = Table(columns=("At", "Says"), rows=((WINTER, Words(f"since {in_utc(WINTER)}")),))

    assert utc(WINTER) == "2026-11-27T00:10:05.123+00:00"
    assert json.loads(render_rows(table, Form.JSON)) == [
        {"At": "2026-11-27T00:10:05.123+00:00", "Says": "since 2026-11-27T00:10:05Z"}
    ]
    assert render_rows(table, Form.VALUE) == (
        "2026-11-27T00:10:05.123+00:00 since 2026-11-27T00:10:05Z\n"
    )
    assert render_rows(table, Form.YAML) == (
        "- At: '2026-11-27T00:10:05.123+00:00'\n  Says: since 2026-11-27T00:10:05Z\n"
    )


def test_a_table_is_for_people(zone: Zone) -> None:
    zone("Europe/Berlin")
    table = Table(
        columns=("At", "Says", "Name"),
        rows=((WINTER, (Words(f"since {in_utc(WINTER)}"),), utc_stamp(WINTER)),),
    )

    [row] = render_rows(table, Form.TABLE).splitlines()[3:-1]

    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        "2026-11-27 01:10:05 CET",
        "since 2026-11-27 01:10:05 CET",
        "2026-11-27T00:10:05Z",  # what somebody called a server is no time of ours
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(f"since {in_utc(WINTER)}; ask", "since 2026-11-27 01:10:05 CET; ask"),
        pytest.param(f"({in_utc(SUMMER)})", "(2026-07-01 00:15:00 CEST)"),
        pytest.param("at 2026-11-27T00:10:05Z", None, id="not marked: as the tool said it"),
        pytest.param("at 2026-11-27T00:10:05.123456+00:00", None, id="same, another tool"),
        pytest.param("by ada on b since 2026-11-27T00:10:05Z: DIMM", None, id="a claim: as it is"),
        pytest.param("at 2026-02-30T00:10:05Z[UTC]", None, id="no day of any calendar"),
        pytest.param("id 12026-11-27T00:10:05Z[UTC]", None, id="a part of a longer word"),
    ],
)
def test_words_of_ours_are_read_in_local_time(zone: Zone, text: str, expected: str | None) -> None:
    zone("Europe/Berlin")

    assert in_words(text) == (expected or text)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(WINTER, "2026-11-27T00:10:05Z", id="a time"),
        pytest.param(
            datetime(2026, 11, 27, 1, 10, 5, tzinfo=timezone(timedelta(hours=1))),
            "2026-11-27T00:10:05Z",
            id="of another zone",
        ),
        pytest.param("2026-11-27T00:10:05.000000", "2026-11-27T00:10:05Z", id="as Nova writes it"),
        pytest.param("2026-11-27T01:10:05+01:00", "2026-11-27T00:10:05Z", id="text with a zone"),
        pytest.param("last week", "last week", id="no time: as it is"),
    ],
)
def test_words_that_are_kept_hold_utc(zone: Zone, given: datetime | str, expected: str) -> None:
    zone("America/St_Johns")

    assert utc_stamp(given) == expected
    assert in_utc(given).replace("Z[UTC]", "Z") == expected


@pytest.mark.parametrize("name", ["America/New_York", "Asia/Tokyo", "UTC"])
@pytest.mark.parametrize(
    "said", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+02:00"]
)
def test_a_time_that_no_zone_can_hold_is_told_as_it_is(zone: Zone, name: str, said: str) -> None:
    """Go writes year 1 where it has no time: one such word must not end a whole report."""
    zone(name)
    at = datetime.fromisoformat(said)

    shown = [local(at), utc(at), in_utc(said), in_words(f"since {said}")]

    assert all(re.search("0001-|9999-|0000-|10000-", each) for each in shown)


def test_a_text_that_is_no_time_is_not_taken_for_one() -> None:
    assert time_in("2026-11-27T00:10:05Z") == WINTER.replace(microsecond=0)
    assert time_in("2026-11-27T00:10:05") is None
    assert time_in("tomorrow") is None


def test_no_other_file_of_the_doors_writes_a_time() -> None:
    """Times that people read come from `report/times.py` alone."""
    rooms = Path(stackward.__file__).parent
    others = [
        path.name
        for room in ("report", "cli")
        for path in sorted((rooms / room).glob("*.py"))
        if re.search(r"(?<!from)isoformat\(|strftime\(|astimezone\(|%[HMSYd]", path.read_text())
    ]

    assert others == ["times.py"]
