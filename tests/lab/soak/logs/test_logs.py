"""The logs of a build and a migration: a story has each service, a tail has each line once.

The logs of both nodes are rotated meanwhile. What there is to see is found by `grep` on all nodes.
"""

import json
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.drains import Drains
from real_lab import STACKWARD, RealLab, until
from stackward.lab import proof

LOG = "/var/log/nova/nova-compute.log"
HEADER = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \d+ [A-Z]+ \S+ ")
# As logrotate does where a service keeps its log open, and where it opens it anew.
ROTATE = f"cp -p {LOG} {LOG}.1; truncate -s 0 {LOG}"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A server that was built on a node and moved to another, and what logs tell of it."""

    server: str
    nodes: tuple[str, str]
    requests: set[str]
    written: list[str]
    followed: list[dict[str, object]]
    tailed: list[dict[str, object]]
    said: str
    code: int


@pytest.fixture(scope="module")
def seen(lab: RealLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    folder = tmp_path_factory.mktemp("logs")
    drains = Drains(lab, folder)
    first, second = (node.name for node in lab.spec.compute_nodes[:2])
    inventory = folder / "inventory.yaml"
    given = Path(drains.environment["STACKWARD_INVENTORY"]).read_text()
    # The login of an operator may not read these logs.
    inventory.write_text(given.replace("ansible_user: ops", "ansible_user: root"))
    as_root = ("--inventory", str(inventory))
    drains.remove_left_over("logs-")
    asked = ["log", "tail", "nova-compute", "-n", "0", "-f", "json", *as_root]
    tail = drains.start([STACKWARD, *asked])
    until(lambda: "note: following" in tail.log.read_text())

    server = drains.boot("logs-0", first)
    proof.wait_active(lab.cloud, server)
    lab.on(first, ROTATE)
    lab.cloud.compute.live_migrate_server(server, host=second, block_migration="auto")
    until(lambda: drains.place(server).node == second)
    lab.on(second, ROTATE)
    proof.wait_active(lab.cloud, server)
    requests = {each.request_id for each in lab.cloud.compute.server_actions(server)}
    drains.remove(server)
    written = until(lambda: all_written(lab, (first, second), server, tail.log))
    tail.process.send_signal(signal.SIGINT)
    ended = tail.ended()
    followed = drains.call("log", "follow", server, "--since", "1h", "-f", "json", *as_root)
    assert followed.returncode in {0, 6}, followed.stderr
    yield Seen(
        server=server,
        nodes=(first, second),
        requests=requests,
        written=written,
        followed=[json.loads(line) for line in followed.stdout.splitlines()],
        tailed=events_of(tail.log),
        said=ended.said,
        code=ended.code,
    )
    for node in (first, second):
        lab.on(node, f"rm -f {LOG}.1")


def events_of(log: Path) -> list[dict[str, object]]:
    """Return the events that a tail has written."""
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]


def about(events: list[dict[str, object]], server: str) -> list[str]:
    """Return the messages of events in files about a server."""
    return [
        str(one["message"])
        for one in events
        if one["file"] != "journal"
        and (one["server_id"] == server or server in str(one["message"]))
    ]


def lines_about(lab: RealLab, node: str, server: str) -> list[str]:
    """Return the lines with a header about a server, in the log of a node and in its copy."""
    found = lab.on(node, f"cat {LOG}.1 {LOG} 2>/dev/null | grep -F {server} || true").splitlines()
    return [line for line in found if HEADER.match(line)]


def all_written(lab: RealLab, nodes: tuple[str, str], server: str, log: Path) -> list[str] | None:
    """Return the lines about a server once a tail has as many of them."""
    written = [line for node in nodes for line in lines_about(lab, node, server)]
    return written if len(about(events_of(log), server)) >= len(written) else None


def test_a_tail_shows_each_line_once_although_logs_are_rotated(seen: Seen) -> None:
    shown = about(seen.tailed, seen.server)

    assert len(seen.written) > 5
    assert len(shown) == len(seen.written)
    assert [one for one in shown if not any(line.endswith(one) for line in seen.written)] == []


def test_a_tail_ends_well_and_names_nothing_that_was_lost(seen: Seen) -> None:
    assert seen.code == 0
    assert "missing" not in seen.said


def test_a_story_has_every_service_whose_log_has_one_of_its_ids(seen: Seen, lab: RealLab) -> None:
    words = "|".join((seen.server, *sorted(seen.requests)))
    places = {
        (node.name, Path(path).name)
        for node in lab.spec.nodes
        for path in lab.on(
            node.name, f"grep -rlE '{words}' /var/log --include=*.log || true"
        ).splitlines()
    }
    told = {(str(one["node"]), Path(str(one["file"])).name) for one in seen.followed}

    assert {node for node, _ in places} >= set(seen.nodes)
    assert places - told == set()
