"""A house for each test: a yard, a journal, a worker."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.fakes import House


@pytest.fixture
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """Keep its journal in SQLite; `ON_BOTH` puts a test on PostgreSQL too.

    That both databases keep the same is proved by tests/adapters/store. Here the first test of each
    file runs on both.
    """
    is_on_postgres = getattr(request, "param", "sqlite") == "postgresql"
    url = request.getfixturevalue("postgres").emptied_database() if is_on_postgres else ""
    house = House(tmp_path, database=url)
    yield house
    house.close()
