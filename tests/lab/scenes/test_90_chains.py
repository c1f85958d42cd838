"""Two nodes in a chain: its worker is killed once, and its window ends before the second node.

The chain is left to workers. The first dies while a server of the first node moves; the next comes
when the window is over, and only brings that move to its end. Then the chain is resumed.
"""

import json
import signal
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lab.deaths import is_moving
from lab.drains import Drains, new
from lab.stage import Stage, scene
from real_lab import STACKWARD, until, widened

WINDOW_S = 25  # in which a worker begins to move the first server, on an idle machine


@dataclass(frozen=True, kw_only=True)
class Chained:
    """What two nodes, their servers and their runs were after each part."""

    nodes: tuple[str, str]
    killed: int
    in_window: dict[str, tuple[str, str | None]]  # by item: its state, and what it says
    state_then: str
    second_then: str  # the service of the second node, by Nova
    whole: dict[str, str]
    state: str
    moves: dict[str, list[tuple[str, str]]]
    left_on: dict[str, list[str]]
    services: dict[str, str]


@scene(budget_s=100, is_later=True)
def chained(stage: Stage) -> Generator[Chained]:
    """Empty two nodes by a chain that is killed once, and whose window ends between them."""
    drains = stage.drains
    first, second, _ = stage.nodes
    stage.all_in_service()
    for left in ("chain-", "drain-"):  # two of the latter must stay apart: they leave no room
        drains.remove_left_over(left)
    servers = [drains.boot(f"chain-{n}", node) for n, node in enumerate((first, second))]
    drains.wait_for_guests(servers)
    records = drains.records(servers)
    stage.begins()

    begins = datetime.now(UTC) - timedelta(seconds=5)
    ends = begins + timedelta(seconds=widened(WINDOW_S) + 5)
    window = f"{begins:%H:%M:%S}-{ends:%H:%M:%S}@UTC"
    asked = ("node", "drain", first, second, "--reason", "tested", "--yes", "--window", window)
    queued = drains.call(*asked, "-f", "json")
    assert queued.returncode == 0, queued.stderr
    chain = json.loads(queued.stdout)[0]["ID"]
    killed = a_worker_that_is_killed(drains, servers[:1])
    until(lambda: datetime.now(UTC) > ends)
    # One of the same name knows at once that the first is dead: it was a process of this machine.
    drains.call("worker", "--once", "--name", "one")
    in_window, state_then = items(drains, chain), state_of(drains, chain)
    second_then = str(drains.service(second).status)

    resumed = drains.call("run", "resume", chain)
    assert resumed.returncode == 0, resumed.stderr
    yield Chained(
        nodes=(first, second),
        killed=killed,
        in_window={each["Item"]: (each["State"], each["Says"]) for each in in_window},
        state_then=state_then,
        second_then=second_then,
        whole={each["Item"]: each["State"] for each in items(drains, chain)},
        state=state_of(drains, chain),
        moves=new(records, drains.records(servers)),
        left_on={node: drains.servers_on(node) for node in (first, second)},
        services={node: str(drains.service(node).status) for node in (first, second)},
    )
    drains.remove(*servers)
    drains.put_back(first, second)


def a_worker_that_is_killed(drains: Drains, servers: list[str]) -> int:
    """Let a worker take the chain up, and kill it while a server moves."""
    worker = drains.start([STACKWARD, "worker", "--name", "one"])
    until(lambda: is_moving(drains, servers))
    worker.process.send_signal(signal.SIGKILL)
    return worker.ended().code


def items(drains: Drains, chain: str) -> list[dict[str, Any]]:
    """Return the items of a chain, as it is shown."""
    shown: list[dict[str, Any]] = json.loads(drains.call("run", "show", chain, "-f", "json").stdout)
    return shown


def state_of(drains: Drains, run: str) -> str:
    """Return the state of a run."""
    listed = json.loads(drains.call("run", "list", "-f", "json").stdout)
    return str(next(each["State"] for each in listed if each["ID"] == run))


def test_its_worker_was_killed_and_another_went_on(chained: Chained) -> None:
    first, _ = chained.nodes

    assert chained.killed == -signal.SIGKILL
    state, says = chained.in_window[first]
    assert (state, "its window ended" in str(says)) == ("stopped", True)


def test_at_the_end_of_its_window_the_second_node_was_left(chained: Chained) -> None:
    _, second = chained.nodes

    assert (chained.state_then, chained.in_window[second][0]) == ("stopped", "left")
    assert chained.second_then == "enabled"


def test_resumed_it_went_on_to_its_end(chained: Chained) -> None:
    assert (chained.state, chained.whole) == ("succeeded", dict.fromkeys(chained.nodes, "done"))
    assert chained.services == dict.fromkeys(chained.nodes, "disabled")


def test_no_server_is_left_on_either_node_and_the_first_moved_once_off_it(
    chained: Chained,
) -> None:
    assert chained.left_on == {node: [] for node in chained.nodes}
    kinds = {one for moves in chained.moves.values() for one in moves}
    assert kinds == {("live-migration", "completed")}
