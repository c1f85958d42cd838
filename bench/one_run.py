"""One run on a node of many servers, timed beside a script: what two benches share."""

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import workers as bench
from typing_extensions import override

from builders import NOW
from fakes.world import SERVICES
from stackward.adapters.store.database import open_database, url_of
from stackward.adapters.store.journal import SqlJournal
from stackward.adapters.together import Threads
from stackward.app.carrying import worker_context
from stackward.engine import Brakes, approve, carry_out
from stackward.model.observation import Observation
from stackward.model.run import Approval, RunState
from stackward.operations import plan_request
from stackward.plan import Request, of_cloud
from stackward.ports.world import Acting, World

NODE = "compute-07"
SERVERS, AT_ONCE = 100, 4
CALL_S = 0.02  # of an API or of ssh
POLL_S = 1.0
MOST = 1.1


@dataclass
class TimedNova(bench.TimedNova):
    """A fake Nova whose services report by the clock."""

    @property
    @override
    def now(self) -> datetime:
        return NOW + timedelta(seconds=time.monotonic())


def far(near: World, nova: TimedNova, *others: str) -> World:
    """Return a world whose calls take a while; `others` are ports beside those of each world."""
    lock = threading.Lock()
    ports = (*SERVICES, "cloud", "shell", *others)
    called: Any = {each: bench.Far(getattr(near, each), nova, lock, CALL_S) for each in ports}
    return replace(near, together=Threads(), **called)


def by_script(world: World, ask: Callable[[str], object], is_over: Callable[[str], bool]) -> float:
    """Ask for all servers of the node, four at a time, and poll each; return the seconds."""

    def carry_out_one(server: str) -> None:
        ask(server)
        while not is_over(server):
            time.sleep(POLL_S)

    servers = [one.id for one in world.nova.servers_on(NODE)]
    begun = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(carry_out_one, servers))
    return time.monotonic() - begun


def by_stackward(
    world: World, asked: Request, stage: str = "", seen: Sequence[Observation] = ()
) -> tuple[float, float]:
    """Return the seconds of its steps, or of those of a stage, and of all of the run."""
    with tempfile.TemporaryDirectory() as place:
        journal = SqlJournal(open_database(url_of(Path(place))))
        journal.observe(seen)
        begun = time.monotonic()
        plan = of_cloud(plan_request(world, journal, asked), world.cloud.identity())
        approval = Approval(by="ada", at=datetime.now(UTC), how="--yes")
        run = approve(plan, approval, journal)
        acting = Acting(run.id, "ada", "bench")
        context = replace(
            worker_context(world, journal), world_of=lambda _: replace(world, acting=acting)
        )
        ended = carry_out(run.id, context, Brakes())
        whole_s = time.monotonic() - begun
        if ended.state is not RunState.SUCCEEDED:
            sys.exit(f"the run did not succeed: {ended.ending}")
        those = [one for one in journal.attempts(run.id) if one.step.startswith(stage)]
        journal.close()
    if len(those) != SERVERS:
        sys.exit(f"{len(those)} steps, not {SERVERS}")
    first = min(one.intended_at for one in those)
    last = max(one.settled_at for one in those if one.settled_at)
    return (last - first).total_seconds(), whole_s


def compare(what: str, command: str, script_s: float, ours: tuple[float, float], most: str) -> int:
    """Print both, and say whether Stackward takes more than `most` times as long."""
    ours_s, whole_s = ours
    ratio = ours_s / script_s
    load = os.getloadavg()[0]
    print(f"the barest script, {SERVERS} {what}, {AT_ONCE} at a time: {script_s:.1f} s")
    print(f"stackward {command}, the same: {ours_s:.1f} s; the whole run {whole_s:.1f} s")
    print(f"ratio {ratio:.2f}, at most {most}; load {load:.1f}")
    return int(ratio > float(most))
