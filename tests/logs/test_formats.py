"""The beginnings of events, format by format."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackward.logs.event import Event, Level, Raw
from stackward.logs.formats import (
    BODIES,
    PREFIXES,
    Format,
    _without_each,
    _without_headers,
    names_of,
    parse,
    patterns,
)

AT = datetime(2026, 11, 27, 22, 49, tzinfo=UTC)
REQUEST = "req-e20512d6-c485-4b75-a4b7-6a460224ceee"
GLOBAL = "req-b311da90-4759-4302-9f62-9c031032dd64"
SERVER = "b14691a2-3280-434e-8f07-137140553642"
HEAD = "2026-11-27 22:49:55.482 407 INFO nova.x "


def event(text: str, kind: str = "oslo") -> Event:
    return parse(Raw(node="c01", component="x", file="/x", offset=0, at=AT, format=kind, text=text))


@pytest.mark.parametrize("form", BODIES, ids=lambda one: one.name)
def test_each_format_begins_its_own_samples_and_no_other_does(form: Format) -> None:
    assert form.samples
    assert {each: names_of(each) for each in form.samples} == {
        each: [form.name] for each in form.samples
    }


# What a cloud's programs write, a line of each.
WRITTEN = {
    "oslo, new brackets": (f"{HEAD}[{GLOBAL} {REQUEST} me my - - default default] it", "oslo"),
    "oslo, no global id": (f"{HEAD}[None {REQUEST} me my - - default default] it", "oslo"),
    "oslo, old brackets": (f"{HEAD}[{REQUEST} me my - - -] it", "oslo"),
    "oslo, no context": (f"{HEAD}it", "oslo"),
    "RabbitMQ 3": ("2018-03-02 10:01:02.345 [error] <0.33.0> it", "rabbitmq"),
    "RabbitMQ 3.6": ("=ERROR REPORT==== 27-Nov-2026::22:49:12 ===", "rabbitmq-old"),
    "RabbitMQ 4": ("2026-11-27 18:54:52.963407+00:00 [error] <0.117.0> it", "rabbitmq"),
    "MariaDB": ("2026-11-27 22:49:17 13 [Warning] Aborted connection 13 to db", "mariadb"),
    "libvirt": ("2026-11-27 22:49:30.451+0000: 155: error : x:1521 : it", "libvirt"),
    "QEMU of a domain": ("2026-11-27 22:50:01.020+0000: starting up libvirt version: 11", "qemu"),
    "Open vSwitch": ("2026-11-27T22:52:28.729Z|00095|netdev_linux|INFO|it", "ovs"),
    "OVN": ("2026-11-27T22:52:28.729Z|00012|binding|INFO|Claiming lport", "ovs"),
    "uWSGI": ("*** Starting uWSGI 2.0.28 (64bit) on [Fri Nov 27 22:49:08 2026] ***", "uwsgi"),
    "Apache's errors": ("[Fri Nov 27 22:49:08.1 2026] [wsgi:error] [pid 410] it", "apache-error"),
    "Apache's requests": ('10.0.0.1 - - [27/Nov/2026:22:51:53 +0000] "GET /" 200 1', "access"),
    "swift-proxy": ("ERROR with Object server 10.0.0.1:6200/sdb re: GET (txn: tx5b1f)", "swift"),
    "a daemon of Swift's": ("Object replication complete (once). (0.02 minutes)", "swift-daemon"),
    "an error of one": ("ERROR reading HTTP response from {'device': 'sdb'}", "level-first"),
    "haproxy": ("Server mariadb/ctl is DOWN, reason: Layer4 timeout", "haproxy"),
    "the kernel": ("[12345.678901] XFS (sdb): log I/O error -5", "kernel"),
}  # fmt: skip


@pytest.mark.parametrize("who", WRITTEN)
def test_what_each_program_of_a_cloud_writes_has_a_format(who: str) -> None:
    line, name = WRITTEN[who]

    assert names_of(line) == [name]


@pytest.mark.parametrize("form", PREFIXES, ids=lambda one: one.name)
def test_what_a_carrier_puts_before_a_line_is_no_body(form: Format) -> None:
    assert form.samples
    for sample in form.samples:
        assert [one.name for one in PREFIXES if patterns()[one.name].match(sample)] == [form.name]
        assert names_of(sample) == []


@pytest.mark.parametrize("form", BODIES, ids=lambda one: one.name)
def test_words_by_which_a_file_is_searched_are_in_the_headers(form: Format) -> None:
    """Each level that a format has words for, above info, can be found by its marks."""
    named = {level for level in form.levels.values() if level >= Level.WARNING}
    found = {
        level for mark, words in form.marks.items() for level in named if words and level >= mark
    }

    assert found == named


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(f"[{GLOBAL} {REQUEST} me my - -] it", (GLOBAL, REQUEST, "me", None), id="new"),
        pytest.param(f"[None {REQUEST} me my - -] it", (None, REQUEST, "me", None), id="no global"),
        pytest.param(f"[{REQUEST} me my - - -] it", (None, REQUEST, "me", None), id="old"),
        pytest.param("[-] it", (None, None, None, None), id="nobody's"),
        pytest.param(f"[None {REQUEST} - - - -] it", (None, REQUEST, None, None), id="a task's"),
        pytest.param(
            f"[None {REQUEST} me my] [instance: {SERVER}] it",
            (None, REQUEST, "me", SERVER),
            id="of a server",
        ),
        pytest.param(f"[instance: {SERVER}] it", (None, None, None, SERVER), id="in a traceback"),
        pytest.param("it", (None, None, None, None), id="none at all"),
    ],
)
def test_the_ids_of_a_request_are_read_in_all_forms(
    line: str, expected: tuple[str | None, ...]
) -> None:
    found = event(HEAD + line)

    assert (found.global_request, found.request, found.user, found.server) == expected
    assert found.message == "it"


def test_brackets_that_are_no_context_are_part_of_the_message() -> None:
    assert event(HEAD + "[pid 4] it").message == "[pid 4] it"


@pytest.mark.parametrize(
    ("kind", "line", "level"),
    [
        ("oslo", "2026-11-27 22:49:55.482 407 TRACE nova.x it", Level.ERROR),
        ("mariadb", "2026-11-27 22:49:17 13 [Warning] it", Level.WARNING),
        ("rabbitmq", "2026-11-27 18:54:52.963407+00:00 [critical] <0.1.0> it", Level.CRITICAL),
        ("ovs", "2026-11-27T22:52:28.729Z|00095|netdev_linux|ERR|it", Level.ERROR),
        ("libvirt", "2026-11-27 22:49:30.451+0000: 155: warning : it", Level.WARNING),
        ("level-first", "ERROR it", Level.ERROR),
    ],
)
def test_levels_are_those_of_the_program(kind: str, line: str, level: Level) -> None:
    assert (event(line, kind).level, event(line, kind).message) == (level, "it")


SYSLOG = "Nov 27 22:49:03 ctl x[62]: "


@pytest.mark.parametrize(
    ("kind", "line", "level"),
    [
        ("haproxy", "Server mariadb/ctl is DOWN, reason: it", Level.ERROR),
        ("haproxy", "Server mariadb/ctl is UP, reason: it", Level.INFO),
        ("haproxy", "backend mariadb has no server available!", Level.CRITICAL),
        ("haproxy", "10.0.0.1:1 [27/Nov/2026:22:49:12.0] f b/s 0/0/1/5/6 503 21", Level.ERROR),
        ("haproxy", "10.0.0.1:1 [27/Nov/2026:22:49:12.0] f b/s 0/0/1/5/6 200 503", Level.INFO),
        ("haproxy", "10.0.0.1:1 [27/Nov/2026:22:49:12.0] f b/s 1/0/5 503 -- 1", Level.INFO),
        ("swift", "ERROR with Object server (txn: tx5b1f)", Level.ERROR),
        ("swift-daemon", "Object audit (ALL). Since Fri", Level.INFO),
        ("kernel", "[12345.678901] XFS (sdb): log I/O error -5", Level.ERROR),
        ("kernel", "[12345.678901] XFS (sdb): Mounting V5 Filesystem", Level.INFO),
    ],
)
def test_levels_are_known_of_what_is_behind_syslog_too(kind: str, line: str, level: Level) -> None:
    found = event(SYSLOG + line, kind)

    assert (found.level, found.message) == (level, event(line, kind).message)


@pytest.mark.parametrize(("code", "level"), [("200", Level.INFO), ("503", Level.ERROR)])
def test_an_answer_of_a_server_s_own_fault_is_an_error(code: str, level: Level) -> None:
    line = (
        "[pid: 410|app: 0|req: 69/208] 10.77.1.1 () {34 vars in 708 bytes} "
        f"[Fri Nov 27 22:52:44 2026] GET /v2.1 => generated 1 bytes in 4 msecs (HTTP/1.1 {code}) 8"
    )

    assert event(line, "uwsgi").level is level


def test_what_the_journal_says_of_a_level_holds_where_no_format_is_known() -> None:
    found = event("2026-11-27T22:49:03.1+00:00 - sshd[4]: refused", "journal:40")

    assert (found.level, found.module, found.message) == (Level.ERROR, "sshd", "refused")


# What a line that continues an event may have before its words, and the words.
HEADERS = st.sampled_from((
    HEAD, HEAD.replace("INFO", "ERROR"), HEAD.rstrip(), "", "Nov 27 22:49:03 ctl nova: ",
    f"{HEAD}[instance: {SERVER}] ", f"{HEAD}[instance: {SERVER}]",
    f"{HEAD}[{REQUEST} me my - - -] ",
    f"{HEAD}[{REQUEST} me my - - -] [instance: {SERVER}] ",
))  # fmt: skip
WORDS = st.sampled_from(("", " ", "[", "[x] y", "  File", "Traceback (most recent call last):"))
OSLO = next(one for one in BODIES if one.name == "oslo")


@given(st.lists(st.tuples(HEADERS, WORDS), max_size=4), HEADERS, WORDS)
def test_headers_taken_off_at_once_are_those_taken_off_line_by_line(
    others: list[tuple[str, str]], usual: str, words: str
) -> None:
    lines = ["".join(one) for one in [(usual, words)] * 3 + others]

    at_once = _without_headers(OSLO, "\n".join(lines), HEAD.rstrip())

    assert at_once.split("\n") == _without_each(OSLO, lines, HEAD.rstrip())


def test_each_line_of_a_traceback_loses_its_header() -> None:
    head = "2026-11-27 22:49:55.482 407 ERROR nova.x "

    found = event(f"{head}[-] it failed\n{head}Traceback (most recent call last):\n{head}  File")

    assert (found.message, found.more) == (
        "it failed",
        ("Traceback (most recent call last):", "  File"),
    )


@pytest.mark.parametrize(
    ("kind", "line", "resolution_s"),
    [
        ("oslo", HEAD + "it", 0.001),
        ("uwsgi", "*** Starting uWSGI 2 on [Fri Nov 27 22:49:08 2026] ***", 1.0),
        ("mariadb", "2026-11-27 22:49:17 13 [Warning] it", 1.0),
    ],
)
def test_a_time_in_whole_seconds_is_known_as_such(
    kind: str, line: str, resolution_s: float
) -> None:
    assert event(line, kind).resolution_s == resolution_s
