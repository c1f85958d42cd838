"""Twenty drains at once over four workers, against one such drain alone on idle workers.

    python bench/workers.py [MOST]

The workers are processes with the product's own rhythm and pace. They share a PostgreSQL, started
for this, which syncs at each commit. The cloud of each drain is the tests' fake one, in the memory
of its worker: a call takes CALL_S, a live migration MIGRATION_S, however many go on. A real Nova on
this machine would be slower for twenty than for one, and it is not Nova that is measured.

The ideal is the time of one drain alone, taken before and after the twenty, times the rounds that
twenty need: one, where each worker carries out five at a time; three, with the usual two.

PostgreSQL counts the statements: those of the drains, and those of workers that only wait. Fails
when the twenty take more than MOST times the ideal, or a step more than MOST_STATEMENTS.
Needs Debian's package postgresql.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from typing_extensions import override

from builders import a_server
from fakes.cloud import FakeCloud
from fakes.nova import FakeNova
from fakes.shell import FakeShell
from fakes.world import SERVICES, a_world_over
from postgres import Server as Postgres
from postgres import a_server as a_postgres
from stackward import operations
from stackward.adapters.clock import SystemClock
from stackward.adapters.store.database import open_database
from stackward.adapters.store.journal import SqlJournal
from stackward.adapters.together import Threads
from stackward.app.carrying import worker_context
from stackward.app.workers import work
from stackward.engine import Brakes, WorkerContext, approve
from stackward.model.run import Approval, Run, RunState
from stackward.ports.journal import Journal
from stackward.ports.world import Acting, World
from stackward.requests.drain_compute_node import DrainRequest
from stackward.requests.how_to_move import HowToMove
from stackward.settings import Settings

DRAINS, WORKERS = 20, 4
SERVERS, PARALLEL = 6, 3  # of one drain
CALL_S, MIGRATION_S = 0.05, 5.0  # a call of an API or of ssh; a live migration
IN_MEMORY = {"directory", "groups_of", "identity", "known_hypervisors"}
IDLE_S = 10.0
WITHIN_S = 300.0  # a guard against hanging
MOST = 1.5
MOST_STATEMENTS = 80.0

# Those of this script, which are not to be counted, are known by this name of a column.
OURS = "benched"
STATEMENTS = f"""
SELECT queryid, query, calls FROM pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = '{{name}}') AND query NOT LIKE '%{OURS}%'
"""  # noqa: S608  # our own words
AROUND = {"BEGIN", "COMMIT", "ROLLBACK"}
WITHIN = ("FOR UPDATE", "count(", "cancel_asked_by", "FROM holds", "advisory")  # a transaction


# --- the cloud of one drain --------------------------------------------------------------------


@dataclass
class TimedNova(FakeNova):
    """A fake Nova whose live migrations take their time by the clock."""

    takes_s: float = MIGRATION_S
    begun: dict[int, float] = field(default_factory=dict)

    def go_on(self) -> None:
        """Bring to their end the migrations whose time has come."""
        now = time.monotonic()
        for each in [each for each in self.migrations if each.status == "running"]:
            if now - self.begun.setdefault(each.id, now) >= self.takes_s:
                self._advance(each)


class Far:
    """A port whose calls take a while, and are answered one at a time.

    What the real adapters have in memory is no call: the inventory, which cloud it is, and the
    hypervisors of the last list.
    """

    def __init__(self, port: object, nova: TimedNova, lock: threading.Lock, call_s: float) -> None:
        self._port, self._nova, self._lock, self._call_s = port, nova, lock, call_s

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the port has
        real = getattr(self._port, name)

        def call(*given: Any, **named: Any) -> Any:  # noqa: ANN401  # same
            time.sleep(0 if name in IN_MEMORY else self._call_s)
            with self._lock:
                self._nova.go_on()
                answer = real(*given, **named)
                self._nova.go_on()
            return answer

        return call


def world_of(
    host: str, servers: int, call_s: float = CALL_S, takes_s: float = MIGRATION_S
) -> World:
    """Return a cloud in which this host is to be drained."""
    nova = TimedNova(hosts=(host, f"{host}-a", f"{host}-b"), takes_s=takes_s)
    nova.add(*(a_server(name=f"{host}-{n}", host=host) for n in range(servers)))
    cloud, lock = FakeCloud(nova), threading.Lock()
    near = a_world_over(cloud, FakeShell(cloud), SystemClock())
    ports = (*SERVICES, "cloud", "shell")
    far: Any = {each: Far(getattr(near, each), nova, lock, call_s) for each in ports}
    return replace(near, together=Threads(), **far)


def host_of(kind: str, number: int, servers: int) -> str:
    """Return the name of a host; how many servers it has is in it, for its worker to read."""
    return f"{kind}-{number}-with-{servers}"


# --- a worker ----------------------------------------------------------------------------------


def be_a_worker(place: str, url: str, name: str, at_once: str) -> None:
    """Work until told to stop."""
    here = Path(place)
    settings = Settings(state_dir=here, cache_dir=here, inventory=here, database=url)

    def of_run(run: Run) -> World:
        [host] = run.holds
        acting = Acting(run.id, run.approval.by, "bench")
        return replace(world_of(host, int(host.rpartition("-")[2])), acting=acting)

    @contextmanager
    def open_context(journal: Journal) -> Iterator[WorkerContext[World]]:
        yield replace(worker_context(world_of("none", 0), journal), world_of=of_run)

    brakes = Brakes(leaves_to_others=True)
    signal.signal(signal.SIGTERM, lambda *_: brakes.press())
    work(settings, name, open_context, brakes, print, at_once=int(at_once))


# --- what is measured --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Counted:
    """Statements that PostgreSQL was sent."""

    ours: float = 0  # what the journal asks and writes
    around: float = 0  # beginning, ending, and asking whether a connection still lives

    @property
    def all(self) -> float:
        """Return their number."""
        return self.ours + self.around

    def over(self, number: float) -> "Counted":
        """Return the share of one of so many."""
        return Counted(self.ours / number, self.around / number)

    @override
    def __str__(self) -> str:
        """Say it for people."""
        return f"{self.all:.1f} ({self.ours:.1f} of the journal, {self.around:.1f} around them)"


@dataclass(frozen=True, slots=True)
class Counts:
    """How often PostgreSQL was sent each statement, by its id."""

    of: dict[str, tuple[str, int]]

    def all(self) -> Counted:
        """Return them by whose they are."""
        return self._sorted(self.of)

    def but_for(self, idle: "Counts") -> Counted:
        """Return those that no worker sends that only waits, and their share of what is around."""
        standing = {key: each for key, each in self.of.items() if key in idle.of}
        rest = self._sorted({key: each for key, each in self.of.items() if key not in idle.of})
        still, always = self._sorted(standing), idle.all()
        usual = still.ours * always.around / always.ours
        return replace(rest, around=still.around + rest.around - usual)

    def _sorted(self, some: dict[str, tuple[str, int]]) -> Counted:
        found: Counter[str] = Counter()
        for words, calls in some.values():
            first = words.split(maxsplit=1)[0]
            found["around" if first in AROUND else "ours"] += calls
            # Before each transaction, and each read outside of one, an empty statement that is not
            # counted asks for a sign of life: a connection that broke meanwhile is replaced. Some
            # of these reads are within transactions: then this is a little too much.
            is_read = first == "SELECT" and not any(each in words for each in WITHIN)
            found["around"] += calls if first == "BEGIN" or is_read else 0
        return Counted(**found)


@dataclass
class Bench:
    """A database, and workers that are processes."""

    place: Path
    postgres: Postgres
    url: str
    workers: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    def __post_init__(self) -> None:
        self.journal = SqlJournal(open_database(self.url))
        self.name = self.url.partition("?")[0].rpartition("/")[2]

    def start(self, at_once: int) -> None:
        """Start the workers; return once each has taken its first look."""
        for n in range(WORKERS):
            words = [str(self.place), self.url, f"w{n}", str(at_once)]
            command = [sys.executable, __file__, "work", *words]
            self.workers.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        until = time.monotonic() + WITHIN_S
        while len(self.journal.workers()) < WORKERS:
            self._go_on(until)

    def stop(self) -> None:
        """Stop the workers."""
        for each in self.workers:
            each.terminate()
        for each in self.workers:
            each.wait()
        self.workers.clear()

    def drain(self, kind: str, count: int, servers: int = SERVERS) -> tuple[float, Sequence[Run]]:
        """Queue so many drains at once; return the seconds until the last has ended, and them."""
        plans = [self._plan(host_of(kind, n, servers), servers) for n in range(count)]
        began = datetime.now(UTC)
        ids = [
            approve(
                plan, Approval(by="ada", at=began, how="--yes"), self.journal, for_workers=True
            ).id
            for plan in plans
        ]
        going = ", ".join(f"'{each}'" for each in ids)
        ask = f"SELECT count(*) AS {OURS} FROM runs WHERE ended_at IS NULL AND id IN ({going})"  # noqa: S608  # same
        until = time.monotonic() + WITHIN_S
        while self.postgres.sql(ask, self.name) != [(0,)]:
            self._go_on(until)
        runs = [self.journal.run(each) for each in ids]
        if wrong := [run for run in runs if run.state is not RunState.SUCCEEDED]:
            sys.exit(f"{len(wrong)} of {count} drains did not succeed: {wrong[0].ending}")
        return max((run.ended_at or began) - began for run in runs).total_seconds(), runs

    def _plan(self, host: str, servers: int) -> Any:  # noqa: ANN401  # a plan, or none
        asked = DrainRequest(node=host, reason="bench", how=HowToMove(at_once=PARALLEL))
        return operations.plan_request(world_of(host, servers, 0), self.journal, asked)

    def _go_on(self, until: float) -> None:
        if time.monotonic() > until or any(each.poll() is not None for each in self.workers):
            sys.exit("a worker has left, or it takes for ever")
        time.sleep(0.2)

    def counted(self) -> "Counts":
        """Return the statements since this was last asked."""
        rows = self.postgres.sql(STATEMENTS.format(name=self.name), self.name)
        self.postgres.sql(f"SELECT pg_stat_statements_reset() AS {OURS}", self.name)
        return Counts({str(key): (str(query), int(str(calls))) for key, query, calls in rows})

    def worked_s(self) -> float:
        """Return the seconds of processor time that the workers have used."""
        ticks = os.sysconf("SC_CLK_TCK")
        stats = [Path(f"/proc/{each.pid}/stat").read_text() for each in self.workers]
        fields = [each.rpartition(")")[2].split() for each in stats]
        return sum(int(each[11]) + int(each[12]) for each in fields) / ticks

    def steps_of(self, run: Run) -> int:
        """Return how many steps a run had."""
        return len({each.step for each in self.journal.attempts(run.id)})


@contextmanager
def benches() -> Iterator[Bench]:
    """Open a database, and leave nothing of it."""
    counting = ("shared_preload_libraries = 'pg_stat_statements'", "max_connections = 300")
    with a_postgres(*counting) as postgres, tempfile.TemporaryDirectory() as place:
        url = postgres.new_database()
        bench = Bench(Path(place), postgres, url)
        postgres.sql("CREATE EXTENSION pg_stat_statements", bench.name)
        try:
            yield bench
        finally:
            bench.stop()
            bench.journal.close()


def measure(bench: Bench, at_once: int) -> tuple[float, float]:
    """Measure with so many runs at once on each worker; return both figures that have a bar."""
    bench.start(at_once)
    bench.drain(f"warm{at_once}", WORKERS * at_once, 1)
    time.sleep(1)
    bench.counted()
    time.sleep(IDLE_S)
    idle = bench.counted()
    before_s, [run] = bench.drain(f"before{at_once}", 1)
    alone = bench.counted().but_for(idle).over(steps := bench.steps_of(run))
    busy_s = bench.worked_s()
    all_s, runs = bench.drain(f"all{at_once}", DRAINS)
    busy_s = bench.worked_s() - busy_s
    together = bench.counted().but_for(idle).over(sum(bench.steps_of(each) for each in runs))
    after_s, _ = bench.drain(f"after{at_once}", 1)
    bench.stop()
    rounds = ceil(DRAINS / (WORKERS * at_once))
    ideal_s = rounds * (before_s + after_s) / 2
    shared = Counter(str(each.worker) for each in runs)
    print(
        f"{WORKERS} workers, {at_once} runs at a time; {SERVERS} servers each, {PARALLEL} at once"
    )
    print(f"  one alone: {before_s:.1f} s before, {after_s:.1f} s after the others")
    print(
        f"  {DRAINS} at once: {all_s:.1f} s; ideal, {rounds} rounds of one alone: {ideal_s:.1f} s"
    )
    taken_s = max((each.began_at or each.approval.at) - each.approval.at for each in runs)
    print(f"  the last was taken up after {taken_s.total_seconds():.1f} s")
    print(f"  drains of each worker: {', '.join(str(shared[each]) for each in sorted(shared))}")
    print(f"  processor time of the workers: {busy_s / DRAINS:.2f} s for each drain")
    print(f"  statements of a worker that waits, in a second: {idle.all().over(WORKERS * IDLE_S)}")
    print(f"  statements of each of {steps} steps, one alone: {alone}")
    print(f"  statements of each step, {DRAINS} at once: {together}", flush=True)
    return all_s / ideal_s, max(alone.all, together.all)


def main(most: float = MOST) -> int:
    """Measure and compare."""
    # Told to stop, it leaves neither workers nor a server behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to stop"))
    with benches() as bench:
        found = [measure(bench, at_once) for at_once in (5, 2)]
    ratio, statements = max(each[0] for each in found), max(each[1] for each in found)
    print(f"ratios to the ideal: {', '.join(f'{each[0]:.2f}' for each in found)} (at most {most})")
    print(f"statements of a step: {statements:.1f} (at most {MOST_STATEMENTS})")
    return int(ratio > most or statements > MOST_STATEMENTS)


if __name__ == "__main__":
    if sys.argv[1:2] == ["work"]:
        sys.exit(be_a_worker(*sys.argv[2:]))  # type: ignore[func-returns-value]
    sys.exit(main(*map(float, sys.argv[1:])))
