"""How long a queued run waits for an idle worker, and what that worker sends in the meantime.

    python bench/queue_of_runs.py [MOST_S]

A worker is a process with the product's own rhythm. It shares a PostgreSQL with this script, which
syncs at each commit and logs every statement. Runs are queued one at a time, after pauses that fit
no rhythm, and each is timed from the end of its commit to the line by which the worker says that it
has taken the run up. The cloud is the tests' fake one and answers at once: a
real worker logs in first, which takes as long as its cloud does.

The same is measured after the server was restarted. Then drains of one server are carried out
without workers, in a file, by turns as a command does it and by the interpreter alone.

Fails when the median wait is more than MOST_S, when the worker sends more than MOST_STATEMENTS in a
second, or when a command takes MOST_MORE_S longer than its interpreter. Needs Debian's package
postgresql.
"""

import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from workers import world_of

from postgres import Server as Postgres
from postgres import a_server as a_postgres
from stackward import operations
from stackward.adapters.store.database import open_database, url_of
from stackward.adapters.store.journal import SqlJournal
from stackward.app.carrying import carry_on, worker_context
from stackward.app.workers import work
from stackward.engine import Brakes, Pace, WorkerContext, approve, carry_out
from stackward.model.run import Approval, Run, RunState
from stackward.ports.journal import Journal
from stackward.ports.world import Acting, World
from stackward.requests.drain_compute_node import DrainRequest
from stackward.requests.how_to_move import HowToMove
from stackward.settings import Settings

QUEUED, CARRIED = 21, 7  # odd, so that the median is one of them
IDLE_S = 30.0
WITHIN_S = 60.0  # a guard against hanging
QUICK = Pace(poll_s=0.05)  # of the runs, which are not measured
MOST_S = 0.05
MOST_STATEMENTS = 3.0
MOST_MORE_S = 0.1

# As PostgreSQL logs them; the empty one by which a connection is asked whether it lives is among
# them. Each is sent once, whatever it is prepared from.
STATEMENT = re.compile(r"duration: .* ms +(?:statement|execute [^:]*):")
TAKEN_UP = re.compile(r"run `(\w+)`, .*: started")
ENDED = re.compile(r"run `(\w+)`, .*: succeeded")


def plan_of(host: str, journal: Journal, servers: int) -> Any:  # noqa: ANN401  # a plan, or none
    """Plan the drain of a host."""
    asked = DrainRequest(node=host, reason="bench", how=HowToMove(at_once=1))
    return operations.plan_request(world_of(host, servers, 0, 0), journal, asked)


def approval() -> Approval:
    """Approve, now."""
    return Approval(by="ada", at=datetime.now(UTC), how="--yes")


# --- a worker ----------------------------------------------------------------------------------


def be_a_worker(place: str, url: str) -> None:
    """Work until told to stop; say what it does as soon as it does it."""
    here = Path(place)
    settings = Settings(state_dir=here, cache_dir=here, inventory=here, database=url)

    def of_run(run: Run) -> World:
        acting = Acting(run.id, run.approval.by, "bench")
        return replace(world_of(run.holds[0], 1, 0, 0), acting=acting)

    @contextmanager
    def open_context(journal: Journal) -> Iterator[WorkerContext[World]]:
        yield replace(
            worker_context(world_of("none", 0, 0, 0), journal), world_of=of_run, pace=QUICK
        )

    def say(line: str) -> None:
        print(line, flush=True)

    brakes = Brakes(leaves_to_others=True)
    signal.signal(signal.SIGTERM, lambda *_: brakes.press())
    work(settings, "idle", open_context, brakes, say, at_once=2)


@dataclass
class Working:
    """A worker that is a process, and when it said what."""

    process: "subprocess.Popen[str]"
    said: list[str] = field(default_factory=list)
    taken_up: dict[str, float] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    news: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            now = time.monotonic()
            with self.news:
                self.said.append(line)
                if found := TAKEN_UP.match(line):
                    self.taken_up[found[1]] = now
                elif found := ENDED.match(line):
                    self.ended.add(found[1])
                self.news.notify_all()

    def wait_for(self, what: Callable[[], bool]) -> None:
        """Return once it has said so."""
        with self.news:
            if not self.news.wait_for(what, WITHIN_S):
                sys.exit(f"the worker has said only: {''.join(self.said)}")


