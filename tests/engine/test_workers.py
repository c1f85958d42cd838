"""Workers that share a database: killed, frozen, stopped, named alike; each thing is done once."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from engine.fakes import EMPTY, FakeClock, House
from engine.killed import Watch
from postgres import Server, a_pooler, name_of
from stackward.adapters.store.journal import SqlJournal
from stackward.engine import Brakes, approve
from stackward.engine.worker import Rhythm, Sightings, WorkerConfig, work, worker_named
from stackward.lab.waiting import wait_until
from stackward.model.run import Approval, Run, RunState
from stackward.model.worker import Worker

SCRIPT = Path(__file__).with_name("yard_worker.py")
WHOLE = ["carry a", "seal a", "carry b", "seal b"]
WITHIN_S = 60.0  # a guard against hanging, not a measure

# The journal's own tests are run on both; a worker is a process, which takes seconds.
ON_POSTGRES = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

OVER = [state for state in RunState if state.is_over or state is RunState.STOPPED]


@dataclass
class Site:
    """A database, its yards, and workers that are processes."""

    place: Path
    url: str
    started: list["subprocess.Popen[str]"] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.house = House(self.place, clock=Watch(), database=self.url)
        self.journal = self.house.journal

    def queue(self, yard: str = "yard", **values: object) -> Run:
        path = self.place / yard
        path.write_text(json.dumps(EMPTY | values))
        plan = replace(self.house.plan(), holds=(yard,))
        approval = Approval(by="ann", at=self.house.clock.now(), how="--yes")
        return approve(plan, approval, self.journal, for_workers=True)

    def changes(self, yard: str = "yard") -> list[str]:
        changes: list[str] = json.loads((self.place / yard).read_text())["changes"]
        return changes

    def start(self, name: str, *how: str) -> "subprocess.Popen[str]":
        started = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(self.place), self.url, name, *how],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(started)
        return started

    def wait_for(self, run: Run, *states: RunState) -> Run:
        assert wait_until(
            lambda: self.journal.run(run.id).state in states, within_s=WITHIN_S, every_s=0.05
        ), self.told(run)
        return self.journal.run(run.id)

    def wait_until_told(self, run: Run, what: str) -> None:
        assert wait_until(lambda: what in self.told(run), within_s=WITHIN_S, every_s=0.02), (
            self.told(run)
        )

    def told(self, run: Run) -> list[str]:
        return [event.what for event in self.journal.events(run.id)]

    def stop(self, worker: "subprocess.Popen[str]") -> tuple[int, str, str]:
        worker.terminate()
        out, err = worker.communicate(timeout=WITHIN_S)
        return worker.returncode, out, err

    def close(self) -> None:
        for each in self.started:
            if each.poll() is None:
                each.kill()
            each.communicate(timeout=WITHIN_S)
        self.house.close()


@pytest.fixture
def site(tmp_path: Path, database: str) -> Iterator[Site]:
    site = Site(tmp_path, database)
    yield site
    site.close()


def is_frozen(worker: "subprocess.Popen[str]") -> bool:
    return ") T " in Path(f"/proc/{worker.pid}/stat").read_text()


@pytest.mark.parametrize(
    ("database", "dies_at"),
    [
        pytest.param("postgresql", 2, id="after an intent"),
        pytest.param("postgresql", 4, id="after the change itself"),
        pytest.param("sqlite", 7, id="between two steps"),
    ],
    indirect=["database"],
)
def test_what_a_killed_worker_left_another_brings_to_its_end(site: Site, dies_at: int) -> None:
    run = site.queue()
    killed = site.start("one", "SIGKILL", str(dies_at))
    killed.wait(timeout=WITHIN_S)

    second = site.start("two")
    ended = site.wait_for(run, *OVER)

    assert (killed.returncode, ended.state, ended.worker) == (-9, RunState.SUCCEEDED, "two")
    assert site.changes() == WHOLE
    assert site.stop(second)[0] == 0


@ON_POSTGRES
@pytest.mark.parametrize(
    "point",
    [
        pytest.param(2, id="between its intent and its start"),
        pytest.param(3, id="in its start, just before the request leaves"),
    ],
)
def test_a_frozen_worker_that_wakes_does_nothing_more_and_leaves(site: Site, point: int) -> None:
    run = site.queue()
    frozen = site.start("one", "SIGSTOP", str(point))
    assert wait_until(lambda: is_frozen(frozen), within_s=WITHIN_S, every_s=0.05)
    second = site.start("two")
    ended = site.wait_for(run, *OVER)

    os.kill(frozen.pid, signal.SIGCONT)
    _, said = frozen.communicate(timeout=WITHIN_S)

    assert (ended.state, site.changes()) == (RunState.SUCCEEDED, WHOLE)
    assert (frozen.returncode, "it was taken for dead, and others have its runs" in said) == (
        4,
        True,
    )
    assert site.stop(second)[0] == 0


@ON_POSTGRES
def test_a_worker_told_to_stop_finishes_its_move_and_leaves_the_rest_to_others(
    site: Site,
) -> None:
    run = site.queue(takes=20)
    first = site.start("one")
    site.wait_until_told(run, "answered")

    code, _, err = site.stop(first)
    left = site.journal.run(run.id)
    done_by_then = site.changes()
    site.start("two")
    ended = site.wait_for(run, *OVER)

    assert (code, err, left.state) == (0, "", RunState.QUEUED)
    assert (done_by_then, site.journal.run(run.id).worker) == (["carry a", "seal a"], "two")
    assert (ended.state, site.changes()) == (RunState.SUCCEEDED, WHOLE)


@ON_POSTGRES
def test_many_runs_are_shared_and_each_is_carried_out_once(site: Site) -> None:
    runs = [site.queue(f"yard-{n}") for n in range(8)]

    site.start("one")
    site.start("two")
    ended = [site.wait_for(run, *OVER) for run in runs]

    assert {run.state for run in ended} == {RunState.SUCCEEDED}
    assert [site.changes(f"yard-{n}") for n in range(8)] == [WHOLE] * 8
    assert [site.told(run).count("taken up") for run in runs] == [1] * 8


class LateJournal:
    """A journal whose queue is what it was a moment ago; it remembers what it was asked."""

    def __init__(self, journal: SqlJournal, queue: list[str]) -> None:
        self._journal, self._queue, self.asked = journal, queue, list[str]()

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        return (lambda *_, **__: self._queue) if name == "queued" else getattr(self._journal, name)


@ON_SQLITE
def test_a_run_that_another_has_taken_meanwhile_is_passed_over_without_waiting_for_its_row(
    site: Site,
) -> None:
    run, brakes, said = site.queue(), Brakes(), list[str]()
    clock = FakeClock(on_wait=[brakes.press])
    quicker = worker_named("quicker", "here", clock)
    site.journal.enlist(quicker)
    site.journal.take_up(run.id, "quicker", clock.now(), life=quicker.life, seen=run.epoch)
    late: Any = LateJournal(site.journal, [run.id])

    work(
        WorkerConfig(
            me=worker_named("slower", "here", clock),
            journal=late,
            clock=clock,
            why_not=lambda _: "not mine",
            carry=lambda run: run,
            brakes=brakes,
            say=said.append,
        )
    )

    assert "run" in late.asked
    assert "take_up" not in late.asked
    assert not [line for line in said if run.id in line]


@ON_POSTGRES
def test_a_second_worker_of_one_name_is_refused(site: Site) -> None:
    first = site.start("one")
    assert wait_until(lambda: bool(site.journal.workers()), within_s=WITHIN_S, every_s=0.05)

    second = site.start("one")
    _, said = second.communicate(timeout=WITHIN_S)

    assert (second.returncode, first.poll()) == (3, None)
    assert f"worker `one` is already running: process {first.pid}" in said
    assert "hint: give each worker a name of its own: `--name NAME`" in said


@ON_SQLITE
def test_a_worker_that_is_started_again_after_a_kill_goes_on_at_once(site: Site) -> None:
    run = site.queue()
    site.start("one", "SIGKILL", "3").wait(timeout=WITHIN_S)

    site.start("one")
    ended = site.wait_for(run, *OVER)

    assert (ended.state, ended.deaths, site.changes()) == (RunState.SUCCEEDED, 1, WHOLE)


def test_a_database_that_restarts_in_mid_run_is_waited_for(
    tmp_path: Path, postgres: Server
) -> None:
    site = Site(tmp_path, postgres.new_database())
    run = site.queue(takes=30)
    worker = site.start("one")
    site.wait_until_told(run, "answered")

    postgres.restart()
    ended = site.wait_for(run, *OVER)
    code, _, said = site.stop(worker)

    assert (ended.state, ended.epoch, site.changes()) == (RunState.SUCCEEDED, 1, WHOLE)
    assert code == 0, said
    site.close()


def test_behind_a_pooler_of_transactions_a_worker_says_what_it_needs_and_looks(
    tmp_path: Path, postgres: Server
) -> None:
    name = name_of(postgres.new_database())
    with a_pooler(postgres, "transaction") as pooled:
        site = Site(tmp_path, pooled.url(name))
        worker = site.start("one")
        said = next(line for line in worker.stdout or () if "is not notified" in line)

        run = site.queue()
        ended = site.wait_for(run, *OVER)
        code = site.stop(worker)[0]

        assert "LISTEN needs a direct connection to PostgreSQL" in said
        assert (ended.state, site.changes(), code) == (RunState.SUCCEEDED, WHOLE, 0)
        site.close()


# --- who is dead ----------------------------------------------------------------------------------


@pytest.fixture
def others() -> Callable[[int], list[Worker]]:
    def beating(beats: int) -> list[Worker]:
        since = Watch().now()
        return [Worker(name="a", life="1", machine="m", pid=1, since=since, beats=beats)]

    return beating


def missed(looks: list[tuple[float, int]], others: Callable[[int], list[Worker]]) -> list[bool]:
    sightings = Sightings(Rhythm())
    return [bool(sightings.missing(others(beats), now)) for now, beats in looks]


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        pytest.param([(t, 0) for t in (0, 9, 18, 27, 29)], [False] * 5, id="silent, not yet long"),
        pytest.param([(t, 0) for t in (0, 9, 18, 27, 30)], [False] * 4 + [True], id="for long"),
        pytest.param([(t, t) for t in range(0, 99, 9)], [False] * 11, id="it beats"),
        pytest.param([(0, 0), (40, 0), (41, 0)], [False] * 3, id="it was we who were away"),
    ],
)
def test_a_worker_is_dead_when_we_have_looked_and_it_was_silent(
    looks: list[tuple[float, int]], expected: list[bool], others: Callable[[int], list[Worker]]
) -> None:
    assert missed(looks, others) == expected


def test_a_silent_worker_is_missed_within_a_minute_of_its_last_beat() -> None:
    rhythm = Rhythm()

    assert rhythm.beat_s + rhythm.silent_s + 2 * rhythm.look_s < 60
