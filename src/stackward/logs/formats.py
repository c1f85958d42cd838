"""How the lines of each program begin: a format is one entry, with its samples.

A *prefix* is what a carrier puts before a line (syslog, the journal as text, the keeper of a
container); a *body* is what the program itself has written. Bodies are exclusive: no sample of one
fits the beginning of another, which a test asks of all of them. The scanner on a node
(`facts/on_node/scan.py`) is sent these same entries: it finds the beginnings of events, and what is
read of them is read here.

The patterns are those of Python's `re`, for bytes on a node and for text here. Their groups:
`at` (when), `pid`, `level`, `module`. What is not a beginning continues the line before it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import NamedTuple

from stackward.logs.event import Event, Level, Raised, Raw
from stackward.logs.tracebacks import Continued, has_traceback, read_traceback
from stackward.model.clock_offset import Offset

_DAY = r"\d{4}-\d\d-\d\d"
_TIME = r"\d\d:\d\d:\d\d"

_OSLO_LEVELS = {
    "DEBUG": Level.DEBUG, "TRACE": Level.ERROR, "INFO": Level.INFO, "AUDIT": Level.INFO,
    "WARNING": Level.WARNING, "WARN": Level.WARNING, "ERROR": Level.ERROR,
    "CRITICAL": Level.CRITICAL,
}  # fmt: skip
_OSLO_MARKS = {
    Level.ERROR: (" ERROR ", " CRITICAL ", " TRACE "),
    Level.WARNING: (" WARNING ", " WARN "),
}
_OVS_LEVELS = {
    "EMER": Level.CRITICAL, "ERR": Level.ERROR, "WARN": Level.WARNING, "INFO": Level.INFO,
    "DBG": Level.DEBUG,
}  # fmt: skip
_OVS_MARKS = {Level.ERROR: ("|ERR|", "|EMER|"), Level.WARNING: ("|WARN|",)}
_WORDS = {
    "debug": Level.DEBUG, "info": Level.INFO, "notice": Level.INFO, "warning": Level.WARNING,
    "warn": Level.WARNING, "error": Level.ERROR, "crit": Level.CRITICAL,
    "critical": Level.CRITICAL, "alert": Level.CRITICAL, "emerg": Level.CRITICAL,
    **{f"trace{number}": Level.DEBUG for number in range(1, 9)},
}  # fmt: skip

# The module of a service, where no time is before the level: a name with dots; or one that its
# context, a line of a traceback or an exception follows. In a traceback there is no context.
_MODULE = (
    r"[a-z_]\w*(?:(?:\.\w+)+(?= |\n|\Z)|(?= (?:\[(?:None|-|req-|instance: )|"
    r"Traceback \(most| {2}|[\w.]*[A-Z]\w*(?:Error|Exception|_Remote)\b)))"
)

# The kernel writes no level into what syslog keeps of it.
_KERNEL = (
    "Out of memory", "I/O error", "I/O Error", "BUG:", "Oops", "Hardware Error", "Call Trace",
    "Kernel panic",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """How the events of one kind of program begin."""

    name: str
    what: str  # whose it is, for the page
    head: str
    levels: Mapping[str, Level] = field(default_factory=dict)  # its words for them
    usual: Level = Level.INFO  # of one whose header has no level
    # Words that the header of each event of at least that level has; so a file is searched fast.
    marks: Mapping[Level, tuple[str, ...]] = field(default_factory=dict)
    repeats: bool = False  # each line of an event begins with the header again
    is_late: bool = False  # written at the end of a request, with the time of its beginning
    samples: tuple[str, ...]


BODIES = (
    Format(
        name="oslo",
        what="OpenStack's services (oslo.log)",
        head=rf"(?P<at>{_DAY} {_TIME}[.,]\d{{3,6}}) (?:(?P<pid>\d+) )?"
        rf"(?P<level>{'|'.join(_OSLO_LEVELS)}) (?P<module>\S+)(?= |\n|\Z)",
        levels=_OSLO_LEVELS,
        marks=_OSLO_MARKS,
        repeats=True,
        samples=(
            "2026-11-27 22:49:15.319 370 INFO glance.async_ [-] Threadpool model set",
            "2026-11-27 22:49:12.741 347 ERROR nova Traceback (most recent call last):",
            (
                "2026-11-27 22:49:55.482 407 INFO nova.api.openstack.compute.server_external "
                "[req-b311da90-4759-4302-9f62-9c031032dd64 "
                "req-e20512d6-c485-4b75-a4b7-6a460224ceee f542992623214880862f92e56de2fcf5 "
                "4a02b8cf55f94007b003f0b30fcee38f - - default default] Creating event"
            ),
            (
                "2026-11-27 22:49:55.482 407 WARNING nova.scheduler.utils [None "
                "req-e20512d6-c485-4b75-a4b7-6a460224ceee admin demo - - default default] Setting"
            ),
            (
                "2015-07-17 10:05:00.456 2931 INFO nova.osapi_compute.wsgi.server "
                "[req-e20512d6-c485-4b75-a4b7-6a460224ceee admin demo - - -] status: 200"
            ),
            (
                "2015-07-17 10:05:00.123 2931 TRACE nova.compute.manager [instance: "
                "b14691a2-3280-434e-8f07-137140553642] Traceback (most recent call last):"
            ),
            "2017-03-01 10:00:00.123 ERROR nova.compute.manager [req-e20512d6 demo demo] It failed",
        ),
    ),
    Format(
        name="oslo-undated",
        what="OpenStack's services where the journal keeps the time",
        head=rf"(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL) (?P<module>{_MODULE})",
        levels=_OSLO_LEVELS,
        marks={
            Level.ERROR: ("ERROR ", "CRITICAL "),
            Level.WARNING: ("WARNING ",),
        },
        repeats=True,
        samples=(
            "ERROR nova.compute.manager [None req-07e91908-8d7e demo demo] it failed",
            "ERROR nova.compute.manager Traceback (most recent call last):",
            'ERROR nova.compute.manager   File "/opt/stack/nova/nova/manager.py", line 1, in it',
            "ERROR nova.compute.manager     raise ValueError()",
            "ERROR nova.compute.manager KeyError: 'disk'",
            "ERROR nova.compute.manager [instance: b14691a2-3280-434e-8f07-137140553642]   File",
        ),
    ),
    Format(
        name="rabbitmq",
        what="RabbitMQ 3.7 and newer, 4 too",
        head=rf"(?P<at>{_DAY} {_TIME}\.\d{{3,6}}(?:[+-]\d\d:\d\d)?) "
        # Docker's keeper writes `<` as JSON may.
        r"\[(?P<level>[a-z]+)\] (?P<pid>(?:<|\\u003c)[\d.]+(?:>|\\u003e))(?= |\n|\Z)",
        levels=_WORDS,
        marks={
            Level.ERROR: ("[error]", "[critical]", "[alert]", "[emergency]"),
            Level.WARNING: ("[warning]",),
        },
        repeats=True,
        samples=(
            "2026-11-27 18:54:52.963407+00:00 [error] <0.117.0> ** Generic server memsup",
            "2018-03-02 10:01:02.345 [info] <0.33.0> Application lager started",
        ),
    ),
    Format(
        name="rabbitmq-old",
        what="RabbitMQ before 3.7",
        head=r"=(?P<level>INFO|WARNING|ERROR|CRASH) REPORT==== "
        rf"(?P<at>\d{{1,2}}-[A-Z][a-z]{{2}}-\d{{4}}::{_TIME}) ===",
        levels={**_OSLO_LEVELS, "CRASH": Level.CRITICAL},
        marks={
            Level.ERROR: ("=ERROR REPORT", "=CRASH REPORT"),
            Level.WARNING: ("=WARNING REPORT",),
        },
        samples=("=ERROR REPORT==== 27-Nov-2026::22:49:12 ===\nclosing AMQP connection <0.1.0>",),
    ),
    Format(
        name="mariadb",
        what="MariaDB and MySQL",
        head=rf"(?P<at>(?:{_DAY}[ T]+\d{{1,2}}:\d\d:\d\d(?:\.\d+Z)?)|\d{{6}} +\d{{1,2}}:\d\d:\d\d)"
        r" (?:(?P<pid>\d+) )?\[(?P<level>Note|Warning|ERROR|System)\](?= |\n|\Z)",
        levels={
            "Note": Level.INFO,
            "System": Level.INFO,
            "Warning": Level.WARNING,
            "ERROR": Level.ERROR,
        },
        marks={Level.ERROR: ("[ERROR]",), Level.WARNING: ("[Warning]",)},
        samples=(
            "2026-11-27 22:49:17 13 [Warning] Aborted connection 13 to db: 'nova_cell0'",
            "2026-11-27  9:49:17 0 [Note] InnoDB: 128 rollback segments are active.",
            "261127 22:49:17 [ERROR] mysqld: Table './nova/x' is marked as crashed",
            "2026-11-27T22:49:17.123456Z 0 [System] [MY-010931] [Server] ready for connections",
        ),
    ),
    Format(
        name="ovs",
        what="Open vSwitch and OVN",
        head=rf"(?P<at>{_DAY}T{_TIME}\.\d{{3}}Z)\|(?P<pid>\d+)\|(?P<module>[^|\n]+)\|"
        r"(?P<level>EMER|ERR|WARN|INFO|DBG)\|",
        levels=_OVS_LEVELS,
        marks=_OVS_MARKS,
        samples=(
            "2026-11-27T22:52:28.729Z|00095|netdev_linux|INFO|ioctl(SIOCGIFHWADDR) failed",
            "2026-11-27T22:52:28.732Z|00003|poll_loop(handler1)|WARN|wakeup due to [POLLIN]",
        ),
    ),
    Format(
        name="ovs-undated",
        what="the same in the journal, which keeps the time",
        head=r"(?:ovs|ovn)\|(?P<pid>\d+)\|(?P<module>[^|\n]+)\|(?P<level>EMER|ERR|WARN|INFO|DBG)\|",
        levels=_OVS_LEVELS,
        marks=_OVS_MARKS,
        samples=("ovs|00049|dpif_netdev|ERR|error receiving data from data0: Network is down",),
    ),
    Format(
        name="libvirt",
        what="libvirt's daemons",
        head=rf"(?P<at>{_DAY} {_TIME}\.\d{{3}}\+0000): (?P<pid>\d+): "
        r"(?P<level>debug|info|warning|error) : (?:(?P<module>[A-Za-z_]\w*:\d+) : )?",
        levels=_WORDS,
        marks={Level.ERROR: (": error : ",), Level.WARNING: (": warning : ",)},
        samples=(
            "2026-11-27 22:49:01.813+0000: 172: info : libvirt version: 11.3.0",
            "2026-11-27 22:49:30.451+0000: 155: error : virHostCPUGetTscInfo:1521 : Unable to",
        ),
    ),
    Format(
        name="qemu",
        what="QEMU, a file for each domain",
        head=rf"(?P<at>{_DAY} {_TIME}\.\d{{3}}\+0000): (?=starting up|shutting down|panic)"
        rf"|(?P<at2>{_DAY}T{_TIME}\.\d{{6}}Z) (?=qemu-)",
        samples=(
            "2026-11-27 22:50:01.020+0000: shutting down, reason=destroyed",
            "2026-11-27T22:50:00.820580Z qemu-system-x86_64: terminating on signal 15",
        ),
    ),
    Format(
        name="uwsgi",
        what="uWSGI: its requests and its starts",
        head=r"\[pid: (?P<pid>\d+)\|app: [^\]\n]*\] [^\[\n]*"
        rf"\[(?P<at>[A-Z][a-z]{{2}} [A-Z][a-z]{{2}} +\d+ {_TIME} \d{{4}})\] "
        r"|\*\*\* Starting uWSGI [^\n\[]*"
        rf"\[(?P<at2>[A-Z][a-z]{{2}} [A-Z][a-z]{{2}} +\d+ {_TIME} \d{{4}})\]",
        marks={Level.ERROR: (" 500) ", " 502) ", " 503) ", " 504) ")},
        is_late=True,
        samples=(
            (
                "[pid: 410|app: 0|req: 69/208] 10.77.1.1 () {34 vars in 708 bytes} "
                "[Fri Nov 27 22:52:44 2026] GET /v2.1/os-services => generated 1260 bytes in 45 "
                "msecs (HTTP/1.1 200) 8 headers in 338 bytes (1 switches on core 0)"
            ),
            "*** Starting uWSGI 2.0.28-debian (64bit) on [Fri Nov 27 22:49:08 2026] ***",
        ),
    ),
    Format(
        name="apache-error",
        what="Apache's errors",
        head=rf"\[(?P<at>[A-Z][a-z]{{2}} [A-Z][a-z]{{2}} +\d+ {_TIME}(?:\.\d+)? \d{{4}})\] "
        r"\[(?P<module>\w*):(?P<level>\w+)\] \[pid (?P<pid>\d+)[^\]\n]*\]",
        levels=_WORDS,
        marks={
            Level.ERROR: (":error] ", ":crit] ", ":alert] ", ":emerg] "),
            Level.WARNING: (":warn] ",),
        },
        samples=(
            (
                "[Fri Nov 27 22:49:08.123456 2026] [wsgi:error] [pid 410:tid 140] "
                "[remote 10.0.0.1:1] Timeout when reading response headers"
            ),
        ),
    ),
    Format(
        name="access",
        what="requests as Apache and other servers of the web log them",
        head=rf"[0-9a-fA-F.:]+ \S+ \S+ \[(?P<at>\d\d/[A-Z][a-z]{{2}}/\d{{4}}:{_TIME} "
        r"[+-]\d{4})\] (?=\\?\")",
        marks={Level.ERROR: ('" 500 ', '" 502 ', '" 503 ', '" 504 ')},
        is_late=True,
        samples=('10.77.1.1 - - [27/Nov/2026:22:51:53 +0000] "GET /v3 HTTP/1.1" 200 250',),
    ),
    Format(
        name="haproxy",
        what="haproxy: its requests and its servers",
        head=r"(?=Server \S+ is (?:DOWN|UP)|backend \S+ has no server|Proxy \S+ (?:started|stop)|"
        r"[0-9a-fA-F.:]+:\d+ \[\d\d/[A-Z][a-z]{2}/\d{4}:)"
        # Of its requests only those of HTTP, which have five times, say how they were answered.
        r"(?=(?:Server \S+ is |backend \S+ has |"
        r"[0-9a-fA-F.:]+:\d+ \[[^\]\n]*\] \S+ \S+ (?:[-+\d]+/){4}[-+\d]+ )"
        r"(?P<level>DOWN|no server|50[0234])|)",
        levels={
            "DOWN": Level.ERROR,
            "no server": Level.CRITICAL,
            **dict.fromkeys(("500", "502", "503", "504"), Level.ERROR),
        },
        marks={Level.ERROR: (" is DOWN", " has no server", " 500 ", " 502 ", " 503 ", " 504 ")},
        is_late=True,
        samples=(
            "Server mariadb/ctl is DOWN, reason: Layer4 connection problem",
            "backend mariadb has no server available!",
            '10.0.0.1:51234 [27/Nov/2026:22:49:12.001] nova_front nova/ctl 0/0/1/5/6 200 "GET /"',
            "10.0.0.1:51234 [27/Nov/2026:22:49:12.001] mariadb mariadb/ctl 1/0/503 503 -- 1/1/1/1",
        ),
    ),
    Format(
        name="swift",
        what="Swift's servers, behind syslog",
        head=r"(?:(?P<level>ERROR|WARNING|INFO) )?(?=[^\n]*\(txn: tx)"
        r"|(?=[0-9.]+ [0-9.]+ \d\d/[A-Z][a-z]{2}/\d{4}/\d\d/)",
        levels=_OSLO_LEVELS,
        marks={Level.ERROR: ("ERROR ",), Level.WARNING: ("WARNING ",)},
        samples=(
            "ERROR with Object server 10.77.2.13:6200/sdb re: Trying to GET (txn: tx5b1f)",
            "10.0.0.1 10.0.0.2 27/Nov/2026/22/49/12 GET /v1/AUTH_test HTTP/1.0 200",
        ),
    ),
    Format(
        name="swift-daemon",
        what="Swift's daemons, behind syslog",
        head=r"(?=(?:Object|Container|Account) (?:replication|audit|reconstruction|update) "
        r"|Begin (?:object|container|account) |Starting (?:object|container|account) "
        r"|Attempted to replicate |\d+/\d+ \(\d+\.\d\d%\) partitions "
        r"|Can't find itself in policy )(?![^\n]*\(txn: tx)",
        samples=(
            "Object replication complete (once). (0.02 minutes)",
            'Begin object audit "forever" mode (ALL)',
            "184/184 (100.00%) partitions replicated in 2.41s (76.31/sec, 0s remaining)",
            "Attempted to replicate 45 dbs in 0.84 seconds (53.31/s)",
        ),
    ),
    Format(
        name="kernel",
        what="the kernel, behind syslog",
        head=rf"\[ *\d+\.\d{{6}}\] (?=(?:[^\n]*?(?P<level>{'|'.join(_KERNEL)}))?)",
        levels=dict.fromkeys(_KERNEL, Level.ERROR),
        marks={Level.ERROR: _KERNEL},
        samples=("[12345.678901] Out of memory: Killed process 4 (qemu-system-x86)",),
    ),
    Format(
        name="level-first",
        what="other programs behind syslog or in a container, whose lines begin with their level",
        head=r"(?P<level>DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL)(?=[: ])"
        rf"(?! {_MODULE})(?![^\n]*\(txn: tx)",
        levels=_OSLO_LEVELS,
        marks={
            Level.ERROR: ("ERROR", "CRITICAL"),
            Level.WARNING: ("WARN",),
        },
        samples=(
            "ERROR: Problem cleaning up /srv/node/sdb: [Errno 5] Input/output error",
            "WARNING no device was found",
        ),
    ),
)

PREFIXES = (
    Format(
        name="syslog",
        what="syslog, and the journal as text",
        head=rf"(?P<at>[A-Z][a-z]{{2}} [ \d]\d {_TIME}(?:\.\d+)?|"
        rf"{_DAY}T{_TIME}(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)) \S+ "
        r"(?P<module>[^\s:\[\]]+)(?:\[(?P<pid>\d+)\])?: ",
        samples=(
            "Nov 27 22:49:03 ctl mariadbd[62]: Version: '11.8.9-MariaDB'",
            "2026-11-27T22:49:03.123456+00:00 ctl kernel: Out of memory: Killed process 4",
        ),
    ),
    # A line that begins with a blank continues the one before: one container writes a file.
    Format(
        name="docker",
        what="containers, as Docker keeps their lines (json-file)",
        head=r"\{\"log\":\"(?! |\\t|\\n)"
        rf"(?=[^\n]*\"time\":\"(?P<at>{_DAY}T{_TIME}(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))\"\}})",
        samples=(
            '{"log":"ready\\n","stream":"stderr","time":"2026-11-27T22:49:03.123456789Z"}',
            '{"log":"up","stream":"stdout","attrs":{"a":"b"},"time":"2026-11-27T22:49:03Z"}',
        ),
    ),
    Format(
        name="cri",
        what="containers, as CRI-O, containerd and Podman keep their lines",
        head=rf"(?P<at>{_DAY}T{_TIME}(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) (?:stdout|stderr) [FP] "
        r"(?=[^ \t\n])",
        samples=("2026-11-27T22:49:03.123456789+01:00 stdout F ready",),
    ),
)

JOURNAL = "journal"  # the file of what was read from the journal
OF_JOURNAL = "journal:"  # a body that is not known, with the level that the journal has for it

_ESCAPE = "\x1b"
_COLOUR = re.compile(r"\x1b(?:\[[\d;:]{0,40}[mK]|\(B)")
_OF_DOCKER = re.compile(r'\{"log":"')
_OF_CRI = re.compile(rf"{_DAY}T{_TIME}(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) (?:stdout|stderr) [FP] ?")
_CONTEXT = re.compile(r"\[(?P<words>[^\]\n]*)\] ?")
_INSTANCE = re.compile(r"\[instance: (?P<id>[0-9a-f-]{36})\] ?")
_REQUEST = re.compile(r"req-[\w-]+")
_NOBODY = {"-", "None", ""}
_PART_OF_SECOND = re.compile(r"[.,]\d")
_ANSWERED = re.compile(r"\(HTTP/[\d.]+ (?P<code>\d{3})\)|\" (?P<other>\d{3}) ")
_SERVER_FAULT = 500


@cache
def patterns() -> Mapping[str, re.Pattern[str]]:
    """Return how each format begins, compiled."""
    return {one.name: re.compile(one.head) for one in (*BODIES, *PREFIXES)}


@cache
def _by_name() -> Mapping[str, Format]:
    return {one.name: one for one in (*BODIES, *PREFIXES)}


def names_of(line: str) -> list[str]:
    """Return the bodies that begin like this line; of one that is known there is exactly one."""
    return [one.name for one in BODIES if patterns()[one.name].match(line)]


def parse(raw: Raw, offset: Offset | None = None, continued: Continued | None = None) -> Event:
    """Read the lines of an event. Nothing is lost: what is no header is its message.

    What the node's clock is ahead of ours is taken off its time. What continues an event is read
    once of those that are given the same `continued`.
    """
    text, said, header = raw.text, {"module": "", "pid": "", "level": ""}, ""
    if _ESCAPE in text:
        text = _COLOUR.sub("", text)
    kind = _by_name().get(raw.format)
    if (ahead := _ahead(text)) is not None:
        said |= _given(ahead)
        text = _unwrapped(text[ahead.end() :], ahead)
    if kind is not None and (head := patterns()[kind.name].match(text)) is not None:
        said |= _given(head)
        header = head[0]
        text = text[head.end() :].removeprefix(" ")
    resolution_s = 0.001 if _PART_OF_SECOND.search(said.get("at", ".0")) else 1.0
    first, is_longer, more = text.partition("\n")
    has_context = raw.format.startswith("oslo")
    context = _context(first) if has_context else _Context(first)
    level = kind.levels.get(said["level"], kind.usual) if kind else Level.INFO
    if raw.format.startswith(OF_JOURNAL):
        level = Level(int(raw.format.removeprefix(OF_JOURNAL)))
    if kind is not None and kind.name in {"uwsgi", "access"}:
        level = _level_of_answer(first, level)
    lines: tuple[str, ...] = ()
    raised: tuple[Raised, ...] = ()
    if is_longer:
        body = _without_headers(kind, more, header) if kind and kind.repeats else more
        lines, raised = (Continued() if continued is None else continued).read(body)
    message = context.rest
    if has_traceback(message):
        raised = read_traceback((message, *lines))
    at, error_s = by_our_clock(raw.at, offset)
    return Event(
        at=at,
        node=raw.node,
        component=raw.component,
        file=raw.file,
        offset=raw.offset,
        format=raw.format,
        level=level,
        message=message,
        module=said["module"],
        pid=said["pid"],
        request=context.request,
        global_request=context.global_request,
        user=context.user,
        server=context.server,
        more=lines,
        raised=raised,
        is_cut=raw.is_cut,
        error_s=error_s,
        resolution_s=resolution_s,
    )


def by_our_clock(at: datetime, offset: Offset | None) -> tuple[datetime, float]:
    """Return a time of a node's clock by ours, and by how many seconds that may be wrong."""
    if offset is None:
        return at, 0.0
    # What is within the error of the measure is no offset that is known.
    ahead_s = offset.ahead_s if abs(offset.ahead_s) > offset.error_s else 0.0
    error_s = max(offset.error_s, abs(offset.ahead_s - ahead_s))
    return at - timedelta(seconds=ahead_s), error_s


