"""Find events in the logs of a node, and print them as one JSON document; run there by python3.

It is sent as it is, to nodes and to folders of collected logs alike: standard library only, no
later Python than 3.7 needed, nothing written, nothing installed. It gets the formats of logs
(`logs/formats.py`), finds where events begin and end, and sends home only those that are wanted.
What it leaves out, it counts and names.
"""

from __future__ import annotations

import bisect
import contextlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
import zlib
from collections import OrderedDict
from typing import Any

PIECE = 1024 * 1024  # is read at a time: it stays in a cache of the processor
MOST_OF_EVENT = 64 * 1024  # bytes that go home; of a longer one the beginning
LONGEST_LINE = 1024 * 1024  # a longer one is taken in parts
ERROR = 40  # of a level, as `logs/event.py` has it
MOST_HELD = 1024 * 1024  # of an event whose end is not known yet
SAMPLE = 64 * 1024  # by which the formats of a file are known
PROBE = 256 * 1024  # in which a beginning is looked for
LEAST_GAP = 1024 * 1024  # a window is bisected until it is known as closely as that
BACKWARDS_S = 65 * 60  # a clock that is set back by an hour, and the way there
AGAIN_S = 45.0  # of what is only counted, one goes home again after that time
MOST_KINDS = 20000  # of events of one log
MOST_SAID = 2048  # bytes of a line by which it is known again
MOST_LETTERS = 4096  # lines that are known to the letter
TOLD_S = 946684800.0  # 2000: an earlier time of a file says nothing
SLACK_S = 5.0  # lines of several processes are a little out of order
DEPTH = 4  # folders below a place
MOST_FILES = 2000
JOURNALS = ("/var/log/journal", "/run/log/journal")
JOURNAL_LINES = 200000
OWN_END_S = 3  # after the deadline its own alarm ends this script, also where something holds it
MONTHS = {
    name: number
    for number, name in enumerate(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
        start=1,
    )
}
ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[ T]+(\d{1,2}):(\d\d):(\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:?\d\d)?$"
)
TO_MINUTE = len("2026-11-27 22:50:")
SECONDS = re.compile(rb"[0-5]\d\.\d{3}\Z")  # as most services write them
SHORT = re.compile(r"(\d\d)(\d\d)(\d\d) +(\d{1,2}):(\d\d):(\d\d)$")
CLOCK = r"(?P<clock>\d\d:\d\d:\d\d)(?:\.(?P<part>\d+))?"
CTIME = re.compile(r"\w{3} (?P<month>\w{3}) +(?P<day>\d+) " + CLOCK + r" (?P<year>\d{4})$")
CLF = re.compile(
    r"(?P<day>\d\d)/(?P<month>\w{3})/(?P<year>\d{4}):" + CLOCK + r" (?P<zone>[+-]\d{4})$"
)
OLD_RABBIT = re.compile(r"(?P<day>\d{1,2})-(?P<month>\w{3})-(?P<year>\d{4})::" + CLOCK + "$")
BSD = re.compile(r"(?P<month>\w{3}) +(?P<day>\d+) " + CLOCK + "$")
# Of a rotated file: `x.log.1`, `x.log.2.gz`, `x.log-20261127`, `x.log-20261127.gz`.
ROTATED = re.compile(r"[.-]\d+(?:\.gz)?$|\.gz$|\.old$")
ADDED = re.compile(r"[.-]\d{1,14}(?:\.gz)?$|\.gz$")
TRACEBACK = re.compile(rb"(?: ?\[[^\]\n]*\])* ?Traceback \(most recent call last\)")
CONTEXT = re.compile(rb" ?\[(?:None|-|req-)")
OSLO = {"oslo", "oslo-undated"}
UNDATED = "oslo-undated"  # the journal dates each line of an event by itself
TOGETHER_S = 1.0  # the lines of a traceback there
# Colours, as a terminal gets them, and as syslog and the keepers of containers spell them out.
IN_BRACKETS = re.compile(
    rb" ?\[(?:None ?|- ?)?(?:req-\S+(?: |(?=\])))*(?P<user>[^ \]\n]*)[^\]\n]*\] ?"
    rb"(?P<of>\[instance: )?"
)
NOBODY = {b"-", b"None", b""}
COLOUR = re.compile(rb"\x1b(?:\[[\d;:]{0,40}[mK]|\(B)")
SPELLED = re.compile(rb"(?:\x1b|#033|\\u001b)(?:\[[\d;:]{0,40}[mK]|\(B)")
OPEN = re.compile(
    rb"(?:(?:\x1b|#033|\\u001b)(?:\(|\[[\d;:]{0,40})?|#(?:03?)?|\\(?:u(?:0(?:0(?:1b?)?)?)?)?)\Z"
)
LONGEST_COLOUR = 48
SPELLINGS = (b"#033[", b"\\u001b[")
IN_TRACEBACK = b"Traceback (most recent call last)"
NAMED = re.compile(rb"\(\?P<\w+>")
GZIP = b"\x1f\x8b"
SETTINGS = re.compile(r"\.(?:conf|cnf|ini)$")
MOST_OF_SETTINGS = 1024 * 1024
_OSLO = ("log_dir", "logdir", "log_file", "logfile", "use_journal")
LOG_SETTINGS = {
    "default": _OSLO,
    **dict.fromkeys(("mysqld", "mariadb", "mariadbd", "server"), ("log_error",)),
}
OTHER_NAMES = {"logdir": "log_dir", "logfile": "log_file", "log_error": "log_file"}
YES = {"true", "1", "yes", "on"}
# Of the root of a machine that was collected.
WITHOUT_LOGS = {"bin", "boot", "dev", "etc", "lib", "lib64", "proc", "run", "sbin", "sys", "usr"}
# Of a rotated log, what nothing here reads.
PACKED = re.compile(r"log.*\.(xz|zst|bz2)$")
# What is below /var/log and no log that can be read by its lines.
SKIPPED = re.compile(
    r"\.(?:journal~?|xz|zst|bz2|zip|db|sqlite3?|pcap|png|tar|tgz|img)$|^(?:[bw]tmp|lastlog|faillog)"
)


class Over(Exception):
    """No time is left."""


