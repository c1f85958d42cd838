"""The journal's database: its version, its place, its privacy."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from stackward.adapters.store.database import open_database, url_of
from stackward.adapters.store.journal import SqlJournal
from stackward.adapters.store.listing import FILE, list_runs
from stackward.adapters.store.tables import MIGRATIONS, bring_up_to_date
from stackward.errors import BadInput, Refused, Unreachable
from stackward.model.run import Approval, Run


def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    engine = open_database(url_of(tmp_path))
    with engine.begin() as connection:
        connection.execute(text("UPDATE journal_version SET version = 99"))
    engine.dispose()
    before = (tmp_path / FILE).read_bytes()

    with pytest.raises(Refused, match=r"newer version of Stackward \(99; this one knows 1\)"):
        open_database(url_of(tmp_path))
    with pytest.raises(Refused, match="newer version"):
        list_runs(tmp_path, 1)

    assert (tmp_path / FILE).read_bytes() == before


def test_a_database_of_an_older_version_is_migrated_and_keeps_its_runs(tmp_path: Path) -> None:
    engine = open_database(url_of(tmp_path))

    def second(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE runs ADD COLUMN colour TEXT DEFAULT 'red'"))

    bring_up_to_date(engine, "here", [*MIGRATIONS, second])

    with engine.connect() as connection:
        assert connection.execute(text("SELECT version FROM journal_version")).scalar_one() == 2
        assert connection.execute(text("SELECT count(colour) FROM runs")).scalar_one() == 0
    engine.dispose()


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
    before = list_runs(tmp_path, 9)
    journal = SqlJournal(open_database(url_of(tmp_path)))
    approval = Approval(by="ann", at=datetime(2026, 1, 1, tzinfo=UTC), how="prompt")
    journal.add(Run(id="01M8", title="drain", plan="{}", approval=approval, holds=("c01",)))

    assert before == []
    assert list_runs(tmp_path, 9) == journal.runs(limit=9)
    journal.close()
