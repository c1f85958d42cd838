"""Chains: twenty drains, four at once, over four workers; and the plan of fifty nodes.

    python bench/chains.py [MOST]

The first is measured as `bench/workers.py` measures: workers are processes with the product's own
rhythm, they share a PostgreSQL, and the clouds are the tests' fake ones, whose calls and migrations
take their time. The ideal is that of the chain's own runs: each group of four takes as long as
the longest of its runs, from start to end. Fails when the chain takes more than MOST times that.

The second counts calls of APIs, in a cloud of 2,000 nodes: fifty drains planned as a chain, against
the sum of fifty plans. Fails over MOST_CALLS times that, and where a list that they share is read
more than once.
"""

import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parent))

import workers as bench
from typing_extensions import override

from builders import a_server
from fakes.cloud import FakeCloud
from fakes.nova import FakeNova
from fakes.shell import FakeShell
from fakes.world import SERVICES, a_world
from stackward import operations
from stackward.adapters.store.database import open_database, url_of
from stackward.adapters.store.journal import SqlJournal
from stackward.app.carrying import worker_context
from stackward.app.workers import work
from stackward.engine import Brakes, WorkerContext, approve
from stackward.model.run import Approval, Run, RunState
from stackward.operations import PlannedAgain
from stackward.operations.chain.plan import plan_chain
from stackward.plan import Plan, dump, of_cloud
from stackward.ports.journal import Journal
from stackward.ports.world import Acting, World
from stackward.requests.chain import ChainItem, ChainRequest
from stackward.requests.drain_compute_node import DrainRequest
from stackward.requests.how_to_move import HowToMove
from stackward.settings import Settings

NODES, AT_ONCE = 20, 4
MOST = 1.1
PLANNED, CLOUD = 50, 2_000
MOST_CALLS = 1.2
LISTS = ("services", "aggregates", "hypervisors", "known_hypervisors")


def a_drain(host: str) -> DrainRequest:
    """Return what is asked of one node."""
    return DrainRequest(node=host, reason="bench", how=HowToMove(at_once=bench.PARALLEL))


def world_of(host: str) -> World:
    """Return the cloud in which the host is drained."""
    return bench.world_of(host, int(host.rpartition("-")[2]))


@dataclass(frozen=True)
class InItsCloud(PlannedAgain):
    """Plans a drain in the cloud of its node: here each node has one of its own."""

    @override
    def plan(self, world: World, request: Any, run_id: str | None, /) -> Plan[World]:  # of its kind
        """Plan it; a run has the right cloud already."""
        here = world_of(request.node) if run_id is None else world
        return super().plan(here, request, run_id)


def be_a_worker(place: str, url: str, name: str, at_once: str) -> None:
    """Work until told to stop."""
    here = Path(place)
    settings = Settings(state_dir=here, cache_dir=here, inventory=here, database=url)

    def of_run(run: Run) -> World:
        acting = Acting(run.id, run.approval.by, "bench")
        world = bench.world_of("none", 0) if run.is_chain else world_of(*run.holds)
        return replace(world, acting=acting)

    @contextmanager
    def open_context(journal: Journal) -> Iterator[WorkerContext[World]]:
        context = worker_context(bench.world_of("none", 0), journal)
        its = {**context.operations, DrainRequest.kind: InItsCloud(journal)}
        yield replace(context, world_of=of_run, operations=its)

    brakes = Brakes(leaves_to_others=True)
    signal.signal(signal.SIGTERM, lambda *_: brakes.press())
    work(settings, name, open_context, brakes, print, at_once=int(at_once))


def a_chain(journal: Journal, kind: str, count: int) -> Run:
    """Approve a chain of so many drains for the workers."""
    hosts = [bench.host_of(kind, number, bench.SERVERS) for number in range(count)]
    items = tuple(ChainItem(name=host, asked=dump(a_drain(host))) for host in hosts)
    asked = ChainRequest(what="drain", items=items, at_once=AT_ONCE)
    plans = [
        operations.plan_request(bench.world_of(host, bench.SERVERS, 0), journal, a_drain(host))
        for host in hosts
    ]
    plan = of_cloud(plan_chain(plans, asked), bench.world_of("none", 0).cloud.identity())
    approval = Approval(by="ada", at=datetime.now(UTC), how="--yes")
    return approve(plan, approval, journal, for_workers=True)


