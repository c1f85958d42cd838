"""Chains whose worker is a process: killed, frozen, stopped; nothing is done twice."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from engine.chains import SMALL, THREE, Place
from postgres import Server
from stackward.lab.waiting import wait_until
from stackward.model.run import Run, RunState, Turn

SCRIPT = Path(__file__).with_name("chain_process.py")
WITHIN_S = 90.0  # a guard against hanging, not a measure
ONCE = ["carry a", "seal a"]
WELL = {each: ["succeeded"] for each in THREE}


@dataclass
class Site:
    """Yards, their journal, and processes that carry chains out."""

    place: Path
    url: str
    started: list["subprocess.Popen[str]"] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.there = Place(self.place, database=self.url)
        for each in THREE:
            self.there.yard(each).set(**SMALL)
        self.journal = self.there.journal

    def start(self, *words: str) -> "subprocess.Popen[str]":
        started = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(self.place), self.url, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(started)
        return started

    def ended(self, run: Run) -> Run:
        over = {state for state in RunState if state.is_over} | {RunState.STOPPED}
        assert wait_until(
            lambda: self.journal.run(run.id).state in over, within_s=WITHIN_S, every_s=0.05
        ), self.there.told(run)
        return self.journal.run(run.id)

    def stands(self, run: Run) -> "tuple[RunState, dict[str, list[str]], list[list[str]]]":
        state = self.ended(run).state
        return state, self.there.states(run), [self.there.changes(each) for each in THREE]

    def close(self) -> None:
        for each in self.started:
            if each.poll() is None:
                each.kill()
            each.communicate(timeout=WITHIN_S)
        self.there.close()

    def is_inside(self, run: Run) -> bool:
        """Say whether a run of the chain carries a box."""
        child = self.journal.child(run.id)
        return child is not None and "intended" in self.there.told(child)


WHOLE = (RunState.SUCCEEDED, WELL, [ONCE] * 3)


@pytest.fixture
def site(tmp_path: Path, database: str) -> Iterator[Site]:
    site = Site(tmp_path, database)
    yield site
    site.close()


def test_a_chain_goes_on_over_several_workers(site: Site) -> None:
    """Each takes one run at a time; the chain itself takes no place of one."""
    run = site.there.approved(for_workers=True, at_once=2)
    for name in ("w1", "w2"):
        site.start(name)

    assert site.stands(run) == WHOLE


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_one_worker_with_one_place_is_enough(site: Site) -> None:
    run = site.there.approved(for_workers=True, at_once=3)
    site.start("w1")

    assert site.stands(run) == WHOLE


@pytest.mark.parametrize(
    ("database", "point"),
    [
        pytest.param("sqlite", 3, id="before the first run is there"),
        pytest.param("postgresql", 4, id="once the first run is there"),
        pytest.param("postgresql", 12, id="inside the first run"),
        pytest.param("sqlite", 31, id="about the end of the first run"),
        pytest.param("sqlite", 40, id="inside the second"),
    ],
    indirect=["database"],
)
def test_what_a_killed_worker_left_of_a_chain_another_goes_on_with(site: Site, point: int) -> None:
    run = site.there.approved(for_workers=True)
    killed = site.start("w1", "SIGKILL", str(point))
    assert killed.wait(timeout=WITHIN_S) == -signal.SIGKILL

    site.start("w2")

    assert site.stands(run) == WHOLE


@pytest.mark.parametrize(
    ("database", "point"),
    [
        pytest.param("postgresql", 3, id="before it begins a run"),
        # Here several threads write. One that is frozen in a write keeps the lock of SQLite, or a
        # file of a yard that is half there: then nobody can go on, whoever takes the run up.
        pytest.param("sqlite", 14, id="inside a run", marks=pytest.mark.soak),
    ],
    indirect=["database"],
)
def test_a_frozen_worker_begins_no_run_of_a_chain_that_others_have(site: Site, point: int) -> None:
    run = site.there.approved(for_workers=True)
    frozen = site.start("w1", "SIGSTOP", str(point))
    stat = Path(f"/proc/{frozen.pid}/stat")
    assert wait_until(lambda: ") T " in stat.read_text(), within_s=WITHIN_S, every_s=0.05)
    site.start("w2")
    assert site.stands(run) == WHOLE

    os.kill(frozen.pid, signal.SIGCONT)
    frozen.communicate(timeout=WITHIN_S)

    assert site.stands(run) == WHOLE


@pytest.mark.parametrize(
    ("database", "point"),
    [
        pytest.param("sqlite", 4, id="once the first run is there"),
        pytest.param("sqlite", 14, id="inside the first run"),
        pytest.param("postgresql", 35, id="between two runs"),
    ],
    indirect=["database"],
)
def test_a_command_that_was_killed_is_resumed_with_its_runs(site: Site, point: int) -> None:
    run = site.there.approved()
    killed = site.start(run.id, "SIGKILL", str(point))
    assert killed.wait(timeout=WITHIN_S) == -signal.SIGKILL

    resumed = site.start(run.id)

    assert (resumed.wait(timeout=WITHIN_S), site.stands(run)) == (0, WHOLE)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_killed_command_leaves_a_chain_that_may_be_left_to_the_workers(site: Site) -> None:
    run = site.there.approved()
    killed = site.start(run.id, "SIGKILL", "14")
    killed.wait(timeout=WITHIN_S)
    site.start("w1")

    site.journal.queue(run.id, "ann", site.there.now)

    assert site.stands(run) == WHOLE


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_worker_that_is_stopped_leaves_its_chain_to_others(site: Site) -> None:
    site.there.yard("y1").set(standing=["a"])
    run = site.there.approved(for_workers=True)
    stopped = site.start("w1")
    assert wait_until(lambda: site.is_inside(run), within_s=WITHIN_S, every_s=0.05)
    stopped.terminate()
    site.there.yard("y1").set(standing=[])
    stopped.communicate(timeout=WITHIN_S)
    assert site.journal.run(run.id).state is RunState.QUEUED

    site.start("w2")

    assert (stopped.returncode, site.stands(run)) == (0, WHOLE)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_at_the_end_of_its_window_a_chain_begins_no_other_run(site: Site) -> None:
    site.there.yard("y1").set(standing=["a"])
    until = site.there.now + timedelta(seconds=15)
    turn = Turn(at=site.there.now, by=until, until=until, asked="--window 01:00-05:00@UTC")
    run = site.there.approved(for_workers=True, turn=turn)
    site.start("w1")
    assert wait_until(lambda: site.there.now > until, within_s=WITHIN_S, every_s=0.05)
    site.there.yard("y1").set(standing=[])

    state, states, done = site.stands(run)

    assert (state, set(states)) == (RunState.STOPPED, {"y1"})
    assert "its window ended" in (site.journal.run(run.id).ending.reason or "")
    assert done[1:] == [[], []]

    site.journal.queue(run.id, "ann", site.there.now)
    assert site.stands(run) == WHOLE


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_database_that_restarts_under_a_chain_is_waited_for(site: Site, postgres: Server) -> None:
    site.there.yard("y1").set(standing=["a"])
    run = site.there.approved(for_workers=True, then_shut=["y1"])
    site.start("w1")
    assert wait_until(lambda: site.is_inside(run), within_s=WITHIN_S, every_s=0.05)

    postgres.restart()
    site.there.yard("y1").set(standing=[])

    state, states, done = site.stands(run)
    assert (state, states) == (
        RunState.SUCCEEDED,
        {**WELL, "y1": ["succeeded", "succeeded"]},
    )
    assert done == [[*ONCE, "shut"], ONCE, ONCE]


def test_two_timers_at_once_do_nothing_of_a_chain_twice(site: Site) -> None:
    run = site.there.approved(for_workers=True, at_once=2)

    timers = [site.start("timer-1"), site.start("timer-2")]

    assert [each.wait(timeout=WITHIN_S) for each in timers] == [0, 0]
    assert site.stands(run) == WHOLE


def test_a_worker_of_each_kind_works_beside_the_others(site: Site) -> None:
    """One that stays, one of a timer, and a command; no node is done twice."""
    left = site.there.approved("y1", "y2", for_workers=True)
    own = site.there.approved("y3")
    site.start("w1")
    timer, command = site.start("timer-1"), site.start(own.id)

    assert (timer.wait(timeout=WITHIN_S), command.wait(timeout=WITHIN_S)) == (0, 0)
    assert {site.ended(run).state for run in (left, own)} == {RunState.SUCCEEDED}
    assert [site.there.changes(each) for each in THREE] == [ONCE] * 3


@pytest.mark.parametrize(
    ("database", "point"),
    [
        pytest.param("postgresql", 33, id="about the end of the first run of an item"),
        pytest.param("sqlite", 38, id="about the begin of the second"),
    ],
    indirect=["database"],
)
def test_an_item_of_two_runs_is_taken_over_by_another_worker(site: Site, point: int) -> None:
    run = site.there.approved("y1", "y2", for_workers=True, then_shut=["y1", "y2"])
    killed = site.start("w1", "SIGKILL", str(point))
    assert killed.wait(timeout=WITHIN_S) == -signal.SIGKILL

    site.start("w2")

    state, states, done = site.stands(run)
    assert (state, states) == (
        RunState.SUCCEEDED,
        {"y1": ["succeeded", "succeeded"], "y2": ["succeeded", "succeeded"]},
    )
    assert done[:2] == [[*ONCE, "shut"]] * 2


def test_a_node_is_gone_when_its_turn_comes_and_the_chain_stops(site: Site) -> None:
    run = site.there.approved(for_workers=True)
    (site.place / "y3").unlink()
    site.start("w1")

    ended = site.ended(run)

    assert (ended.state, ended.ending.reason) == (RunState.STOPPED, "there is no yard `y3`")
    assert site.there.states(run) == {"y1": ["succeeded"], "y2": ["succeeded"]}
