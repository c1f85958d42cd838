"""Events that say the same: the scanner sends some of them, and counts the others."""

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from facts.test_scan import BODY, START, asked, line, scan, stamp, texts, write
from facts.test_scan import scanner as scanner  # noqa: PLC0414  # a fixture
from stackward.facts.logs import as_alike
from stackward.logs.event import Raw
from stackward.logs.formats import parse
from stackward.logs.groups import words_of
from stackward.logs.reading import Query
from stackward.logs.tracebacks import Continued

CALLS = "Traceback (most recent call last):"
ID = "b311da90-4759-4302-9f62-9c031032dd64"
OTHER = "e20512d6-c485-4b75-a4b7-6a460224ceee"


def alike(most: int, *each: str) -> dict[str, Any]:
    return dict(as_alike(Query(most_alike=most, each=each), 1))


def counted(found: Mapping[str, Any]) -> list[int]:
    return [one[2] for one in found["repeated"]]


def warning(at: float, text: str, **others: int) -> str:
    return line(at, text, "WARNING", **others)


def test_of_events_that_say_the_same_some_are_sent_and_the_others_counted(tmp_path: Path) -> None:
    """The one that is new is sent, however many there are of another kind before it."""
    usual = [warning(number, f"try {number} of {ID} failed", pid=number + 1) for number in range(9)]
    write(tmp_path, "nova.log", *usual, warning(9, "it is lost"))

    found = scan(tmp_path, level=30, **alike(3))

    assert texts(found) == [one.rstrip("\n") for one in (*usual[:3], warning(9, "it is lost"))]
    assert found["repeated"] == [["/nova.log", 0, 6, START + 3, START + 8]]
    assert "lost" not in found["files"][0]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(warning(0, "it failed"), warning(1, "it ended"), id="other words"),
        pytest.param(warning(0, "of sda"), warning(1, "of sdb"), id="another letter"),
        pytest.param(warning(0, "of c01"), warning(1, "of c02"), id="another node"),
        pytest.param(warning(0, "it"), line(1, "it", "ERROR"), id="another level"),
        pytest.param(warning(0, "it"), warning(1, "it").replace("nova.x", "nova.y"), id="module"),
        pytest.param(
            warning(0, "it"), warning(1, "it").replace("[-]", f"[req-{ID} me us - - -]"), id="user"
        ),
        pytest.param(
            warning(0, "it"), warning(1, "it").replace("[-]", f"[-] [instance: {ID}]"), id="server"
        ),
        pytest.param(warning(0, "was HTTP 404"), warning(1, "was HTTP 503"), id="a word's end"),
        pytest.param(
            warning(0, "it") + f"{CALLS}\nKeyError: x\n",
            warning(1, "it") + f"{CALLS}\nValueError: x\n",
            id="another exception",
        ),
    ],
)
def test_what_differs_in_more_than_numbers_and_ids_is_sent(
    tmp_path: Path, first: str, second: str
) -> None:
    write(tmp_path, "nova.log", first, second)

    found = scan(tmp_path, level=30, also=["HTTP 5"], **alike(1))

    assert len(texts(found)) == 2
    assert found["repeated"] == []


def test_one_of_a_kind_is_sent_again_after_a_while(tmp_path: Path) -> None:
    """So it is known that it went on; at most as many as at the beginning."""
    write(tmp_path, "nova.log", *[warning(number * 10, "it failed") for number in range(100)])

    found = scan(tmp_path, level=30, **alike(2))

    assert [one[0] - START for one in found["files"][0]["events"]] == [0, 10, 60, 110]
    assert counted(found) == [96]


def test_words_that_are_wanted_each_time_are_never_only_counted(tmp_path: Path) -> None:
    lines = [line(number, f"Started {number}.service") for number in range(5)]
    write(tmp_path, "nova.log", *lines)

    found = scan(tmp_path, level=30, also=["Started "], **alike(1, "Started "))

    assert len(texts(found)) == 5


def test_what_is_only_counted_takes_no_room(tmp_path: Path) -> None:
    """An error that comes late is sent, though a thousand warnings were before it."""
    usual = [warning(number, "x" * 200) for number in range(1000)]
    write(tmp_path, "nova.log", *usual, line(1001, "it is lost", "ERROR"))

    found = scan(tmp_path, level=30, bytes=10000, **alike(5))

    assert texts(found)[-1] == line(1001, "it is lost", "ERROR").rstrip("\n")
    assert found["files"][0].get("lost", 0) == 0