class Kind:
    """A format of logs, compiled."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.name = str(told["name"])
        self.head = re.compile(told["head"].encode())
        # Where a match has what is read of it; what the pattern has not is the last of all.
        where = self.head.groupindex
        self.order = [where.get(name, 0) - 1 for name in ("at", "at2", "level", "pid", "module")]
        self.levels = {word.encode(): int(rank) for word, rank in told["levels"].items()}
        self.usual = int(told["usual"])
        self.marks = {
            int(rank): [word.encode() for word in words] for rank, words in told["marks"].items()
        }
        self.repeats = bool(told["repeats"])
        self.is_late = bool(told.get("is_late"))


class Head:
    """Where an event begins."""

    __slots__ = ("at", "end", "kind", "rank", "same")

    def __init__(self, kind: str, at: float, rank: int, same: tuple[Any, ...], end: int) -> None:
        self.kind, self.at, self.rank, self.same, self.end = kind, at, rank, same, end

    def is_with(self, other: Head) -> bool:
        """Say whether another is of the same moment, process and module."""
        return self.same == other.same and abs(self.at - other.at) <= TOGETHER_S


class Zone:
    """How the times of lines without a zone are read: as this node does, or by a fixed offset."""

    def __init__(self, offset_s: float | None, now: float) -> None:
        self.offset_s, self.now = offset_s, now
        self.newest = now  # no line of the file is later
        self.known = OrderedDict()  # type: OrderedDict[bytes, float]
        self.minutes = {}  # type: dict[bytes, float]

    def is_of(self, changed: float) -> None:
        """Read times of a file that was last changed then: that shows the year of its lines."""
        self.newest = min(self.now, changed) if changed > TOLD_S else self.now
        self.known.clear()
        self.minutes.clear()

    def margin(self, at: float) -> float:
        """Return how far lines may be out of order; of local time an hour may come twice."""
        if self.offset_s is not None:
            return SLACK_S
        around = (at - BACKWARDS_S * 2, at + BACKWARDS_S * 2)
        changes = len({time.localtime(each).tm_gmtoff for each in around}) > 1
        return BACKWARDS_S if changes else SLACK_S

    def when(self, given: bytes) -> float:
        """Return a time as seconds since 1970; raises ValueError for what is none."""
        found = self.known.get(given)
        if found is None:
            of_minute, rest = given[:TO_MINUTE], given[TO_MINUTE:]
            minute = self.minutes.get(of_minute)
            if minute is not None and SECONDS.match(rest):
                found = minute + float(rest)
            else:
                found = self.read(given.decode("ascii", "replace"))
                if SECONDS.match(rest):
                    if len(self.minutes) > 4096:  # noqa: PLR2004
                        self.minutes.clear()
                    self.minutes[of_minute] = found - float(rest)
            self.known[given] = found
            if len(self.known) > 4096:  # noqa: PLR2004
                self.known.popitem(last=False)
        return found

    def read(self, given: str) -> float:
        """Read a time of any form that logs have."""
        found = ISO.match(given)
        if found:
            part = found.group(7) or "0"
            parts = tuple(int(one) for one in found.groups()[:6])
            return self.seconds(parts, zone_of(found.group(8))) + float("0." + part)
        found = SHORT.match(given)
        if found:
            short = tuple(int(one) for one in found.groups())
            return self.seconds((2000 + short[0], *short[1:]), None)
        for form in (CTIME, CLF, OLD_RABBIT, BSD):
            found = form.match(given)
            if found:
                return self.named(found.groupdict())
        raise ValueError(given)

    def named(self, said: dict[str, str]) -> float:
        """Read a time whose month is a name; it may be without a year, and a part of a second."""
        month = MONTHS.get(said["month"], 0)
        clock = tuple(int(one) for one in said["clock"].split(":"))
        zone = zone_of(said.get("zone"))
        part = float("0." + (said.get("part") or "0"))
        if said.get("year"):
            return self.seconds((int(said["year"]), month, int(said["day"]), *clock), zone) + part
        year = time.gmtime(self.newest).tm_year
        at = self.seconds((year, month, int(said["day"]), *clock), zone)
        if at > self.newest + 2 * 24 * 3600:  # the last one that is not to come
            at = self.seconds((year - 1, month, int(said["day"]), *clock), zone)
        return at + part

    def seconds(self, parts: tuple[int, ...], offset_s: float | None) -> float:
        """Return a date and a time of day as seconds since 1970."""
        year, month, day, hour, minute, second = parts
        if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 25 and minute < 60 and second < 62):  # noqa: PLR2004
            raise ValueError(parts)
        if offset_s is None and self.offset_s is None:
            return time.mktime((year, month, day, hour, minute, second, 0, 0, -1))
        of_day = hour * 3600 + minute * 60 + second
        offset_s = float(self.offset_s or 0) if offset_s is None else offset_s
        return days_to(year, month, day) * 86400.0 + of_day - offset_s


def days_to(year: int, month: int, day: int) -> int:
    """Count the days since 1970."""
    year -= month <= 2  # noqa: PLR2004
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1  # noqa: PLR2004
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def zone_of(given: str | None) -> float | None:
    """Return an offset from UTC in seconds; None where none is given."""
    if not given:
        return None
    if given == "Z":
        return 0.0
    digits = given[1:].replace(":", "")
    size = int(digits[:2]) * 3600 + int(digits[2:4] or 0) * 60
    return float(-size if given[0] == "-" else size)


class Colours:
    """Takes colours out of a text, and knows where in the file each place of it is.

    No level and no header is found among them. Other escape sequences stay: they were said.
    """

    def __init__(self, at: int, *, is_spelled: bool) -> None:
        self.at = at  # in the text without colours: of what comes next
        self.is_spelled = is_spelled
        self.form = SPELLED if is_spelled else COLOUR
        self.open = b""  # one that may go on in the next piece
        self.places = []  # type: list[int]
        self.sizes = [0]  # taken out before each place, and after the last

    def read(self, stream: Any, room: bytearray, filled: int) -> tuple[int, int]:
        """Read into a buffer; return how many bytes came, and how many of them are left."""
        got = fill(stream, room, filled)
        end = filled + got
        if not (self.open or self.is_spelled or room.find(b"\x1b", filled, end) >= 0):
            self.at += got
            return got, got
        plain = self.out_of(bytes(room[filled:end]), is_last=not got)
        room[filled:end] = plain
        return got, len(plain)

    def out_of(self, given: bytes, *, is_last: bool = True) -> bytes:
        """Return a text without colours, which follows what was given before."""
        given, self.open = self.open + given, b""
        if not is_last:
            begins = OPEN.search(given, max(0, len(given) - LONGEST_COLOUR))
            if begins:
                given, self.open = given[: begins.start()], given[begins.start() :]
        if self.is_spelled or b"\x1b" in given:
            taken = 0
            for found in self.form.finditer(given):
                self.places.append(self.at + found.start() - taken)
                taken += found.end() - found.start()
                self.sizes.append(self.sizes[-1] + found.end() - found.start())
            given = self.form.sub(b"", given) if taken else given
        self.at += len(given)
        return given

    def place(self, at: int) -> int:
        """Return where in the file a place is; of the begin of a line, before its colours."""
        return at + self.sizes[bisect.bisect_left(self.places, at)]

    def forget(self, at: int) -> None:
        """Forget what was taken out before a place that is asked for no more."""
        done = bisect.bisect_left(self.places, at)
        del self.places[:done]
        del self.sizes[:done]


class Heads:
    """Finds where events begin in a piece of a file."""

    def __init__(
        self,
        bodies: list[Kind],
        prefixes: list[Kind],
        zone: Zone,
        *,
        is_spelled: bool = False,
    ) -> None:
        self.bodies, self.prefixes, self.zone = [*bodies], prefixes, zone
        self.is_spelled = is_spelled  # colours are, in this file
        self.any = None  # type: Any

    def any_head(self) -> Any:
        """Return a pattern of all beginnings of events that follow the end of a line."""
        if self.any is None:
            heads = [kind.head.pattern for kind in (*self.bodies, *self.prefixes)]
            bare = b"|".join(NAMED.sub(b"(?:", head) for head in heads)
            self.any = re.compile(b"\\n(?:" + bare + b")")
        return self.any

    def at(self, piece: Any, where: int) -> Head | None:
        """Return the head of the line that begins there; None where it continues another."""
        # No line is of two bodies: the one of the line before is tried first.
        for number, kind in enumerate(self.bodies):
            found = kind.head.match(piece, where)
            if found and found.end() > where:
                head = self.of(kind, found, None)
                if head:
                    if number:
                        self.bodies.insert(0, self.bodies.pop(number))
                    return head
        for kind in self.prefixes:
            ahead = kind.head.match(piece, where)
            if ahead:
                for body in self.bodies:
                    found = body.head.match(piece, ahead.end())
                    if found:
                        head = self.of(body, found, ahead)
                        if head:
                            return head
                return self.of(kind, ahead, None)
        return None

    def of(self, kind: Kind, found: Any, ahead: Any) -> Head | None:
        """Read a head; None where its time is none."""
        at_, at2, level, pid_, module = kind.order
        groups = (*found.groups(), None)
        given = groups[at_] or groups[at2] or (said(ahead, "at") if ahead else None)
        if not given:
            return None
        at = self.zone.known.get(given)
        if at is None:
            try:
                at = self.zone.when(given)
            except (ValueError, OverflowError):
                return None
        rank = kind.levels.get(groups[level], kind.usual)
        same = ()  # type: tuple[Any, ...]
        if kind.repeats:
            pid = groups[pid_] or (said(ahead, "pid") if ahead else None)
            same = (kind.name, None if kind.name == UNDATED else given, pid, groups[module])
        return Head(kind.name, at, rank, same, found.end())


def said(found: Any, name: str) -> Any:
    """Return what a group of a match has; None where the pattern has no such group."""
    return found.group(name) if name in found.re.groupindex else None


def fill(stream: Any, room: bytearray, at: int) -> int:
    """Read into a buffer from a place on; return how many bytes came, none at the end."""
    if hasattr(stream, "readinto"):
        with memoryview(room) as view:
            return int(stream.readinto(view[at:]) or 0)
    got = stream.read(len(room) - at)
    room[at : at + len(got)] = got
    return len(got)


class Gunzip:
    """A gzipped file as a stream; what is broken off ends it, and is named."""

    def __init__(self, stream: Any) -> None:
        self.stream, self.error = stream, ""
        self.packed = zlib.decompressobj(31)
        self.left = b""

    def read(self, size: int) -> bytes:
        """Return so many bytes, or fewer at the end."""
        while True:
            given = self.left or self.stream.read(256 * 1024)
            self.left = b""
            if not given:
                if not self.packed.eof:
                    self.error = "the gzipped file is broken off"
                return b""
            if self.packed.eof:  # several members, one after the other
                self.packed = zlib.decompressobj(31)
            try:
                got = self.packed.decompress(given, size)
            except zlib.error as error:
                self.error = "the gzipped file is damaged: " + str(error)
                return b""
            self.left = self.packed.unconsumed_tail or self.packed.unused_data
            if got:
                return got


class Wanted:
    """What is sent home."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self.since, self.until = asked.get("since"), asked.get("until")
        self.rank = asked.get("level")
        self.words = [str(word).encode() for word in asked.get("words") or ()]
        self.also = [str(word).encode() for word in asked.get("also") or ()]  # at any level
        self.traced = bool(asked.get("traced"))  # what has a traceback, at any level
        self.left = int(asked["bytes"])
        alike = asked.get("alike")
        self.alike = Alike(alike, self.also) if alike else None

    @property
    def is_by_level(self) -> bool:
        """Say whether a wanted event has a mark in its first line."""
        return self.rank is not None and not self.words and not self.traced

    @property
    def finds_tracebacks(self) -> bool:
        """Say whether each line that begins a traceback is found by that."""
        return self.traced and self.rank is not None and not self.words

    def is_in(self, at: float) -> bool:
        """Say whether a time is in the window."""
        return (self.since is None or at >= self.since) and (self.until is None or at <= self.until)

    def marks(self, kinds: list[Kind]) -> list[bytes] | None:
        """Return the words by which wanted events are found; None: all events are looked at."""
        if self.words:
            return self.words
        if self.rank is None:
            return None
        marks = []
        for kind in kinds:
            if kind.usual >= self.rank:
                return None
            marks += [
                word for rank, words in kind.marks.items() if rank >= self.rank for word in words
            ]
        return sorted({*marks, *self.also, *([IN_TRACEBACK] if self.finds_tracebacks else [])})

    def has(self, head: Head, text: bytes) -> bool:
        """Say whether an event is wanted."""
        if not self.is_in(head.at):
            return False
        if self.words:
            return any(word in text for word in self.words)
        if self.rank is None or head.rank >= self.rank or is_fault(head.kind, text):
            return True
        return self.has_also(text) or (self.traced and has_raw_traceback(text))

    def has_also(self, text: bytes) -> bool:
        """Say whether the first line has a word that is wanted at any level."""
        if not self.also:
            return False
        first = text.split(b"\n", 1)[0]
        return any(word in first for word in self.also)


