"""Find events in the logs of a node, and print them as one JSON document; run there by python3.

It is sent as it is, to nodes and to folders of collected logs alike: standard library only, no
later Python than 3.7 needed, nothing written, nothing installed. What the formats of logs are, it
is told (`logs/formats.py`); it finds where events begin and end, and sends home only those that
are wanted. What it leaves out, it counts and names.
"""

from __future__ import annotations

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
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE = 1024 * 1024  # is read at a time
MOST_OF_EVENT = 64 * 1024  # bytes that go home; of a longer one the beginning
LONGEST_LINE = 1024 * 1024  # a longer one is taken in parts
ERROR = 40  # of a level, as `logs/event.py` has it
MOST_HELD = 1024 * 1024  # of an event whose end is not known yet
SAMPLE = 64 * 1024  # by which the formats of a file are known
PROBE = 256 * 1024  # in which a beginning is looked for
LEAST_GAP = 1024 * 1024  # a window is bisected until it is known as closely as that
BACKWARDS_S = 65 * 60  # a clock that is set back by an hour, and the way there
SLACK_S = 5.0  # lines of several processes are a little out of order
DEPTH = 4  # folders below a place
MOST_FILES = 2000
JOURNAL_LINES = 200000
OWN_END_S = 3  # after the deadline this script is ended by its own alarm, whatever holds it
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
GZIP = b"\x1f\x8b"
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
        self.levels = {word.encode(): int(rank) for word, rank in told["levels"].items()}
        self.usual = int(told["usual"])
        self.marks = {
            int(rank): [word.encode() for word in words] for rank, words in told["marks"].items()
        }
        self.repeats = bool(told["repeats"])


class Head:
    """Where an event begins."""

    def __init__(self, kind: str, at: float, rank: int, same: tuple[Any, ...], end: int) -> None:
        self.kind, self.at, self.rank, self.same, self.end = kind, at, rank, same, end


class Zone:
    """How the times of lines without a zone are read: as this node does, or by a fixed offset."""

    def __init__(self, offset_s: float | None, now: float) -> None:
        self.offset_s, self.now = offset_s, now
        self.known = OrderedDict()  # type: OrderedDict[bytes, float]

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
            found = self.read(given.decode("ascii", "replace"))
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
        year = time.gmtime(self.now).tm_year
        at = self.seconds((year, month, int(said["day"]), *clock), zone)
        if at > self.now + 2 * 24 * 3600:  # the last one that is not to come
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


class Heads:
    """Finds where events begin in a piece of a file."""

    def __init__(self, bodies: list[Kind], prefixes: list[Kind], zone: Zone) -> None:
        self.bodies, self.prefixes, self.zone = bodies, prefixes, zone

    def at(self, piece: bytes, where: int) -> Head | None:
        """Return the head of the line that begins there; None where it continues another."""
        for kind in self.bodies:
            found = kind.head.match(piece, where)
            if found and found.end() > where:
                head = self.of(kind, found, None)
                if head:
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
        said = found.groupdict()
        given = said.get("at") or said.get("at2") or (ahead and ahead.groupdict().get("at"))
        if not given:
            return None
        try:
            at = self.zone.when(given)
        except (ValueError, OverflowError):
            return None
        rank = kind.levels.get(said.get("level") or b"", kind.usual)
        pid = said.get("pid") or (ahead and ahead.groupdict().get("pid"))
        same = (kind.name, given, pid, said.get("module")) if kind.repeats else ()
        return Head(kind.name, at, rank, same, found.end())


def pieces(stream: Any, start: int, ends: float) -> Iterator[tuple[int, bytes, bool]]:
    """Yield parts of a file that end with a line, each with where it begins; and whether it ends.

    What comes after a part is not known yet, so each is asked with the next one's beginning.
    """
    at, rest = start, b""
    while True:
        if time.monotonic() > ends:
            raise Over
        got = stream.read(PIECE)
        if not got:
            if rest:
                yield at, rest, True
            return
        piece = rest + got if rest else got
        cut = piece.rfind(b"\n") + 1
        if not cut and len(piece) < LONGEST_LINE:
            rest = piece
            continue
        cut = cut or len(piece)  # a line without an end: in parts
        yield at, piece[:cut], False
        at, rest = at + cut, piece[cut:]