def test_a_kind_for_which_there_was_no_room_is_lost_and_not_counted(tmp_path: Path) -> None:
    write(tmp_path, "nova.log", *[warning(number, "x" * 900) for number in range(3)])

    found = scan(tmp_path, level=30, bytes=500, **alike(1))

    assert (texts(found), found["files"][0]["lost"], found["repeated"]) == ([], 3, [])


def test_rotated_files_of_a_log_are_one_log_and_other_logs_are_not(tmp_path: Path) -> None:
    for number, name in enumerate(("nova.log.1", "nova.log", "other.log")):
        write(tmp_path, name, *[warning(number * 10 + each, "it failed") for each in range(3)])

    found = scan(tmp_path, level=30, **alike(2))

    assert sorted(found["repeated"]) == [
        ["/nova.log.1", 0, 4, START + 2, START + 12],
        ["/other.log", 0, 1, START + 22, START + 22],
    ]


def test_a_clock_that_was_set_back_is_seen_among_events_that_are_counted(tmp_path: Path) -> None:
    ahead = [warning(3600 + number, "it failed") for number in range(50)]
    after = [warning(number, "it failed") for number in range(50)]
    write(tmp_path, "nova.log", *ahead, *after)

    found = scan(tmp_path, level=30, **alike(1))

    assert found["files"][0]["back"] == [3649.0, START]


WORDS = ("it failed", "it ended", f"of {ID}", f"of {OTHER}", "try 1", "try 23", CALLS, "sda", "sdb")
CONTEXTS = (
    f"req-{ID} me us - - -", f"req-{OTHER} me us - - -", f"req-{ID} - - - - -", "-", "None",
    f"None req-{ID} me us - - -", f"req-{ID} req-{OTHER} me us - - -", "req-e20512d6 demo demo",
    "req-e20512d6 - - - default default aaaaaaaaaaaaaa us", f"None req-{OTHER} None None",
    "Errno 5",
)  # fmt: skip
EVENTS = st.lists(
    st.one_of(
        st.builds(
            line,
            st.sampled_from([0, 0.5, 1, 60, 200]),
            st.sampled_from(WORDS),
            st.sampled_from(["WARNING", "ERROR", "INFO"]),
            st.sampled_from([7, 8, 19]),
        ),
        st.sampled_from(
            [
                f"{stamp(START)} 7 ERROR nova.x ValueError: x\n",
                f"{stamp(START)} 7 ERROR nova.x   File\n",
                f"{CALLS}\n",
                "  more\n",
                *(
                    f"{stamp(START + 9)} 7 WARNING nova.y [{who}]{server} it\n"
                    for who in CONTEXTS
                    for server in (
                        "",
                        f" [instance: {ID}]",
                        f" [instance: {OTHER}]",
                        " [instance: x]",
                    )
                ),
            ]
        ),
    ),
    max_size=30,
)


def look(
    scanner: ModuleType, raw: bytes, piece: int, **others: object
) -> tuple[Sequence[Any], Sequence[Any], int, object]:
    told: dict[str, Any] = {"path": "/x", "events": [], "scanned": 0, "outside": 0}
    wanted = {"level": 30, "traced": True, **others}
    one = scanner.Scan(asked(Path("/"), **wanted), time.monotonic() + 60)
    one.zone = scanner.Zone(0.0, START)
    heads = scanner.Heads([scanner.Kind(each) for each in BODY], [], one.zone)
    vars(scanner)["PIECE"] = piece
    one.look(BytesIO(raw), 0, heads, told)
    repeated = one.wanted.alike.told if one.wanted.alike else []
    return told["events"], repeated, told.get("lost", 0), one.steps.worst


def kind_of(sent: Sequence[Any]) -> tuple[object, ...]:
    """Return by what events are the same to those who read them."""
    at, form, offset, text, is_cut = sent
    one = parse(
        Raw(
            node="c01", component="x", file="/x", offset=offset, at=datetime.fromtimestamp(at, UTC),
            format=form, text=text, is_cut=is_cut,
        ),
        None,
        Continued(),
    )  # fmt: skip
    more = tuple(map(words_of, one.more))
    return (
        one.module,
        one.level,
        words_of(one.message),
        one.exception,
        more,
        one.user is None,
        one.server is None,
    )


@given(EVENTS, st.integers(1, 400), st.integers(1, 3))
def test_each_event_is_sent_or_counted_and_of_each_kind_the_first_are_sent(
    scanner: ModuleType, lines: list[str], piece: int, most: int
) -> None:
    raw = "".join(lines).encode()

    every, *_ = look(scanner, raw, 1 << 20)
    sent, repeated, lost, _ = look(scanner, raw, piece, **alike(most))

    assert len(sent) + sum(one[2] for one in repeated) == len(every)
    assert lost == 0
    assert set(map(tuple, sent)) <= set(map(tuple, every))
    seen: Counter[tuple[object, ...]] = Counter()
    offsets = {one[2] for one in sent}
    for one in every:
        seen[kind_of(one)] += 1
        assert seen[kind_of(one)] > most or one[2] in offsets, one
    assert {one[1] for one in repeated} <= offsets


