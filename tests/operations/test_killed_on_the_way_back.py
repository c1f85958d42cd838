"""What takes back what another run did, its worker killed at every write and change."""

from pathlib import Path

import pytest

from operations.test_killed import CASES, WAYS_BACK, kill


@pytest.mark.parametrize("name", WAYS_BACK)
def test_a_death_at_any_write_or_change_is_harmless(name: str, tmp_path: Path) -> None:
    kill(CASES[name], tmp_path)