@contextmanager
def a_worker(place: str, url: str) -> Iterator[Working]:
    """Start a worker, and leave nothing of it."""
    command = [sys.executable, __file__, "work", place, url]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        working = Working(process)
        working.wait_for(lambda: any("at a time" in line for line in working.said))
        yield working
    finally:
        process.terminate()
        process.wait()


# --- what is measured --------------------------------------------------------------------------


def statements_in(postgres: Postgres, seconds: float) -> float:
    """Return how many statements the server is sent in a second, while this script asks nothing."""
    log = postgres.place / "log"
    before = log.stat().st_size
    time.sleep(seconds)
    with log.open("rb") as file:
        file.seek(before)
        return len(STATEMENT.findall(file.read().decode(errors="replace"))) / seconds


def waits(working: Working, journal: SqlJournal, kind: str, count: int) -> list[float]:
    """Queue so many runs, one at a time; return how long each has waited."""
    found = []
    for n in range(count):
        time.sleep(0.3 + (n * 0.37) % 1)  # fits no rhythm
        run = approve(plan_of(f"{kind}-{n}", journal, 1), approval(), journal, for_workers=True)
        committed = time.monotonic()
        working.wait_for(lambda run=run: run.id in working.taken_up)  # type: ignore[misc]
        found.append(working.taken_up[run.id] - committed)
        working.wait_for(lambda run=run: run.id in working.ended)  # type: ignore[misc]
    return found


def told(what: str, seconds: list[float]) -> float:
    """Print the figures of some waits; return their median."""
    median = statistics.median(seconds)
    print(
        f"{what}: median {median * 1000:.1f} ms, longest {max(seconds) * 1000:.0f} ms", flush=True
    )
    return median


def carried() -> tuple[float, float]:
    """Return the median seconds of a command's way, and of the interpreter alone."""
    ways: tuple[list[float], list[float]] = ([], [])
    with tempfile.TemporaryDirectory() as place:
        journal = SqlJournal(open_database(url_of(Path(place))))
        for n in range(CARRIED):
            for way, seconds in enumerate(ways):
                host = f"own-{n}-{way}"
                run = approve(plan_of(host, journal, 1), approval(), journal)
                world = world_of(host, 1, 0, 0)
                context = replace(worker_context(world, journal), pace=QUICK)
                begun = time.perf_counter()
                ended = (carry_on if way == 0 else carry_out)(run.id, context, Brakes())
                seconds.append(time.perf_counter() - begun)
                if ended.state is not RunState.SUCCEEDED:
                    sys.exit(f"a drain did not succeed: {ended.ending}")
        journal.close()
    return statistics.median(ways[0]), statistics.median(ways[1])


def main(most_s: float = MOST_S) -> int:
    """Measure and compare."""
    # Told to stop, it leaves neither a worker nor a server behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to stop"))
    logging = ("log_min_duration_statement = 0", "max_connections = 100")
    with a_postgres(*logging) as postgres, tempfile.TemporaryDirectory() as place:
        url = postgres.new_database()
        journal = SqlJournal(open_database(url))
        with a_worker(place, url) as working:
            waits(working, journal, "warm", 3)
            idle = statements_in(postgres, IDLE_S)
            print(f"statements of a worker that waits, in a second: {idle:.1f}", flush=True)
            usual_s = told("from commit to start", waits(working, journal, "usual", QUEUED))
            postgres.restart()
            [first_s] = waits(working, journal, "first", 1)
            print(f"the first after a restart: {first_s * 1000:.1f} ms")
            after_s = told("the others after it", waits(working, journal, "after", QUEUED))
        journal.close()
    command_s, alone_s = carried()
    print(
        f"a carried run of one move: {command_s:.3f} s; by the interpreter alone: {alone_s:.3f} s"
    )
    is_late = max(usual_s, after_s) > most_s
    return int(is_late or idle > MOST_STATEMENTS or command_s - alone_s > MOST_MORE_S)


if __name__ == "__main__":
    if sys.argv[1:2] == ["work"]:
        sys.exit(be_a_worker(*sys.argv[2:]))  # type: ignore[func-returns-value]
    sys.exit(main(*map(float, sys.argv[1:])))