class Like:
    """Events of one kind: how many there were, and what is known of those that are only counted."""

    __slots__ = ("kept_at", "offset", "path", "seen", "told")

    def __init__(self, head: Head, path: str, offset: int) -> None:
        self.seen, self.kept_at, self.path, self.offset = 1, head.at, path, offset
        self.told = None  # type: list[Any] | None


class Alike:
    """Knows which events of a log say the same except numbers and ids.

    The first ones of a kind go home, and then one in a while, up to twice as many; the others are
    counted. Two are of one kind where their headers, their first lines and what follows differ in
    nothing else. Both or neither of them have a user, a server, and a word with a number that is
    wanted at any level.
    """

    def __init__(self, asked: dict[str, Any], also: list[bytes]) -> None:
        self.most = int(asked["most"])
        self.counts = bool(asked.get("counts", True))
        self.each = [str(word).encode() for word in asked["each"]]  # what has one is never counted
        self.variable = [
            (re.compile(form.encode()), sign.encode()) for form, sign in asked["forms"]
        ]
        # A number in a wanted word makes a difference between events that are the same otherwise.
        self.numbered = [word for word in also if word.translate(None, DIGITS) != word]
        self.ends = sorted({word[-2:] for word in self.numbered})
        # No such word can have its number from the time or the request of a line.
        self.is_apart = not any(BESIDE_ID.search(word) for word in self.numbered)
        self.head, self.form = None, None  # type: Any, Any
        self.kinds = {}  # type: dict[Any, Like]
        self.lines = {}  # type: dict[Any, Like]
        self.letters = {}  # type: dict[Any, Like]
        self.words = {}  # type: dict[int, int]
        self.told = []  # type: list[list[Any]]

    def begin(self) -> None:
        """Begin another log: its events are not the same as those of others."""
        self.kinds, self.lines, self.letters = {}, {}, {}

    def is_counted(  # noqa: PLR0913, PLR0917  # an event, and where it is
        self, raw: bytes, head: Head, size: int, path: str, at: int, bodies: list[Kind]
    ) -> bool:
        """Count an event, whose header has so many bytes; say whether it need not go home."""
        first, _, more = raw.partition(b"\n")
        key = self.key(first, more, head, size)
        like = self.kinds.get(key)
        if like is None:
            if len(self.kinds) < MOST_KINDS:
                self.kinds[key] = Like(head, path, at)
            return False
        if any(word in first for word in self.each):
            return False
        if not more and like.seen >= self.most:
            self.learn(first, head, like, bodies)
        return self.is_more(like, head.at)

    def is_more(self, like: Like, at: float) -> bool:
        """Count one more of a kind; say whether it need not go home."""
        if like.seen < self.most or self.is_due(like, at):
            like.seen, like.kept_at = like.seen + 1, at
            return False
        if not self.counts:
            return True
        told = like.told
        if told is None:
            told = like.told = [like.path, like.offset, 0, at, at]
            self.told.append(told)
        told[2] += 1
        told[3], told[4] = min(told[3], at), max(told[4], at)
        return True

    def is_due(self, like: Like, at: float) -> bool:
        """Say whether one of a kind goes home again, after those with which it began."""
        return like.seen < 2 * self.most and abs(at - like.kept_at) >= AGAIN_S

    def learn(self, first: bytes, head: Head, like: Like, bodies: list[Kind]) -> None:
        """Learn to know a line of a kind again without reading its header."""
        if head.kind != "oslo" or not first.startswith(head.same[1]) or len(head.same[1]) != STAMP:
            return
        if IN_TRACEBACK in first:
            return
        if self.form is None:
            self.head = next(kind.head for kind in bodies if kind.name == head.kind)
            self.form = re.compile(LINE % NAMED.sub(b"(?:", self.head.pattern))
        if len(self.lines) > MOST_KINDS:
            self.lines = {}
        look = self.look(first)
        if look is not None:
            self.lines[look] = like

    def look(self, line: bytes) -> tuple[Any, ...] | None:
        """Return by what a line is known again; None: by nothing.

        It is at least as fine as the key of an event, and needs no pattern where nothing varies.
        """
        begin = line.find(b" [", STAMP)
        end = line.find(b"]", begin)
        if begin < 0 or end < 0 or not line.startswith(CONTEXTS, begin):
            return None
        request = line.rfind(b"req-", begin, end)
        behind = begin if request < 0 else request + LONG_REQUEST
        if behind > end or b" " in line[request:behind]:
            return None  # an id of another form
        said = line[end + 1 :]
        has_server = said.startswith(INSTANCE)
        if has_server:
            if said[LONG_INSTANCE - 1 : LONG_INSTANCE] != b"]":
                return None
            said = said[LONG_INSTANCE:]
        if len(said.translate(None, DIGITS)) != len(said):
            said = FREE.sub(b"0", without_ids(said))
        front = line[POINT : POINT + 1] + line[STAMP:begin]
        return front, line[behind:end], has_server, said, self.has_number(line)

    def after(self, text: Any, place: int, end: int, behind: int, scan: Scan) -> int:
        """Count the event of a line that is known; return where it ends, or 0: it must be read.

        What follows must begin an event of its own, which is no traceback. The next line in which
        a word was found begins at `behind`. Where tracebacks are looked for, no line before that
        begins one.
        """
        found = self.form.match(text, place, end) if self.form is not None else None
        if found is None:
            return 0
        given, front, request, back = found.groups()
        stop = int(found.end())
        # A header with an impossible date is none: its line goes on with this event.
        if stop < end and bytes(text[stop : stop + TO_MINUTE]) not in scan.zone.minutes:
            return 0
        letters = (given[POINT], front, back, request is None)
        like = self.letters.get(letters)
        if like is None:
            like = self.like(bytes(text[place : stop - 1]), letters)
        if like is None:
            return 0
        if stop == behind or not scan.wanted.finds_tracebacks:
            follows = self.head.match(text, stop, end)
            if follows is not None and TRACEBACK.match(text, follows.end()):
                return 0
        return stop if self.is_one_more(like, given, scan) else 0

    def is_one_more(self, like: Like, given: bytes, scan: Scan) -> bool:
        """Count one more of a kind, of this time; say whether it need not be read."""
        is_known = not self.counts and like.seen >= 2 * self.most
        if is_known and given[:TO_MINUTE] in scan.zone.minutes:
            return True  # which time it is does not matter
        at = scan.zone.known.get(given)
        if at is None:
            try:
                at = scan.zone.when(given)
            except (ValueError, OverflowError):
                return False
        told = like.told
        if not scan.wanted.is_in(at) or (like.seen < 2 * self.most and self.is_due(like, at)):
            return False
        if told is None:
            return not self.counts
        if at >= scan.steps.newest:
            scan.steps.newest = at
        else:
            scan.steps.meet(at, scan.zone)
        told[2] += 1
        if at > told[4]:
            told[4] = at
        elif at < told[3]:
            told[3] = at
        return True

    def like(self, line: bytes, letters: Any) -> Like | None:
        """Return the kind of a line by its look; from then on it is known to the letter."""
        look = self.look(line)
        like = self.lines.get(look) if look is not None else None
        if like is not None and self.is_apart and len(line) < MOST_SAID:
            if len(self.letters) >= MOST_LETTERS:
                self.letters = {}
            self.letters[letters] = like
        return like

    def forget(self, raw: bytes, head: Head, size: int) -> None:
        """Take back that an event goes home: there was no room for it."""
        first, _, more = raw.partition(b"\n")
        key = self.key(first, more, head, size)
        like = self.kinds.get(key)
        if like is not None and like.seen == 1:
            del self.kinds[key]

    def key(self, first: bytes, more: bytes, head: Head, size: int) -> tuple[Any, ...]:
        """Return by what events of a kind are the same."""
        has_user = has_server = False
        begin = size
        if head.kind in OSLO and CONTEXT.match(first, size):
            found = IN_BRACKETS.match(first, size)
            if found:
                begin = found.end()
                has_user = found.group("user") not in NOBODY
                has_server = found.group("of") is not None
        said = first[begin : begin + MOST_SAID]
        return (
            head.kind,
            head.rank,
            has_user,
            has_server,
            FREE.sub(b"0", first[:size]),
            self.has_number(first),
            self.known(said),
            self.known(more.replace(first[:size], b"")) if more else 0,
        )

    def has_number(self, line: bytes) -> bool:
        """Say whether a line has a wanted word with a number; most lines have no end of one."""
        for end in self.ends:
            if end in line:
                return any(word in line for word in self.numbered)
        return False

    def known(self, said: bytes) -> int:
        """Return a number for words; their numbers and ids make no difference."""
        said = without_ids(said)
        look = hash(said)
        found = self.words.get(look)
        if found is None:
            shape = hash(FREE.sub(b"0", said))
            found = self.words.get(shape)
            if found is None:
                for form, sign in self.variable:
                    said = form.sub(sign, said)
                found = hash(said)
            if len(self.words) > MOST_KINDS:
                self.words = {}
            self.words[look] = self.words[shape] = found
        return found


