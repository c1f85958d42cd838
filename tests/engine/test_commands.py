"""Commands that carry a run out, each a process: killed, resumed, two at a time."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from engine.fakes import EMPTY, House
from stackward.adapters.store.database import open_database
from stackward.adapters.store.journal import SqlJournal
from stackward.engine import approve
from stackward.model.run import Approval, Run, RunState

COMMAND = Path(__file__).with_name("yard_command.py")
WHOLE = ["carry a", "seal a", "carry b", "seal b"]


def a_run_of(place: Path, url: str, yard: str) -> Run:
    """Approve a run whose yard is a file of that name."""
    house = House(place, database=url)
    (place / yard).write_text(json.dumps(EMPTY))
    approval = Approval(by="ann", at=house.clock.now(), how="--yes")
    run = approve(replace(house.plan(), holds=(yard,)), approval, house.journal)
    house.close()
    return run


def command(place: Path, url: str, run: Run, *point: str) -> "subprocess.CompletedProcess[str]":
    """Carry it out in a process of its own."""
    return subprocess.run(
        [sys.executable, str(COMMAND), str(place), url, run.id, *point],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_killed_run_is_taken_up_again_and_another_is_left_alone(
    tmp_path: Path, database: str
) -> None:
    mine, other = (a_run_of(tmp_path, database, yard) for yard in ("mine", "other"))
    killed = [command(tmp_path, database, run, "5").returncode for run in (mine, other)]
    left = (tmp_path / "other").read_text()

    ended = command(tmp_path, database, mine)

    journal = SqlJournal(open_database(database))
    others = journal.run(other.id)
    journal.close()
    assert (killed, ended.stdout, ended.stderr) == ([-9, -9], "succeeded\n", "")
    assert json.loads((tmp_path / "mine").read_text())["changes"] == WHOLE
    assert ((tmp_path / "other").read_text(), others.state, others.epoch) == (
        left,
        RunState.RUNNING,
        1,
    )


def test_of_two_that_take_the_same_run_up_one_carries_it_out(tmp_path: Path, database: str) -> None:
    run = a_run_of(tmp_path, database, "mine")
    command(tmp_path, database, run, "5")

    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(lambda _: command(tmp_path, database, run), range(2)))

    assert json.loads((tmp_path / "mine").read_text())["changes"] == WHOLE
    assert "succeeded\n" in {one.stdout for one in ended}
    # The other was too late for its epoch, lost it on the way, or came when all was done.
    assert min(one.returncode for one in ended) == 0
    assert {one.returncode for one in ended} <= {0, 3, 4}
