"""What was last seen of each node is kept, on SQLite and on PostgreSQL alike."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import text

from postgres import Server, make_first_version
from stackward.adapters.store.database import open_database, url_of
from stackward.adapters.store.journal import SqlJournal
from stackward.adapters.store.listing import FILE
from stackward.model.observation import Observation
from stackward.ports.journal import Journal

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SEEN = Observation(
    cloud="east",
    node="c01",
    subject="names",
    value={"hostname": "c01.example", "short": ["c01", "köln-1"], "answers": True},
    source="node",
    at=NOON,
)


@pytest.fixture
def journal(database: str) -> Iterator[Journal]:
    journal = SqlJournal(open_database(database))
    yield journal
    journal.close()


def test_an_observation_is_read_as_it_was_made(journal: Journal) -> None:
    journal.observe([SEEN])

    assert journal.observations("east", "names") == [SEEN]


def test_the_latest_is_kept(journal: Journal) -> None:
    later = replace(SEEN, value="later", at=NOON + HOUR)
    journal.observe([SEEN])

    journal.observe([later])

    assert journal.observations("east", "names") == [later]


def test_what_is_older_overwrites_nothing(journal: Journal) -> None:
    journal.observe([SEEN])

    journal.observe([replace(SEEN, value="older", at=NOON - HOUR)])

    assert journal.observations("east", "names") == [SEEN]


def test_an_older_one_of_another_zone_overwrites_nothing(journal: Journal) -> None:
    eastern = timezone(timedelta(hours=9))
    journal.observe([SEEN])

    journal.observe([replace(SEEN, value="older", at=(NOON - HOUR).astimezone(eastern))])

    assert journal.observations("east", "names") == [SEEN]


def test_of_one_thing_seen_twice_at_a_time_the_latest_is_kept(journal: Journal) -> None:
    later = replace(SEEN, value="later", at=NOON + HOUR)

    journal.observe([later, SEEN])

    assert journal.observations("east", "names") == [later]


def test_each_cloud_node_subject_and_source_has_its_own(journal: Journal) -> None:
    others = [
        replace(SEEN, cloud="west"),
        replace(SEEN, node="c02"),
        replace(SEEN, subject="disks"),
        replace(SEEN, source="nova"),
    ]

    journal.observe([SEEN, *others])

    found = journal.observations("east", "names")
    assert [(each.node, each.source) for each in found] == [
        ("c01", "node"),
        ("c01", "nova"),
        ("c02", "node"),
    ]
    assert [each.node for each in journal.observations("west", "names")] == ["c01"]


def test_what_nobody_has_seen_is_not_there(journal: Journal) -> None:
    journal.observe([])

    assert journal.observations("east", "names") == []


def test_a_secret_in_what_was_seen_is_not_kept(database: str, journal: Journal) -> None:
    said = {"url": "rabbit://nova:swordfish@10.0.0.1/", "admin_password": "swordfish"}

    journal.observe([replace(SEEN, value=said)])

    engine = open_database(database)
    with engine.connect() as opened:
        [kept] = opened.execute(text("SELECT value FROM observations")).scalars()
    engine.dispose()
    assert "swordfish" not in kept


def test_two_that_see_the_same_at_a_time_do_not_block_each_other(journal: Journal) -> None:
    seen = [replace(SEEN, node=f"c{n:02}") for n in range(20)]
    orders = [seen, seen[::-1]] * 4

    with ThreadPoolExecutor(len(orders)) as pool:
        list(pool.map(journal.observe, orders))

    assert journal.observations("east", "names") == seen


def test_a_file_of_the_first_version_takes_observations(tmp_path: Path) -> None:
    stored = Path(__file__).with_name("journal-1.sql").read_text()
    with closing(sqlite3.connect(tmp_path / FILE)) as file:
        file.executescript(stored)
    journal = SqlJournal(open_database(url_of(tmp_path)))

    journal.observe([SEEN])

    assert journal.observations("east", "names") == [SEEN]
    journal.close()


def test_a_server_s_database_of_the_first_version_takes_observations(postgres: Server) -> None:
    url = postgres.emptied_database()
    make_first_version(postgres, url)
    journal = SqlJournal(open_database(url))

    journal.observe([SEEN])

    assert journal.observations("east", "names") == [SEEN]
    journal.close()