# `-` is the rarer letter; what is before it has a fixed width, so it can be looked back at.
ANY_UUID = re.compile(rb"-(?<=[0-9a-f]{8}-)[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
REST_OF_UUID = re.compile(rb"-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
REST_OF_NONE = b"-0000-0000-0000-000000000000"
SAME_DIGITS = bytes.maketrans(b"123456789abcdef", b"0" * 15)
DASHES = 4  # in an id
UUID_END = re.compile(rb"^(?:.*[^0-9a-f])?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.DOTALL)
FEW = 4  # ids that are looked for one by one
RAW_TRACEBACK = re.compile(rb"\n" + re.escape(IN_TRACEBACK))
FAULT = re.compile(rb"\(HTTP/[\d.]+ 5\d\d\)|\" 5\d\d ")


# Of a line of a service whose beginning need not be read by a pattern.
STAMP = len("2026-11-27 22:50:00.000")
POINT = len("2026-11-27 22:50:00")  # where a point or a comma is
LONG_REQUEST = len("req-b311da90-4759-4302-9f62-9c031032dd64")
CONTEXTS = (b" [None", b" [-", b" [req-")
INSTANCE = b" [instance: "
LONG_INSTANCE = len(INSTANCE) + len("b311da90-4759-4302-9f62-9c031032dd64]")
DIGITS = b"0123456789"
FREE = re.compile(rb"\d(?<![\w<]\d)\d*")  # a number that is no part of a word
# A whole line of this kind, which another event follows: its time, what is before the ids of its
# requests, the last of these, and what is behind them. Two lines look the same if only their times
# and these ids differ.
LINE = (
    rb"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.,]\d{3})( \d+ [A-Z]+ \S+ \[(?:None )?)"
    rb"(req-[0-9a-f-]{36} )*([^\n]*)\n(?=%b|\Z)"
)
BESIDE_ID = re.compile(rb"\A[0-9a-f :.q-]|req|re?\Z")  # may overlap with a time or an id


def without_ids(said: bytes) -> bytes:
    """Return words with the same id in place of each."""
    if said.count(b"-") < DASHES:
        return said
    *before, last = REST_OF_UUID.split(said)
    if not before:
        return said
    same = [one[:-8] + one[-8:].translate(SAME_DIGITS) for one in before]
    return REST_OF_NONE.join([*same, last])


def has_raw_traceback(text: bytes) -> bool:
    """Say whether a traceback follows that has no headers: a process wrote it, not its log."""
    return RAW_TRACEBACK.search(text) is not None


def is_fault(kind: str, text: bytes) -> bool:
    """Say whether a server of the web answered with an error of its own."""
    return kind in {"uwsgi", "access"} and FAULT.search(text.split(b"\n", 1)[0]) is not None


class Memory:
    """The search of the C library for one word.

    That of glibc for a text compares many bytes at once on this kind of processor, so a short word
    takes no longer. Elsewhere that for any bytes is used: the longer the word, the faster.
    """

    def __init__(self, machine: str) -> None:
        import ctypes  # noqa: PLC0415  # not everywhere

        self.char = ctypes.c_char
        self.address = ctypes.addressof
        library = ctypes.CDLL(None)
        size, place = ctypes.c_size_t, ctypes.c_void_p
        self.in_bytes = library.memmem
        self.in_bytes.restype = place
        self.in_bytes.argtypes = [place, size, ctypes.c_char_p, size]
        self.in_text = None  # type: Any
        if machine == "x86_64" and hasattr(library, "gnu_get_libc_version"):
            self.in_text = library.strstr
            self.in_text.restype = place
            self.in_text.argtypes = [place, ctypes.c_char_p]

    def cost(self, word: bytes) -> float:
        """Return what a look for a word takes, in nanoseconds for each byte."""
        if self.in_text is not None:
            return OF_WORD_IN_TEXT
        return OF_WORD + OF_SHORT_WORD / len(word) if len(word) >= SHORTEST_ALONE else OF_LETTER

    def places(self, text: bytearray, end: int, words: list[tuple[bytes, Any]]) -> list[int]:
        """Return where the words are before the end of a part, one in each line.

        A word that has a pattern is met where that matches too.
        """
        places = []  # type: list[int]
        if not end:
            return places  # an empty buffer has no place
        held = self.char.from_buffer(text)  # while it is held, the buffer stays where it is
        begin = self.address(held)
        # A text ends at a zero: where one is inside, it is no text.
        is_text = self.in_text is not None and text.find(0, 0, end) < 0
        behind = text[end : end + 1]
        if is_text and behind:  # behind the last byte of a `bytearray` there is one anyway
            text[end] = 0
        for word, form in words:
            where = 0
            while where < end:
                if is_text:
                    found = self.in_text(begin + where, word)
                else:
                    found = self.in_bytes(begin + where, end - where, word, len(word))
                if not found:
                    break
                where = found - begin
                if form is None or form.match(text, where, end):
                    places.append(where)
                    where = line_end(text, where)
                else:
                    where += 1
        text[end : end + 1] = behind
        return places


def memory() -> Memory | None:
    """Return the search of the C library; None where it cannot be called from here."""
    try:
        return Memory(os.uname().machine)
    except (ImportError, AttributeError, OSError, TypeError):
        return None


class Marks:
    """Finds words, each line with one of them once.

    A buffer is looked through for what is rare in it and what several words have: one letter, or
    more where the C library can search for that. Only where that is, the words are compared. The
    C library searches for a word that shares no such part. Ids of one form are many: what has the
    form is looked up.
    """

    def __init__(self, words: list[bytes], sample: bytes, library: Memory | None = None) -> None:
        ids = {}  # type: dict[bytes, bytes]
        for word in words:
            if UUID_END.search(word):
                ids[word] = word[-36:]
        if len(ids) < FEW:
            ids = {}
        self.ids = set(ids.values())
        self.library = library
        others = [word for word in words if word and word not in ids]
        ways = anchored(others, sample, library)
        self.alone = [(word, form and re.compile(form)) for word, form in ways.alone]
        self.forms = [re.compile(one) for one in ways.forms]
        self.rare = [(letter, re.compile(one)) for letter, one in ways.rare]

    def lines(self, text: Any, end: int) -> list[int]:
        """Return where the lines begin that have one of the words."""
        places = set()
        for form in self.forms:
            for found in form.finditer(text, 0, end):
                places.add(text.rfind(b"\n", 0, found.start()) + 1)
        for letter, form in self.rare:
            for where in met(text, end, letter, form):
                places.add(text.rfind(b"\n", 0, where) + 1)
        if self.alone and self.library is not None:
            for where in self.library.places(text, end, self.alone):
                places.add(text.rfind(b"\n", 0, where) + 1)
        if self.ids:
            for found in ANY_UUID.finditer(text, 0, end):
                if bytes(text[found.start() - 8 : found.end()]) in self.ids:
                    places.add(text.rfind(b"\n", 0, found.start()) + 1)
        return sorted(places)


def met(text: Any, end: int, letter: bytes, form: Any) -> list[int]:
    """Return where a pattern is that begins with a letter, of which there are few."""
    places = []
    where = text.find(letter, 0, end)
    while where >= 0:
        if form.match(text, where, end):
            places.append(where)
        where = text.find(letter, where + 1, end)
    return places


# What a look through a buffer takes, in nanoseconds for each byte, as measured with Python 3.11 and
# glibc: by a pattern, and more for each of its letters that is met; by the letter itself, likewise;
# with a word of the C library, and less for a longer one; with any word in a text.
OF_LETTER, OF_EACH_MET = 0.4, 35.0
OF_RARE, OF_EACH_RARE = 0.06, 400.0
OF_WORD, OF_SHORT_WORD = 0.04, 0.65
OF_WORD_IN_TEXT, OF_EACH_PART = 0.05, 1000.0
SHORTEST_ALONE = 8  # bytes of a word; what is shorter takes much longer
LEAST_SHARED = 4  # bytes of what several words have
MOST_SHARING = 64  # words; of more, a letter that many of them have is faster
SHARED = {}  # type: dict[tuple[bytes, ...], list[tuple[bytes, list[bytes]]]]


class Ways:
    """How words are looked for."""

    def __init__(self) -> None:
        self.forms = []  # type: list[bytes]  # patterns, each by a letter that its words share
        self.rare = []  # type: list[tuple[bytes, bytes]]  # the same, where a letter is rare
        # Words that are searched by themselves; or what several have, with their pattern.
        self.alone = []  # type: list[tuple[bytes, bytes | None]]


def anchored(words: list[bytes], sample: bytes, library: Memory | None) -> Ways:
    """Choose how words are looked for: what takes least, by the letters of a sample."""
    ways = Ways()
    if library is not None and library.in_text is not None:
        words = without_shared(words, sample, ways)
    letters = {bytes([one]) for word in words for one in word}
    # A letter that is not in the sample may come a little later.
    found = {
        one: sample.count(one) / (len(sample) + 1) + 1 / (len(sample) + 1000) for one in letters
    }
    by_form = {one: OF_LETTER + OF_EACH_MET * found[one] for one in letters}
    cost = {one: min(by_form[one], OF_RARE + OF_EACH_RARE * found[one]) for one in letters}
    by_itself = {word: OF_LETTER if library is None else library.cost(word) for word in words}
    left = words
    while left:
        shared = sorted({bytes([one]) for word in left for one in word})
        spared = {one: sum(by_itself[word] for word in left if one in word) for one in shared}
        letter = min(shared, key=lambda one: cost[one] / spared[one])
        those = [word for word in left if letter in word]
        left = [word for word in left if letter not in word]
        if cost[letter] > spared[letter] and all(by_itself[word] < OF_LETTER for word in those):
            ways.alone += [(word, None) for word in those]
            continue
        form = form_of(letter, those)
        if cost[letter] < by_form[letter]:
            ways.rare.append((letter, form))
        else:
            ways.forms.append(form)
    return ways


def without_shared(words: list[bytes], sample: bytes, ways: Ways) -> list[bytes]:
    """Choose what several words have, where that is rare in a sample; return the other words."""
    left = words
    for part, having in in_several(words):
        those = [word for word in having if word in left]
        spared = OF_WORD_IN_TEXT * (len(those) - 1)
        # As of a letter: what is not in the sample may come a little later.
        found = sample.count(part) / (len(sample) + 1) + 1 / (len(sample) + 1000)
        if OF_EACH_PART * found < spared:
            ways.alone.append((part, form_of(part, those)))
            left = [word for word in left if word not in those]
    return left


def in_several(words: list[bytes]) -> list[tuple[bytes, list[bytes]]]:
    """Return what several words have, each with these words: the most words first."""
    key = tuple(words)
    if key not in SHARED:
        having = {}  # type: dict[bytes, set[bytes]]
        for word in words if len(words) <= MOST_SHARING else ():
            for begin in range(len(word)):
                for end in range(begin + LEAST_SHARED, len(word) + 1):
                    having.setdefault(word[begin:end], set()).add(word)
        longest = {}  # type: dict[tuple[bytes, ...], bytes]
        for part, those in sorted(having.items(), key=lambda one: (len(one[0]), one[0])):
            if len(those) > 1:
                longest[tuple(sorted(those))] = part
        parts = [(part, list(those)) for those, part in longest.items()]
        SHARED[key] = sorted(parts, key=lambda one: (-len(one[1]), -len(one[0]), one[0]))
    return SHARED[key]


def form_of(part: bytes, words: list[bytes]) -> bytes:
    """Return a pattern of words that begins with what all of them have."""
    return re.escape(part) + b"(?:" + b"|".join(at(part, one) for one in words) + b")"


def at(part: bytes, word: bytes) -> bytes:
    """Return the pattern of a word behind the first place where it has a part.

    What follows the part is compared first: where that differs, nothing is looked back at.
    """
    begin = word.index(part)
    behind = b"(?<=" + re.escape(word) + b")" if begin else b""
    return re.escape(word[begin + len(part) :]) + behind


def line_end(piece: Any, where: int) -> int:
    """Return where the next line begins."""
    end = piece.find(b"\n", where)
    return len(piece) if end < 0 else end + 1


class Traceback:
    """Which lines with the header of an event are of its traceback: they have its time and process.

    Its own lines have no context, unless the first has one.
    """

    def __init__(self) -> None:
        self.is_begun = self.is_bare = False

    def has(self, piece: Any, where: int) -> bool:
        """Say whether a line belongs to it, or begins it, by what follows its header there."""
        has_context = CONTEXT.match(piece, where) is not None
        if self.is_begun:
            return not (self.is_bare and has_context)
        self.is_begun, self.is_bare = TRACEBACK.match(piece, where) is not None, not has_context
        return self.is_begun


def event_end(piece: Any, where: int, head: Head, heads: Heads, limit: int) -> int:
    """Return where the event ends that begins there: before the next head that is no part of it."""
    end = min(line_end(piece, where), limit)
    traceback = Traceback()
    if head.same:
        traceback.has(piece, head.end)
    again = bytes(piece[where : head.end]) if head.kind == "oslo" else b""
    while end < limit:
        begins = end + len(again)
        if again and piece.startswith(again, end) and piece[begins : begins + 1] in (b" ", b"\n"):
            # The same header again, as in each line of a traceback: it need not be read.
            if not traceback.has(piece, begins):
                return end
        else:
            after = heads.at(piece, end)
            if after is not None:
                if not is_part(head, after, piece, traceback):
                    return end
                # The lines of a traceback may have another level than what is said before it.
                again = bytes(piece[end : after.end]) if again else b""
        end = min(line_end(piece, end), limit)
    return end


def is_part(head: Head, after: Head, piece: Any, traceback: Traceback) -> bool:
    """Say whether a line with a head of its own is a part of the event that began before it."""
    if not head.same or not head.is_with(after):
        return False
    if head.kind not in OSLO:
        return True
    return traceback.has(piece, after.end) and after.rank >= min(head.rank, ERROR)


def begin_of(piece: Any, where: int, heads: Heads) -> tuple[int, Head] | None:
    """Return the head of the event that a place is in, which may be some lines above."""
    least = max(0, where - PROBE)
    while True:
        where = piece.rfind(b"\n", 0, where) + 1
        head = heads.at(piece, where)
        if head:
            return where, head
        if where <= least:
            return None
        where -= 1


def first_head(piece: Any, heads: Heads, limit: int, where: int = 0) -> int:
    """Return where the first event begins from a line on; the end where none does."""
    while where < limit:
        if heads.at(piece, where):
            return where
        where = min(line_end(piece, where), limit)
    return where


def last_head(piece: Any, heads: Heads, limit: int) -> int:
    """Return where the last event begins, which may go on in the next piece.

    The lines of a traceback have heads of their own: then it is what is before the first of
    them. Other lines of the same moment are events by themselves.
    """
    where = limit
    least = max(0, limit - PROBE)
    found = None  # type: Head | None
    held = limit
    is_after_traceback = False
    while where > least:
        where = int(piece.rfind(b"\n", 0, where - 1)) + 1
        head = heads.at(piece, where)
        if head is None:  # a line of the event above, whose traceback may come behind it
            continue
        if found is not None and not head.is_with(found):
            return held
        if found is None or head.kind not in OSLO or is_after_traceback:
            held = where
        is_after_traceback = TRACEBACK.match(piece, head.end) is not None
        held = where if is_after_traceback else held
        found = head
        if not head.same:
            return where
    return held


LEADS_OUT = "it leads out of its folder"


def is_below(real: str, folder: str) -> bool:
    """Say whether a file is in a folder or in one below it; both without links."""
    return real.startswith(folder.rstrip("/") + "/")


class File:
    """One file of logs."""

    def __init__(self, path: str, shown: str, folder: str) -> None:
        self.path, self.shown, self.folder = path, shown, folder
        self.is_gzip = self.is_spelled = False
        self.size, self.changed = 0, 0.0
        self.own = (0, 0)  # its device and its inode
        self.kinds = []  # type: list[Kind]
        self.first = None  # type: float | None
        self.last = None  # type: float | None
        self.met = {}  # type: dict[int, float]

    def open(self) -> Any:
        """Open it: a plain file below no link that leads elsewhere; nothing waits for a fifo."""
        file = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0))
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise OSError(0, "it is no plain file")
        # A link may have been put there since it was found: what counts is what was opened.
        own = "/proc/self/fd/" + str(file)
        if os.path.exists(own) and not is_below(os.path.realpath(own), self.folder):
            os.close(file)
            raise OSError(0, LEADS_OUT)
        return os.fdopen(file, "rb", buffering=0)

    def stream(self) -> Any:
        """Open it for its text."""
        raw = self.open()
        return Gunzip(raw) if self.is_gzip else raw

    def was_rotated(self, raw: Any) -> bool:
        """Say whether what was opened is another file by now, or has lost part of its text."""
        now = os.fstat(raw.fileno())
        return (now.st_dev, now.st_ino) != self.own or now.st_size < self.size

    def samples(self, raw: Any) -> list[tuple[int, bytes]]:
        """Read of its beginning, its middle and its end; each with its place."""
        head = raw.read(SAMPLE)
        self.is_gzip = head.startswith(GZIP)
        if self.is_gzip:
            raw.seek(0)
            return [(0, Gunzip(raw).read(SAMPLE))]
        samples = [(0, head)]
        for where in (self.size // 2, self.size - SAMPLE):
            if where > SAMPLE:
                raw.seek(where)
                before, _, sample = raw.read(SAMPLE).partition(b"\n")
                samples.append((where + len(before) + 1, sample))
        return samples

    def know(
        self,
        bodies: list[Kind],
        prefixes: list[Kind],
        zone: Zone,
        *,
        is_old: bool = False,
    ) -> None:
        """Look at its beginning, its middle and its end: which formats it has, and since when.

        No later line than those that are there is read of one that is old.
        """
        raw = self.open()
        with raw:
            status = os.fstat(raw.fileno())
            self.size, self.changed = status.st_size, status.st_mtime
            self.own = (status.st_dev, status.st_ino)
            if is_old:
                zone.is_of(self.changed)
            samples = self.samples(raw)
        all_heads = Heads(bodies, prefixes, zone)
        seen = set()  # type: set[str]
        late = late_of(bodies)
        self.is_spelled = any(word in sample for _, sample in samples for word in SPELLINGS)
        for begin, coloured in samples:
            colours = Colours(begin, is_spelled=self.is_spelled)
            sample = colours.out_of(coloured)
            where = 0
            while where < len(sample):
                head_there = all_heads.at(sample, where)
                if head_there:
                    seen.add(head_there.kind)
                    if head_there.kind not in late:
                        self.met[colours.place(begin + where)] = head_there.at
                    if not begin and (self.first is None or head_there.at < self.first):
                        self.first = head_there.at
                    if not self.is_gzip and (self.last is None or head_there.at > self.last):
                        self.last = head_there.at
                where = line_end(sample, where)
        self.kinds = [kind for kind in bodies if kind.name in seen] or bodies


def late_of(kinds: list[Kind]) -> set[str]:
    """Return the formats whose lines have the time of a beginning, and are written at the end."""
    return {kind.name for kind in kinds if kind.is_late}


def backwards(met: dict[int, float], zone: Zone) -> list[float] | None:
    """Return by how much time runs backwards in a file at most, and when that was; or None.

    Lines of several processes are a little out of order, and of local time an hour comes twice.
    """
    worst = None  # type: list[float] | None
    newest = 0.0
    for _, at in sorted(met.items()):
        by = newest - at
        if by > SLACK_S and by > zone.margin(at) and (worst is None or by > worst[0]):
            worst = [round(by, 3), at]
        newest = max(newest, at)
    return worst


class Steps:
    """By how much time runs backwards among events that are met one after the other."""

    def __init__(self) -> None:
        self.newest = 0.0
        self.worst = None  # type: list[float] | None

    def meet(self, at: float, zone: Zone) -> None:
        """Meet the next event."""
        if at >= self.newest:
            self.newest = at
            return
        by = self.newest - at
        is_worse = by > SLACK_S and (self.worst is None or by > self.worst[0])
        if is_worse and by > zone.margin(at):
            self.worst = [round(by, 3), at]


def probe(raw: Any, where: int, heads: Heads) -> tuple[int, float] | None:
    """Return the first event after a place: where it begins, and when it was."""
    raw.seek(where)
    colours = Colours(where, is_spelled=heads.is_spelled)
    piece = colours.out_of(raw.read(PROBE))
    start = 0 if not where else line_end(piece, 0)
    while start < len(piece):
        head = heads.at(piece, start)
        if head:
            return colours.place(where + start), head.at
        start = line_end(piece, start)
    return None


def begin_of_window(raw: Any, size: int, since: float, heads: Heads) -> int:
    """Bisect for a place before the first event of the window.

    Where time runs backwards among what was met, the window is widened by more than an hour.
    """
    margin = heads.zone.margin(since)
    met = []  # type: list[tuple[int, float]]
    low = 0
    for _ in range(2):
        low, high = 0, size
        while high - low > LEAST_GAP:
            middle = (low + high) // 2
            found = probe(raw, middle, heads)
            if found is None or found[1] >= since - margin:
                high = middle
            else:
                low = found[0]
            if found:
                met.append(found)
        times = [at for _, at in sorted(met)]
        goes_on = all(times[at] <= times[at + 1] + SLACK_S for at in range(len(times) - 1))
        if margin >= BACKWARDS_S or goes_on:
            break
        margin = BACKWARDS_S
    return low


class Scan:
    """One look through files and the journal."""

    def __init__(self, asked: dict[str, Any], ends: float) -> None:
        self.asked, self.ends = asked, ends
        self.wanted = Wanted(asked)
        self.bodies = [Kind(one) for one in asked["bodies"]]
        self.prefixes = [Kind(one) for one in asked["prefixes"]]
        self.now = time.time()
        self.zone = Zone(asked.get("zone_s"), self.now)
        self.files = []  # type: list[dict[str, Any]]
        self.cut = []  # type: list[str]
        self.refused = []  # type: list[str]
        self.colours = Colours(0, is_spelled=False)  # of the file that is looked through
        self.library = memory()
        self.steps = Steps()  # of the same
        self.late = late_of(self.bodies)

    def begin_log(self) -> None:
        """Begin a log: its files, the older first, or the journal."""
        if self.wanted.alike is not None:
            self.wanted.alike.begin()

    def file(self, one: File, until: float | None) -> None:
        """Find the wanted events of a file, whose own time ends where the next one's begins."""
        told = {"path": one.shown, "size": one.size, "events": [], "error": "", "scanned": 0}  # type: dict[str, Any]
        told["first"], told["last"], told["outside"] = one.first, one.last, 0
        self.files.append(told)
        if self.asked.get("only_times"):
            return
        self.steps = Steps()
        try:
            self.within(one, until, told)
        finally:
            met = {each[2]: each[0] for each in told["events"] if each[1] not in self.late}
            back = backwards({**one.met, **met}, self.zone)
            steps = [each for each in (back, self.steps.worst) if each is not None]
            told["back"] = max(steps, default=None)

    def within(self, one: File, until: float | None, told: dict[str, Any]) -> None:
        """Look through what of a file may be in the window."""
        self.zone.is_of(one.changed)
        since = self.wanted.since
        if since is not None and until is not None and until + BACKWARDS_S < since:
            return
        ends = self.wanted.until
        if ends is not None and one.first is not None and one.first - BACKWARDS_S > ends:
            return
        heads = Heads(one.kinds, self.prefixes, self.zone, is_spelled=one.is_spelled)
        stream = one.stream()
        try:
            start = 0
            if since is not None and not one.is_gzip and one.size > LEAST_GAP:
                start = begin_of_window(stream, one.size, since, heads)
                stream.seek(start)
            self.look(stream, start, heads, told)
        finally:
            is_packed = isinstance(stream, Gunzip)
            raw = stream.stream if is_packed else stream
            told["error"] = stream.error if is_packed else ""
            if one.was_rotated(raw):
                told["error"] = "it was rotated while it was read; ask again"
            raw.close()

    def look(self, stream: Any, start: int, heads: Heads, told: dict[str, Any]) -> None:
        """Look through a stream, piece by piece; an event that goes on is kept for the next.

        One buffer is read into again and again: nothing of it is copied but what is kept.
        """
        words = self.wanted.marks(heads.bodies)
        marks = None  # type: Marks | None
        room, filled, at = bytearray(PIECE), 0, start
        self.colours = Colours(start, is_spelled=heads.is_spelled)
        while True:
            if time.monotonic() > self.ends:
                raise Over
            if len(room) - filled < PIECE // 2 + 1:
                room += bytes(PIECE)
            got, kept = self.colours.read(stream, room, filled)
            told["scanned"] += got
            filled += kept
            if words is not None and marks is None:
                marks = Marks(words, bytes(room[: min(filled, SAMPLE)]), self.library)
            cut = room.rfind(b"\n", 0, filled) + 1
            if not got:
                if filled:
                    text = room[:filled]
                    places = None if marks is None else marks.lines(text, filled)
                    self.part(text, filled, at, heads, places, told)
                return
            if not cut and filled < LONGEST_LINE:
                continue
            # A line without an end is taken in parts.
            text, cut = (room, cut) if cut else (room[:filled], filled)
            places = None if marks is None else marks.lines(text, cut)
            held = self.held(text, cut, heads, places)
            if self.part(text, held, at, heads, places, told):
                return
            rest = room[held:filled]
            room[: len(rest)] = rest
            filled, at = filled - held, at + held
            self.colours.forget(at)

    def held(self, text: Any, end: int, heads: Heads, places: list[int] | None) -> int:
        """Return where the last event begins: it may go on in the next piece.

        That need not be looked for where none of its lines can begin an event that is wanted.
        """
        if places == [] and self.wanted.is_by_level and text[end - 1 : end] == b"\n":
            return end
        held = last_head(text, heads, end)
        return end if end - held > MOST_HELD else held  # without an end: what goes on is no part

    def part(  # noqa: PLR0913, PLR0917  # a part, and what is known of its file
        self,
        text: Any,
        end: int,
        at: int,
        heads: Heads,
        places: list[int] | None,
        told: dict[str, Any],
    ) -> bool:
        """Take the wanted events of a part up to its end; say whether the window is over.

        They have a mark in one of the lines that begin at the places; None: all are looked at.
        """
        if places is None:
            return self.every(text, end, at, heads, told)
        done = -1
        for place, behind in zip(places, [*places[1:], end]):  # noqa: B905  # not in an old Python
            if place >= end:
                break
            if place < done:
                continue
            if self.wanted.alike is not None:
                after = self.wanted.alike.after(text, place, end, behind, self)
                if after:
                    done = after
                    continue
            found = begin_of(text, place, heads)
            if found is None or found[0] < done:
                continue
            begin, head = found
            if self.is_of_header(begin, place, head, text):
                done = event_end(text, begin, head, heads, end)
                raw = bytes(text[begin:done])
                if self.wanted.has(head, raw):
                    self.take(raw, self.colours.place(at + begin), head, told, head.end - begin)
        return self.is_over(text, end, heads)

    def is_of_header(self, begin: int, place: int, head: Head, text: Any) -> bool:
        """Say whether a word that was found may be the level of its event.

        Such words are in the bodies of quieter events too.
        """
        if self.wanted.words:
            return True
        if begin != place:
            return self.wanted.traced and text.startswith(IN_TRACEBACK, place)
        line = bytes(text[begin : line_end(text, begin)])
        is_grave = head.rank >= int(self.wanted.rank or 0)
        return is_grave or is_fault(head.kind, line) or self.wanted.has_also(line)

    def is_over(self, text: Any, end: int, heads: Heads) -> bool:
        """Say whether a part ends well after the window."""
        if self.wanted.until is None or not end:
            return False
        last = begin_of(text, end - 1, heads)
        margin = heads.zone.margin(self.wanted.until)
        return last is not None and last[1].at > self.wanted.until + margin

    def every(self, text: Any, end: int, at: int, heads: Heads, told: dict[str, Any]) -> bool:
        """Look at every event of a part."""
        where = first_head(text, heads, end)
        if where and text[:where].strip():
            told["outside"] += text.count(b"\n", 0, where)
        uncounted = -1  # before that place events are not counted as a whole
        while where < end:
            if self.wanted.left < 0 and where > uncounted:
                until, uncounted = self.countable(text, where, end, heads)
                if until > where:
                    # The first has no end of a line before it there.
                    lost = 1 + len(heads.any_head().findall(text, where, until))
                    told["lost"] = told.get("lost", 0) + lost
                    where = until
                    continue
            head = heads.at(text, where)
            if head is None:  # cannot be: an event ends where a head is
                where = min(line_end(text, where), end)
                continue
            after = event_end(text, where, head, heads, end)
            raw = bytes(text[where:after])
            if self.wanted.has(head, raw):
                self.take(raw, self.colours.place(at + where), head, told, head.end - where)
            where = after
        return self.is_over(text, end, heads)

    def countable(self, text: Any, where: int, end: int, heads: Heads) -> tuple[int, int]:
        """Return up to where events can be counted by their heads, and where to ask again.

        There is no room for them, so no more is wanted of them. That holds where all of a time are
        wanted, and before the next traceback, whose lines have heads of their own.
        """
        if self.wanted.words or self.wanted.rank is not None:
            return where, end
        first, last = heads.at(text, where), begin_of(text, end - 1, heads)
        if first is None or last is None:
            return where, end
        if not (self.wanted.is_in(first.at - SLACK_S) and self.wanted.is_in(last[1].at + SLACK_S)):
            return where, end
        found = text.find(IN_TRACEBACK, where, end)
        if found < 0:
            return end, end
        begin = last_head(text, heads, text.rfind(b"\n", where, found) + 1)
        return max(where, begin), found

    def take(self, raw: bytes, at: int, head: Head, told: dict[str, Any], size: int) -> None:
        """Send an event home, whose header has so many bytes, if there is room."""
        alike = self.wanted.alike
        if alike is not None:
            if head.kind not in self.late:
                self.steps.meet(head.at, self.zone)
            if alike.is_counted(raw, head, size, told["path"], at, self.bodies):
                return
        sent = as_sent(head.at, head.kind, at, raw)
        self.wanted.left -= len(sent[3]) + 40
        if self.wanted.left < 0:
            told["lost"] = told.get("lost", 0) + 1
            if alike is not None:
                alike.forget(raw, head, size)
            return
        told["events"].append(sent)


def as_sent(when: float, kind: str, at: int, raw: bytes) -> list[Any]:
    """Return an event as it goes home; bytes that are no text are spelled out: nothing is lost."""
    text = raw[:MOST_OF_EVENT].decode("utf-8", "backslashreplace").rstrip("\n")
    return [round(when, 6), kind, at, text, len(raw) > MOST_OF_EVENT]


class Places:
    """The files of logs, each with those that were rotated."""

    def __init__(self, root: str, refused: list[str], since: float | None = None) -> None:
        self.root, self.refused, self.since = root, refused, since
        self.inside = os.path.realpath(root).rstrip("/") + "/"
        self.seen = set()  # type: set[str]
        self.folders = {}  # type: dict[str, str]
        self.found = OrderedDict()  # type: OrderedDict[str, list[str]]

    def add(self, path: str, folder: str) -> None:
        """Keep a file under the name of its newest; once, and not where a link leads out.

        A user who may write into a folder of logs chooses where a link in it leads. The folder
        itself may be a link: that is the choice of the owner of what is above it.
        """
        real = os.path.realpath(path)
        if not real.startswith(self.inside):
            self.refused.append(shown(path, self.root) + ": it leads out of what was collected")
        elif not is_below(real, os.path.realpath(folder)):
            self.refused.append(shown(path, self.root) + ": " + LEADS_OUT)
        elif real not in self.seen and len(self.seen) < MOST_FILES:
            self.seen.add(real)
            self.folders[path] = os.path.realpath(folder)
            self.found.setdefault(ADDED.sub("", path), []).append(path)

    def folder(self, path: str) -> None:
        """Keep all files of a folder and of those in it."""
        for folder, folders, names in os.walk(
            path, onerror=lambda error: self.refused.append(why(error))
        ):
            folders.sort()
            if folder == path and os.path.isdir(os.path.join(path, "var/log")):
                folders[:] = [each for each in folders if each not in WITHOUT_LOGS]
            for each in folders:
                self.name_link(os.path.join(folder, each), path)
            if folder[len(path) :].count("/") >= DEPTH:
                folders[:] = []
            for name in sorted(names):
                if not SKIPPED.search(name):
                    self.add(os.path.join(folder, name), path)
                else:
                    self.name_packed(os.path.join(folder, name))

    def name_link(self, path: str, folder: str) -> None:
        """Name a link to a folder elsewhere: it is not followed."""
        if os.path.islink(path):
            real = os.path.realpath(path)
            if not is_below(real + "/", os.path.realpath(folder)):
                self.refused.append(shown(path, self.root) + ": " + LEADS_OUT)

    def name_packed(self, path: str) -> None:
        """Name a rotated log that nothing here unpacks, unless it was written before the window."""
        found = PACKED.search(path)
        if not found:
            return
        with contextlib.suppress(OSError):
            if self.since is None or os.stat(path).st_mtime >= self.since:
                self.refused.append(f"{shown(path, self.root)}: {found.group(1)} is not unpacked")

    def file(self, path: str) -> None:
        """Keep a file and those that were rotated."""
        folder, name = os.path.split(path)
        try:
            names = sorted(os.listdir(folder))
        except FileNotFoundError:
            return
        except OSError as error:
            self.refused.append(why(error))
            return
        for each in names:
            if each == name or (each.startswith(name) and ROTATED.match(each[len(name) :])):
                self.add(os.path.join(folder, each), folder)
            elif each.startswith(name):
                self.name_packed(os.path.join(folder, each))

    def all(self, places: list[str]) -> dict[str, list[str]]:
        """Return the files of these places."""
        for place in places:
            path = os.path.join(self.root, place.lstrip("/")) if self.root != "/" else place
            if os.path.isdir(path):
                self.folder(path)
            else:
                self.file(path)
        return self.found


class Settings:
    """Where services log by their own settings: in addition to the usual places."""

    def __init__(self, asked: dict[str, Any], root: str) -> None:
        self.root = root
        usual = {str(one) for one in asked["places"]}
        self.known = {}  # type: dict[str, dict[str, str]]
        self.unread = []  # type: list[str]
        self.named = []  # type: list[dict[str, Any]]
        for one in asked.get("settings") or ():
            values, by = {}, ""  # type: dict[str, str], str
            for path in self.files([str(each) for each in one["files"]]):
                own = self.read(path)
                values.update(own)
                by = shown(path, root) if own else by
            places = log_places(values, [str(each) for each in one["logs"]])
            to_journal = values.get("use_journal", "").lower() in YES
            new = [each for each in places if each not in usual]
            if new or to_journal:
                told = {"component": str(one["component"]), "by": by, "paths": new}
                self.named.append(dict(told, to_journal=to_journal))

    @property
    def places(self) -> list[str]:
        """Return where logs are that nobody would look for."""
        return [path for one in self.named for path in one["paths"]]

    def files(self, given: list[str]) -> list[str]:
        """Return files of settings, as they are read: those of a folder in their order."""
        found = []
        for each in given:
            path = os.path.join(self.root, each.lstrip("/"))
            if os.path.isdir(path):
                try:
                    names = sorted(os.listdir(path))
                except OSError:
                    self.unread.append(each)
                    continue
                found += [os.path.join(path, name) for name in names if SETTINGS.search(name)]
            else:
                found.append(path)
        return found

    def read(self, path: str) -> dict[str, str]:
        """Return what a file says of logs, and nothing else of it."""
        if path not in self.known:
            self.known[path] = {}
            try:
                file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0))
                with os.fdopen(file, "rb", buffering=0) as raw:
                    if stat.S_ISREG(os.fstat(file).st_mode):
                        self.known[path] = log_settings(raw.read(MOST_OF_SETTINGS))
            except (FileNotFoundError, NotADirectoryError):
                pass
            except OSError:
                self.unread.append(shown(path, self.root))
        return self.known[path]


