"""A chain of three nodes whose second one fails: it stops there, and is undone."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from lab.deaths import is_moving
from lab.drains import Drains, Ended, drains_in, new
from real_lab import STACKWARD, RealLab, until
from stackward.errors import ExitCode
from stackward.lab.guest import Tick


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """What three nodes and two servers were once the chain had stopped, and after its undo."""

    nodes: tuple[str, str, str]
    servers: tuple[str, str]  # of the first node, and of the second
    ended: Ended
    items: dict[str, tuple[str, str]]  # of the chain: the state of each, and what it says
    services: dict[str, str]
    at: dict[str, str]  # where each server was then
    undone: Ended
    undo_items: dict[str, str]
    services_after: dict[str, str]
    at_after: dict[str, str]
    moves: dict[str, list[tuple[str, str]]]  # of each server, all in all
    before: dict[str, Tick]
    after: dict[str, Tick]
    again: Ended  # a second undo


@pytest.fixture(scope="module")
def stopped(
    lab: RealLab, nodes: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stopped]:
    """Drain three nodes in a chain; the second loses its nova-compute while the first is drained.

    The chain is undone once that is mended.
    """
    first, second, third = nodes
    with drains_in(lab, tmp_path_factory.mktemp("chain")) as drains:
        drains.remove_left_over("chain-")
        servers = (drains.boot("chain-1", first), drains.boot("chain-2", second))
        before = drains.wait_for_guests(servers)
        records = drains.records(servers)
        going = drains.start(
            [STACKWARD, "node", "drain", *nodes, "--reason", "tested", "--target", third, "--yes"]
        )
        until(lambda: is_moving(drains, servers[:1]))
        lab.run("break", "nova-compute-killed", second)
        try:
            ended = going.ended()
            chain = drains.run["ID"]
            items = {each["Item"]: (each["State"], each["Says"]) for each in shown(drains, chain)}
            services, at = states(drains, nodes), places(drains, servers)
        finally:
            lab.run("mend", "nova-compute-killed", second)
        until(lambda: drains.service(second).state == "up")
        asked = ("run", "undo", chain, "--network", "lab-net", "--yes")
        undone = said(drains, *asked)
        yield Stopped(
            nodes=nodes,
            servers=servers,
            ended=ended,
            items=items,
            services=services,
            at=at,
            undone=undone,
            undo_items={each["Item"]: each["State"] for each in shown(drains, drains.run["ID"])},
            services_after=states(drains, nodes),
            at_after=places(drains, servers),
            moves=new(records, drains.records(servers)),
            before=before,
            after={each: drains.ticks_on(each, before[each]) for each in servers},
            again=said(drains, *asked),
        )
        drains.remove(*servers)


def said(drains: Drains, *words: str) -> Ended:
    """Run a command to its end."""
    ended = drains.call(*words)
    return Ended(code=ended.returncode, said=ended.stdout + ended.stderr)


def shown(drains: Drains, chain: str) -> list[dict[str, Any]]:
    """Return the items of a chain."""
    items: list[dict[str, Any]] = json.loads(drains.call("run", "show", chain, "-f", "json").stdout)
    return items


def states(drains: Drains, nodes: tuple[str, ...]) -> dict[str, str]:
    """Return whether each node is enabled, by Nova."""
    return {node: str(drains.service(node).status) for node in nodes}


def places(drains: Drains, servers: tuple[str, ...]) -> dict[str, str]:
    """Return where each server is, by Nova."""
    return {each: drains.place(each).node for each in servers}


def test_it_stops_at_the_second_node_and_begins_nothing_more(stopped: Stopped) -> None:
    first, second, third = stopped.nodes

    assert stopped.ended.code == ExitCode.STOPPED, stopped.ended.said
    assert stopped.items[first][0] == "done"
    assert stopped.items[second][0] not in {"done", "left"}
    assert stopped.items[third][0] == "left"
    assert f"`{second}`" in stopped.ended.said
    assert stopped.services == {first: "disabled", second: "enabled", third: "enabled"}
    assert stopped.at == dict(zip(stopped.servers, (third, second), strict=True))


def test_its_undo_takes_back_the_node_that_was_done_and_no_other(stopped: Stopped) -> None:
    first, second, _ = stopped.nodes

    assert stopped.undone.code == 0, stopped.undone.said
    assert stopped.undo_items == {first: "done"}
    assert stopped.services_after == dict.fromkeys(stopped.nodes, "enabled")
    assert stopped.at_after == dict(zip(stopped.servers, (first, second), strict=True))


def test_each_server_moved_as_often_as_it_had_to_and_was_never_booted_anew(
    stopped: Stopped,
) -> None:
    one, other = stopped.servers

    live = ("live-migration", "completed")
    assert stopped.moves == {one: [live, live], other: []}
    assert {each: tick.boot for each, tick in stopped.after.items()} == {
        each: tick.boot for each, tick in stopped.before.items()
    }


def test_a_second_undo_is_refused(stopped: Stopped) -> None:
    assert stopped.again.code == ExitCode.BLOCKED, stopped.again.said
