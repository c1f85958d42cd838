"""Follow logs as they grow; report each event once. Runs on a node behind `talk.py`, `scan.py`.

A file is its inode and its first bytes; its name does not count. So it is known again after it was
renamed, copied and emptied, or after the connection to this node was lost. What may not be complete
is reported.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import os
import queue
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # they are sent before this file
    from stackward.facts.on_node.scan import (  # noqa: TC004
        JOURNALS,
        LONGEST_LINE,
        MOST_HELD,
        Colours,
        File,
        Gunzip,
        Head,
        Heads,
        Kind,
        Places,
        Settings,
        Wanted,
        Zone,
        as_sent,
        be_quiet,
        event_end,
        first_head,
        journal_event,
        journal_unread,
        last_head,
        of_units,
        shown,
    )
    from stackward.facts.on_node.talk import Talk  # noqa: TC004

JOURNAL_S = 5.0  # for the last lines of the journal; who listens gives up after 10 s of silence
POLL_S = 0.25  # an event is whole when nothing was added to it for this time
LOOK_S = 1.0  # between two looks for new files
FIRST = 256  # bytes by which a file is known
AT_ONCE = 256 * 1024
LEFT_S = 60.0  # a renamed file is followed: its writer may have it open for some time
MOST_OF_COPY = 8 * 1024 * 1024  # of a rotated file that is read after the connection was lost
MORE = "more"  # the format of lines that have no header
STEP_S = 0.5  # a clock that is further off than that was set: to slew it takes minutes
DIES_WITH = 1  # prctl: which signal a process gets when its parent has ended


class Events:
    """Bytes of a file, as events."""

    def __init__(self, path: str, at: int, heads: Heads, chosen: Chosen) -> None:
        self.shown, self.at, self.heads, self.chosen = path, at, heads, chosen
        self.rest = bytearray()  # from `at` on
        self.before = None  # type: Head | None  # of the last event
        self.is_chosen = chosen.has_all

    def ended(self, *, is_quiet: bool) -> list[list[Any]]:
        """Take the events that have ended: all whole lines, where nothing more is added."""
        text = bytes(self.rest)
        cut = text.rfind(b"\n") + 1
        if not cut:
            if len(text) < LONGEST_LINE:
                return []
            cut = len(text)  # a line without an end is taken in parts
        colours = Colours(self.at, is_spelled=self.heads.is_spelled)
        text = colours.out_of(text[:cut])
        cut = len(text)
        held = cut if is_quiet else last_head(text, self.heads, cut)
        if cut - held > MOST_HELD:
            held = cut
        told, where = [], 0
        while where < held:
            head = self.heads.at(text, where)
            if head is None:
                after = first_head(text, self.heads, held, where)
            else:
                after = event_end(text, where, head, self.heads, held)
                self.before = head
                self.is_chosen = self.chosen.has(head, text[where:after])
            if self.is_chosen:
                place = colours.place(self.at + where)
                told.append(self.event(head, place, text[where:after]))
            where = after
        held = colours.place(self.at + held) - self.at
        del self.rest[:held]
        self.at += held
        return told

    def event(self, head: Head | None, at: int, raw: bytes) -> list[Any]:
        """Return an event as it is sent; lines without a header have the time of those before."""
        known = head or self.before
        when = known.at if known else time.time()
        return [*as_sent(when, head.kind if head else MORE, at, raw), self.shown]


class Chosen:
    """Which events are reported."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self.grave = Wanted({"level": asked.get("level"), "bytes": 0})
        self.words = [str(word).encode() for word in asked.get("words") or ()]

    @property
    def has_all(self) -> bool:
        """Say whether every event is."""
        return self.grave.rank is None and not self.words

    def has(self, head: Head, raw: bytes) -> bool:
        """Say whether an event is."""
        return self.grave.has(head, raw) and (
            not self.words or any(word in raw for word in self.words)
        )


class Followed(Events):
    """A file that is open, and how far it has been read."""

    def __init__(self, one: File, at: int, heads: Heads, chosen: Chosen) -> None:
        super().__init__(one.shown, at, heads, chosen)
        self.raw = one.open()
        self.inode = os.fstat(self.raw.fileno()).st_ino
        self.first = os.pread(self.raw.fileno(), FIRST, 0)
        self.grew_at = time.monotonic()

    def close(self) -> None:
        """Follow it no more."""
        self.raw.close()

    def grow(self) -> int | None:
        """Read what was added; None where it is now another file."""
        file, where = self.raw.fileno(), self.at + len(self.rest)
        got = os.pread(file, AT_ONCE, where)
        first = os.pread(file, FIRST, 0)
        if not first.startswith(self.first) or os.fstat(file).st_size < where:
            return None  # what was read may be of either
        self.first = first
        self.rest += got
        if got:
            self.grew_at = time.monotonic()
        return len(got)

    def place(self) -> list[Any]:
        """Return how it is known again, and up to where it was reported."""
        return [self.inode, len(self.first), digest(self.first), self.at]

    def begin_anew(self) -> None:
        """Take it as a new file."""
        del self.rest[:]
        self.at, self.first, self.before = 0, b"", None
        self.is_chosen = self.chosen.has_all


