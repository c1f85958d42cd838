"""Which process has a SQLite file locked, as the kernel of this machine lists it; only read."""

import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from stackward.adapters.store.trouble import one_line
from stackward.errors import Unreachable
from stackward.masking import masked

_LOCKS = Path("/proc/locks")
_PROCESSES = Path("/proc")
# https://www.sqlite.org/walformat.html#wal_locks: who writes, checkpoints or recovers has one of
# these bytes of the `-shm` file; https://www.sqlite.org/fileformat2.html: of the database itself
# that is the page from the first gigabyte on.
_OF_WAL = range(120, 123)
_OF_FILE = range(0x40000000, 0x40000200)
_SHOWN = 100  # characters of a command


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has the lock."""

    pid: int
    command: str | None  # None: it may not be read
    is_stopped: bool  # by a signal: it does not go on by itself

    @property
    def words(self) -> str:
        """Say who it is."""
        called = f" (`{self.command}`)" if self.command else ""
        stopped = ", which is stopped by a signal" if self.is_stopped else ""
        return f"process {self.pid}{called}{stopped}"


def is_locked(error: SQLAlchemyError) -> bool:
    """Say whether SQLite waited for another writer, and its time ran out."""
    of = error.orig if isinstance(error, DBAPIError) else None
    return isinstance(of, sqlite3.Error) and (of.sqlite_errorcode & 0xFF) == sqlite3.SQLITE_BUSY


def locked(file: Path, error: SQLAlchemyError) -> Unreachable:
    """Return the error that names the process that locks the file, or says why it is not known."""
    holders = who_locks(file)
    if isinstance(holders, str):
        return Unreachable(
            f"the database of runs `{file}` is locked, and who has it could not be found out: "
            f"{holders}",
            says=one_line(error),
            hint=f"`fuser -v {file}` as root, on each machine that has this file, shows who has it "
            "open; the same works once that one has ended",
        )
    pids = " ".join(str(each.pid) for each in holders)
    let_go = f"; `kill -CONT {pids}` lets it go on" if holders[0].is_stopped else ""
    return Unreachable(
        f"the database of runs `{file}` is locked by {', '.join(each.words for each in holders)}",
        says=one_line(error),
        hint=f"`ps -fp {pids}` shows what it does{let_go}; the same works once it has let go",
    )


def who_locks(file: Path, listed: Path = _LOCKS) -> tuple[Holder, ...] | str:
    """Return the processes that keep others from writing to the file; or why they are not known."""
    try:
        found = {*_pids(file, listed.read_text())}
    except (OSError, ValueError) as error:
        return f"`{listed}` cannot be read ({error})"
    if not found:
        return f"`{listed}` shows no process of this machine; it has let go since, or is elsewhere"
    if found & {0, -1}:
        return "it is a process that is not seen from here, in another container"
    return tuple(_holder(pid) for pid in sorted(found))


def _pids(file: Path, listed: str) -> Iterator[int]:
    """Return the processes that lock the file for writing, or the file by which writers agree."""
    taken = {
        _place(path): part
        for path, part in ((file, _OF_FILE), (Path(f"{file}-shm"), _OF_WAL))
        if path.exists()
    }
    for line in listed.splitlines():
        words = line.split()
        if words[1:2] == ["->"] or "WRITE" not in words:
            continue  # it waits itself, or blocks nobody
        _, _, _, _, pid, place, first, last = words
        part = taken.get(place)
        if part and int(first) <= part[-1] and (last == "EOF" or int(last) >= part[0]):
            yield int(pid)


def _place(path: Path) -> str:
    """Return the device and the number of a file, as the kernel writes them."""
    of = path.stat()
    return f"{os.major(of.st_dev):02x}:{os.minor(of.st_dev):02x}:{of.st_ino}"


def _holder(pid: int) -> Holder:
    try:
        raw = (_PROCESSES / str(pid) / "cmdline").read_bytes()
        state = (_PROCESSES / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return Holder(pid, None, is_stopped=False)
    words = " ".join(raw.replace(b"\0", b" ").decode(errors="replace").split())
    return Holder(pid, masked(words)[:_SHOWN] or None, is_stopped=state in {"T", "t"})