def _ahead(line: str) -> re.Match[str] | None:
    """Return what a carrier has put before a line."""
    for one in PREFIXES:
        if (found := patterns()[one.name].match(line)) is not None:
            return found
    return None


def _unwrapped(text: str, ahead: re.Match[str]) -> str:
    """Take off what the keeper of a container has put around each line."""
    first, *more = text.split("\n")
    if ahead.re is patterns()["docker"]:
        return "\n".join((_log_of(ahead[0] + first), *map(_log_of, more)))
    if ahead.re is patterns()["cri"]:
        return "\n".join((first, *(_OF_CRI.sub("", line, count=1) for line in more)))
    return text


def _log_of(line: str) -> str:
    """Return what a container has written in a line that Docker keeps; as it is where it is none.

    The last line of an event may be cut off.
    """
    found = _OF_DOCKER.match(line)
    if found is None:
        return line
    try:
        return str(json.loads(line)["log"]).removesuffix("\n")
    except (ValueError, KeyError, TypeError):
        return line[found.end() :]


def _given(found: re.Match[str]) -> dict[str, str]:
    said = {name: value for name, value in found.groupdict().items() if value is not None}
    if "at2" in said:  # a name may be given to one group alone
        said["at"] = said.pop("at2")
    return said


class _Context(NamedTuple):
    """What is in brackets before the message of a service."""

    rest: str
    request: str | None = None
    global_request: str | None = None
    user: str | None = None
    server: str | None = None


