"""A house for each test: a yard, a journal, a worker."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.fakes import House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()