def log_settings(given: bytes) -> dict[str, str]:
    """Return the settings of oslo.log, and where MariaDB logs its errors."""
    found = {}  # type: dict[str, str]
    section = ""
    for line in given.decode("utf-8", "replace").splitlines():
        if line.startswith("["):
            section = line.partition("]")[0][1:].strip().lower()
            continue
        name, equals, value = line.partition("=")
        name = name.strip().lower().replace("-", "_")
        if equals and name in LOG_SETTINGS.get(section, ()):
            found[OTHER_NAMES.get(name, name)] = value.strip()
    return found


def log_places(said: dict[str, str], usual: list[str]) -> list[str]:
    """Return where a service logs by its settings; its usual names hold in another folder too."""
    folder, file = said.get("log_dir", ""), said.get("log_file", "")
    if file:
        paths = [os.path.join(folder, file)]
    elif os.path.normpath(folder) in {os.path.dirname(one) for one in usual}:
        paths = []  # some of the usual places are of others, such as Apache
    else:
        paths = [os.path.join(folder, os.path.basename(one)) for one in usual]
    return [os.path.normpath(one) for one in paths if one.startswith("/")]


def why(error: OSError) -> str:
    """Return what the system says of a file."""
    return f"{error.filename}: {error.strerror or error}"


def shown(path: str, root: str) -> str:
    """Return a path as it is on its node."""
    return path if root == "/" else "/" + os.path.relpath(path, root)