def _context(line: str) -> _Context:
    """Read `[GLOBAL LOCAL user project ...] [instance: ID]`, of any release; both may be absent."""
    if not line.startswith("["):
        return _Context(line)
    rest, server = line, None
    request = global_request = user = None
    if (found := _CONTEXT.match(rest)) and (who := _who(found["words"])) is not None:
        (request, global_request, user), rest = who, rest[found.end() :]
    if found := _INSTANCE.match(rest):
        server, rest = found["id"], rest[found.end() :]
    return _Context(rest, request, global_request, user, server)


@lru_cache(maxsize=4096)
def _who(context: str) -> tuple[str | None, str | None, str | None] | None:
    """Read the ids of a request, and its user; None of what is no context.

    The lines of a request all have the same.
    """
    if not _is_context(context):
        return None
    words = context.split()
    ids = [one for one in words[:2] if _REQUEST.fullmatch(one)]
    others = words[len(ids) + (words[:1] == ["None"]) :]
    user = others[0] if others and others[0] not in _NOBODY else None
    return ids[-1] if ids else None, ids[0] if len(ids) > 1 else None, user


def _is_context(words: str) -> bool:
    first = words.split(" ", 1)[0]
    return first in {"-", "None"} or _REQUEST.fullmatch(first) is not None


