"""The nodes of an aggregate are drained, rebooted and filled again, one after the other; no other.

The guests themselves tell: none of them was booted again. Nova's list of their migrations tells
that each went away and came home.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab.drains import Ended, Going, drains_in
from lab.soak.chain.test_chain import latest_chain
from lab.soak.reboot.test_node_reboot import first_process
from lab.soak.reboot.test_rolling_reboot import Rows, by_item
from real_lab import STACKWARD, RealLab

AGGREGATE = "rolled-rack"
OFF = "racked-off"
WAITS_S = 1800  # for two nodes that are drained and filled again


@dataclass(frozen=True, kw_only=True)
class Rolled:
    """What the reboot of an aggregate said, and what became of its nodes and servers."""

    nodes: tuple[str, str, str]  # the last is not of the aggregate
    ended: Ended
    rows: Rows
    booted: tuple[tuple[str, ...], tuple[str, ...]]  # of each node: before and after
    boots: dict[str, tuple[int, int]]  # of each guest: before and after
    homes: dict[str, str]
    statuses: dict[str, str]
    moves: dict[str, list[str]]  # the sources of each server's moves, in the order of time
    in_service: list[bool]
    refused: Ended  # the same once the aggregate has no node


@pytest.fixture(scope="module")
def rolled(
    lab: RealLab, nodes: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rolled]:
    """Given two nodes of an aggregate, each with a server that runs, the second with one off."""
    with drains_in(lab, tmp_path_factory.mktemp("racked")) as drains:
        drains.remove_left_over("racked-")
        of_rack, compute = nodes[:2], lab.cloud.compute
        made = {f"racked-{node}": drains.boot(f"racked-{node}", node) for node in nodes}
        made[OFF] = drains.boot(OFF, nodes[1])
        drains.wait_for_guests([*made.values()])
        drains.stop(made[OFF])
        rack = compute.create_aggregate(name=AGGREGATE)
        try:
            for node in of_rack:
                compute.add_host_to_aggregate(rack, node)
            before = {name: lab.tick(made[name]) for name in made if name != OFF}
            booted = tuple(first_process(lab, node) for node in nodes)
            words = ("node", "reboot", "--aggregate", AGGREGATE, "--drain")
            ended = waited_for(drains.start([STACKWARD, *words, "--network", "lab-net", "--yes"]))
            after = {name: drains.ticks_on(made[name], tick) for name, tick in before.items()}
            servers = {name: lab.server(server) for name, server in made.items()}
            rows, moves = by_item(drains, latest_chain(drains)), moves_of(lab, made)
            again = tuple(first_process(lab, node) for node in nodes)
            for node in of_rack:
                compute.remove_host_from_aggregate(rack, node)
            empty = drains.call(*words, "--yes")
            yield Rolled(
                nodes=nodes,
                ended=ended,
                rows=rows,
                booted=(booted, again),
                boots={name: (before[name].boots, after[name].boots) for name in before},
                homes={name: one.hypervisor_hostname for name, one in servers.items()},
                statuses={name: one.status for name, one in servers.items()},
                moves=moves,
                in_service=[drains.is_in_service(node) for node in nodes],
                refused=Ended(code=empty.returncode, said=empty.stdout + empty.stderr),
            )
        finally:
            for node in compute.get_aggregate(rack.id).hosts or ():
                compute.remove_host_from_aggregate(rack, node)
            compute.delete_aggregate(rack)
        drains.remove(*made.values())


def waited_for(going: Going) -> Ended:
    """Wait for the end of a chain: it may take longer than one drain."""
    code = going.process.wait(WAITS_S)
    return Ended(code=code, said=going.log.read_text())


def moves_of(lab: RealLab, made: dict[str, str]) -> dict[str, list[str]]:
    """Return where each server was moved from, by Nova's list of migrations."""
    found = sorted(lab.cloud.compute.migrations(), key=lambda one: one.created_at)
    return {
        name: [one.source_compute for one in found if one.server_id == server]
        for name, server in made.items()
    }


def test_each_node_of_the_aggregate_is_rebooted_and_no_other(rolled: Rolled) -> None:
    first, second, other = rolled.nodes
    changed = [one != two for one, two in zip(*rolled.booted, strict=True)]

    assert rolled.ended.code == 0, rolled.ended.said
    assert changed == [True, True, False]
    assert {node: rolled.rows[node]["State"] for node in rolled.rows} == {
        first: "done", second: "done",
    }, f"{other}: {rolled.ended.said}"  # fmt: skip
    assert rolled.in_service == [True] * 3


def test_no_guest_is_booted_again_and_each_server_is_home_as_it_was(rolled: Rolled) -> None:
    first, second, other = rolled.nodes

    assert {name for name, (one, two) in rolled.boots.items() if one != two} == set()
    assert rolled.homes == {
        f"racked-{first}": first, f"racked-{second}": second, f"racked-{other}": other, OFF: second,
    }  # fmt: skip
    assert rolled.statuses == {
        name: "SHUTOFF" if name == OFF else "ACTIVE" for name in rolled.statuses
    }


def test_each_server_of_the_aggregate_went_away_once_and_came_home(rolled: Rolled) -> None:
    first, second, other = rolled.nodes
    sources = {name: moves[:1] for name, moves in rolled.moves.items()}

    assert sources == {
        f"racked-{first}": [first], f"racked-{second}": [second], f"racked-{other}": [],
        OFF: [second],
    }  # fmt: skip
    assert {len(moves) for name, moves in rolled.moves.items() if moves} == {2}


def test_an_aggregate_without_a_node_is_refused(rolled: Rolled) -> None:
    assert rolled.refused.code == 2, rolled.refused.said
    assert AGGREGATE in rolled.refused.said
