"""What belongs to one cloud: runs, holds and workers, on SQLite and on PostgreSQL alike."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier

import pytest

from postgres import Server, make_first_version
from stackward.adapters.store.database import open_database, url_of
from stackward.adapters.store.journal import SqlJournal
from stackward.adapters.store.listing import FILE, list_runs
from stackward.errors import Locked
from stackward.model.run import Approval, Run, RunState, Said, Settled
from stackward.model.worker import Worker

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
EAST, WEST = "nova-1 East", "nova-1 West"


@pytest.fixture
def journal(database: str) -> Iterator[SqlJournal]:
    journal = SqlJournal(open_database(database))
    yield journal
    journal.close()


def a_run(run_id: str, cloud: str | None, *, for_workers: bool = False) -> Run:
    return Run(
        id=run_id,
        title=f"drain {run_id}",
        plan="{}",
        approval=Approval(by="ann", at=NOON, how="--yes"),
        cloud=cloud,
        holds=("c01",),
        for_workers=for_workers,
    )


def refused(journal: SqlJournal, run: Run) -> str:
    """Return how the run is refused, or nothing."""
    try:
        journal.add(run)
    except Locked as error:
        return error.message
    return ""


def test_a_run_is_read_with_its_cloud(journal: SqlJournal) -> None:
    journal.add(a_run("01A", EAST))

    assert (journal.run("01A").cloud, journal.runs(limit=1)[0].cloud) == (EAST, EAST)


@pytest.mark.parametrize(
    ("first", "second", "is_refused"),
    [
        pytest.param(EAST, EAST, True, id="of one cloud: excludes"),
        pytest.param(EAST, WEST, False, id="of another cloud, by the same name: does not"),
        pytest.param(None, EAST, True, id="of a run that does not say where: excludes everywhere"),
        pytest.param(EAST, None, True, id="for a run that does not say where: excludes too"),
    ],
)
def test_whom_a_hold_excludes(
    journal: SqlJournal, first: str | None, second: str | None, *, is_refused: bool
) -> None:
    journal.add(a_run("01A", first))

    said = refused(journal, a_run("01B", second))

    assert ("`c01` is held by run `01A`" in said) is is_refused


def test_who_is_refused_by_a_run_of_an_unknown_cloud_is_told_so(journal: SqlJournal) -> None:
    journal.add(a_run("01A", None))

    assert "in a cloud that it does not name" in refused(journal, a_run("01B", EAST))


def test_a_node_that_is_free_in_one_cloud_stays_held_in_the_other(journal: SqlJournal) -> None:
    journal.add(a_run("01A", EAST))
    journal.add(a_run("01B", WEST))
    journal.ask_cancel("01A", "ann", NOON, lambda _: False)

    assert refused(journal, a_run("01C", EAST)) == ""
    assert "held by run `01B`" in refused(journal, a_run("01D", WEST))


@pytest.mark.parametrize("others", [(EAST, None), (None, EAST), (EAST, EAST)])
def test_of_two_that_want_one_node_at_a_time_one_gets_it_though_one_does_not_say_where(
    journal: SqlJournal, others: tuple[str | None, str | None]
) -> None:
    """The keys of their rows differ: no primary key keeps these two apart."""
    ready = Barrier(2)

    def add(run: Run) -> str:
        ready.wait(timeout=30)
        return refused(journal, run)

    with ThreadPoolExecutor(2) as pool:
        runs = [a_run(f"01{n}", cloud) for n, cloud in enumerate(others)]
        said = list(pool.map(add, runs))

    assert sorted(bool(each) for each in said) == [False, True]


def test_each_worker_is_shown_the_queue_of_its_own_cloud(journal: SqlJournal) -> None:
    for run_id, cloud in (("01A", EAST), ("01B", WEST)):
        journal.add(a_run(run_id, cloud, for_workers=True))

    assert [journal.queued(EAST), journal.queued(WEST), journal.queued()] == [
        ["01A"],
        ["01B"],
        ["01A", "01B"],
    ]


def test_a_queued_run_that_does_not_say_where_is_shown_to_all(journal: SqlJournal) -> None:
    journal.add(a_run("01A", None, for_workers=True))

    assert journal.queued(EAST) == journal.queued(WEST) == ["01A"]


def test_the_runs_of_a_cloud_are_its_own_and_those_that_do_not_say(journal: SqlJournal) -> None:
    journal.add(a_run("01A", EAST))
    journal.add(a_run("01B", WEST))
    journal.end(journal.take_up("01A", "w", NOON).id, 1, RunState.CANCELLED, NOON, Said())
    journal.end(journal.take_up("01B", "w", NOON).id, 1, RunState.CANCELLED, NOON, Said())
    journal.add(a_run("01C", None))

    assert [run.id for run in journal.runs(limit=9, cloud=EAST)] == ["01C", "01A"]


def test_a_worker_is_known_with_its_cloud(journal: SqlJournal) -> None:
    worker = Worker(name="w", life="a", machine="m", pid=1, since=NOON, beat_at=NOON, cloud=EAST)

    journal.enlist(worker)

    [known] = journal.workers()
    assert known == worker
    assert [known.may_take(a_run("01A", each)) for each in (EAST, WEST, None)] == [
        True,
        False,
        True,
    ]


# --- databases of today ---------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a database of the first version, in which a run holds c01."""
    if request.param == "sqlite":
        stored = Path(__file__).with_name("journal-1.sql").read_text()
        with closing(sqlite3.connect(tmp_path / FILE)) as file:
            file.executescript(stored)
        return url_of(tmp_path)
    server: Server = request.getfixturevalue("postgres")
    url = server.emptied_database()
    make_first_version(server, url)
    return url


@pytest.mark.parametrize("cloud", [EAST, WEST, None])
def test_a_hold_of_an_older_database_excludes_in_every_cloud(old: str, cloud: str | None) -> None:
    journal = SqlJournal(open_database(old))

    said = refused(journal, a_run("01Z", cloud))

    journal.close()
    assert "`c01` is held by run `01M8AAAA`" in said


def test_a_run_of_an_older_database_goes_on_with_its_hold(old: str) -> None:
    journal = SqlJournal(open_database(old))

    taken = journal.take_up("01M8", "w", NOON)
    [left] = journal.attempts(taken.id)
    journal.settle(taken.id, taken.epoch, left, Settled.LOST, NOON, said=Said(), saw={})
    journal.end(taken.id, taken.epoch, RunState.CANCELLED, NOON, Said())

    assert (taken.cloud, refused(journal, a_run("01Z", EAST))) == (None, "")
    journal.close()


def test_a_file_of_an_older_version_is_listed_as_it_is(tmp_path: Path) -> None:
    stored = Path(__file__).with_name("journal-1.sql").read_text()
    with closing(sqlite3.connect(tmp_path / FILE)) as file:
        file.executescript(stored)

    assert [run.cloud for run in list_runs(tmp_path / FILE, 9)] == [None]
