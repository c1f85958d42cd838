"""Drains that take only some servers, ask their owners, or stop what is too slow to move live."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.drains import Drains, note
from real_lab import RealLab
from stackward.lab import proof
from stackward.lab.client import connect


@pytest.fixture(scope="module")
def servers(lab: RealLab, nodes: tuple[str, str, str]) -> Iterator[tuple[str, str]]:
    """Given two servers on one node: one of the project demo, one of the administrator's."""
    drains = Drains(lab, Path())
    drains.remove_left_over("wishes-")
    theirs = proof.boot(connect(lab.spec, project="demo"), "wishes-demo", nodes[1]).id
    ours = drains.boot("wishes-admin", nodes[1])
    drains.wait_for_guests([theirs, ours])
    yield theirs, ours
    drains.remove(theirs, ours)


def test_a_drain_of_one_project_leaves_the_servers_of_others_alone(
    drains: Drains, servers: tuple[str, str]
) -> None:
    theirs, ours = servers
    node = drains.place(theirs).node
    before, tick = drains.place(ours), drains.lab.tick(ours)

    ended = drains.drain(node, "--projects", "demo")

    assert ended.code == 0, ended.said
    assert "not empty: do not power off" in ended.said
    assert drains.servers_on(node) == [ours]
    assert drains.place(ours) == before
    assert drains.ticks_on(ours, tick).boots == tick.boots
    assert len(drains.migrations(ours)) == 0
    assert drains.unit(node)[0] == "active"


def test_a_server_that_is_too_slow_is_stopped_moved_and_started_again(
    drains: Drains, servers: tuple[str, str]
) -> None:
    _, server = servers
    before, tick = drains.place(server), drains.write(server, "kept")

    planned, plan = drains.plan(before.node, "--when-slow", "stop-server", "--timeout", "1")
    assert planned.code == 0, planned.said
    ended = drains.call("run", "apply", str(plan), "--yes", "-f", "json")
    after = drains.place(server)
    booted = drains.lab.tick(server, lambda now: now.boot != tick.boot)

    assert ended.returncode == 0, ended.stderr
    [move] = json.loads(ended.stdout)["moves"]
    assert move["downtime_s"] > 0
    assert (after.state, after.node == before.node) == (before.state, False)
    assert (booted.boots, note(booted)) == (tick.boots + 1, "kept")
    assert {kind for kind, _ in drains.migrations(server).values()} == {
        "live-migration",
        "migration",
    }
