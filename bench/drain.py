"""Drain a node, against the barest script that moves as many servers and waits for them.

    python bench/drain.py STACKWARD LAB HOST SERVERS [MOST]

Twice the host is filled with new servers and emptied, eight at a time, in one cloud, one after the
other: by the script, which only fires and polls, then by Stackward, which judges, journals and
proves each move and the end. Fails when Stackward takes more than MOST times as long; without MOST
the ratio is only told. Needs root and a lab.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from tempfile import TemporaryDirectory
from typing import Any

from stackward.lab.claims import Claims
from stackward.lab.client import connect, environment
from stackward.settings import read_settings

PARALLEL = 8
POLL_S = 1.0


def wait_until(is_so: Callable[[], bool]) -> None:
    """Poll; a benchmark that hangs is stopped by whoever runs it."""
    while not is_so():
        time.sleep(POLL_S)


def boot(cloud: Any, host: str, count: int) -> list[str]:  # noqa: ANN401  # the SDK's own
    """Fill a host with servers; return their ids once all are ACTIVE."""
    image = next(iter(cloud.image.images()))
    flavor = min(cloud.compute.flavors(), key=lambda one: one.ram)
    cloud.compute.create_server(
        name=f"bench-{host}", image_id=image.id, flavor_id=flavor.id, networks="none",
        host=host, min_count=count, max_count=count,
    )  # fmt: skip
    found: list[Any] = []

    def is_full() -> bool:
        found[:] = [s for s in cloud.compute.servers() if s.name.startswith(f"bench-{host}")]
        if any(server.status == "ERROR" for server in found):
            sys.exit(f"a server on {host} did not boot")
        return len(found) == count and all(server.status == "ACTIVE" for server in found)

    wait_until(is_full)
    return [server.id for server in found]


def remove(cloud: Any, servers: list[str]) -> None:  # noqa: ANN401  # as above
    """Delete servers and wait until they are gone."""
    for server in servers:
        cloud.compute.delete_server(server)
    wait_until(lambda: not {s.id for s in cloud.compute.servers()} & {*servers})


def service_of(cloud: Any, host: str) -> Any:  # noqa: ANN401  # as above
    """Return the nova-compute of a host."""
    return next(iter(cloud.compute.services(binary="nova-compute", host=host)))


def keep_out_others(cloud: Any, host: str) -> None:  # noqa: ANN401  # as above
    """Disable the hosts of another kind of hypervisor: no guest of this one can move there."""
    kinds = {one.name: one.hypervisor_type for one in cloud.compute.hypervisors(details=True)}
    for other in (each for each, kind in kinds.items() if kind != kinds[host]):
        cloud.compute.disable_service(service_of(cloud, other).id)


def barest(cloud: Any, host: str, servers: list[str]) -> float:  # noqa: ANN401  # as above
    """Fire live migrations and wait until each server is elsewhere; return the seconds."""

    def is_elsewhere(server: str) -> bool:
        now = cloud.compute.get_server(server)
        if now.status == "ERROR":
            sys.exit(f"the script's server {server} is in ERROR")
        return bool(now.status == "ACTIVE" and now.compute_host != host)

    def move(server: str) -> None:
        cloud.compute.live_migrate_server(server, host=None, block_migration="auto")
        wait_until(lambda: is_elsewhere(server))

    begun = time.perf_counter()
    cloud.compute.disable_service(service_of(cloud, host).id)
    with ThreadPoolExecutor(max_workers=PARALLEL) as pool:
        list(pool.map(move, servers))
    taken = time.perf_counter() - begun
    cloud.compute.enable_service(service_of(cloud, host).id)
    return taken


def ours(stackward: str, variables: dict[str, str], host: str) -> float:
    """Drain the host as an operator would, with a journal of its own; return the seconds.

    A run that this machine's journal still has could hold the host.
    """
    with TemporaryDirectory(prefix="stackward-bench-") as state:
        begun = time.perf_counter()
        subprocess.run(
            [stackward, "node", "drain", host, "--reason", "bench", "--yes", "--keep-service",
             "--parallel", str(PARALLEL)],
            env={**os.environ, **variables, "STACKWARD_STATE_DIR": state},
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        return time.perf_counter() - begun


def main(stackward: str, name: str, host: str, servers: str, most: str = "inf") -> int:
    """Fill and empty the host twice, and compare."""
    settings = read_settings(os.environ, is_root=True)
    lab = Claims(settings.state_dir / "labs", settings.cache_dir / "lab").get(name)
    cloud, count = connect(lab), int(servers)
    keep_out_others(cloud, host)
    there = boot(cloud, host, count)
    script_s = barest(cloud, host, there)
    remove(cloud, there)
    boot(cloud, host, count)
    ours_s = ours(stackward, environment(lab), host)
    ratio = ours_s / script_s
    print(f"the barest script, {count} servers off {host}, {PARALLEL} at a time: {script_s:.1f} s")
    print(f"stackward node drain, the same: {ours_s:.1f} s")
    print(f"ratio {ratio:.2f}, at most {most}")
    return int(ratio > float(most))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
