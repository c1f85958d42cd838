"""The journal's database: its version, its place, its privacy."""

import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_mock_engine, inspect, text
from sqlalchemy.schema import ExecutableDDLElement

from stackward.adapters.store.database import has_password, open_database, shown, url_of
from stackward.adapters.store.journal import SqlJournal
from stackward.adapters.store.listing import FILE, VERSION, list_runs
from stackward.adapters.store.tables import MIGRATIONS, bring_up_to_date, creating, metadata
from stackward.errors import BadInput, Locked, Refused, Unreachable
from stackward.model.run import Approval, Run
from stackward.model.worker import Worker


def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    engine = open_database(url_of(tmp_path))
    with engine.begin() as connection:
        connection.execute(text("UPDATE journal_version SET version = 99"))
    engine.dispose()
    before = (tmp_path / FILE).read_bytes()

    with pytest.raises(Refused, match=r"newer version of Stackward \(99; this one knows 8\)"):
        open_database(url_of(tmp_path))
    with pytest.raises(Refused, match="newer version"):
        list_runs(tmp_path / FILE, 1)

    assert (tmp_path / FILE).read_bytes() == before


def test_a_file_of_the_first_version_is_brought_up_to_date_and_its_run_goes_on(
    tmp_path: Path,
) -> None:
    stored = Path(__file__).with_name("journal-1.sql").read_text()
    with closing(sqlite3.connect(tmp_path / FILE)) as file:
        file.executescript(stored)
    [listed] = list_runs(tmp_path / FILE, 9)

    journal = SqlJournal(open_database(url_of(tmp_path)))
    taken = journal.take_up("01M8", "w", datetime(2026, 1, 2, tzinfo=UTC))

    assert (taken.epoch, taken.for_workers, taken.deaths) == (2, False, 0)
    assert (listed.id, [one.mark for one in journal.attempts(taken.id)]) == (
        "01M8AAAA",
        [{"newest": 7}],
    )
    journal.close()


@pytest.mark.parametrize("url", ["sqlite://", "postgresql+psycopg://"])
def test_a_new_file_has_the_tables_that_sqlalchemy_would_make(url: str) -> None:
    sent = list[ExecutableDDLElement]()
    engine = create_mock_engine(url, lambda statement, *_: sent.append(statement))

    metadata.create_all(engine, checkfirst=False)

    made = creating(engine.dialect)
    assert sorted(made) == sorted(str(each.compile(dialect=engine.dialect)) for each in sent)
    assert len([each for each in made if "CREATE TABLE" in each]) == len(metadata.tables)


def of_before(place: Path, **beats: timedelta) -> Path:
    """Fill a file as the version before this did, with a worker and a run of these ages."""
    now = datetime.now(UTC)
    engine = open_database(url_of(place))
    journal = SqlJournal(engine)
    approval = Approval(by="ann", at=now, how="--yes")
    journal.add(Run(id="01M8", title="drain", plan="{}", approval=approval, holds=("c01",)))
    if "run" in beats:
        journal.take_up("01M8", "m:7", now - beats["run"])
    if "worker" in beats:
        journal.enlist(Worker(name="w1", life="a", machine="m", pid=9, since=now - beats["worker"]))
    with engine.begin() as connection:
        for column in ("part", "passes_on"):
            connection.execute(text(f"ALTER TABLE runs DROP COLUMN {column}"))
        connection.execute(text("UPDATE journal_version SET version = version - 1"))
    journal.close()
    return place


A_MOMENT, LONG = timedelta(seconds=50), timedelta(seconds=61)


@pytest.mark.parametrize(
    ("beats", "says"),
    [
        pytest.param({"worker": A_MOMENT}, "worker `w1` lives: process 9 on `m`", id="a worker"),
        pytest.param({"run": A_MOMENT}, "run `01M8` is carried out by `m:7`", id="a run"),
        pytest.param({"run": -LONG}, "run `01M8` is carried out by `m:7`", id="a clock ahead"),
    ],
)
def test_a_file_with_which_an_older_version_works_is_left_as_it_is(
    tmp_path: Path, beats: dict[str, timedelta], says: str
) -> None:
    of_before(tmp_path, **beats)

    with pytest.raises(Locked, match="is not brought up to date while an older") as refused:
        open_database(url_of(tmp_path))

    with closing(sqlite3.connect(tmp_path / FILE)) as file:
        version = file.execute("SELECT version FROM journal_version").fetchall()
    assert (refused.value.details, version) == ((says,), [(VERSION - 1,)])
    assert refused.value.stands == "nothing was changed"


@pytest.mark.parametrize(
    "beats",
    [
        pytest.param({}, id="nobody"),
        pytest.param({"worker": LONG, "run": LONG}, id="who died a minute ago"),
    ],
)
def test_a_file_with_which_no_older_version_works_is_brought_up_to_date(
    tmp_path: Path, beats: dict[str, timedelta]
) -> None:
    of_before(tmp_path, **beats)

    open_database(url_of(tmp_path)).dispose()

    with closing(sqlite3.connect(tmp_path / FILE)) as file:
        version = file.execute("SELECT version FROM journal_version").fetchall()
    assert version == [(VERSION,)]


