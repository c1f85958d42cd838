"""Three nodes are rebooted in turn by workers: one is frozen, another takes over; one node hangs.

The chain is left to two workers. The first is frozen while the first node is down, and thawed once
the other has its run. The second node hangs as it boots: the chain ends there. Once that is mended,
it is resumed. The servers tell how often each was stopped and started: by Nova's own log of them.
"""

import signal
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab.deaths import is_frozen
from lab.drains import Drains, Ended, Going, drains_in
from lab.soak.chain.test_chain import latest_chain, said
from lab.soak.reboot.test_node_reboot import first_process
from lab.soak.reboot.test_rolling_reboot import (
    HANGS,
    OFF,
    ONCE,
    Rows,
    boot_all,
    by_item,
    orders_of,
    since,
)
from real_lab import STACKWARD, RealLab, until
from stackward.adapters.store.listing import FILE, list_runs
from stackward.errors import ExitCode
from stackward.model.run import Run, RunState

WAITS_S = 900  # for three nodes
NOT_SEEN = "not started: it is not known whether the cloud is well"
TRIES = 3  # of each, the chain has looked for 300 s


@dataclass(frozen=True, kw_only=True)
class TakenOver:
    """A chain of two workers, one of which was frozen, and whose second node did not come back."""

    hung_rows: Rows
    hung_orders: dict[str, list[str]]
    epochs_of_first: int  # of the run of the first node: one for each worker that has taken it
    booted: tuple[str, str]  # when the first process of the first node began: before and after
    gone_on: Ended
    frozen: Ended  # the worker that was taken over, once it was thawed
    other: Ended
    orders: dict[str, list[str]]
    statuses: dict[str, str]


@pytest.fixture(scope="module")
def taken_over(
    lab: RealLab, nodes: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TakenOver]:
    """Roll over them by two workers, one of which is frozen; the second node hangs at its boot."""
    first, second, _ = nodes
    with drains_in(lab, tmp_path_factory.mktemp("rolled")) as drains:
        made = boot_all(drains, nodes)
        born, booted = orders_of(lab, made), first_process(lab, first)
        lab.run("break", HANGS, second)
        try:
            chain = queue(drains, *nodes)
            one = worker(drains, "one")
            until(lambda: lab.server(made[f"rolled-{first}"]).status == "SHUTOFF", within_s=300)
            one.process.send_signal(signal.SIGSTOP)
            until(lambda: is_frozen(one))
            run = str(by_item(drains, chain)[first]["Run"])
            two = worker(drains, "two")
            until(lambda: listed(drains, run).worker == "two", within_s=300)
            one.process.send_signal(signal.SIGCONT)
            frozen = one.ended()
            until(lambda: listed(drains, chain).state is RunState.STOPPED, within_s=WAITS_S)
            hung_rows, hung_orders = by_item(drains, chain), orders_of(lab, made)
            epochs = listed(drains, run).epoch
            again = first_process(lab, first)
        finally:
            lab.run("mend", HANGS, second)
        gone_on = resumed(drains, chain)
        two.process.send_signal(signal.SIGTERM)
        yield TakenOver(
            hung_rows=hung_rows,
            hung_orders=since(born, hung_orders),
            epochs_of_first=epochs,
            booted=(booted, again),
            gone_on=gone_on,
            frozen=frozen,
            other=two.ended(),
            orders=since(born, orders_of(lab, made)),
            statuses={name: lab.server(server).status for name, server in made.items()},
        )
        drains.remove(*made.values())


def queue(drains: Drains, *nodes: str) -> str:
    """Leave a chain of reboots to the workers, and return it."""
    words = ("node", "reboot", *nodes, "--in-place", "--at-once", "1", "--timeout", "60")
    queued = said(drains, *words, "--yes", "--queue")
    assert queued.code == 0, queued.said
    return latest_chain(drains)


def resumed(drains: Drains, chain: str) -> Ended:
    """Resume a chain; again, as it says itself, where the busy cloud could not be looked at."""
    ended = said(drains, "run", "resume", chain, "--yes")
    for _ in range(TRIES - 1):
        # What it says has all that was before, too.
        if ended.code != ExitCode.STOPPED or NOT_SEEN not in ended.said:
            break
        ended = said(drains, "run", "resume", chain, "--yes")
    return ended


def worker(drains: Drains, name: str) -> Going:
    """Start a worker."""
    return drains.start([STACKWARD, "worker", "--name", name])


def listed(drains: Drains, run: str) -> Run:
    """Return a run, as its journal has it: a command for each look would take the lab's time."""
    return next(each for each in list_runs(drains.folder / FILE, 99) if each.id == run)


def test_a_frozen_worker_is_taken_over_and_changes_nothing_once_it_is_thawed(
    taken_over: TakenOver,
) -> None:
    before, after = taken_over.booted

    assert taken_over.epochs_of_first >= 2, taken_over.other.said
    assert before != after
    assert taken_over.frozen.code != 0
    assert "others have its runs" in taken_over.frozen.said
    assert taken_over.other.code == 0, taken_over.other.said


def test_the_second_node_hangs_and_the_third_is_not_begun(
    taken_over: TakenOver, nodes: tuple[str, str, str]
) -> None:
    first, second, third = nodes

    states = [taken_over.hung_rows[one]["State"] for one in nodes]
    assert states == ["done", "stopped", "left"], taken_over.other.said
    assert taken_over.hung_orders == {
        f"rolled-{first}": ONCE, f"rolled-{second}": ["stop"], f"rolled-{third}": [], OFF: [],
    }  # fmt: skip


def test_resumed_it_does_nothing_twice(taken_over: TakenOver) -> None:
    assert taken_over.gone_on.code == 0, taken_over.gone_on.said
    assert taken_over.orders == {name: [] if name == OFF else ONCE for name in taken_over.orders}
    assert {name for name, how in taken_over.statuses.items() if how != "ACTIVE"} == {OFF}
