"""Plan a drain in a cloud of 100,000 servers, in memory: under two seconds, and linear.

    python bench/plan.py

Three sizes of one node (125, 250, 500 servers) beside 2,000 nodes; the time per server of the
largest may be at most twice that of the smallest.
"""

import sys
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from builders import a_candidate, a_flavor, a_node, a_server, asking
from stackward.model.aggregate import Aggregate
from stackward.model.node import ComputeNode
from stackward.operations.drain_compute_node.plan import plan_drain

NODES = 2_000
FOUND = 1_000  # placement's answer is cut there, as for Nova's scheduler
SIZES = (125, 250, 500)
MOST_S = 2.0
MOST_GROWTH = 2.0


def a_large_cloud(size: int) -> ComputeNode:
    """Return a node of `size` servers of five flavors, beside the others."""
    flavors = [a_flavor(ram_mib=1024 * (n + 1), vcpus=n + 1) for n in range(5)]
    servers = [a_server(name=f"web-{n}", flavor=flavors[n % 5]) for n in range(size)]
    hosts = [f"compute-{n}" for n in range(100, 100 + NODES)]
    room = tuple(
        a_candidate(host, ram_mib=200_000, used={"MEMORY_MB": 100_000 + 17 * n % 50_000})
        for n, host in enumerate(hosts[:FOUND])
    )
    racks = tuple(
        Aggregate(uuid=f"a{n}", name=f"rack-{n}", hosts=tuple(hosts[n::40])) for n in range(40)
    )
    return a_node(*servers, candidates=room, aggregates=racks)


def time_of(size: int) -> float:
    """Return the best of three."""
    facts = a_large_cloud(size)
    times = []
    for _ in range(3):
        start = perf_counter()
        plan = plan_drain(facts, asking())
        times.append(perf_counter() - start)
        if plan.blockers or len(plan.stages[1].moves) != size:
            sys.exit("the plan is not whole")
    return min(times)


def main() -> int:
    """Measure and compare."""
    times = {size: time_of(size) for size in SIZES}
    for size, taken in times.items():
        print(f"plan for {size} servers beside {NODES} nodes: {taken:.3f} s")
    growth = (times[SIZES[-1]] / SIZES[-1]) / (times[SIZES[0]] / SIZES[0])
    print(f"time per server, largest to smallest: {growth:.2f} (at most {MOST_GROWTH})")
    is_well = times[SIZES[-1]] < MOST_S and growth < MOST_GROWTH
    if not is_well:
        print(f"too slow: at most {MOST_S} s, and linear", file=sys.stderr)
    return int(not is_well)


if __name__ == "__main__":
    sys.exit(main())
