"""Runs carried out as the product does it: durably, with its own journal."""

from pathlib import Path

import pytest

from engine.fakes import House
from stackward.app import carry_on, open_journal
from stackward.errors import Refused
from stackward.model.run import RunState
from stackward.settings import Settings


def test_a_run_is_carried_out_durably_and_remembered(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, cache_dir=tmp_path, inventory=tmp_path / "inventory")
    house = House(tmp_path)
    run = house.approved()

    ended = carry_on(run.id, settings, house.shop(), house.brakes)

    house.close()
    with open_journal(settings) as journal:
        assert journal.run(run.id) == ended
    assert ended.state is RunState.SUCCEEDED
    assert house.yard.changes == ["carry a", "seal a", "carry b", "seal b"]


def test_a_run_that_cannot_be_taken_up_says_so(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, cache_dir=tmp_path, inventory=tmp_path / "inventory")
    house = House(tmp_path)
    run = house.carry_out(house.approved())

    with pytest.raises(Refused, match="is over"):
        carry_on(run.id, settings, house.shop(), house.brakes)

    house.close()