def carried_out(at: bench.Bench, chain: Run) -> tuple[float, float]:
    """Return the seconds that the chain has taken, and the ideal of its runs."""
    ask = f"SELECT count(*) AS {bench.OURS} FROM runs WHERE ended_at IS NULL AND id = '{chain.id}'"  # noqa: S608  # our own
    longest = monotonic() + bench.WITHIN_S
    while at.postgres.sql(ask, at.name) != [(0,)]:
        at._go_on(longest)  # noqa: SLF001  # a part of the same bench
    ended = at.journal.run(chain.id)
    if ended.state is not RunState.SUCCEEDED:
        sys.exit(f"the chain did not succeed: {ended.ending}")
    runs, until = at.journal.children(chain.id), datetime.now(UTC)
    took = [(run.ended_at or until) - (run.began_at or until) for run in runs]
    groups = [took[first : first + AT_ONCE] for first in range(0, len(took), AT_ONCE)]
    ideal_s = sum(max(each).total_seconds() for each in groups)
    shared = Counter(str(run.worker) for run in runs)
    print(f"  runs of each worker: {', '.join(str(shared[each]) for each in sorted(shared))}")
    assert ended.ended_at  # noqa: S101  # it has succeeded
    assert ended.began_at  # noqa: S101  # same
    return (ended.ended_at - ended.began_at).total_seconds(), ideal_s


def ratio_of_a_chain() -> float:
    """Measure a chain of drains over the workers."""
    bench.__file__ = __file__  # the workers that it starts are those of this script
    with bench.benches() as at:
        at.start(1)
        carried_out(at, a_chain(at.journal, "warm", bench.WORKERS))
        took_s, ideal_s = carried_out(at, a_chain(at.journal, "all", NODES))
    print(f"a chain of {NODES} drains, {AT_ONCE} at once: {took_s:.1f} s; ideal {ideal_s:.1f} s")
    return took_s / ideal_s


def calls_of_plans(place: Path) -> tuple[Counter[str], Counter[str]]:
    """Return the calls of fifty plans one by one, and those of one chain of them."""
    found = []
    for is_chain in (False, True):
        hosts = tuple(f"compute-{number}" for number in range(CLOUD))
        nova = FakeNova(hosts=hosts)
        for number, host in enumerate(hosts[:PLANNED]):
            nova.add(*(a_server(name=f"web-{number}-{n}", host=host) for n in range(3)))
        cloud = FakeCloud(nova)
        calls: Counter[str] = Counter()
        near: Any = a_world(cloud, FakeShell(cloud))
        world = replace(
            near, **{name: Counting(getattr(near, name), name, calls) for name in SERVICES}
        )
        journal = SqlJournal(open_database(url_of(place)))
        asked = [a_drain(host) for host in hosts[:PLANNED]]
        if is_chain:
            items = tuple(ChainItem(name=each.node, asked=dump(each)) for each in asked)
            request = ChainRequest(what="drain", items=items, at_once=AT_ONCE)
            operations.plan_request(world, journal, request)
        else:
            for each in asked:
                operations.plan_request(world, journal, each)
        journal.close()
        found.append(calls)
    alone, chained = found
    return alone, chained


class Counting:
    """A port that counts its calls."""

    def __init__(self, port: object, name: str, calls: Counter[str]) -> None:
        self._port, self._name, self._calls = port, name, calls

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the port has
        real = getattr(self._port, name)
        if not callable(real):
            return real

        def call(*given: Any, **named: Any) -> Any:  # noqa: ANN401  # same
            self._calls[f"{self._name}.{name}"] += 1
            return real(*given, **named)

        return call


def main(most: float = MOST) -> int:
    """Measure and compare."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to stop"))
    with tempfile.TemporaryDirectory() as place:
        alone, chained = calls_of_plans(Path(place))
    of_calls = chained.total() / alone.total()
    again = {name: chained[f"nova.{name}"] for name in LISTS if chained[f"nova.{name}"] > 1}
    print(
        f"{PLANNED} nodes of {CLOUD} planned: {alone.total()} calls one by one, "
        f"{chained.total()} as a chain: {of_calls:.2f} (at most {MOST_CALLS})"
    )
    print(f"lists that were read more than once: {again or 'none'}")
    ratio = ratio_of_a_chain()
    print(f"ratio of the chain to its ideal: {ratio:.2f} (at most {most})")
    return int(ratio > most or of_calls > MOST_CALLS or bool(again))


if __name__ == "__main__":
    if sys.argv[1:2] == ["work"]:
        sys.exit(be_a_worker(*sys.argv[2:]))  # type: ignore[func-returns-value]
    sys.exit(main(*map(float, sys.argv[1:])))
