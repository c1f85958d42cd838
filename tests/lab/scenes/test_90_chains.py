"""Two nodes in a chain: its worker is killed once, and its window ends before the second node.

The chain is left to workers. The first dies while the server of the first node moves; the next
comes when the window is over, and only brings that move to its end. Then the chain is resumed.
"""

import json
import signal
import time
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lab.deaths import is_moving
from lab.drains import Drains, new
from lab.stage import Stage, scene
from real_lab import STACKWARD, until

# Of what a plan takes, which is made three times until a worker moves the first server.
WINDOW = 5


@dataclass(frozen=True, kw_only=True)
class Chained:
    """What two nodes, their servers and their runs were after each part."""

    nodes: tuple[str, str]
    killed: int
    in_window: dict[str, tuple[str, str | None]]  # by item: its state, and what it says
    state_then: str
    why: str  # it was that, by its journal
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
    first, second, third = stage.nodes
    stage.all_in_service()
    for left in ("chain-", "drain-"):  # two of the latter must stay apart: they leave no room
        drains.remove_left_over(left)
    servers = [drains.boot("chain-0", first)]
    drains.wait_for_guests(servers)
    records = drains.records(servers)
    planning = time.monotonic()
    # The scheduler does not know which node comes next.
    planned, plan = drains.plan(first, second, "--keep-service", "--target", third)
    assert planned.code == 0, planned.said
    takes_s = time.monotonic() - planning
    stage.begins()

    begins = datetime.now(UTC) - timedelta(seconds=5)
    ends = begins + timedelta(seconds=5 + WINDOW * takes_s)
    window = f"{begins:%H:%M:%S}-{ends:%H:%M:%S}@UTC"
    queued = drains.call("run", "apply", str(plan), "--yes", "--window", window, "-f", "json")
    assert queued.returncode == 0, queued.stderr
    chain = json.loads(queued.stdout)[0]["ID"]
    killed = a_worker_that_is_killed(drains, servers)
    until(lambda: datetime.now(UTC) > ends)
    # One of the same name knows at once that the first is dead: it was a process of this machine.
    drains.call("worker", "--once", "--name", "one")
    in_window, state_then = items(drains, chain), state_of(drains, chain)
    second_then = str(drains.service(second).status)
    why = str(drains.events_of(chain)[-1]["Says"])

    resumed = drains.call("run", "resume", chain)
    assert resumed.returncode == 0, resumed.stderr
    yield Chained(
        nodes=(first, second),
        killed=killed,
        in_window={each["Item"]: (each["State"], each["Says"]) for each in in_window},
        state_then=state_then,
        why=why,
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

    assert (chained.killed, chained.in_window[first][0]) == (-signal.SIGKILL, "done")


def test_at_the_end_of_its_window_the_second_node_was_left(chained: Chained) -> None:
    _, second = chained.nodes

    assert (chained.state_then, chained.in_window[second][0]) == ("stopped", "left")
    assert "its window ended" in chained.why
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