def scan_files(scan: Scan, places: list[str], root: str) -> None:
    """Scan all files of these places."""
    found = Places(root, scan.refused, scan.wanted.since)
    for paths in found.all(places).values():
        scan.begin_log()
        known = []
        for path in paths:
            one = File(path, shown(path, root), found.folders[path])
            try:
                one.know(scan.bodies, scan.prefixes, scan.zone, is_old=True)
            except OSError as error:
                scan.refused.append(f"{one.shown}: {error.strerror or error}")
                continue
            if one.size:
                known.append(one)
        known.sort(key=lambda one: (one.first is None, one.first or 0.0, one.path))
        for number, one in enumerate(known):
            after = known[number + 1].first if number + 1 < len(known) else None
            try:
                scan.file(one, after)
            except OSError as error:
                scan.refused.append(f"{one.shown}: {error.strerror or error}")
            except Over:
                scan.cut.append(one.shown)
                scan.cut += [later.shown for later in known[number + 1 :]]
                break


def scan_journal(scan: Scan, units: list[str], folder: str | None) -> None:
    """Ask the journal for what its units, and systemd about them, have said; and the kernel."""
    program = shutil.which("journalctl")
    if program is None or (folder is not None and not os.path.isdir(folder)):
        return
    words = [program, "--no-pager", "-q", "-o", "json", "-n", str(JOURNAL_LINES)]
    words += ["--directory", folder] if folder else []
    since = scan.wanted.since
    words += ["--since", f"@{int(since)}"] if since is not None else []
    words += ["--until", f"@{int(scan.wanted.until) + 1}"] if scan.wanted.until else []
    asked = []
    own = of_units(units)
    if scan.wanted.words:
        found = "|".join(re.escape(word.decode()) for word in scan.wanted.words)
        asked.append([*words, *own, "-g", found])
    elif scan.wanted.rank is not None:
        worst = "3" if scan.wanted.rank > 30 else "4"  # noqa: PLR2004  # above a warning
        asked.append([*words, *own, "-p", worst])
        asked.append([*words, "-k", "-p", worst])
        grave = "ERROR|CRITICAL|TRACE|Traceback" + ("" if worst == "3" else "|WARN|Warning")
        asked.append([*words, *own, "-g", grave])
        if scan.wanted.also:
            found = "|".join(re.escape(word.decode()) for word in scan.wanted.also)
            asked.append([*words, *own, "-g", found])
    else:
        asked.append([*words, *own])
    why = journal_unread((folder,) if folder else JOURNALS)
    if why is not None:
        scan.refused.append(why)
    scan.zone.is_of(scan.now)
    told = {"path": "journal", "size": 0, "events": [], "error": "", "scanned": 0}  # type: dict[str, Any]
    told["first"], told["last"], told["outside"] = None, None, 0
    scan.begin_log()
    seen = set()  # type: set[str]
    for each in asked:
        left = scan.ends - time.monotonic()
        if left <= 0:
            scan.cut.append("journal")
            break
        try:
            answer = subprocess.run(
                each,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=left,
                check=False,
            )
        except subprocess.TimeoutExpired:
            scan.cut.append("journal")
            break
        if answer.returncode not in {0, 1}:
            told["error"] = answer.stderr.decode("utf-8", "replace").strip()[:200]
        read_journal(scan, answer.stdout, seen, told)
    told["events"].sort()
    scan.files.append(told)


