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

import random
import sys
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parent))

import one_run
from one_run import AT_ONCE, MOST, NODE, SERVERS
from typing_extensions import override

from builders import NOW, a_server, an_id
from fakes.cloud import FakeCloud
from fakes.shell import FakeShell
from fakes.world import a_world_over
from stackward.adapters.clock import SystemClock
from stackward.model.server import ServerAction
from stackward.ports.world import World
from stackward.requests.recover_compute_node import RecoverRequest

START_S, SPREAD_S = 10.0, 2.0
MADE_AT = (NOW - timedelta(days=1)).replace(tzinfo=None).isoformat(timespec="microseconds")
STOPPED_AT = (NOW + timedelta(minutes=1)).replace(tzinfo=None).isoformat(timespec="microseconds")


def start_s_of(server: str) -> float:
    """Return how long the start of a server takes, always the same."""
    return START_S + random.Random(server).uniform(-SPREAD_S, SPREAD_S)  # noqa: S311  # no secret


@dataclass
class TimedNova(one_run.TimedNova):
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


def a_node_that_is_back() -> World:
    """Return a cloud with a node that lost its power: Nova has stopped all that ran there."""
    nova = TimedNova(hosts=(NODE, "compute-08"))
    names = [f"db-{number:03}" for number in range(SERVERS)]
    nova.add(*(a_server("SHUTOFF", name=name, host=NODE) for name in names))
    made = ServerAction(action="create", request_id="req-made", user="eve", started=MADE_AT)
    stop = replace(made, action="stop", request_id="req-stop", user=None, started=STOPPED_AT)
    nova.actions = {an_id(name): [made, stop] for name in names}
    cloud = FakeCloud(nova)
    return one_run.far(a_world_over(cloud, FakeShell(cloud, booted=NOW), SystemClock()), nova)


def by_script() -> float:
    """Start all of them, four at a time, and poll each until it runs; return the seconds."""
    world = a_node_that_is_back()

    def runs(server: str) -> bool:
        now = world.nova.server(server)
        return now is not None and now.status == "ACTIVE" and not now.task_state

    return one_run.by_script(world, world.nova.start_server, runs)


def by_stackward() -> tuple[float, float]:
    """Return the seconds of its starts, and of all of the run."""
    asked = RecoverRequest(node=NODE, at_once=AT_ONCE)
    return one_run.by_stackward(a_node_that_is_back(), asked)


def main(most: str = str(MOST)) -> int:
    """Measure both."""
    return one_run.compare("starts", "node recover", by_script(), by_stackward(), most)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