def _without_headers(kind: Format, more: str, header: str) -> str:
    """Take the repeated header off the lines that continue an event.

    Of a service's traceback each line has the header of the one before, and the same server after
    it. To take that off all of them at once is much faster, and comes to the same.
    """
    line, _, _ = more.partition("\n")
    found = patterns()[kind.name].match(line)
    if found is not None and line[found.end() : found.end() + 1] == " ":
        rest = line[found.end() + 1 :]
        said = _context(rest).rest if _is_oslo(kind) else rest
        repeated = f"\n{line[: len(line) - len(said)]}"
        every = f"\n{more}"
        is_whole = repeated.endswith(" ") and every.count(repeated) == every.count("\n")
        if is_whole and f"{repeated}[" not in every:
            return every.replace(repeated, "\n")[1:]
    return "\n".join(_without_each(kind, more.split("\n"), header))


def _is_oslo(kind: Format) -> bool:
    return kind.name.startswith("oslo")


def _without_each(kind: Format, lines: list[str], header: str) -> list[str]:
    """Take the header off each line; most have that of the one before."""
    kept = []
    for line in lines:
        size = len(header)
        if not header or not line.startswith(header) or line[size : size + 1] not in {"", " "}:
            ahead = patterns()["syslog"].match(line)
            begin = ahead.end() if ahead else 0
            found = patterns()[kind.name].match(line, begin)
            if found is None:
                kept.append(line[begin:])
                continue
            size = found.end()
            header = line[:size]
        rest = line[size:].removeprefix(" ")
        kept.append(_context(rest).rest if _is_oslo(kind) and rest.startswith("[") else rest)
    return kept


def _level_of_answer(line: str, usual: Level) -> Level:
    found = _ANSWERED.search(line)
    code = int(found["code"] or found["other"]) if found else 0
    return Level.ERROR if code >= _SERVER_FAULT else usual