def of_units(units: list[str]) -> list[str]:
    """Return the words by which journalctl is asked for these units."""
    return [word for unit in units for word in ("-u", unit)]


def journal_unread(places: tuple[str, ...]) -> str | None:
    """Return why the journal of the services may not be read; None where it may.

    `journalctl` says that only without a unit and not as JSON, so its files are asked.
    """
    for place in places:
        try:
            folders = [os.path.join(place, each) for each in sorted(os.listdir(place))]
        except FileNotFoundError:
            continue
        except OSError as error:
            return f"journal: {error.strerror or error}"
        for path in (os.path.join(each, "system.journal") for each in folders):
            if os.path.exists(path) and not os.access(path, os.R_OK):
                return "journal: Permission denied"
    return None


def read_journal(scan: Scan, out: bytes, seen: set[str], told: dict[str, Any]) -> None:
    """Take the events of `journalctl -o json`, each once."""
    heads = Heads(scan.bodies, scan.prefixes, scan.zone)
    for line in out.split(b"\n"):
        if not line.startswith(b"{"):
            continue
        told["scanned"] += len(line)
        try:
            entry = json.loads(line.decode("utf-8", "replace"))
        except ValueError:
            told["outside"] += 1
            continue
        cursor = str(entry.get("__CURSOR"))
        if cursor in seen:
            continue
        seen.add(cursor)
        found = journal_event(entry, heads)
        if found is None:
            continue
        head, begin, raw, unit = found
        if not scan.wanted.has(head, raw):
            continue
        scan.take(begin + raw, len(seen), head, told, head.end)
        if told["events"] and told["events"][-1][2] == len(seen):
            told["events"][-1].append(unit)


