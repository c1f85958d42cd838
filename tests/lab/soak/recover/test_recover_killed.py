"""A recovery is killed at random moments, 30 times: no server is started twice, none that was off.

`STACKWARD_SOAK_ROUNDS` is how often, where there is time for less. Nova's own log of each server
and the boots of its disk are the witnesses.
"""

import json
import os
import random
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab.drains import Drains, drains_in
from lab.soak.chain.test_chain import said
from lab.soak.recover.test_recover import orders_of, tick_of_another_boot
from real_lab import STACKWARD, RealLab, until

ROUNDS = int(os.environ.get("STACKWARD_SOAK_ROUNDS", "30"))
SEED = int(os.environ.get("STACKWARD_SOAK_SEED", "20261128"))
RAN, WAS_OFF = ("killed-1", "killed-2"), "killed-off"
LONGEST_S = 40.0  # a kill comes before; a recovery of two servers takes as long on a busy machine
_GOES_ON = ("queued", "running", "stopped")  # a run that can be resumed


@dataclass(frozen=True, kw_only=True)
class Round:
    """One power loss, and the recovery that was killed after it."""

    killed_after_s: float
    was_running: bool  # the kill came before its end
    ends: tuple[tuple[int, str], ...]  # of the commands that finished it
    orders: dict[str, list[str]]  # what users have asked for since the loss
    boots: dict[str, int]  # how often more each disk was booted
    off_status: str

    @property
    def words(self) -> str:
        """Say what was done."""
        return f"killed after {self.killed_after_s:.1f} s, {self.orders}, {self.boots}, {self.ends}"


@pytest.fixture(scope="module")
def rounds(
    lab: RealLab, nodes: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Round]]:
    """Let a node lose its power again and again, and kill each recovery of it."""
    with drains_in(lab, tmp_path_factory.mktemp("killed")) as drains:
        node = nodes[0]
        drains.remove_left_over("killed-")
        made = {name: drains.boot(name, node) for name in (*RAN, WAS_OFF)}
        drains.wait_for_guests([*made.values()])
        drains.stop(made[WAS_OFF])
        until(lambda: lab.server(made[WAS_OFF]).status == "SHUTOFF")
        moments = random.Random(SEED)  # noqa: S311  # a moment, no secret
        yield [
            _round(lab, drains, node, made, moments.uniform(0, LONGEST_S)) for _ in range(ROUNDS)
        ]
        drains.remove(*made.values())


def _round(lab: RealLab, drains: Drains, node: str, made: dict[str, str], after_s: float) -> Round:
    before = {name: lab.tick(made[name]) for name in RAN}
    known = {name: len(orders_of(lab, server)) for name, server in made.items()}
    runs = set(_runs(drains))
    lab.run("power", "off", node)
    lab.run("power", "on", node)
    until(lambda: all(lab.server(made[name]).status == "SHUTOFF" for name in RAN))
    until(lambda: drains.service(node).state == "up")
    going = drains.start([STACKWARD, "node", "recover", node, "--yes"])
    try:
        going.process.wait(after_s)
        was_running = False
    except subprocess.TimeoutExpired:
        was_running = True
        going.process.kill()
        going.process.wait()
    ends = [
        said(drains, "run", "resume", run, "--yes")
        for run, state in _runs(drains).items()
        if run not in runs and state in _GOES_ON
    ]
    ends.append(said(drains, "node", "recover", node, "--yes"))
    after = {name: tick_of_another_boot(lab, made[name], before[name]) for name in RAN}
    return Round(
        killed_after_s=after_s,
        was_running=was_running,
        ends=tuple((each.code, each.said) for each in ends),
        orders={name: orders_of(lab, server)[known[name] :] for name, server in made.items()},
        boots={name: after[name].boots - before[name].boots for name in RAN},
        off_status=lab.server(made[WAS_OFF]).status,
    )


def _runs(drains: Drains) -> dict[str, str]:
    """Return the state of each run of the journal."""
    shown = json.loads(drains.call("run", "list", "-f", "json").stdout)
    return {str(each["ID"]): str(each["State"]) for each in shown}


def test_no_server_is_started_twice_and_each_that_ran_runs(rounds: list[Round]) -> None:
    wrong = [
        each.words
        for each in rounds
        if any(each.orders[name] != ["start"] or each.boots[name] != 1 for name in RAN)
    ]

    assert wrong == []


def test_what_was_off_is_asked_for_nothing(rounds: list[Round]) -> None:
    assert [each.orders[WAS_OFF] for each in rounds] == [[]] * ROUNDS
    assert {each.off_status for each in rounds} == {"SHUTOFF"}


def test_what_goes_on_after_a_kill_ends_well(rounds: list[Round]) -> None:
    assert [each.words for each in rounds if any(code for code, _ in each.ends)] == []


def test_some_kills_came_in_the_middle(rounds: list[Round]) -> None:
    assert any(each.was_running for each in rounds)
