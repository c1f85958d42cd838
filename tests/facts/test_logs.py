"""The logs of many nodes, read side by side: collected here, by a source made up there."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackward.adapters.collected import open_collected
from stackward.adapters.together import Threads
from stackward.anatomy import read_anatomy
from stackward.errors import NotUnderstood, StackwardError, Unreachable
from stackward.facts.follow import follow, nearest
from stackward.facts.logs import (
    component_of,
    newest_in,
    parse_scan,
    places_of,
    read_logs,
    to_event,
)
from stackward.logs.event import Level, Raw
from stackward.logs.formats import parse
from stackward.logs.reading import Query, Reading
from stackward.logs.story import Story
from stackward.logs.tracebacks import Continued
from stackward.masking import masked
from stackward.model.clock_offset import Offset
from stackward.model.values import Json
from stackward.ports.log_source import LogSource

SAMPLES = Path(__file__).parents[1] / "logs/samples"
ANATOMY = read_anatomy()
BUILD = "req-2a4c33ac-59e7-4270-9b0e-916ee843adb5"
MIGRATION = "req-455f551d-4ee4-4bd3-bbeb-1f434ad541d2"
SERVER = "b14691a2-3280-434e-8f07-137140553642"
AT = datetime(2026, 11, 27, 22, 50, tzinfo=UTC)
NO_FILES = {"version": 1, "files": [], "refused": [], "cut": [], "took_s": 0.1}


@dataclass
class Told:
    """Nodes that answer as they are told to."""

    answers: Mapping[str, str | StackwardError]
    asked: list[Mapping[str, Json]] = field(default_factory=list)
    is_collected: bool = False
    ahead: Offset | None = None

    @property
    def nodes(self) -> Sequence[str]:
        return tuple(self.answers)

    def scan(self, node: str, script: str, asked: Mapping[str, Json], *, within_s: float) -> str:
        self.asked.append(asked)
        answer = self.answers[node]
        if isinstance(answer, StackwardError):
            raise answer
        return answer

    def offset(self, node: str, /) -> Offset | None:
        return self.ahead


def events_told(*events: tuple[float, str, str]) -> str:
    """Return what the scanner prints of a file with these events: when, format, text."""
    listed = [[at, kind, number, text, False] for number, (at, kind, text) in enumerate(events)]
    file = {
        "path": "/var/log/nova/nova-compute.log", "size": 1, "scanned": 1, "first": None,
        "last": None, "outside": 0, "error": "", "events": listed,
    }  # fmt: skip
    return json.dumps({**NO_FILES, "files": [file]})


def read(source: LogSource, query: Query) -> Reading:
    return read_logs(source, Threads(), ANATOMY, query)


def story_of(folder: str, sought: str) -> Story:
    with open_collected(SAMPLES / folder) as source:
        return follow(sought, lambda asked: read(source, asked), Query())[0]


def test_the_story_of_a_build_has_every_service_that_took_part() -> None:
    story = story_of("build", BUILD)

    assert {(hop.node, hop.component) for hop in story.hops} >= {
        ("ctl", "nova-api"), ("ctl", "nova-scheduler"), ("ctl", "placement-api"),
        ("ctl", "neutron-api"), ("c01", "nova-compute"), ("c01", "ovn-controller"),
        ("c01", "libvirtd"),
    }  # fmt: skip
    assert story.gaps == ()


def test_the_story_of_a_live_migration_has_both_nodes() -> None:
    story = story_of("migration", MIGRATION)

    assert {(hop.node, hop.component) for hop in story.hops} >= {
        ("ctl", "nova-api"), ("ctl", "placement-api"), ("ctl", "neutron-api"),
        ("c03", "nova-compute"), ("c01", "nova-compute"), ("c01", "ovn-controller"),
        ("c03", "ovn-controller"),
    }  # fmt: skip


@pytest.mark.parametrize(("folder", "sought"), [("build", SERVER), ("build", BUILD)])
def test_a_story_has_every_line_that_names_what_it_is_of(folder: str, sought: str) -> None:
    """Compared with a search of all logs for the id."""
    lines = {
        line
        for file in (SAMPLES / folder).rglob("*.log")
        for line in file.read_text().splitlines()
        if sought in line
    }

    told = story_of(folder, sought).events

    assert lines
    assert len(told) >= len(lines) / 2  # an event may have several of these lines
    whole = "\n".join(f"{one.message}\n" + "\n".join(one.more) for one in told)
    missing = [line for line in lines if line.split("] ")[-1][:60] not in whole]
    assert missing == []


def test_errors_of_real_logs_are_events_with_their_tracebacks() -> None:
    with open_collected(SAMPLES / "errors") as source:
        reading = read(source, Query(level=Level.ERROR))

    [fatal] = [one for one in reading.events if one.level is Level.CRITICAL]
    assert fatal.exception == "openstack.exceptions.NotSupported"
    assert fatal.raised[0].frames[-1].function == "_make_proxy"
    assert {one.component for one in reading.events} == {
        "nova-conductor", "rabbitmq", "libvirtd", "openvswitch",
    }  # fmt: skip
    assert all(one.level >= Level.ERROR for one in reading.events)


TRACEBACK = (
    "2026-11-27 22:50:00.500 7 ERROR nova.x [None req-1 me my] it <failed>",
    "2026-11-27 22:50:00.500 7 ERROR nova.x Traceback (most recent call last):",
    '2026-11-27 22:50:00.500 7 ERROR nova.x   File "/a.py", line 1, in b',
    "2026-11-27 22:50:00.500 7 ERROR nova.x ValueError: password=hush",
)
RABBIT = '2026-11-27 22:50:02.000000+00:00 [error] <0.117.0> it "failed"'
UNKNOWN = ("Oh no", "\tat the end", "")
QUIET = "2026-11-27 22:50:04.000 7 INFO nova.x [-] ERROR is a word"


def of_docker(at: str, line: str) -> str:
    """Return a line as Docker keeps it, which writes `<` as JSON may."""
    log = json.dumps(f"{line}\n").replace("<", "\\u003c").replace(">", "\\u003e")
    return f'{{"log":{log},"stream":"stderr","time":"{at}123456789Z"}}\n'


def of_cri(at: str, line: str) -> str:
    """Return a line as other keepers of containers write it."""
    return f"{at}123456789+00:00 stderr F {line}\n"


@pytest.mark.parametrize("kept", [of_docker, of_cri])
def test_lines_of_a_container_are_events_of_its_program(
    tmp_path: Path, kept: Callable[[str, str], str]
) -> None:
    lines = [*TRACEBACK, RABBIT, *UNKNOWN, QUIET]
    text = "".join(kept(f"2026-11-27T22:50:0{n}.", line) for n, line in enumerate(lines))
    (tmp_path / "c01").mkdir()
    (tmp_path / "c01/some.log").write_text(text)

    with open_collected(tmp_path) as source:
        errors = read(source, Query(level=Level.ERROR)).events
        every = read(source, Query()).events

    assert [one.format for one in every] == ["oslo", "rabbitmq", "oslo", kept.__name__[3:]]
    first, second = errors
    assert (first.message, first.request, first.exception) == ("it <failed>", "req-1", "ValueError")
    assert (first.at, second.at) == (AT + timedelta(seconds=0.5), AT + timedelta(seconds=2))
    assert (second.message, second.level) == ('it "failed"', Level.ERROR)
    [unknown] = [one for one in every if one.message == "Oh no"]
    assert (unknown.at.second, unknown.more) == (5, ("\tat the end", ""))
    assert "hush" not in repr(every)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("ERROR with Object server 10.0.0.1:6200/sdb re: GET (txn: tx5b1f)", "swift"),
        ("ERROR reading HTTP response from sdb", "level-first"),
        ("Server mariadb/ctl is DOWN, reason: Layer4 timeout", "haproxy"),
        ("[12345.678901] XFS (sdb): log I/O error -5", "kernel"),
    ],
)
def test_errors_of_a_log_that_only_syslog_dates_are_found(
    tmp_path: Path, line: str, kind: str
) -> None:
    log = tmp_path / "c01/all.log"
    log.parent.mkdir()
    head = "2026-11-27T22:50:00.000000+00:00 s01 x: "
    log.write_text(f"{head}[1.000001] quiet\n{head}{line}\n{head}INFO ERROR is a word\n")

    with open_collected(tmp_path) as source:
        found = read(source, Query(level=Level.ERROR)).events

    assert [(one.format, one.at) for one in found] == [(kind, AT)]


def test_ids_like_one_that_is_not_there_are_found() -> None:
    with open_collected(SAMPLES / "build") as source:
        near = nearest(f"{BUILD[:-1]}0", lambda asked: read(source, asked), Query())

    assert near == (BUILD,)


def test_the_newest_line_of_all_logs_is_known() -> None:
    with open_collected(SAMPLES / "build") as source:
        newest = newest_in(source, Threads(), ANATOMY, Query())

    assert newest is not None
    assert AT < newest < AT + timedelta(minutes=1)


def test_only_the_components_that_are_named_are_read() -> None:
    with open_collected(SAMPLES / "build") as source:
        reading = read(source, Query(words=(SERVER,), components=("nova-compute",)))

    assert {one.component for one in reading.events} == {"nova-compute"}


def test_secrets_are_masked_before_anybody_reads_an_event() -> None:
    failed = (
        "2026-11-27 22:50:00.000 7 ERROR nova.x [-] no way to rabbit://u:hushhush@ctl\n"
        "Traceback (most recent call last):\n"
        '  File "/a.py", line 1, in b\n'
        "ValueError: password=hushhush"
    )

    [event] = read(Told({"c01": events_told((1.0, "oslo", failed))}), Query()).events

    assert "hushhush" not in repr(event)
    assert event.exception == "ValueError"


OF_EVENT = st.lists(
    st.sampled_from(
        [
            "it failed", "password=hushhush", "rabbit://u:hushhush@ctl", "IDENTIFIED BY 'x'",
            "Traceback (most recent call last):", '  File "/a.py", line 1, in b', "    c()",
            "ValueError: token=hushhush", "ValueError: x", "-----BEGIN PRIVATE KEY-----", "hush",
            "X-Auth-", "Token: 4f5e", "",
        ]
    ),
    min_size=1,
    max_size=8,
)  # fmt: skip


@given(st.lists(st.tuples(OF_EVENT, st.booleans()), max_size=6))
def test_events_of_one_reading_are_those_that_are_read_one_by_one(
    events: list[tuple[list[str], bool]],
) -> None:
    """What is read once for many events, and where no secret is looked for, changes nothing."""
    head = "2026-11-27 22:50:00.000 7 ERROR nova.x "
    continued = Continued()
    for lines, is_repeated in events * 2:
        text = head + f"\n{head if is_repeated else ''}".join(lines)
        raw = Raw(
            node="c01", component="nova-compute", file="/x.log", offset=0, at=AT, format="oslo",
            text=text,
        )  # fmt: skip
        alone, event = parse(raw), to_event(raw, None, continued)

        said = "\n".join((alone.message, *alone.more))
        assert parse(raw, None, continued) == alone
        assert "\n".join((event.message, *event.more)) == masked(said)
        assert [one.message for one in event.raised] == [
            one.message if masked(said) == said else masked(one.message) for one in alone.raised
        ]
        assert event == to_event(raw, None)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Unreachable("cannot log in to `c02`", says="No route to host"), "No route to host"),
        ("no answer at all", "gave an answer that is not understood"),
        ('{"version": 1}', "gave an answer that is not understood"),
    ],
)
def test_a_node_that_cannot_be_read_is_named_and_the_others_are(
    answer: str | StackwardError, why: str
) -> None:
    line = "2026-11-27 22:50:00.000 7 INFO nova.x [-] it"
    source = Told({"c01": events_told((1.0, "oslo", line)), "c02": answer})

    reading = read(source, Query())

    assert [one.message for one in reading.events] == ["it"]
    assert why in str(reading.nodes["c02"].unread)
    assert not reading.is_whole


def test_what_a_login_s_shell_writes_first_is_no_answer() -> None:
    reading = read(Told({"c01": "Welcome!\n" + json.dumps(NO_FILES)}), Query())

    assert reading.nodes["c01"].unread is None


def test_no_node_sends_home_more_than_its_share() -> None:
    many = Told({f"c{number}": json.dumps(NO_FILES) for number in range(16)})
    few = Told({"c01": json.dumps(NO_FILES)})

    read(many, Query())
    read(few, Query())

    assert (many.asked[0]["bytes"], few.asked[0]["bytes"]) == (4 << 20, 8 << 20)


@pytest.mark.parametrize(
    ("ahead_s", "error_s", "at", "left_s"),
    [
        pytest.param(3.0, 0.1, AT - timedelta(seconds=3), 0.1, id="known: it is taken off"),
        pytest.param(0.05, 0.1, AT, 0.1, id="within its error: it is none"),
    ],
)
def test_a_node_s_clock_is_corrected(
    ahead_s: float, error_s: float, at: datetime, left_s: float
) -> None:
    line = "2026-11-27 22:50:00.000 7 INFO nova.x [-] it"
    offset = Offset(ahead_s=ahead_s, error_s=error_s)
    source = Told({"c01": events_told((AT.timestamp(), "oslo", line))}, ahead=offset)

    [event] = read(source, Query()).events

    assert (event.at, event.error_s) == (at, left_s)


@pytest.mark.parametrize(
    ("path", "component"),
    [
        ("/var/log/nova/nova-compute.log", "nova-compute"),
        ("/var/log/nova/nova-compute.log.2.gz", "nova-compute"),
        ("/var/log/kolla/nova/nova-compute.log", "nova-compute"),
        ("/nova/nova-compute.log", "nova-compute"),
        ("/nova-compute.log", "nova-compute"),
        ("/var/log/rabbitmq/rabbit@ctl.log", "rabbitmq"),
        ("/var/log/other/tool.log.1", "tool"),
    ],
)
def test_whose_log_a_file_is_is_known_by_its_path(path: str, component: str) -> None:
    assert component_of(path, places_of(ANATOMY)) == component


@pytest.mark.parametrize(
    ("ahead_s", "error_s", "asked_s"),
    [
        pytest.param(-120.0, 0.01, [0.0, -120.0], id="behind"),
        pytest.param(90.0, 0.01, [0.0, 90.0], id="ahead"),
        pytest.param(0.5, 0.01, [0.0], id="as ours"),
        pytest.param(5.0, 6.0, [0.0], id="not known closely"),
    ],
)
def test_a_window_is_one_of_the_node_s_own_clock(
    ahead_s: float, error_s: float, asked_s: list[float]
) -> None:
    source = Told({"c01": json.dumps(NO_FILES)}, ahead=Offset(ahead_s=ahead_s, error_s=error_s))

    read(source, Query(since=AT, until=AT + timedelta(hours=1)))

    windows = [(one["since"], one["until"]) for one in source.asked]
    start = AT.timestamp()
    assert windows == [(start + by, start + by + 3600) for by in asked_s]


def test_without_a_window_a_clock_that_is_off_leads_to_no_second_look() -> None:
    source = Told({"c01": json.dumps(NO_FILES)}, ahead=Offset(ahead_s=90.0, error_s=0.01))

    read(source, Query())

    assert len(source.asked) == 1


def test_an_answer_in_another_shape_is_not_understood() -> None:
    odd = json.dumps({**NO_FILES, "files": [{"path": "/x", "events": [["now"]]}]})

    with pytest.raises(NotUnderstood):
        parse_scan("c01", odd, places_of(ANATOMY))
