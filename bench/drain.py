"""Drain a node of 100 servers, against the barest script that moves as many and waits for them.

    python bench/drain.py STACKWARD LAB [SERVERS]

Both move servers off a nova-compute with Nova's fake driver, eight at a time, in one cloud, one
after the other. Stackward judges, journals and proves each move; the script only fires and polls.
Fails when Stackward takes more than 1.15 times as long. Needs root and a lab of the profile `scale`
with four fake computes.
"""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from stackward.lab.claims import Claims
from stackward.lab.client import connect, environment
from stackward.settings import read_settings

PARALLEL = 8
MOST = 1.15
SCRIPTS, OURS = "fake1", "fake2"


def boot(cloud: Any, host: str, count: int) -> list[str]:  # noqa: ANN401  # the SDK's own
    """Fill a host with servers; return their ids once all are ACTIVE."""
    image = next(iter(cloud.image.images()))
    flavor = min(cloud.compute.flavors(), key=lambda one: one.ram)
    cloud.compute.create_server(
        name=f"bench-{host}", image_id=image.id, flavor_id=flavor.id, networks="none",
        host=host, min_count=count, max_count=count,
    )  # fmt: skip
    while True:
        servers = [s for s in cloud.compute.servers() if s.name.startswith(f"bench-{host}")]
        if len(servers) == count and all(s.status == "ACTIVE" for s in servers):
            return [server.id for server in servers]
        if any(s.status == "ERROR" for s in servers):
            sys.exit(f"a server on {host} did not boot")
        time.sleep(1)


def barest(cloud: Any, host: str, servers: list[str]) -> float:  # noqa: ANN401  # as above
    """Fire live migrations and wait until each server is elsewhere; return the seconds."""
    service = next(one for one in cloud.compute.services() if one.host == host)

    def move(server: str) -> None:
        cloud.compute.live_migrate_server(server, host=None, block_migration="auto")
        while True:
            now = cloud.compute.get_server(server)
            if now.status == "ACTIVE" and now.compute_host != host:
                return
            if now.status == "ERROR":
                sys.exit(f"the script's server {server} is in ERROR")
            time.sleep(1)

    begun = time.perf_counter()
    cloud.compute.disable_service(service.id)
    with ThreadPoolExecutor(max_workers=PARALLEL) as pool:
        list(pool.map(move, servers))
    return time.perf_counter() - begun


def ours(stackward: str, variables: dict[str, str], host: str) -> float:
    """Drain the host as an operator would; return the seconds."""
    begun = time.perf_counter()
    subprocess.run(
        [stackward, "node", "drain", host, "--reason", "bench", "--yes", "--keep-service",
         "--parallel", str(PARALLEL)],
        env={**os.environ, **variables}, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return time.perf_counter() - begun


def main(stackward: str, name: str, servers: str = "100") -> int:
    """Fill both hosts, empty both, compare."""
    settings = read_settings(os.environ, is_root=True)
    lab = Claims(settings.state_dir / "labs", settings.cache_dir / "lab").get(name)
    cloud = connect(lab)
    count = int(servers)
    theirs = boot(cloud, SCRIPTS, count)
    boot(cloud, OURS, count)
    script_s = barest(cloud, SCRIPTS, theirs)
    ours_s = ours(stackward, environment(lab), OURS)
    ratio = ours_s / script_s
    print(f"the barest script, {count} servers, {PARALLEL} at a time: {script_s:.1f} s")
    print(f"stackward node drain, the same:            {ours_s:.1f} s")
    print(f"ratio {ratio:.2f}, at most {MOST}")
    return int(ratio > MOST)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