class Gunzip:
    """A gzipped file as a stream; what is broken off ends it, and is told."""

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
        self.left = int(asked["bytes"])

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
        return sorted(set(marks))

    def has(self, head: Head, text: bytes) -> bool:
        """Say whether an event is wanted."""
        if not self.is_in(head.at):
            return False
        if self.words:
            return any(word in text for word in self.words)
        return self.rank is None or head.rank >= self.rank or is_fault(head.kind, text)


FAULT = re.compile(rb"\(HTTP/[\d.]+ 5\d\d\)|\" 5\d\d ")


def is_fault(kind: str, text: bytes) -> bool:
    """Say whether a server of the web answered with an error of its own."""
    return kind in {"uwsgi", "access"} and FAULT.search(text.split(b"\n", 1)[0]) is not None


def lines_with(words: list[bytes], text: bytes) -> list[int]:
    """Return where the lines begin that have one of the words."""
    places = set()
    for word in words:
        where = text.find(word)
        while where >= 0:
            places.add(text.rfind(b"\n", 0, where) + 1)
            where = text.find(word, line_end(text, where))
    return sorted(places)


def line_end(piece: bytes, where: int) -> int:
    """Return where the next line begins."""
    end = piece.find(b"\n", where)
    return len(piece) if end < 0 else end + 1


def event_end(piece: bytes, where: int, head: Head, heads: Heads) -> int:
    """Return where the event ends that begins there: before the next head that is no part of it."""
    end = line_end(piece, where)
    in_traceback = bool(head.same) and TRACEBACK.match(piece, head.end) is not None
    while end < len(piece):
        after = heads.at(piece, end)
        if after is not None:
            if not head.same or after.same != head.same:
                return end
            if head.kind in {"oslo", "oslo-undated"}:
                in_traceback = in_traceback or TRACEBACK.match(piece, after.end) is not None
                if not in_traceback or after.rank < min(head.rank, ERROR):
                    return end
        end = line_end(piece, end)
    return end


def begin_of(piece: bytes, where: int, heads: Heads) -> tuple[int, Head] | None:
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


def first_head(piece: bytes, heads: Heads) -> int:
    """Return where the first event begins; the length of the piece where none does."""
    where = 0
    while where < len(piece):
        if heads.at(piece, where):
            return where
        where = line_end(piece, where)
    return where


def last_head(piece: bytes, heads: Heads) -> int:
    """Return where the last event begins, which may go on in the next piece.

    The lines of a traceback have heads of their own: then it is the first of them.
    """
    where = len(piece)
    least = max(0, where - PROBE)
    found = None  # type: Head | None
    begin = len(piece)
    while where > least:
        where = piece.rfind(b"\n", 0, where - 1) + 1
        head = heads.at(piece, where)
        if found is not None and (head is None or head.same != found.same):
            return begin
        if head is not None:
            begin, found = where, head
            if not head.same:
                return begin
    return begin


