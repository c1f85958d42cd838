"""What nodes once said of themselves: a look finds it, and leaves it as it is."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from builders import NOW
from fakes.cloud import FakeCloud
from fakes.nova import FakeNova
from fakes.world import a_world
from stackward.adapters.store.listing import FILE
from stackward.app.journal import open_journal
from stackward.app.probes import keeper_of, memory_of
from stackward.facts.observed import keep_names
from stackward.model.identity import Itself
from stackward.model.observation import Observation
from stackward.model.unread import Unread
from stackward.settings import Settings


def test_a_look_makes_no_journal(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, cache_dir=tmp_path, inventory=tmp_path / "inventory")

    assert memory_of(settings)("cloud") == {}
    assert [*tmp_path.iterdir()] == []


def test_a_look_leaves_the_journal_of_an_older_version_as_it_is(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, cache_dir=tmp_path, inventory=tmp_path / "inventory")
    old = Path(__file__).parent.parent / "adapters/store/journal-1.sql"
    with closing(sqlite3.connect(tmp_path / FILE)) as database:
        database.executescript(old.read_text())

    remembered = memory_of(settings)("cloud")

    with closing(sqlite3.connect(tmp_path / FILE)) as database:
        [[version]] = database.execute("SELECT version FROM journal_version")
    assert (remembered, version) == ({}, 1)


def test_a_journal_that_cannot_be_opened_is_a_reason_and_no_error(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, cache_dir=tmp_path, inventory=tmp_path / "inventory")
    (tmp_path / FILE).write_text("no database")

    found = memory_of(settings)("cloud")

    assert isinstance(found, Unread)
    assert "cannot be read" in found.why


def test_what_a_plan_has_kept_of_a_cloud_is_found_by_its_id(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, cache_dir=tmp_path, inventory=tmp_path / "inventory")
    cloud = FakeCloud(FakeNova(hosts=("c01",)))
    with open_journal(settings) as journal:
        keep_names(a_world(cloud), journal, "c01", "c01")

    remember = memory_of(settings)

    assert remember(cloud.identity().id) == {
        "c01": Itself(names=("c01",), seen_at=a_world(cloud).clock.now())
    }
    assert remember("another") == {}


SEEN = Observation(
    cloud="cloud", node="c01", subject="machine", value={"uuid": "u"}, source="node", at=NOW
)


def test_what_was_seen_is_kept_and_the_latest_is_found(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, cache_dir=tmp_path, inventory=tmp_path / "inventory")
    later = replace(SEEN, value={"uuid": "v"}, at=NOW + timedelta(hours=1))

    assert [keeper_of(settings)([each]) for each in (SEEN, later)] == [None, None]

    with open_journal(settings) as journal:
        [kept] = journal.observations("cloud", "machine")
    assert kept.value == {"uuid": "v"}


def test_what_cannot_be_kept_fails_nothing_and_says_why(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, cache_dir=tmp_path, inventory=tmp_path / "inventory")
    (tmp_path / FILE).write_text("no database")

    failed = keeper_of(settings)([SEEN])

    assert isinstance(failed, Unread)


def test_keeping_leaves_the_journal_of_an_older_version_as_it_is(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, cache_dir=tmp_path, inventory=tmp_path / "inventory")
    old = Path(__file__).parent.parent / "adapters/store/journal-1.sql"
    with closing(sqlite3.connect(tmp_path / FILE)) as database:
        database.executescript(old.read_text())

    failed = keeper_of(settings)([SEEN])

    with closing(sqlite3.connect(tmp_path / FILE)) as database:
        [[version]] = database.execute("SELECT version FROM journal_version")
    assert isinstance(failed, Unread)
    assert ("older version" in failed.why, version) == (True, 1)
