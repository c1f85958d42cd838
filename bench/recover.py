"""A node with a hundred servers is recovered, against the barest script that starts as many.

    python bench/recover.py [MOST]

Both start the same servers of one node, four at a time, in one cloud of the tests' fakes: a call of
an API or of ssh takes CALL_S, a start START_S, a little more or less for each server, however many
go on. (A time that is the same for all would fit the looks of one of the two, and not those of the
other.) The script only sends requests and polls. Stackward has its own rhythm and pace, a journal
on disk. Before each request it looks whether the node works, who ran, and where each guest is; it
proves each row.

What is compared is the time from the first request to the end of the last start. The time of the
whole run, with its plan and the last check, is printed too. Fails when the starts of Stackward take
more than MOST times as long as those of the script.
"""

import os
import random
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parent))

import workers as bench
from typing_extensions import override

from builders import NOW, a_server, an_id
from fakes.cloud import FakeCloud
from fakes.shell import FakeShell
from fakes.world import SERVICES, a_world_over
from stackward.adapters.clock import SystemClock
from stackward.adapters.store.database import open_database, url_of
from stackward.adapters.store.journal import SqlJournal
from stackward.adapters.together import Threads
from stackward.app.carrying import worker_context
from stackward.engine import Brakes, approve, carry_out
from stackward.model.run import Approval, RunState
from stackward.model.server import ServerAction
from stackward.operations import plan_request
from stackward.plan import of_cloud
from stackward.ports.world import Acting, World
from stackward.requests.recover_compute_node import RecoverRequest

NODE = "compute-07"
SERVERS, AT_ONCE = 100, 4
CALL_S, START_S = 0.02, 10.0
POLL_S = 1.0
SPREAD_S = 2.0
MOST = 1.1
MADE_AT = (NOW - timedelta(days=1)).replace(tzinfo=None).isoformat(timespec="microseconds")
STOPPED_AT = (NOW + timedelta(minutes=1)).replace(tzinfo=None).isoformat(timespec="microseconds")


def start_s_of(server: str) -> float:
    """Return how long the start of a server takes, always the same."""
    return START_S + random.Random(server).uniform(-SPREAD_S, SPREAD_S)  # noqa: S311  # no secret


@dataclass
class TimedNova(bench.TimedNova):
    """A fake Nova whose starts take their time by the clock, and whose services report."""

    asked_at: dict[str, float] = field(default_factory=dict)

    @override
    def start_server(self, server: str, /) -> str:
        request = super().start_server(server)
        self.asked_at[server] = time.monotonic()
        return request

    @override
    def go_on(self) -> None:
        now = time.monotonic()
        over = [each for each, at in self.asked_at.items() if now - at >= start_s_of(each)]
        for each in over:
            del self.asked_at[each]
            self.end_of_power(self.known[each])

    @property
    @override
    def now(self) -> datetime:
        return NOW + timedelta(seconds=time.monotonic())


def a_node_that_is_back() -> World:
    """Return a cloud with a node that lost its power: Nova has stopped all that ran there."""
    nova = TimedNova(hosts=(NODE, "compute-08"))
    names = [f"db-{number:03}" for number in range(SERVERS)]
    nova.add(*(a_server("SHUTOFF", name=name, host=NODE) for name in names))
    made = ServerAction(action="create", request_id="req-made", user="eve", started=MADE_AT)
    stop = replace(made, action="stop", request_id="req-stop", user=None, started=STOPPED_AT)
    nova.actions = {an_id(name): [made, stop] for name in names}
    cloud = FakeCloud(nova)
    shell, lock = FakeShell(cloud, booted=NOW), threading.Lock()
    near = a_world_over(cloud, shell, SystemClock())
    ports = (*SERVICES, "cloud", "shell")
    far: Any = {each: bench.Far(getattr(near, each), nova, lock, CALL_S) for each in ports}
    return replace(near, together=Threads(), **far)


def by_script() -> float:
    """Start all of them, four at a time, and poll each until it runs; return the seconds."""
    nova = a_node_that_is_back().nova

    def start(server: str) -> None:
        nova.start_server(server)
        while (now := nova.server(server)) is None or now.status != "ACTIVE" or now.task_state:
            time.sleep(POLL_S)

    servers = [one.id for one in nova.servers_on(NODE)]
    begun = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(start, servers))
    return time.monotonic() - begun


def by_stackward() -> tuple[float, float]:
    """Return the seconds of its starts, and of all of the run."""
    world = a_node_that_is_back()
    with tempfile.TemporaryDirectory() as place:
        journal = SqlJournal(open_database(url_of(Path(place))))
        begun = time.monotonic()
        asked = RecoverRequest(node=NODE, at_once=AT_ONCE)
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
        those = journal.attempts(run.id)
        journal.close()
    if len(those) != SERVERS:
        sys.exit(f"{len(those)} starts, not {SERVERS}")
    first = min(one.intended_at for one in those)
    last = max(one.settled_at for one in those if one.settled_at)
    return (last - first).total_seconds(), whole_s


def main(most: str = str(MOST)) -> int:
    """Measure both."""
    script_s = by_script()
    ours_s, whole_s = by_stackward()
    ratio = ours_s / script_s
    load = os.getloadavg()[0]
    print(f"the barest script, {SERVERS} starts, {AT_ONCE} at a time: {script_s:.1f} s")
    print(f"stackward node recover, the same: {ours_s:.1f} s; with plan and proofs {whole_s:.1f}")
    print(f"ratio {ratio:.2f}, at most {most}; load {load:.1f}")
    return int(ratio > float(most))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
