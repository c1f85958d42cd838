"""A worker that dies at any point: taken up again, the run ends well, nothing is done twice."""

import subprocess
import sys
from pathlib import Path

import pytest

from engine.fakes import Crash, Fate, House
from stackward.model.run import RunState

WHOLE = ["carry a", "seal a", "carry b", "seal b"]
POINTS = 38  # two for each write and each change


def test_a_life_has_no_more_points_than_are_tried(house: House) -> None:
    fate = Fate()

    house.carry_out(house.approved(), fate)

    assert fate.lived == POINTS


@pytest.mark.parametrize("dies_at", range(1, POINTS + 1))
def test_a_crash_at_any_write_or_change_is_harmless(house: House, dies_at: int) -> None:
    run = house.approved()
    with pytest.raises(Crash):
        house.carry_out(run, Fate(dies_at))

    ended = house.journal.run(run.id)
    if not ended.state.is_over:
        ended = house.carry_out(run)

    assert (ended.state, house.yard.changes) == (RunState.SUCCEEDED, WHOLE)


@pytest.mark.parametrize("dies_at", range(2, POINTS, 5))
def test_a_crash_with_two_moves_under_way_is_harmless(house: House, dies_at: int) -> None:
    run = house.approved(at_once=2)
    with pytest.raises(Crash):
        house.carry_out(run, Fate(dies_at))

    ended = house.carry_out(run)

    assert (ended.state, sorted(house.yard.changes)) == (RunState.SUCCEEDED, sorted(WHOLE))


@pytest.mark.parametrize(
    "how",
    [
        pytest.param("SIGKILL", id="killed: another worker goes on"),
        pytest.param("SIGSTOP", id="frozen: it starts nothing once another has taken over"),
    ],
)
def test_a_process_that_stops_at_any_point_is_harmless(tmp_path: Path, how: str) -> None:
    """The same with processes that are really killed or frozen; see killed.py."""
    script = Path(__file__).with_name("killed.py")

    ended = subprocess.run(
        [sys.executable, str(script), str(tmp_path), str(POINTS), how],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,  # a guard against hanging, not a measure
    )

    assert (ended.stdout, ended.stderr, ended.returncode) == ("", "", 0)