def digest(first: bytes) -> str:
    """Return what a beginning is compared by."""
    return hashlib.sha256(first).hexdigest()


def is_same(stream: Any, place: list[Any]) -> bool:
    """Say whether a file begins like one that was followed."""
    first = stream.read(int(place[1]))
    return bool(len(first) == place[1]) and digest(first) == place[2]


class Unit:
    """The journal of some units, as it grows."""

    def __init__(self, program: str, asked: dict[str, Any], cursor: str | None) -> None:
        self.cursor = cursor
        words = [program, "--no-pager", "-q", "-o", "json", "-f"]
        words += ["--no-tail", "--after-cursor", cursor] if cursor else ["-n", "0"]
        words += of_units(asked["units"])
        self.process = subprocess.Popen(  # journalctl of this node
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=die_with_us,  # noqa: PLW1509  # it calls one function that is loaded
        )
        self.rest = b""
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                os.set_blocking(stream.fileno(), False)

    def entries(self) -> list[dict[str, Any]]:
        """Return what is new."""
        *lines, self.rest = (self.rest + read_all(self.process.stdout)).split(b"\n")
        return entries_in(lines)

    def why_over(self) -> str | None:
        """Return why it has ended; None where it goes on."""
        if self.process.poll() is None:
            return None
        said = read_all(self.process.stderr).decode("utf-8", "replace").strip()
        return said.splitlines()[-1][:200] if said else "it has ended"


def entries_in(lines: list[bytes]) -> list[dict[str, Any]]:
    """Return the entries that journalctl has printed; any other line is none."""
    found = []
    for line in lines:
        with contextlib.suppress(ValueError):
            found.append(json.loads(line.decode("utf-8", "replace")))
    return found


LIBC = ctypes.CDLL(None)


def die_with_us() -> None:
    """Let the kernel end a process that we begin when this one is killed."""
    LIBC.prctl(DIES_WITH, signal.SIGKILL)


def read_all(stream: Any) -> bytes:
    """Return what a pipe holds."""
    got = b""
    while True:
        try:
            more = os.read(stream.fileno(), AT_ONCE)
        except BlockingIOError:
            return got
        if not more:
            return got
        got += more


class WallClock:
    """The clock of this node, which may be set while it is followed."""

    def __init__(self) -> None:
        self.ahead = self.now_ahead()

    def now_ahead(self) -> float | None:
        """Return how far it is ahead of the time since the boot; None where this was delayed."""
        began = time.monotonic()
        wall = time.time()
        ended = time.monotonic()
        return wall - ended if ended - began < STEP_S / 10 else None

    def stepped(self) -> float:
        """Return by how many seconds it was put forward since the last question; 0: it was not."""
        ahead, before = self.now_ahead(), self.ahead
        if ahead is None:
            return 0.0
        self.ahead = ahead
        return 0.0 if before is None or abs(ahead - before) < STEP_S else ahead - before


