"""A recovery is killed at random moments, 30 times: no server is started twice, none that was off.

After each of ten power losses the recovery, and what resumes it, are killed three times.
`STACKWARD_SOAK_ROUNDS` is the number of losses, where there is time for less. Nova's own log of
each server and the boots of its disk are the witnesses.
"""

import json
import os
import random
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab.drains import Drains, Going, drains_in
from lab.soak.chain.test_chain import said
from lab.soak.recover.test_recover import orders_of, tick_of_another_boot
from real_lab import STACKWARD, RealLab, until

ROUNDS = int(os.environ.get("STACKWARD_SOAK_ROUNDS", "10"))
KILLS = 3  # in each round
SEED = int(os.environ.get("STACKWARD_SOAK_SEED", "20261128"))
RAN, WAS_OFF = ("killed-1", "killed-2"), "killed-off"
LONGEST_S = 10.0  # a kill comes before; a recovery of two servers takes twice as long
_GOES_ON = ("queued", "running", "stopped")  # a run that can be resumed


@dataclass(frozen=True, kw_only=True)
class Round:
    """One power loss, and the recovery that was killed after it."""

    kills: tuple[tuple[float, bool], ...]  # after how many seconds, and whether it still ran
    ends: tuple[tuple[int, str], ...]  # of the commands that finished it
    orders: dict[str, list[str]]  # what users have asked for since the loss
    boots: dict[str, int]  # how often more each disk was booted
    off_status: str

    @property
    def words(self) -> str:
        """Say what was done."""
        kills = ", ".join(f"{after_s:.1f} s" for after_s, _ in self.kills)
        return f"killed after {kills}: {self.orders}, {self.boots}, {self.ends}"


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
            _round(lab, drains, node, made, [moments.uniform(0, LONGEST_S) for _ in range(KILLS)])
            for _ in range(ROUNDS)
        ]
        drains.remove(*made.values())


def _round(
    lab: RealLab, drains: Drains, node: str, made: dict[str, str], moments: list[float]
) -> Round:
    before = {name: lab.tick(made[name]) for name in RAN}
    known = {name: len(orders_of(lab, server)) for name, server in made.items()}
    runs = set(_runs(drains))
    lab.run("power", "off", node)
    lab.run("power", "on", node)
    until(lambda: all(lab.server(made[name]).status == "SHUTOFF" for name in RAN))
    until(lambda: drains.service(node).state == "up")
    recover, kills = ["node", "recover", node], list[tuple[float, bool]]()
    for after_s in moments:
        left = _left(drains, runs)
        words = ["run", "resume", left] if left else recover
        kills.append((after_s, _killed(drains.start([STACKWARD, *words, "--yes"]), after_s)))
    left = _left(drains, runs)
    ends = [said(drains, "run", "resume", left, "--yes")] if left else []
    ends.append(said(drains, *recover, "--yes"))
    after = {name: tick_of_another_boot(lab, made[name], before[name]) for name in RAN}
    return Round(
        kills=tuple(kills),
        ends=tuple((each.code, each.said) for each in ends),
        orders={name: orders_of(lab, server)[known[name] :] for name, server in made.items()},
        boots={name: after[name].boots - before[name].boots for name in RAN},
        off_status=lab.server(made[WAS_OFF]).status,
    )


def _killed(going: Going, after_s: float) -> bool:
    """Kill a command after so long; say whether it still ran."""
    try:
        going.process.wait(after_s)
    except subprocess.TimeoutExpired:
        going.process.kill()
        going.process.wait()
        return True
    return False


def _left(drains: Drains, before: set[str]) -> str | None:
    """Return the run that a kill has left in the middle; one at most may be so."""
    found = [run for run, state in _runs(drains).items() if run not in before and state in _GOES_ON]
    assert len(found) <= 1, found
    return found[0] if found else None


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


def test_in_each_round_a_kill_came_in_the_middle(rounds: list[Round]) -> None:
    assert len(rounds) == ROUNDS
    assert [each.words for each in rounds if not any(had_run for _, had_run in each.kills)] == []
