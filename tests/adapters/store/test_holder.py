"""Who has the journal's file locked is named: the process, and what it is."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from builders import NOW
from stackward.adapters.store import database
from stackward.adapters.store.database import open_database, url_of
from stackward.adapters.store.holder import who_locks
from stackward.adapters.store.journal import SqlJournal
from stackward.adapters.store.listing import FILE
from stackward.errors import Unreachable
from stackward.model.run import Approval, Run

HOLDS = """
import sqlite3, sys, time
file = sqlite3.connect(sys.argv[1], isolation_level=None)
file.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""
RUN = Run(id="01A", title="t", plan="{}", approval=Approval(by="ann", at=NOW, how="--yes"))


def hasty(engine: Engine) -> Engine:
    """Let its connections wait for a tenth of a second; those that it has are closed."""

    def prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA busy_timeout = 100")

    engine.dispose()
    event.listen(engine, "connect", prepare)
    return engine


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqlJournal]:
    """Given a journal that waits for nobody."""
    kept = SqlJournal(hasty(open_database(url_of(tmp_path))))
    yield kept
    kept.close()


@pytest.fixture
def holder(journal: SqlJournal, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Given another process that writes to its file, and does not come to an end."""
    assert journal is not None
    words = [sys.executable, "-X", "password=hunter2", "-c", HOLDS, str(tmp_path / FILE)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_the_process_that_keeps_a_run_from_being_written_is_named(
    journal: SqlJournal, holder: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    with pytest.raises(Unreachable) as caught:
        journal.add(RUN)

    error = caught.value
    command = f"{sys.executable} -X password=*** -c import sqlite3"
    who = f"locked by process {holder.pid} (`{command}"
    assert f"the database of runs `{tmp_path / FILE}` is {who}" in error.message
    assert error.says == "database is locked"
    assert f"ps -fp {holder.pid}" in (error.hint or "")


def test_one_that_is_frozen_is_said_to_be_so(
    journal: SqlJournal, holder: subprocess.Popen[bytes]
) -> None:
    holder.send_signal(signal.SIGSTOP)
    os.waitpid(holder.pid, os.WUNTRACED)

    with pytest.raises(Unreachable) as caught:
        journal.add(RUN)

    assert "which is stopped by a signal" in caught.value.message
    assert f"`kill -CONT {holder.pid}`" in (caught.value.hint or "")


def test_once_it_has_ended_the_same_is_written(
    journal: SqlJournal, holder: subprocess.Popen[bytes]
) -> None:
    holder.kill()
    holder.wait()

    journal.add(RUN)

    assert journal.run("01A").title == "t"


def test_a_journal_that_cannot_be_opened_for_it_names_it_too(
    holder: subprocess.Popen[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0)

    with pytest.raises(Unreachable, match=f"is locked by process {holder.pid} "):
        SqlJournal(open_database(url_of(tmp_path))).add(RUN)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        pytest.param("1: POSIX ADVISORY WRITE 0 {} 120 120\n", "another container", id="unseen"),
        pytest.param("1: POSIX ADVISORY READ 7 {} 124 124\n", "no process", id="only a reader"),
        pytest.param("1: -> POSIX ADVISORY WRITE 7 {} 120 120\n", "no process", id="who waits too"),
        pytest.param("1: POSIX ADVISORY WRITE 7 00:00:1 120 120\n", "no process", id="other file"),
        pytest.param("1: POSIX WRITE\n", "cannot be read", id="not understood"),
    ],
)
def test_where_nobody_is_known_it_says_why(tmp_path: Path, line: str, why: str) -> None:
    file, listed = tmp_path / FILE, tmp_path / "locks"
    with closing(sqlite3.connect(file, isolation_level=None)) as kept:
        kept.execute("PRAGMA journal_mode = WAL")
        kept.execute("CREATE TABLE t (x)")
        of = Path(f"{file}-shm").stat()
        place = f"{os.major(of.st_dev):02x}:{os.minor(of.st_dev):02x}:{of.st_ino}"
        listed.write_text(line.format(place))

        found = who_locks(file, listed)

    assert isinstance(found, str)
    assert why in found


def test_without_the_kernels_list_nobody_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).touch()

    found = who_locks(tmp_path / FILE, tmp_path / "none")

    assert "none` cannot be read" in found
