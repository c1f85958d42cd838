"""Compare what witnesses say: 10,000 servers in 2 s of CPU, and 50 nodes in 3 times one.

    python bench/reconcile.py

The first is the comparison alone, of a cloud that agrees and of one in which each tenth server does
not. The second is `cloud reconcile` as a whole on nodes whose libvirt takes a while to answer, side
by side: what counts is the time that passes.
"""

import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from dataclasses import replace

from builders import a_port, a_server, an_id
from fakes.cloud import FakeCloud
from fakes.nova import FakeNova
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.adapters.together import Threads
from stackward.facts.guests import script
from stackward.health.agreement import reconcile
from stackward.health.disagreements import find_cases
from stackward.model.unread import Unread
from stackward.overriding import override
from stackward.ports.shell import Answer
from testimonies import HOSTS, agreeing

SERVERS = 10_000
MOST_CPU_S = 2.0
NODES = 50
ANSWERS_IN_S = 0.5  # a login, and one script
MOST_TIMES = 3.0


class SlowShell(FakeShell):
    """Nodes that take a while to say which guests they have."""

    @override
    def run(self, node: str, command: Any, /, **how: Any) -> Answer:  # as the fake
        """Run it, in its time."""
        if how.get("given") == script():
            time.sleep(ANSWERS_IN_S)
        return super().run(node, command, **how)


def cpu_of_comparing(disagreeing: int) -> float:
    """Return the CPU time of one comparison."""
    servers = [
        a_server(name=f"s{at}", host=HOSTS[at % 3], ports=(a_port(f"s{at}", HOSTS[at % 3]),))
        for at in range(SERVERS)
    ]
    told = agreeing(*servers)
    held = {an_id(f"nobody-{at}"): {"VCPU": 1} for at in range(disagreeing)}
    told = replace(
        told,
        hosts=tuple(
            replace(one, allocations={**one.allocations, **held})
            if one.host == HOSTS[0] and not isinstance(one.allocations, Unread)
            else one
            for one in told.hosts
        ),
    )
    began = time.process_time()
    found = find_cases(told)
    took = time.process_time() - began
    if len(found) != disagreeing:
        sys.exit(f"{len(found)} cases, where {disagreeing} are")
    return took


def time_of_looking(nodes: int) -> float:
    """Return how long one look at so many nodes takes."""
    hosts = tuple(f"compute-{at:02}" for at in range(nodes))
    cloud = FakeCloud(nova=FakeNova(hosts=hosts))
    cloud.nova.add(*(a_server(name=f"on-{host}", host=host) for host in hosts))
    world = replace(a_world(cloud, SlowShell(cloud)), together=Threads())
    began = time.monotonic()
    found = reconcile(world, wait_s=0)
    took = time.monotonic() - began
    if found.cases or found.testimony.unread():
        sys.exit("the look is not whole")
    return took


def main() -> int:
    """Measure and compare."""
    cpu = {number: cpu_of_comparing(number) for number in (0, SERVERS // 10)}
    for number, took in cpu.items():
        print(f"{SERVERS} servers, {number} cases: {took:.2f} s of CPU (at most {MOST_CPU_S})")
    one, many = time_of_looking(1), time_of_looking(NODES)
    print(f"1 node: {one:.2f} s; {NODES}: {many:.2f} s; {many / one:.2f} (at most {MOST_TIMES})")
    is_well = max(cpu.values()) < MOST_CPU_S and many / one <= MOST_TIMES
    if not is_well:
        print("too slow", file=sys.stderr)
    return int(not is_well)


if __name__ == "__main__":
    sys.exit(main())
