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

import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parent))

import one_run
from one_run import MOST, NODE, SERVERS
from typing_extensions import override

from builders import a_server
from fakes.cloud import FakeCloud
from fakes.power import FakeDevice, FakePower
from fakes.shell import FakeShell
from fakes.world import a_world_over
from stackward.adapters.clock import SystemClock
from stackward.model.hardware import Hardware
from stackward.model.observation import Observation
from stackward.ports.world import World
from stackward.requests.evacuate_compute_node import EvacuateRequest

EVACUATION_S = 10.0
BOARD = Hardware.of(macs=["52:54:00:00:00:07"])


@dataclass
class TimedNova(one_run.TimedNova):
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


def a_dead_node() -> World:
    """Return a cloud with a node that has no power, and so many servers."""
    hosts = (NODE, *(f"compute-{number:02}" for number in range(8, 12)))
    nova = TimedNova(hosts=hosts, takes_s=EVACUATION_S)
    nova.add(*(a_server(name=f"db-{number:03}", host=NODE) for number in range(SERVERS)))
    cloud = FakeCloud(nova)
    shell = FakeShell(cloud)
    power = FakePower(shell, {NODE: FakeDevice(hardware=BOARD)})
    power.order_off(NODE)
    near = replace(a_world_over(cloud, shell, SystemClock()), power=power)
    return one_run.far(near, nova, "power")


def by_script() -> float:
    """Ask for all of them, four at a time, and poll each until it is over; return the seconds."""
    world = a_dead_node()
    nova = world.nova
    nova.force_down(next(one.id for one in nova.services() if one.host == NODE))

    def is_elsewhere(server: str) -> bool:
        now = nova.server(server)
        return now is not None and now.host != NODE and not now.task_state

    return one_run.by_script(world, lambda each: nova.evacuate(each, "compute-08"), is_elsewhere)


def by_stackward() -> tuple[float, float]:
    """Return the seconds of its evacuations, and of all of the run."""
    world = a_dead_node()
    words: Any = {"host": NODE, "uuid": "", "serial": "", "macs": [*BOARD.macs]}
    itself = Observation(
        cloud=world.cloud.identity().id,
        node=NODE,
        subject="machine",
        value=words,
        source="node",
        at=world.clock.now(),
    )
    asked = EvacuateRequest(node=NODE, reason="bench")
    return one_run.by_stackward(world, asked, "evacuate/", [itself])


def main(most: str = str(MOST)) -> int:
    """Measure both."""
    return one_run.compare("evacuations", "node evacuate", by_script(), by_stackward(), most)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
