"""Three nodes are rebooted in turn, and their process is killed at named and at drawn writes.

It kills itself (see killed_drain.py), and each that resumes the chain does too, until the last. The
servers tell how often each was stopped and started: by Nova's own log of them.
STACKWARD_SOAK_SEED draws other writes, STACKWARD_SOAK_KILLS so many of them.
"""

import os
import random
import signal
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab.deaths import kill
from lab.drains import Drains, Ended, drains_in
from lab.soak.chain.test_chain import latest_chain, said
from lab.soak.reboot.test_node_reboot import first_process
from lab.soak.reboot.test_rolling_reboot import OFF, ONCE, Rows, boot_all, by_item, orders_of, since
from real_lab import RealLab

SEED = int(os.environ.get("STACKWARD_SOAK_SEED", "20261129"))
KILLS = int(os.environ.get("STACKWARD_SOAK_KILLS", "4"))
LATEST = 40  # of the writes that are drawn: a node has more
# In the order in which the first node meets them.
POINTS = (
    "run-unmade",
    "stop-unanswered",
    "reboot-unanswered",
    "before-uncordon",
    "restart-unanswered",
    "run-unsettled",
)


@dataclass(frozen=True, kw_only=True)
class Servers:
    """One that runs on each of three nodes, and one that is off, on the second."""

    lab: RealLab
    drains: Drains
    nodes: tuple[str, str, str]
    made: dict[str, str]

    @property
    def orders(self) -> dict[str, list[str]]:
        """Return what Nova was asked for of each."""
        return orders_of(self.lab, self.made)

    @property
    def statuses(self) -> dict[str, str]:
        """Return how each is, by Nova."""
        return {name: self.lab.server(server).status for name, server in self.made.items()}

    @property
    def boots(self) -> tuple[str, ...]:
        """Return when the first process of each node began."""
        return tuple(first_process(self.lab, node) for node in self.nodes)


@dataclass(frozen=True, kw_only=True)
class Killed:
    """A chain that was killed again and again, and resumed."""

    deaths: dict[str, int]
    resumed: Ended
    rows: Rows
    orders: dict[str, list[str]]
    booted: tuple[tuple[str, ...], tuple[str, ...]]
    statuses: dict[str, str]

    @property
    def words(self) -> str:
        """Say where it was killed, and how it ended."""
        return f"killed at {[*self.deaths]}: {self.rows}, {self.resumed.said}"


@pytest.fixture(scope="module")
def servers(
    lab: RealLab, nodes: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Servers]:
    """Given a server on each of three nodes, and one that is off."""
    with drains_in(lab, tmp_path_factory.mktemp("rolled")) as drains:
        made = boot_all(drains, nodes)
        yield Servers(lab=lab, drains=drains, nodes=nodes, made=made)
        drains.remove(*made.values())


@pytest.fixture(scope="module")
def killed(servers: Servers) -> Killed:
    """Roll over three nodes; kill what carries the chain out at one write after the other."""
    drains, plan = servers.drains, servers.drains.folder / "rolling.json"
    words = ("node", "reboot", *servers.nodes, "--in-place", "--at-once", "1")
    planned = said(drains, *words, "--dry-run", "--plan-out", str(plan))
    assert planned.code == 0, planned.said
    born, booted = servers.orders, servers.boots

    first, *others = POINTS
    deaths = {first: kill(drains, str(plan), first)}
    chain = latest_chain(drains)
    drawn = random.Random(SEED)  # noqa: S311  # a moment, no secret
    others += [str(number) for number in drawn.sample(range(1, LATEST + 1), KILLS)]
    deaths |= {point: kill(drains, chain, point) for point in others}
    resumed = said(drains, "run", "resume", chain, "--yes")
    return Killed(
        deaths=deaths,
        resumed=resumed,
        rows=by_item(drains, chain),
        orders=since(born, servers.orders),
        booted=(booted, servers.boots),
        statuses=servers.statuses,
    )


def test_killed_again_and_again_it_ends_well_and_each_node_was_rebooted(killed: Killed) -> None:
    named = {point: killed.deaths[point] for point in POINTS}
    before, after = killed.booted

    assert named == dict.fromkeys(POINTS, -signal.SIGKILL), killed.words
    assert len(killed.deaths) == len(POINTS) + KILLS
    assert killed.resumed.code == 0, killed.words
    assert [row["State"] for row in killed.rows.values()] == ["done"] * 3
    assert all(one != other for one, other in zip(before, after, strict=True))


def test_no_kill_stops_or_starts_a_server_twice(killed: Killed) -> None:
    assert killed.orders == {name: [] if name == OFF else ONCE for name in killed.orders}
    assert {name for name, how in killed.statuses.items() if how != "ACTIVE"} == {OFF}
