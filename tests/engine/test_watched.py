"""That all invariants are asked of what a write leaves, and of nothing else."""

from pathlib import Path

import pytest
from sqlalchemy import text

import watched
from engine.fakes import House
from stackward.adapters.store.database import engine_of, url_of
from stackward.adapters.store.kept import histories


def test_what_is_asked_about_is_what_the_journal_keeps(house: House, tmp_path: Path) -> None:
    house.carry_out(house.approved())
    house.yard.set(boxes={"a": "old", "b": "old"}, sealed=[], carries=[])
    house.approved()  # it waits, and holds its node
    engine = engine_of(url_of(tmp_path))

    with engine.connect() as connection:
        kept = {each.run.id: each for each in histories(connection)}
        held = {run: each.history for run, each in watched.held_by(connection).items()}
    engine.dispose()

    assert held == kept
    assert {bool(each.events) for each in held.values()} == {True}
    assert {bool(each.attempts) for each in held.values()} == {True, False}


def test_a_write_that_breaks_an_invariant_is_not_committed(house: House, tmp_path: Path) -> None:
    ended = house.carry_out(house.approved())
    engine = engine_of(url_of(tmp_path))

    with pytest.raises(watched.InvariantBroken, match="end-has-time"), engine.begin() as connection:
        connection.execute(text("UPDATE runs SET ended_at = NULL"))
    engine.dispose()
    said = watched.found.copy()
    watched.found.clear()

    assert [each.split(": ")[1] for each in said] == ["end-has-time"]
    assert house.journal.run(ended.id) == ended
