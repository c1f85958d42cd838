"""A chain of three nodes whose second one fails: it stops there, and is undone.

The lab has three compute nodes and all are to be drained, so there is no server on them.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from lab.drains import Drains, Ended, drains_in
from real_lab import STACKWARD, RealLab, until
from stackward.errors import ExitCode


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """What three nodes were once the chain had stopped, and after its undo."""

    nodes: tuple[str, str, str]
    ended: Ended
    items: dict[str, tuple[str, str]]  # of the chain: the state of each, and what it says
    services: dict[str, str]
    undone: Ended
    undo_items: dict[str, str]
    services_after: dict[str, str]
    units_after: dict[str, tuple[str, str]]  # of nova-compute: whether it runs, and whether it may
    again: Ended  # a second undo


@pytest.fixture(scope="module")
def stopped(
    lab: RealLab, nodes: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stopped]:
    """Drain three nodes in a chain; the second loses its nova-compute while the first is drained.

    The chain is undone once that is mended.
    """
    first, second, _ = nodes
    with drains_in(lab, tmp_path_factory.mktemp("chain")) as drains:
        drains.remove(*(each for node in nodes for each in drains.servers_on(node)))
        going = drains.start([STACKWARD, "node", "drain", *nodes, "--reason", "tested", "--yes"])
        until(lambda: drains.service(first).status == "disabled")
        lab.run("break", "nova-compute-killed", second)
        try:
            ended = going.ended()
            chain = latest_chain(drains)
            items = {each["Item"]: (each["State"], each["Says"]) for each in shown(drains, chain)}
            services = states(drains, nodes)
        finally:
            lab.run("mend", "nova-compute-killed", second)
        until(lambda: drains.service(second).state == "up")
        asked = ("run", "undo", chain, "--network", "lab-net", "--yes")
        undone = said(drains, *asked)
        yield Stopped(
            nodes=nodes,
            ended=ended,
            items=items,
            services=services,
            undone=undone,
            undo_items={
                each["Item"]: each["State"] for each in shown(drains, latest_chain(drains))
            },
            services_after=states(drains, nodes),
            units_after={node: drains.unit(node) for node in nodes},
            again=said(drains, *asked),
        )


def said(drains: Drains, *words: str) -> Ended:
    """Run a command to its end."""
    ended = drains.call(*words)
    return Ended(code=ended.returncode, said=ended.stdout + ended.stderr)


def latest_chain(drains: Drains) -> str:
    """Return the latest run that no other run has begun."""
    runs = json.loads(drains.call("run", "list", "-f", "json").stdout)
    return next(str(each["ID"]) for each in runs if each["Chain"] is None)


def shown(drains: Drains, chain: str) -> list[dict[str, Any]]:
    """Return the items of a chain."""
    items: list[dict[str, Any]] = json.loads(drains.call("run", "show", chain, "-f", "json").stdout)
    return items


def states(drains: Drains, nodes: tuple[str, ...]) -> dict[str, str]:
    """Return whether each node is enabled, by Nova."""
    return {node: str(drains.service(node).status) for node in nodes}


def test_it_stops_at_the_second_node_and_begins_nothing_more(stopped: Stopped) -> None:
    first, second, third = stopped.nodes

    assert stopped.ended.code == ExitCode.STOPPED, stopped.ended.said
    assert stopped.items[first][0] == "done"
    assert stopped.items[second][0] not in {"done", "left"}
    assert stopped.items[third][0] == "left"
    assert f"`{second}`" in stopped.ended.said
    assert stopped.services == {first: "disabled", second: "enabled", third: "enabled"}


def test_its_undo_takes_back_the_node_that_was_done_and_no_other(stopped: Stopped) -> None:
    first, _, _ = stopped.nodes

    assert stopped.undone.code == 0, stopped.undone.said
    assert stopped.undo_items == {first: "done"}
    assert stopped.services_after == dict.fromkeys(stopped.nodes, "enabled")
    assert stopped.units_after == dict.fromkeys(stopped.nodes, ("active", "enabled"))


def test_a_second_undo_is_refused(stopped: Stopped) -> None:
    assert stopped.again.code == ExitCode.BLOCKED, stopped.again.said
