"""A house for each test: a yard, a journal, a worker."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.fakes import House


@pytest.fixture
def house(tmp_path: Path, database: str) -> Iterator[House]:
    house = House(tmp_path, database=database)
    yield house
    house.close()
