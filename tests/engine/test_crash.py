"""A worker that dies at any point: taken up again, the run ends well, nothing is done twice."""

import subprocess
import sys
from pathlib import Path

import pytest

from engine.fakes import House, tidying
from killing import Fate, killed
from postgres import Server
from stackward.model.run import RunState

WHOLE = ["carry a", "seal a", "carry b", "seal b"]
WELL = (RunState.SUCCEEDED, WHOLE)


def test_a_crash_at_any_write_or_change_is_harmless(tmp_path: Path) -> None:
    points = killed(tidying(ends=WELL), tmp_path)

    changes = [each.removeprefix("after ") for each in points if each.startswith("after ")]
    assert [each for each in changes if each in WHOLE] == WHOLE
    assert changes[:4] == ["take_up one", "intend carry/a/0", "carry a", "answered carry/a/0"]
    assert changes[-2:] == ["tell proved", "end succeeded"]


def test_a_crash_is_harmless_on_postgresql_too(tmp_path: Path, postgres: Server) -> None:
    killed(tidying(ends=WELL, database=postgres.emptied_database), tmp_path, every=5)


def test_a_crash_with_two_moves_under_way_is_harmless(tmp_path: Path) -> None:
    operation = tidying(ends=(RunState.SUCCEEDED, sorted(WHOLE)), in_order=False, at_once=2)

    killed(operation, tmp_path, every=3)


@pytest.mark.parametrize(
    "how",
    [
        pytest.param("SIGKILL", id="killed: another worker goes on"),
        pytest.param("SIGSTOP", id="frozen: it starts nothing once another has taken over"),
    ],
)
def test_a_process_that_stops_at_any_point_is_harmless(tmp_path: Path, how: str) -> None:
    """The same with processes that are really killed or frozen; see killed.py."""
    script, whole = Path(__file__).with_name("killed.py"), Fate()
    house = House(tmp_path)
    house.carry_out(house.approved(), whole)
    house.close()

    ended = subprocess.run(
        [sys.executable, str(script), str(tmp_path), str(len(whole.points)), how],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,  # a guard against hanging, not a measure
    )

    assert (ended.stdout, ended.stderr, ended.returncode) == ("", "", 0)
