"""What kills operations finds those that cannot bear it, and misses no write."""

from pathlib import Path

import pytest
from typing_extensions import override

from dying import CHANGES
from engine.fakes import House, tidying
from fakes.world import SERVICES
from killing import BEATS, READS, WRITES, Fate, Operation, killed
from stackward.model.run import Run, RunState, Said
from stackward.ports.journal import Journal
from stackward.ports.power import Power


class Rash(House):
    """A house whose workers start without looking at what was done."""

    @override
    def carry_out(self, run: Run, fate: Fate | None = None) -> Run:
        journal, now = self.context(fate).journal, self.clock.now()
        taken = journal.take_up(run.id, "one", now)
        with (fate or Fate()).around("throw a"), self.yard.open() as yard:
            yard["changes"].append("throw a")
        return journal.end(run.id, taken.epoch, RunState.FAILED, now, Said())


def throwing(ends: object) -> Operation[Rash]:
    def begin(place: Path) -> tuple[Rash, Run]:
        house = Rash(place)
        return house, house.approved()

    return Operation(begin=begin, stands=lambda house, _: house.yard.changes, ends=ends)


def test_what_is_done_twice_is_found_with_the_points_where_it_is(tmp_path: Path) -> None:
    with pytest.raises(AssertionError) as wrong:
        killed(throwing(["throw a"]), tmp_path)

    said = str(wrong.value).splitlines()
    assert [each for each in said if "['throw a', 'throw a']" in each] == [
        "4, after throw a: ['throw a', 'throw a']",
        "5, before end failed: ['throw a', 'throw a']",
    ]


def test_an_operation_that_ends_otherwise_when_nobody_dies_is_not_killed_at_all(
    tmp_path: Path,
) -> None:
    with pytest.raises(AssertionError):
        killed(throwing([]), tmp_path)

    assert [each.name for each in tmp_path.iterdir()] == ["whole"]


def test_what_comes_of_a_death_says_where_the_worker_died(tmp_path: Path) -> None:
    def stands(house: House, _: Run) -> object:
        if house.place.name != "whole":
            raise ValueError
        return None

    with pytest.raises(ValueError) as raised:  # noqa: PT011  # ours, from above
        killed(tidying(ends=None, stands=stands), tmp_path)

    assert raised.value.__notes__ == ["its first worker died at 1, ['before take_up one']"]


def test_every_call_of_the_journal_is_a_read_a_beat_or_a_write() -> None:
    assert set(vars(Journal)) > READS | BEATS
    assert {"take_up", "intend", "answered", "settle", "found_done", "tell", "end"} < WRITES


def test_every_change_of_a_cloud_is_one_at_which_its_caller_may_die() -> None:
    assert {
        "live_migrate",
        "force_complete",
        "remove_binding",
        "delete_service",
        "delete_port",
        "delete_agent",
        "set_ha_host",
        "order_off",
    } < CHANGES
    assert {name for port in (*SERVICES.values(), Power) for name in vars(port)} > CHANGES