HEADS = st.builds(
    "{}{} {}nova.x [{}] {}{}\n".format,
    st.sampled_from(
        [
            *map(stamp, (START, START + 0.5, START + 1, START + 60, START - 900)),
            stamp(START).replace(".", ","), stamp(START).replace(" ", "T"), f"{stamp(START)}123",
            "2026-13-45 22:00:00.000",
        ]
    ),
    st.sampled_from([" 7", " 8", ""]),
    st.sampled_from(["WARNING ", "ERROR ", "INFO ", ""]),
    st.sampled_from([*CONTEXTS, f"req-{ID[:-1]}g me us", f"req-{ID}", f"req-{ID} req-{OTHER}"]),
    st.sampled_from(["", f"[instance: {ID}] ", f"[instance: {OTHER}] "]),
    st.sampled_from([*WORDS, "was HTTP 503", "was HTTP 404", f"req-{ID} 5 it", f"req-{OTHER} it"]),
)  # fmt: skip
REPEATED = st.lists(st.one_of(EVENTS, st.lists(HEADS, max_size=4)), max_size=6)


FAILED = f"{stamp(START)} 8 WARNING nova.x [req-{ID} me us - - -] it failed\n"
WITH_COMMA = FAILED.replace(stamp(START), stamp(START).replace(".", ",")).replace(" 8 ", " 9 ")
NO_TIME = FAILED.replace(stamp(START)[:10], "2026-13-45")


@example(
    groups=[[FAILED, FAILED, NO_TIME]], times=1, piece=1, most=1, also=[], traced=False, until=None
)
@example(
    groups=[[FAILED, WITH_COMMA, FAILED.replace(" 8 ", " 9 ")]],
    times=3,
    piece=1,
    most=1,
    also=[],
    traced=False,
    until=None,
)
@example(
    groups=[[FAILED, NO_TIME, FAILED]], times=2, piece=1, most=1, also=[], traced=False, until=None
)
@given(
    REPEATED,
    st.integers(1, 3),
    st.integers(1, 400),
    st.integers(1, 2),
    st.sampled_from([[], ["HTTP 5"], ["4 me", "6 - -", "1b req"], ["00:00 7", "try 2", "-475"]]),
    st.booleans(),
    st.sampled_from([None, START + 30]),
)
def test_a_line_that_is_known_again_is_counted_as_if_it_was_read(  # noqa: PLR0913, PLR0917
    scanner: ModuleType,
    groups: list[list[str]],
    times: int,
    piece: int,
    most: int,
    also: list[str],
    traced: bool,  # noqa: FBT001  # what hypothesis gives
    until: float | None,
) -> None:
    """Whatever lines there are, and wherever a piece of the file ends.

    What comes behind the end of a window, and is earlier again, depends on the piece that it is in.
    """
    raw = "".join(line for each in groups for line in each * (times + 1)).encode()
    asked_for = {"also": also, "traced": traced, "until": until, **alike(most)}

    known = look(scanner, raw, piece, **asked_for)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanner.Alike, "after", lambda *_: 0)
        read = look(scanner, raw, piece if until else 1 << 20, **asked_for)

    assert known == read


@example([[FAILED, NO_TIME, FAILED]], 1, 1, None)
@given(REPEATED, st.integers(1, 400), st.integers(1, 2), st.sampled_from([None, START + 30]))
def test_where_nothing_is_counted_the_same_events_are_sent(
    scanner: ModuleType, groups: list[list[str]], piece: int, most: int, until: float | None
) -> None:
    raw = "".join(line for each in groups for line in each * 3).encode()
    counting, silent = alike(most), dict(as_alike(Query(most_alike=most, counts_alike=False), 1))

    sent, _, lost, _ = look(scanner, raw, piece, until=until, **counting)

    assert look(scanner, raw, piece, until=until, **silent)[:3] == (sent, [], lost)


@given(EVENTS)
def test_times_are_read_the_same_whether_their_minute_was_read_before(
    scanner: ModuleType, lines: list[str]
) -> None:
    zone = scanner.Zone(0.0, START)

    for one in lines:
        given_ = one[:23].encode()
        if scanner.ISO.match(given_.decode()):
            assert round(zone.when(given_), 6) == round(zone.read(given_.decode()), 6)
    assert json.dumps(as_alike(Query(most_alike=1), 1))
