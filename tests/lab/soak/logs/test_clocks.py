"""A node whose clock is ahead: its events have the right times, and a clock that is set is said."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from lab.drains import Drains
from lab.logs import LOG, Logged, Reader, end, events_of
from real_lab import RealLab, until
from stackward.lab.clock_faults import AMOUNT, SHIFTED_S

FAULT = "clock-shifted"


@dataclass(frozen=True, kw_only=True)
class Built:
    """What is told of a server that was built on a node whose clock is ahead."""

    node: str
    began: datetime
    ended: datetime
    on_node: list[Logged]  # events of its story in nova-compute: nothing else there is ahead
    before_and_after: tuple[list[Logged], list[Logged]]  # on other nodes
    tail: str


@pytest.fixture(scope="module")
def built(lab: RealLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    drains = Drains(lab, tmp_path_factory.mktemp("clocks"))
    node = lab.spec.compute_nodes[0].name
    with shifted(lab, node):
        began = datetime.now(UTC)
        server = drains.boot("clock-1", node)
        drains.wait_for_guests([server])
        ended = datetime.now(UTC)
        followed = drains.call("log", "follow", server, "-f", "json", *Reader(drains).flags)
        story = [json.loads(line) for line in followed.stdout.splitlines()]
        on_node = [
            one for one in story if (one["node"], one["component"]) == (node, "nova-compute")
        ]
        others = [one for one in story if one["node"] != node]
        tail = said_of_a_clock_that_is_set(lab, drains, node)
        drains.remove(server)
        yield Built(
            node=node,
            began=began,
            ended=ended,
            on_node=on_node,
            before_and_after=(
                [one for one in others if at(one) <= min(map(at, on_node))],
                [one for one in others if at(one) > min(map(at, on_node))],
            ),
            tail=tail,
        )


@contextmanager
def shifted(lab: RealLab, node: str) -> Iterator[None]:
    """Have the clock of a node ahead."""
    lab.run("break", FAULT, node)
    try:
        yield
    finally:
        lab.run("mend", FAULT, node)


def said_of_a_clock_that_is_set(lab: RealLab, drains: Drains, node: str) -> str:
    """Put the clock forward once more while the log is followed; return what the tail said."""
    with Reader(drains).tail("nova-compute") as tail:
        lab.on(node, f"echo +{2 * SHIFTED_S} > {AMOUNT}")
        until(lambda: "its clock was put" in tail.log.read_text())
        lab.on(node, f"echo \"$(date '+%F %T').000 7 INFO stackward.soak [-] mark-set\" >> {LOG}")
        until(lambda: any(one["message"] == "mark-set" for one in events_of(tail)))
        return end(tail).said


def at(one: Logged) -> datetime:
    """Return when an event was, by the clock of this machine."""
    return datetime.fromisoformat(str(one["at"]))


def test_events_of_a_node_whose_clock_is_ahead_are_in_the_time_of_the_build(built: Built) -> None:
    assert built.on_node
    assert [one for one in built.on_node if not built.began <= at(one) <= built.ended] == []


def test_what_came_before_on_other_nodes_is_told_before(built: Built) -> None:
    before, _ = built.before_and_after

    assert {"nova-api", "nova-scheduler"} <= {str(one["component"]) for one in before}


def test_a_clock_that_is_set_is_said(built: Built) -> None:
    assert f"its clock was put forward by {SHIFTED_S}" in built.tail
