"""A run's workflow outlives its process."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from uuid import uuid4

from stackward.adapters.store.database import url_of

WORKER = Path(__file__).with_name("durable_worker.py")
SOURCE = Path(__file__).parents[3] / "src"


def work(place: Path, run_id: str, how: str, url: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(WORKER), str(place), url or url_of(place), run_id, how],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )


def test_a_killed_run_is_taken_up_again_and_another_is_left_alone(
    tmp_path: Path, database: str
) -> None:
    mine, other = (f"RUN-{uuid4().hex[:8]}" for _ in range(2))  # DBOS remembers them
    killed = [work(tmp_path, run_id, "dies", database).returncode for run_id in (mine, other)]

    ended = work(tmp_path, mine, "lives", database)

    assert (killed, ended.stdout, ended.stderr) == ([-9, -9], "succeeded\n", "")
    assert (tmp_path / "begun").read_text().split() == [mine, other, mine]


def test_a_run_that_stopped_can_be_carried_on(tmp_path: Path) -> None:
    ended = [work(tmp_path, "RUN-A", "lives").stdout for _ in range(2)]

    assert ended == ["succeeded\n", "succeeded\n"]
    assert (tmp_path / "begun").read_text().split() == ["RUN-A", "RUN-A"]


def test_a_run_that_is_being_taken_up_again_is_not_begun_beside_it(tmp_path: Path) -> None:
    """DBOS puts what died on a queue first: it was taken for gone, and two workers began."""
    work(tmp_path, "RUN-A", "dies")

    ended = work(tmp_path, "RUN-A", "late")

    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as database:
        workflows = database.execute("SELECT workflow_uuid, status FROM workflow_status").fetchall()
    assert (ended.stdout, ended.stderr) == ("succeeded\n", "")
    assert workflows == [("RUN-A-1", "SUCCESS")]