def journal_event(entry: dict[str, Any], heads: Heads) -> tuple[Head, bytes, bytes, str] | None:
    """Read an entry of the journal: its head, the header that it gets, its message, its unit."""
    message = entry.get("MESSAGE")
    if isinstance(message, list):  # bytes that are no text
        message = bytes(message).decode("utf-8", "backslashreplace")
    if not isinstance(message, str):
        return None
    at = float(entry.get("_SOURCE_REALTIME_TIMESTAMP") or entry["__REALTIME_TIMESTAMP"]) / 1e6
    program = str(entry.get("SYSLOG_IDENTIFIER") or entry.get("_COMM") or "?")
    pid = str(entry.get("_PID") or entry.get("SYSLOG_PID") or "")
    rank = {0: 50, 1: 50, 2: 50, 3: 40, 4: 30, 7: 10}.get(int(entry.get("PRIORITY") or 6), 20)
    raw = COLOUR.sub(b"", message.encode("utf-8", "backslashreplace"))
    owner = program.replace(" ", "_") + ("[" + pid + "]" if pid else "")
    begin = f"{stamp(at)} - {owner}: ".encode()
    own = heads.at(begin + raw, 0)
    if own is not None and own.kind not in {kind.name for kind in heads.prefixes}:
        own.at = own.at if abs(own.at - at) < BACKWARDS_S else at
        own.rank = max(own.rank, rank) if rank > 20 else own.rank  # noqa: PLR2004
    else:
        own = Head("journal:" + str(rank), at, rank, (), 0)
    unit = str(entry.get("UNIT") or entry.get("_SYSTEMD_UNIT") or program)
    return own, begin, raw, unit if entry.get("_TRANSPORT") != "kernel" else "kernel"


def stamp(at: float) -> str:
    """Write a time as the journal does."""
    parts = time.gmtime(at)
    return time.strftime("%Y-%m-%dT%H:%M:%S", parts) + f".{int(at % 1 * 1e6):06d}+00:00"


def be_quiet() -> None:
    """Leave processor and disk to others."""
    with contextlib.suppress(OSError):
        os.nice(19)
    with contextlib.suppress(OSError, AttributeError, ValueError):
        import ctypes  # noqa: PLC0415  # not everywhere

        numbers = {"x86_64": 251, "aarch64": 30, "ppc64le": 273, "s390x": 282}
        number = numbers.get(os.uname().machine)
        if number:
            ctypes.CDLL(None).syscall(number, 1, 0, 3 << 13)  # ioprio_set: this process, idle


def main(asked: dict[str, Any]) -> None:
    """Scan all that is asked for, and print it."""
    began = time.time()
    within_s = float(asked["within_s"])
    signal.alarm(int(within_s) + OWN_END_S)
    be_quiet()
    scan = Scan(asked, time.monotonic() + within_s)
    root = str(asked.get("root") or "/")
    settings = Settings(asked, root)
    scan_files(scan, [*(str(one) for one in asked["places"]), *settings.places], root)
    units = [str(one) for one in asked.get("units") or ()]
    if asked.get("journal") and not asked.get("only_times"):
        own = None if root == "/" else os.path.join(root, "var/log/journal")
        scan_journal(scan, units, own)
    # At once: written piece by piece, it takes several times as long.
    told = json.dumps(
        {
            "version": 1,
            "now": began,
            "is_root": os.geteuid() == 0,
            "files": scan.files,
            "refused": list(OrderedDict.fromkeys(scan.refused)),
            "cut": scan.cut,
            "named": settings.named,
            "settings_unread": settings.unread,
            "repeated": scan.wanted.alike.told if scan.wanted.alike is not None else [],
            "took_s": round(time.time() - began, 3),
        }
    )
    sys.stdout.write(told)


if __name__ == "__main__":
    main(json.loads(sys.stdin.read()))
