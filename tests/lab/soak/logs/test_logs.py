"""Logs through restarts, a power cut and a killed service: nothing is shown twice, and all is told.

Marks are written into the log of nova-compute, so that it is known what there is to see.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import pytest

from lab.drains import Drains, Ended, Going
from lab.logs import LOG, Logged, Reader, end, events_of
from real_lab import RealLab, until

HEAD = "$(date '+%F %T').000 7 INFO stackward.soak [-]"
STEPS = ("before", "restarted", "back")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a tail has shown of a node that was restarted and lost its power."""

    marks: list[str]
    ended: Ended


@pytest.fixture(scope="module")
def drains(lab: RealLab, tmp_path_factory: pytest.TempPathFactory) -> Drains:
    return Drains(lab, tmp_path_factory.mktemp("logs"))


@pytest.fixture(scope="module")
def seen(lab: RealLab, drains: Drains) -> Iterator[Seen]:
    node = lab.spec.compute_nodes[0].name
    with Reader(drains).tail("nova-compute") as tail:
        mark(lab, node, tail, "before")
        lab.on(node, "systemctl restart nova-compute")
        mark(lab, node, tail, "restarted")
        lab.run("power", "off", node)
        until(lambda: f"`{node}` is not heard any more" in tail.log.read_text())
        lab.run("power", "on", node)
        until(lambda: f"`{node}` is heard again" in tail.log.read_text(), within_s=240)
        mark(lab, node, tail, "back")
        ended = end(tail)
        yield Seen(marks=marks_of(tail), ended=ended)
    until(lambda: lab.compute_state(node) == "up", within_s=240)


def mark(lab: RealLab, node: str, tail: Going, word: str) -> None:
    """Write a mark, and wait until it is shown."""
    lab.on(node, f'echo "{HEAD} mark-{word}" >> {LOG}')
    until(lambda: word in marks_of(tail))


def marks_of(tail: Going) -> list[str]:
    """Return the marks that a tail has shown."""
    said = [str(one["message"]) for one in events_of(tail)]
    return [one.removeprefix("mark-") for one in said if one.startswith("mark-")]


def test_each_line_is_shown_once_through_a_restart_and_a_power_cut(seen: Seen) -> None:
    assert tuple(seen.marks) == STEPS


def test_a_node_that_is_lost_is_said_and_so_is_its_return(seen: Seen) -> None:
    assert seen.ended.code == 0, seen.ended.said
    assert seen.ended.said.index("is not heard any more") < seen.ended.said.index("is heard again")


@pytest.fixture(scope="module")
def killed(lab: RealLab, drains: Drains) -> Iterator[tuple[str, list[Logged]]]:
    """Kill nova-compute on a node, and return the warnings of its logs."""
    node = lab.spec.compute_nodes[1].name
    flags = Reader(drains).flags
    asked = ("log", "errors", "--since", "5m", "--component", "nova-compute", "--node", node)
    lab.run("break", "nova-compute-killed", node)

    def groups() -> list[Logged]:
        ended = drains.call(*asked, "--level", "warning", "-f", "json", *flags)
        return [json.loads(line) for line in ended.stdout.splitlines()]

    try:
        until(lambda: any("signal" in str(one["words"]) for one in groups()))
        yield node, groups()
    finally:
        lab.run("mend", "nova-compute-killed", node)
        until(partial(is_up, lab, node), within_s=240)


def is_up(lab: RealLab, node: str) -> bool:
    """Say whether Nova calls the node's nova-compute up."""
    return lab.compute_state(node) == "up"


def test_a_service_that_was_killed_is_in_its_own_errors(killed: tuple[str, list[Logged]]) -> None:
    node, groups = killed
    [group] = [one for one in groups if "Failed with result" in str(one["words"])]

    assert (group["component"], group["nodes"]) == ("nova-compute", [node])
    assert group["example"]["file"] == "journal"
