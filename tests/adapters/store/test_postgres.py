"""What only a database with a server does: it is away, refuses, loses answers, comes back."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from postgres import PASSWORD, Proxy, Server, name_of
from stackward.adapters.store.database import open_database
from stackward.adapters.store.journal import SqlJournal
from stackward.errors import Refused, Unreachable
from stackward.model.run import Approval, Event, Run, RunState, Said, Settled

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FROZEN = Path(__file__).with_name("frozen_writer.py")


def a_run(run_id: str = "01A") -> Run:
    approval = Approval(by="ann", at=NOON, how="--yes")
    return Run(id=run_id, title="drain", plan="{}", approval=approval, holds=("c01",))


@contextmanager
def journal_in(url: str, patience_s: float = 30) -> Iterator[SqlJournal]:
    journal = SqlJournal(open_database(url), patience_s)
    yield journal
    journal.close()


# --- what cannot be opened ------------------------------------------------------------------------


def test_a_server_that_is_down_is_said_to_be_unreachable() -> None:
    url = "postgresql://ann:secret@127.0.0.1:1/stackward"

    with pytest.raises(Unreachable) as refused:
        open_database(url)

    error = refused.value
    assert error.message == (
        "the database of runs in `postgresql://ann@127.0.0.1:1/stackward` cannot be opened"
    )
    assert "Connection refused" in (error.says or "")
    assert "see that it is up" in (error.hint or "")
    assert "secret" not in f"{error.message}{error.says}{error.hint}"


@pytest.mark.parametrize(
    ("password", "says"),
    [
        pytest.param("", "no password supplied", id="none"),
        pytest.param("wrong-one", "password authentication failed", id="a wrong one"),
    ],
)
def test_a_refused_password_is_not_told(postgres: Server, password: str, says: str) -> None:
    with pytest.raises(Unreachable) as refused:
        open_database(postgres.by_tcp("postgres", password))

    told = f"{refused.value.message}{refused.value.says}{refused.value.hint}"
    assert says in told
    assert "wrong-one" not in told


def test_a_password_is_taken_from_the_file_that_libpq_knows(
    postgres: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres.sql("CREATE DATABASE by_file OWNER guarded")
    (tmp_path / "pgpass").write_text(f"127.0.0.1:{postgres.port}:*:guarded:{PASSWORD}\n")
    (tmp_path / "pgpass").chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))

    with journal_in(postgres.by_tcp("by_file")) as journal:
        assert journal.runs(limit=1) == []


def test_a_database_of_another_program_is_refused_and_left_as_it_is(postgres: Server) -> None:
    url = postgres.new_database()
    name = name_of(url)
    postgres.sql("CREATE TABLE runs (id int)", name)

    with pytest.raises(Refused, match="is not Stackward's: it holds `runs`"):
        open_database(url)

    tables = "SELECT string_agg(tablename, ',') FROM pg_tables WHERE schemaname = 'public'"
    assert postgres.sql(tables, name) == [("runs",)]


def test_a_database_of_a_newer_version_is_refused(postgres: Server) -> None:
    url = postgres.new_database()
    name = name_of(url)
    open_database(url).dispose()
    postgres.sql("UPDATE journal_version SET version = 99", name)

    with pytest.raises(Refused, match=r"newer version of Stackward \(99; this one knows 8\)"):
        open_database(url)


def test_a_database_that_can_only_be_read_is_read_and_refuses_to_be_written(
    postgres: Server,
) -> None:
    url = postgres.new_database()
    name = name_of(url)
    with journal_in(url) as journal:
        journal.add(a_run())
    postgres.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")

    with journal_in(url, patience_s=0) as journal:
        listed = [run.id for run in journal.runs(limit=9)]
        with pytest.raises(Unreachable) as refused:
            journal.take_up("01A", "w", NOON)

    assert listed == ["01A"]
    assert "read-only transaction" in (refused.value.says or "")


def test_a_role_that_may_not_make_tables_is_told_what_is_missing(postgres: Server) -> None:
    postgres.sql("CREATE DATABASE not_its_own")

    with pytest.raises(Unreachable) as refused:
        open_database(postgres.by_tcp("not_its_own", PASSWORD))

    assert "permission denied for schema public" in (refused.value.says or "")
    assert "is this role's own" in (refused.value.hint or "")
    assert PASSWORD not in f"{refused.value.message}{refused.value.says}"


def test_many_that_open_a_new_database_at_a_time_make_its_tables_once(postgres: Server) -> None:
    url = postgres.new_database()
    ready = threading.Barrier(6)

    def open_it(_: int) -> bool:
        ready.wait(timeout=30)
        open_database(url).dispose()
        return True

    with ThreadPoolExecutor(6) as pool:
        opened = list(pool.map(open_it, range(6)))

    with journal_in(url) as journal:
        assert (opened, journal.workers()) == ([True] * 6, [])


# --- what is waited for ---------------------------------------------------------------------------


def test_a_server_that_restarts_is_waited_for(
    postgres: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with journal_in(postgres.new_database()) as journal:
        journal.add(a_run())
        journal.take_up("01A", "w", NOON)
        postgres.stop()
        with ThreadPoolExecutor(1) as pool:
            intended = pool.submit(journal.intend, "01A", 1, "s", {"newest": 1}, NOON)
            while not caplog.messages:  # it has met the closed door
                intended.done()
            postgres.start()

            assert intended.result(timeout=30).number == 1

        assert len(journal.attempts("01A")) == 1
    assert "waits for the database of runs" in caplog.messages[0]


def test_a_server_that_stays_away_is_given_up(postgres: Server) -> None:
    with journal_in(postgres.new_database(), patience_s=0.2) as journal:
        postgres.stop()
        try:
            with pytest.raises(Unreachable, match="the database of runs does not answer"):
                journal.runs(limit=1)
        finally:
            postgres.start()


def test_who_leaves_at_once_does_not_wait_for_a_server(postgres: Server) -> None:
    journal = SqlJournal(open_database(postgres.new_database()), gives_up=lambda: True)
    postgres.stop()
    try:
        with pytest.raises(Unreachable, match="the database of runs does not answer"):
            journal.runs(limit=1)
    finally:
        postgres.start()
        journal.close()


def write_all(journal: SqlJournal, step: str) -> None:
    """Write each kind of line there is in a run."""
    taken = journal.take_up("01A", "w", NOON)
    intended = journal.intend("01A", taken.epoch, step, {}, NOON)
    answered = journal.answered("01A", taken.epoch, intended, NOON)
    journal.settle("01A", taken.epoch, answered, Settled.DONE, NOON, said=Said(), saw={})
    journal.found_done("01A", taken.epoch, f"{step}-2", NOON, {})
    journal.tell("01A", Event(at=NOON, epoch=taken.epoch, what="told"))
    journal.end("01A", taken.epoch, RunState.STOPPED, NOON, Said())


WRITES = ["approved", "taken up", "intended", "answered", "settled: done", "found done", "told"]


@pytest.mark.parametrize("lost", range(1, 9))
def test_a_write_whose_answer_was_lost_is_not_written_twice(postgres: Server, lost: int) -> None:
    """The server commits, and the connection breaks before it can say so."""
    url = postgres.new_database()
    with Proxy(postgres) as proxy, journal_in(proxy.to(url)) as journal:
        proxy.loses_answer_to(b"COMMIT\0", nth=lost)  # not READ COMMITTED
        journal.add(a_run())

        write_all(journal, "s")

        told = [each.what for each in journal.events("01A")]
        attempts = [(each.step, each.number) for each in journal.attempts("01A")]
    assert proxy.has_lost
    assert told == [*WRITES, "stopped"]
    assert attempts == [("s", 1), ("s-2", 1)]


def test_a_worker_frozen_in_the_middle_of_a_write_does_not_keep_others_waiting(
    postgres: Server,
) -> None:
    url = postgres.new_database()
    with journal_in(url) as journal:
        journal.add(a_run())
        frozen = subprocess.Popen(
            [sys.executable, str(FROZEN), url], stdout=subprocess.PIPE, text=True
        )
        assert frozen.stdout is not None
        assert frozen.stdout.readline() == "in the middle\n"
        frozen.send_signal(signal.SIGSTOP)

        taken = journal.take_up("01A", "second", NOON)

        frozen.send_signal(signal.SIGCONT)
        said, _ = frozen.communicate(timeout=60)
        attempts = journal.attempts("01A")
    assert (taken.epoch, said, attempts) == (2, "superseded\n", [])