def test_the_version_that_had_dbos_is_refused_once_the_journal_is_up_to_date(
    tmp_path: Path,
) -> None:
    """It had four versions of the tables, and compares in this same way at each start."""
    engine = open_database(url_of(of_before(tmp_path)))

    with pytest.raises(Refused, match=r"newer version of Stackward \(8; this one knows 4\)"):
        bring_up_to_date(engine, "here", MIGRATIONS[:3])

    with engine.begin() as connection:
        version = connection.execute(text("SELECT version FROM journal_version")).scalar_one()
    engine.dispose()
    assert version == VERSION


def test_tables_that_dbos_has_left_in_a_file_stay_and_are_in_nobodys_way(tmp_path: Path) -> None:
    of_before(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE)) as file:
        file.execute("CREATE TABLE workflow_status (workflow_uuid TEXT)")
        file.execute("INSERT INTO workflow_status VALUES ('01M8-1')")
        file.commit()

    journal = SqlJournal(open_database(url_of(tmp_path)))
    taken = journal.take_up("01M8", "w", datetime.now(UTC))
    journal.close()

    with closing(sqlite3.connect(tmp_path / FILE)) as file:
        left = file.execute("SELECT workflow_uuid FROM workflow_status").fetchall()
    assert (taken.epoch, left) == (1, [("01M8-1",)])


def test_tables_of_the_first_version_become_those_of_a_new_file(tmp_path: Path) -> None:
    stored = Path(__file__).with_name("journal-1.sql").read_text()
    (tmp_path / "old").mkdir()
    with closing(sqlite3.connect(tmp_path / "old" / FILE)) as file:
        file.executescript(stored)

    columns = [columns_of(tmp_path / "old"), columns_of(tmp_path / "new")]

    assert columns[0] == columns[1]


def columns_of(state_dir: Path) -> dict[str, list[str]]:
    engine = open_database(url_of(state_dir))
    tables = inspect(engine)
    found = {
        name: sorted(f"{column['name']} {column['type']}" for column in tables.get_columns(name))
        for name in tables.get_table_names()
    }
    engine.dispose()
    return found


def test_readers_wait_for_no_writer(tmp_path: Path) -> None:
    engine = open_database(url_of(tmp_path))
    journal = SqlJournal(engine)

    with engine.begin():
        other = SqlJournal(open_database(url_of(tmp_path)))
        assert other.runs(limit=1) == []

    other.close()
    journal.close()


def test_the_journal_is_the_operators_alone(tmp_path: Path) -> None:
    open_database(url_of(tmp_path / "state")).dispose()

    modes = [
        stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state", *tmp_path.rglob(FILE))
    ]
    assert modes == [0o700, 0o600]


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        pytest.param("mysql://host/name", BadInput, id="another kind"),
        pytest.param("nonsense", BadInput, id="no URL"),
        pytest.param("postgresql://host:port/name", BadInput, id="a port that is none"),
        pytest.param("sqlite:///journal.sqlite", BadInput, id="a relative place"),
        pytest.param("sqlite:////proc/nowhere/journal.sqlite", Unreachable, id="no such place"),
    ],
)
def test_a_database_that_cannot_be_is_refused(url: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        open_database(url)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("not a database, and long enough to be looked at\n" * 99)

    with pytest.raises(Unreachable, match="cannot be opened"):
        open_database(url_of(tmp_path))


def test_the_quick_listing_is_what_the_journal_says(tmp_path: Path) -> None:
    before = list_runs(tmp_path / FILE, 9)
    journal = SqlJournal(open_database(url_of(tmp_path)))
    approval = Approval(by="ann", at=datetime(2026, 1, 1, tzinfo=UTC), how="prompt")
    journal.add(Run(id="01M8", title="drain", plan="{}", approval=approval, holds=("c01",)))

    assert before == []
    assert list_runs(tmp_path / FILE, 9) == journal.runs(limit=9)
    journal.close()


def test_a_file_with_tables_of_others_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as file:
        file.execute("CREATE TABLE instances (id INTEGER)")
    before = (tmp_path / FILE).read_bytes()

    with pytest.raises(Refused, match="is not Stackward's: it holds `instances`"):
        open_database(url_of(tmp_path)).dispose()

    with closing(sqlite3.connect(tmp_path / FILE)) as file:
        tables = file.execute("SELECT name FROM sqlite_master").fetchall()
    assert (len(before), tables) == ((tmp_path / FILE).stat().st_size, [("instances",)])


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("postgresql://ann:secret@db/n", "postgresql://ann@db/n", id="the usual place"),
        pytest.param(
            "postgresql://ann@db/n?password=secret&sslmode=require",
            "postgresql://ann@db/n?sslmode=require",
            id="after the question mark",
        ),
        pytest.param("postgres://ann@db:5433/n", "postgresql://ann@db:5433/n", id="none"),
    ],
)
def test_a_password_is_never_shown(url: str, expected: str) -> None:
    assert shown(url) == expected
    assert has_password(url) is ("secret" in url)