class File:
    """One file of logs."""

    def __init__(self, path: str, shown: str) -> None:
        self.path, self.shown = path, shown
        self.is_gzip = False
        self.size = 0
        self.kinds = []  # type: list[Kind]
        self.first = None  # type: float | None
        self.last = None  # type: float | None

    def open(self) -> Any:
        """Open it: a plain file below no link that leads elsewhere; nothing waits for a fifo."""
        file = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0))
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise OSError(0, "it is no plain file")
        return os.fdopen(file, "rb", buffering=0)

    def stream(self) -> Any:
        """Open it for its text."""
        raw = self.open()
        return Gunzip(raw) if self.is_gzip else raw

    def know(self, bodies: list[Kind], prefixes: list[Kind], zone: Zone) -> None:
        """Look at its beginning, its middle and its end: which formats it has, and since when."""
        raw = self.open()
        with raw:
            self.size = os.fstat(raw.fileno()).st_size
            head = raw.read(SAMPLE)
            self.is_gzip = head.startswith(GZIP)
            if self.is_gzip:
                raw.seek(0)
                samples = [Gunzip(raw).read(SAMPLE)]
            else:
                samples = [head]
                for where in (self.size // 2, self.size - SAMPLE):
                    if where > SAMPLE:
                        raw.seek(where)
                        samples.append(raw.read(SAMPLE).partition(b"\n")[2])
        all_heads = Heads(bodies, prefixes, zone)
        seen = set()  # type: set[str]
        for number, sample in enumerate(samples):
            where = 0
            while where < len(sample):
                head_there = all_heads.at(sample, where)
                if head_there:
                    seen.add(head_there.kind)
                    if not number and (self.first is None or head_there.at < self.first):
                        self.first = head_there.at
                    if not self.is_gzip and (self.last is None or head_there.at > self.last):
                        self.last = head_there.at
                where = line_end(sample, where)
        self.kinds = [kind for kind in bodies if kind.name in seen] or bodies


def probe(raw: Any, where: int, heads: Heads) -> tuple[int, float] | None:
    """Return the first event after a place: where it begins, and when it was."""
    raw.seek(where)
    piece = raw.read(PROBE)
    start = 0 if not where else line_end(piece, 0)
    while start < len(piece):
        head = heads.at(piece, start)
        if head:
            return where + start, head.at
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

    def file(self, one: File, until: float | None) -> None:
        """Find the wanted events of a file, whose own time ends where the next one's begins."""
        told = {"path": one.shown, "size": one.size, "events": [], "error": "", "scanned": 0}  # type: dict[str, Any]
        told["first"], told["last"], told["outside"] = one.first, one.last, 0
        self.files.append(told)
        if self.asked.get("only_times"):
            return
        since = self.wanted.since
        if since is not None and until is not None and until + BACKWARDS_S < since:
            return
        ends = self.wanted.until
        if ends is not None and one.first is not None and one.first - BACKWARDS_S > ends:
            return
        heads = Heads(one.kinds, self.prefixes, self.zone)
        stream = one.stream()
        try:
            start = 0
            if since is not None and not one.is_gzip and one.size > LEAST_GAP:
                start = begin_of_window(stream, one.size, since, heads)
                stream.seek(start)
            self.look(stream, start, heads, told)
        finally:
            if isinstance(stream, Gunzip):
                told["error"] = stream.error
                stream.stream.close()
            else:
                stream.close()

    def look(self, stream: Any, start: int, heads: Heads, told: dict[str, Any]) -> None:
        """Look through a stream, piece by piece; an event that goes on is kept for the next."""
        marks = self.wanted.marks(heads.bodies)
        kept, kept_at = b"", start
        for _, piece, is_last in whole(pieces(stream, start, self.ends)):
            text = kept + piece if kept else piece
            told["scanned"] += len(piece)
            held = len(text) if is_last else last_head(text, heads)
            if len(text) - held > MOST_HELD:  # without an end: what goes on is no part of it
                held = len(text)
            if self.part(text[:held] if held < len(text) else text, kept_at, heads, marks, told):
                return
            kept_at += held
            kept = text[held:]
        if kept:
            self.part(kept, kept_at, heads, marks, told)

    def part(
        self,
        text: bytes,
        at: int,
        heads: Heads,
        marks: list[bytes] | None,
        told: dict[str, Any],
    ) -> bool:
        """Take the wanted events of a part; say whether the window is over."""
        if marks is None:
            return self.every(text, at, heads, told)
        done = -1
        for place in lines_with(marks, text):
            if place < done:
                continue
            found = begin_of(text, place, heads)
            if found is None or found[0] < done:
                continue
            begin, head = found
            if self.is_of_header(begin, place, head, text):
                done = event_end(text, begin, head, heads)
                if self.wanted.has(head, text[begin:done]):
                    self.take(text[begin:done], at + begin, head, told)
        return self.is_over(text, heads)

    def is_of_header(self, begin: int, place: int, head: Head, text: bytes) -> bool:
        """Say whether a word that was found may be the level of its event.

        Such words are in the bodies of quieter events too.
        """
        if self.wanted.words:
            return True
        if begin != place:
            return False
        fault = is_fault(head.kind, text[begin : line_end(text, begin)])
        return fault or head.rank >= int(self.wanted.rank or 0)

    def is_over(self, text: bytes, heads: Heads) -> bool:
        """Say whether a part ends well after the window."""
        if self.wanted.until is None:
            return False
        last = begin_of(text, len(text) - 1, heads)
        margin = heads.zone.margin(self.wanted.until)
        return last is not None and last[1].at > self.wanted.until + margin

    def every(self, text: bytes, at: int, heads: Heads, told: dict[str, Any]) -> bool:
        """Look at every event of a part."""
        where = first_head(text, heads)
        if where and text[:where].strip():
            told["outside"] += text.count(b"\n", 0, where)
        while where < len(text):
            head = heads.at(text, where)
            if head is None:  # cannot be: an event ends where a head is
                where = line_end(text, where)
                continue
            end = event_end(text, where, head, heads)
            if self.wanted.has(head, text[where:end]):
                self.take(text[where:end], at + where, head, told)
            where = end
        return self.is_over(text, heads)

    def take(self, raw: bytes, at: int, head: Head, told: dict[str, Any]) -> None:
        """Send an event home, if there is room."""
        size = len(raw)
        # Bytes that are no text are spelled out: nothing of a line is lost.
        text = raw[:MOST_OF_EVENT].decode("utf-8", "backslashreplace").rstrip("\n")
        self.wanted.left -= len(text) + 40
        if self.wanted.left < 0:
            told["lost"] = told.get("lost", 0) + 1
            return
        told["events"].append([round(head.at, 6), head.kind, at, text, size > MOST_OF_EVENT])


def whole(given: Iterator[tuple[int, bytes, bool]]) -> Iterator[tuple[int, bytes, bool]]:
    """Say of each part whether it is the last."""
    before = None
    for one in given:
        if before:
            yield before[0], before[1], False
        before = one
    if before:
        yield before[0], before[1], True


class Places:
    """The files of logs, each with those that were rotated."""

    def __init__(self, root: str, refused: list[str]) -> None:
        self.root, self.refused = root, refused
        self.inside = os.path.realpath(root).rstrip("/") + "/"
        self.seen = set()  # type: set[str]
        self.found = OrderedDict()  # type: OrderedDict[str, list[str]]

    def add(self, path: str) -> None:
        """Keep a file under the name of its newest; once, and not where a link leads out."""
        real = os.path.realpath(path)
        if not real.startswith(self.inside):
            self.refused.append(shown(path, self.root) + ": it leads out of what was collected")
        elif real not in self.seen and len(self.seen) < MOST_FILES:
            self.seen.add(real)
            self.found.setdefault(ADDED.sub("", path), []).append(path)

    def folder(self, path: str) -> None:
        """Keep all files of a folder and of those in it."""
        for folder, folders, names in os.walk(
            path, onerror=lambda error: self.refused.append(why(error))
        ):
            folders.sort()
            if folder[len(path) :].count("/") >= DEPTH:
                folders[:] = []
            for name in sorted(names):
                if not SKIPPED.search(name):
                    self.add(os.path.join(folder, name))

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
                self.add(os.path.join(folder, each))

    def all(self, places: list[str]) -> dict[str, list[str]]:
        """Return the files of these places."""
        for place in places:
            path = os.path.join(self.root, place.lstrip("/")) if self.root != "/" else place
            if os.path.isdir(path):
                self.folder(path)
            else:
                self.file(path)
        return self.found


def why(error: OSError) -> str:
    """Return what the system says of a file."""
    return f"{error.filename}: {error.strerror or error}"


def shown(path: str, root: str) -> str:
    """Return a path as it is on its node."""
    return path if root == "/" else "/" + os.path.relpath(path, root)


def scan_files(scan: Scan, places: list[str], root: str) -> None:
    """Scan all files of these places."""
    for paths in Places(root, scan.refused).all(places).values():
        known = []
        for path in paths:
            one = File(path, shown(path, root))
            try:
                one.know(scan.bodies, scan.prefixes, scan.zone)
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
    own = [word for unit in units for word in ("-u", unit)]
    if scan.wanted.words:
        found = "|".join(re.escape(word.decode()) for word in scan.wanted.words)
        asked.append([*words, *own, "-g", found])
    elif scan.wanted.rank is not None:
        worst = "3" if scan.wanted.rank > 30 else "4"  # noqa: PLR2004  # above a warning
        asked.append([*words, *own, "-p", worst])
        asked.append([*words, "-k", "-p", worst])
        grave = "ERROR|CRITICAL|TRACE|Traceback" + ("" if worst == "3" else "|WARN|Warning")
        asked.append([*words, *own, "-g", grave])
    else:
        asked.append([*words, *own])
    told = {"path": "journal", "size": 0, "events": [], "error": "", "scanned": 0}  # type: dict[str, Any]
    told["first"], told["last"], told["outside"] = None, None, 0
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
        said = answer.stderr.decode("utf-8", "replace").strip()
        if "insufficient permissions" in said or "not seeing messages" in said:
            scan.refused.append("journal: " + said.splitlines()[-1])
        elif answer.returncode not in {0, 1}:
            told["error"] = said[:200]
        read_journal(scan, answer.stdout, seen, told)
    told["events"].sort()
    scan.files.append(told)


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
        message = entry.get("MESSAGE")
        if isinstance(message, list):  # bytes that are no text
            message = bytes(message).decode("utf-8", "backslashreplace")
        if not isinstance(message, str):
            continue
        at = float(entry.get("_SOURCE_REALTIME_TIMESTAMP") or entry["__REALTIME_TIMESTAMP"]) / 1e6
        program = str(entry.get("SYSLOG_IDENTIFIER") or entry.get("_COMM") or "?")
        pid = str(entry.get("_PID") or entry.get("SYSLOG_PID") or "")
        rank = {0: 50, 1: 50, 2: 50, 3: 40, 4: 30, 7: 10}.get(int(entry.get("PRIORITY") or 6), 20)
        raw = message.encode("utf-8", "backslashreplace")
        owner = program.replace(" ", "_") + ("[" + pid + "]" if pid else "")
        begin = f"{stamp(at)} - {owner}: "
        own = heads.at(begin.encode() + raw, 0)
        if own is not None and own.kind not in {kind.name for kind in scan.prefixes}:
            own.at = own.at if abs(own.at - at) < BACKWARDS_S else at
            head = own
            head.rank = max(head.rank, rank) if rank > 20 else head.rank  # noqa: PLR2004
        else:
            head = Head("journal:" + str(rank), at, rank, (), 0)
        if not scan.wanted.has(head, raw):
            continue
        unit = str(entry.get("UNIT") or entry.get("_SYSTEMD_UNIT") or program)
        scan.take(begin.encode() + raw, len(seen), head, told)
        if told["events"] and told["events"][-1][2] == len(seen):
            told["events"][-1].append(unit if entry.get("_TRANSPORT") != "kernel" else "kernel")


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
    scan_files(scan, [str(one) for one in asked["places"]], root)
    units = [str(one) for one in asked.get("units") or ()]
    if asked.get("journal") and not asked.get("only_times"):
        own = None if root == "/" else os.path.join(root, "var/log/journal")
        scan_journal(scan, units, own)
    json.dump(
        {
            "version": 1,
            "now": began,
            "is_root": os.geteuid() == 0,
            "files": scan.files,
            "refused": scan.refused,
            "cut": scan.cut,
            "took_s": round(time.time() - began, 3),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main(json.loads(sys.stdin.read()))
