"""A hundred evacuations, against the barest script that asks for as many and waits for them.

    python bench/evacuate.py [MOST]

Both empty the same dead node, four servers at a time, in one cloud of the tests' fakes: a call of
an API or of ssh takes CALL_S, an evacuation EVACUATION_S, however many go on. The script only sends
requests and polls. Stackward has its own rhythm and pace, a journal on disk. Before each request
it reads the power of the node, the server, and what other nodes have of it; it proves each row.

What is compared is the time from the first request to the end of the last evacuation. The time of
the whole run, with the fence, its proofs and the last check, is printed too. Fails when the
evacuations of Stackward take more than MOST times as long as those of the script.
"""

import os
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parent))

import workers as bench
from typing_extensions import override

from builders import NOW, a_server
from fakes.cloud import FakeCloud
from fakes.power import FakeDevice, FakePower
from fakes.shell import FakeShell
from fakes.world import SERVICES, a_world_over
from stackward.adapters.clock import SystemClock
from stackward.adapters.store.database import open_database, url_of
from stackward.adapters.store.journal import SqlJournal
from stackward.adapters.together import Threads
from stackward.app.carrying import worker_context
from stackward.engine import Brakes, approve, carry_out
from stackward.model.hardware import Hardware
from stackward.model.observation import Observation
from stackward.model.run import Approval, RunState
from stackward.operations import plan_request
from stackward.plan import of_cloud
from stackward.ports.world import Acting, World
from stackward.requests.evacuate_compute_node import EvacuateRequest

NODE = "compute-07"
SERVERS, AT_ONCE = 100, 4
CALL_S, EVACUATION_S = 0.02, 10.0
POLL_S = 1.0
MOST = 1.1
BOARD = Hardware.of(macs=["52:54:00:00:00:07"])


@dataclass
class TimedNova(bench.TimedNova):
    """A fake Nova whose evacuations take their time by the clock, and whose services report."""

    @override
    def go_on(self) -> None:
        now = time.monotonic()
        for each in [each for each in self.migrations if each.status == "accepted"]:
            self.begun[each.id] = now
            self._advance(each)
        for each in [each for each in self.migrations if each.status == "pre-migrating"]:
            if now - self.begun[each.id] >= self.takes_s:
                self._advance(each)

    @property
    @override
    def now(self) -> datetime:
        return NOW + timedelta(seconds=time.monotonic())


def a_dead_node() -> World:
    """Return a cloud with a node that has no power, and so many servers."""
    hosts = (NODE, *(f"compute-{number:02}" for number in range(8, 12)))
    nova = TimedNova(hosts=hosts, takes_s=EVACUATION_S)
    nova.add(*(a_server(name=f"db-{number:03}", host=NODE) for number in range(SERVERS)))
    cloud = FakeCloud(nova)
    shell, lock = FakeShell(cloud), threading.Lock()
    power = FakePower(shell, {NODE: FakeDevice(hardware=BOARD)})
    power.order_off(NODE)
    near = replace(a_world_over(cloud, shell, SystemClock()), power=power)
    ports = (*SERVICES, "cloud", "shell", "power")
    far: Any = {each: bench.Far(getattr(near, each), nova, lock, CALL_S) for each in ports}
    return replace(near, together=Threads(), **far)


def by_script() -> float:
    """Ask for all of them, four at a time, and poll each until it is over; return the seconds."""
    nova = a_dead_node().nova
    nova.force_down(next(one.id for one in nova.services() if one.host == NODE))

    def evacuate(server: str) -> None:
        nova.evacuate(server, "compute-08")
        while (now := nova.server(server)) is None or now.host == NODE or now.task_state:
            time.sleep(POLL_S)

    servers = [one.id for one in nova.servers_on(NODE)]
    begun = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(evacuate, servers))
    return time.monotonic() - begun


def by_stackward() -> tuple[float, float]:
    """Return the seconds of its evacuations, and of all of the run."""
    world = a_dead_node()
    with tempfile.TemporaryDirectory() as place:
        journal = SqlJournal(open_database(url_of(Path(place))))
        cloud = world.cloud.identity()
        seen: Any = {"host": NODE, "uuid": "", "serial": "", "macs": [*BOARD.macs]}
        at = world.clock.now()
        journal.observe(
            [Observation(cloud=cloud.id, node=NODE, subject="machine", value=seen, source="node",
                         at=at)]
        )  # fmt: skip
        asked = EvacuateRequest(node=NODE, reason="bench")
        begun = time.monotonic()
        plan = of_cloud(plan_request(world, journal, asked), cloud)
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
        those = [one for one in journal.attempts(run.id) if one.step.startswith("evacuate/")]
        journal.close()
    first = min(one.intended_at for one in those)
    last = max(one.settled_at for one in those if one.settled_at)
    return (last - first).total_seconds(), whole_s


def main(most: str = str(MOST)) -> int:
    """Measure both."""
    script_s = by_script()
    ours_s, whole_s = by_stackward()
    ratio = ours_s / script_s
    load = os.getloadavg()[0]
    print(f"the barest script, {SERVERS} evacuations, {AT_ONCE} at a time: {script_s:.1f} s")
    print(f"stackward node evacuate, the same: {ours_s:.1f} s; with fence and proofs {whole_s:.1f}")
    print(f"ratio {ratio:.2f}, at most {most}; load {load:.1f}")
    return int(ratio > float(most))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