class Tail:
    """All that is followed on this node."""

    def __init__(self, asked: dict[str, Any], talk: Talk) -> None:
        self.asked, self.talk = asked, talk
        self.root = str(asked.get("root") or "/")
        self.settings = Settings(asked, self.root)
        self.places = [*(str(one) for one in asked["places"]), *self.settings.places]
        self.bodies = [Kind(one) for one in asked["bodies"]]
        self.prefixes = [Kind(one) for one in asked["prefixes"]]
        self.zone = Zone(asked.get("zone_s"), time.time())
        self.chosen = Chosen(asked)
        self.known = asked.get("places_read") or {}  # type: dict[str, list[Any]]
        self.files = {}  # type: dict[str, Followed]
        self.leaving = []  # type: list[Followed]
        self.refused = {}  # type: dict[str, None]
        self.told = []  # type: list[list[Any]]
        self.old = []  # type: list[list[Any]]
        self.notes = []  # type: list[str]
        self.unit = None  # type: Unit | None
        self.is_begun = False
        self.looked_at = 0.0
        self.clock = WallClock()

    def begin(self) -> None:
        """Find what to follow, and report it; events that are there already come with it."""
        self.look_for_files()
        program = shutil.which("journalctl")
        if program and self.asked.get("journal") and self.asked.get("units"):
            why = journal_unread(JOURNALS)
            if why is not None:
                self.refused[why] = None
            cursor = self.asked.get("cursor") or self.last_of_journal(program)
            self.unit = Unit(program, self.asked, cursor)
        self.is_begun = True
        begun = {"files": sorted(one.shown for one in self.files.values())}  # type: dict[str, Any]
        begun["has_journal"] = self.unit is not None
        self.say({"begun": begun, "old": self.old})
        self.old = []

    def last_of_journal(self, program: str) -> str | None:
        """Take its last events, which are no new ones; return after which the new ones begin."""
        lines = int(self.asked["lines"])
        if not lines:
            return None
        words = [program, "--no-pager", "-q", "-o", "json", "-n", str(lines)]
        words += of_units(self.asked["units"])
        try:
            answer = subprocess.run(  # journalctl of this node
                words,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=JOURNAL_S,
                check=False,
                preexec_fn=die_with_us,  # as above
            )
        except subprocess.TimeoutExpired:
            self.notes.append("journal: its last lines were not read in time")
            return None
        cursor, heads = None, Heads(self.bodies, self.prefixes, self.zone)
        for number, entry in enumerate(entries_in(answer.stdout.split(b"\n"))):
            cursor = str(entry.get("__CURSOR"))
            event = self.of_journal(entry, heads, number)
            self.old += [event] if event else []
        return cursor

    def of_journal(self, entry: dict[str, Any], heads: Heads, number: int) -> list[Any] | None:
        """Return an entry as an event; None where it is none, or was not asked for."""
        found = journal_event(entry, heads)
        if found is None:
            return None
        head, begin, raw, unit = found
        if not self.chosen.has(head, raw):
            return None
        return [*as_sent(head.at, head.kind, number, begin + raw), "journal", unit]

    def say(self, more: dict[str, Any]) -> None:
        """Report all that is new, and up to where it was read."""
        if self.told or self.notes or more:
            places = {path: one.place() for path, one in self.files.items()}
            cursor = self.unit.cursor if self.unit else None
            told = {"version": 1, "events": self.told, "notes": self.notes, "places": places}
            told["cursor"], told["refused"] = cursor, list(self.refused)
            told["named"] = self.settings.named
            told.update(more)
            self.talk.say(json.dumps(told).encode())
            self.told, self.notes = [], []

    def look(self) -> bool:
        """Read what was added; say whether there is more of it at once."""
        if time.monotonic() - self.looked_at >= LOOK_S:
            self.look_for_files()
        is_more = False
        for path, one in [*self.files.items(), *[("", each) for each in self.leaving]]:
            got = one.grow()
            if got is None:
                self.emptied(path, one)
                got = one.grow() or 0
            self.told += one.ended(is_quiet=not got)
            is_more = is_more or got == AT_ONCE
        for one in [each for each in self.leaving if time.monotonic() - each.grew_at > LEFT_S]:
            self.leaving.remove(one)
            one.close()
        self.read_unit()
        stepped_s = self.clock.stepped()
        self.say({"stepped_s": stepped_s} if stepped_s else {})
        return is_more

    def read_unit(self) -> None:
        """Read what was added to the journal."""
        if self.unit is None:
            return
        heads = Heads(self.bodies, self.prefixes, self.zone)
        why = self.unit.why_over()
        for number, entry in enumerate(self.unit.entries()):
            self.unit.cursor = str(entry.get("__CURSOR"))
            event = self.of_journal(entry, heads, number)
            self.told += [event] if event else []
        if why is not None:
            self.refused["journal: " + why] = None
            self.notes.append("journal: " + why)
            self.unit = None

    def look_for_files(self) -> None:
        """Follow what is new under a name, and what had that name before for a while."""
        self.looked_at = time.monotonic()
        refused = []  # type: list[str]
        found = Places(self.root, refused, since=float("inf"))  # what is packed is old
        for base, paths in found.all(self.places).items():
            if base not in paths:
                continue  # what was rotated alone
            one = File(base, shown(base, self.root), found.folders[base])
            try:
                self.follow(base, paths, one, found.folders)
            except FileNotFoundError:
                continue  # it was renamed at this moment; the next look finds the new one
            except OSError as error:
                refused.append(one.shown + ": " + str(error.strerror or error))
        for each in refused:
            if each not in self.refused and self.is_begun:
                self.notes.append("has a log that may not be read: " + each)
            self.refused[each] = None

    def follow(self, base: str, paths: list[str], one: File, folders: dict[str, str]) -> None:
        """Follow a file from the point from which it must be read."""
        had = self.files.get(base)
        if had is not None and had.inode == os.stat(base).st_ino:
            return
        one.know(self.bodies, self.prefixes, self.zone)
        kinds = had.heads.bodies if had else one.kinds
        heads = Heads(kinds, self.prefixes, self.zone, is_spelled=one.is_spelled)
        place = self.known.pop(base, None)
        if had is not None:
            # From here on its place is not reported: it is read to its end first.
            while had.grow() == AT_ONCE:
                self.told += had.ended(is_quiet=False)
            self.leaving.append(had)
        if place is not None:
            with one.open() as raw:
                is_known = is_same(raw, place) and one.size >= place[3]
            if not is_known:
                rotated = [each for each in paths if each != base]
                self.from_copies(one.shown, place, rotated, folders, heads)
            self.files[base] = Followed(one, place[3] if is_known else 0, heads, self.chosen)
            return
        at = 0 if self.is_begun or had is not None else one.size
        if at and self.asked["lines"] and not self.asked.get("places_read"):
            self.old += self.last_of(one, heads)
        self.files[base] = Followed(one, at, heads, self.chosen)

    def last_of(self, one: File, heads: Heads) -> list[list[Any]]:
        """Return the last events that are in a file already."""
        begin = max(0, one.size - AT_ONCE)
        with one.open() as raw:
            text = os.pread(raw.fileno(), one.size - begin, begin)
        skip = text.find(b"\n") + 1 if begin else 0
        events = Events(one.shown, begin + skip, heads, self.chosen)
        events.rest += text[skip:]
        return events.ended(is_quiet=True)[-int(self.asked["lines"]) :]

    def emptied(self, path: str, one: Followed) -> None:
        """Go on with a file that was emptied: what it had may be in a copy."""
        place = one.place()
        copies = []  # type: list[str]
        folders = {}  # type: dict[str, str]
        if path:
            found = Places(self.root, [])
            copies = found.all(self.places).get(path, [])
            folders = found.folders
        rotated = [each for each in copies if each != path]
        if not self.from_copies(one.shown, place, rotated, folders, one.heads):
            self.told += one.ended(is_quiet=True)
        one.begin_anew()

    def from_copies(
        self,
        name: str,
        place: list[Any],
        paths: list[str],
        folders: dict[str, str],
        heads: Heads,
    ) -> bool:
        """Report what is left of a file among those that were rotated; say so if it is not there.

        If several were rotated since then, all that are newer are read.
        """
        rotated = []
        for path in paths:
            one = File(path, shown(path, self.root), folders[path])
            try:
                one.know(self.bodies, self.prefixes, self.zone)
                rotated.append((os.stat(one.path).st_mtime, one))
            except OSError:
                continue
        rotated.sort(key=lambda each: each[0])
        is_found = False
        for _, one in rotated:
            try:
                is_this = not is_found and self.is_copy(one, place)
                if is_this or is_found:
                    self.told += self.text_of(one, place[3] if is_this else 0, heads)
                is_found = is_found or is_this
            except OSError:
                continue
        if not is_found:
            self.notes.append(name + ": it was emptied or replaced; some lines may be missing")
        return is_found

    def is_copy(self, one: File, place: list[Any]) -> bool:
        """Say whether a file was the one that was followed."""
        with one.open() as raw:
            stream = Gunzip(raw) if one.is_gzip else raw
            return is_same(stream, place) and (one.is_gzip or one.size >= place[3])

    def text_of(self, one: File, at: int, heads: Heads) -> list[list[Any]]:
        """Return the events of a rotated file from a place on."""
        events = Events(one.shown, at, heads, self.chosen)
        with one.open() as raw:
            if one.is_gzip:
                stream, left = Gunzip(raw), at
                while left > 0:
                    skipped = len(stream.read(min(left, AT_ONCE)))
                    if not skipped:
                        break
                    left -= skipped
            else:
                raw.seek(at)
                stream = raw
            while len(events.rest) < MOST_OF_COPY:
                got = stream.read(AT_ONCE)
                if not got:
                    break
                events.rest += got
            else:
                self.notes.append(one.shown + ": it has more than is sent; some lines are missing")
        return events.ended(is_quiet=True)


def main(talk: Talk) -> None:
    """Follow until the other side closes."""
    given = talk.hear()
    if given is None:
        return
    be_quiet()
    tail = Tail(json.loads(given.decode()), talk)
    tail.begin()
    while True:
        is_more = tail.look()
        try:
            if talk.heard.get(timeout=0.001 if is_more else POLL_S) is None:
                return
        except queue.Empty:
            continue


if __name__ == "__main__":
    main(Talk())  # of `talk.py`, which is sent before it
