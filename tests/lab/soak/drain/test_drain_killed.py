"""A drain whose worker dies: resumed, it ends proved, and nothing was done twice.

The worker kills itself (see killed_drain.py); who goes on is the plain `run resume`. That nothing
was done twice is told by Nova's own records and by the guests.
"""

import json
import os
import random
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.deaths import COLD, LIVE, SCRIPT, is_frozen, is_moving, kill
from lab.drains import Drains, Ended, drains_in, new, note
from real_lab import RealLab, until
from stackward.lab.guest import Tick

POINTS = ("intended", "unread", "answered", *COLD, "before-stop")
MOMENTS = 28  # that every drain lives through before its last proof


@dataclass(frozen=True, kw_only=True)
class Killed:
    """A drain that was killed and resumed, and how its servers were before."""

    drains: Drains
    node: str
    ticks: dict[str, Tick]  # of the running servers
    stopped: str
    moves: dict[str, list[tuple[str, str]]]
    deaths: dict[str, int]
    ended: Ended


def as_met(plan: Path, stopped: str) -> list[str]:
    """Return the named points in the order in which the plan's moves meet them, one by one."""
    stages = {stage["name"]: stage for stage in json.loads(plan.read_text())["stages"]}
    live, met = iter(LIVE), list[str]()
    for move in stages["move"]["moves"]:
        met += COLD if move["thing_id"] == stopped else next(live, ())
    return [*met, "before-stop"]


@pytest.fixture(scope="module")
def servers(lab: RealLab, nodes: tuple[str, str, str]) -> Iterator[tuple[str, str, str]]:
    """Given two servers that run and one that is stopped."""
    drains = Drains(lab, Path())
    drains.remove_left_over("killed-")
    one, two, stopped = (drains.boot(f"killed-{n}", nodes[1]) for n in (1, 2, 3))
    drains.wait_for_guests([one, two, stopped])
    drains.write(one, "kept")
    drains.write(stopped, "kept")
    drains.stop(stopped)
    yield one, two, stopped
    drains.remove(one, two, stopped)


@pytest.fixture(scope="module")
def killed(
    lab: RealLab,
    servers: tuple[str, str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Killed]:
    """Given a drain that was killed at one named point after the other."""
    one, two, stopped = servers
    node = lab.server(one).hypervisor_hostname
    with drains_in(lab, tmp_path_factory.mktemp("killed")) as drains:
        records = drains.records(drains.servers_on(node))
        ticks = {each: lab.tick(each) for each in (one, two)}
        planned, plan = drains.plan(node, "--parallel", "1")
        assert planned.code == 0, planned.said

        first, *others = as_met(plan, stopped)
        deaths = {first: kill(drains, str(plan), first)}
        deaths |= {point: kill(drains, drains.run["ID"], point) for point in others}
        ended = drains.resume()

        yield Killed(
            drains=drains,
            node=node,
            ticks=ticks,
            stopped=stopped,
            moves=new(records, drains.records(records)),
            deaths=deaths,
            ended=ended,
        )


def test_a_drain_that_died_at_every_named_point_ends_proved(killed: Killed) -> None:
    assert killed.deaths == dict.fromkeys(POINTS, -signal.SIGKILL)
    assert (killed.ended.code, killed.drains.run["State"]) == (0, "succeeded"), killed.ended.said
    assert killed.drains.servers_on(killed.node) == []
    assert killed.drains.unit(killed.node) == ("inactive", "masked")


def test_each_server_was_migrated_once_in_spite_of_all_deaths(killed: Killed) -> None:
    ours = {each: killed.moves[each] for each in (*killed.ticks, killed.stopped)}

    assert {len(moves) for moves in killed.moves.values()} == {1}
    assert ours == {
        **{each: [("live-migration", "completed")] for each in killed.ticks},
        killed.stopped: [("migration", "confirmed")],
    }


def test_the_guests_ran_on_while_the_worker_died(killed: Killed) -> None:
    before = killed.ticks

    after = {each: killed.drains.ticks_on(each, tick) for each, tick in before.items()}

    assert {each: (tick.boot, tick.boots, note(tick)) for each, tick in after.items()} == {
        each: (tick.boot, tick.boots, note(tick)) for each, tick in before.items()
    }


def test_a_worker_that_was_frozen_before_its_request_moves_nothing_twice(
    drains: Drains, servers: tuple[str, str, str]
) -> None:
    """It had written its intent. Another takes over; thawed, it asks, and Nova refuses it."""
    server = servers[0]
    node = drains.lab.server(server).hypervisor_hostname
    records = drains.records(drains.servers_on(node))
    planned, plan = drains.plan(node, "--parallel", "1")
    assert planned.code == 0, planned.said

    frozen = drains.start([sys.executable, SCRIPT, str(plan), "intended", "freezes"])
    until(lambda: is_frozen(frozen), within_s=120)
    other = drains.start_resume("--take-over")
    until(lambda: is_moving(drains, records), within_s=120)
    frozen.process.send_signal(signal.SIGCONT)

    late, ended = frozen.ended(), other.ended()
    moves = new(records, drains.records(records))
    assert (late.code, "Superseded" in late.said) == (1, True), late.said
    assert ended.code == 0, ended.said
    assert {len(each) for each in moves.values()} == {1}, moves


def test_a_drain_killed_at_a_random_point_does_each_thing_once(
    drains: Drains, servers: tuple[str, str, str]
) -> None:
    """STACKWARD_TEST_SEED=N repeats one."""
    seed = int(os.environ.get("STACKWARD_TEST_SEED") or random.SystemRandom().randrange(10_000))
    killed_once(drains, servers[0], str(random.Random(seed).randint(1, MOMENTS)), f"seed {seed}")  # noqa: S311  # no secret


@pytest.mark.parametrize("seed", range(5))
def test_a_drain_killed_at_one_of_more_random_points(
    drains: Drains, servers: tuple[str, str, str], seed: int
) -> None:
    point = random.Random(seed).randint(1, MOMENTS)  # noqa: S311  # no secret
    killed_once(drains, servers[0], str(point), f"seed {seed}")


@pytest.mark.parametrize("point", POINTS)
def test_a_drain_killed_at_one_named_point(
    drains: Drains, servers: tuple[str, str, str], point: str
) -> None:
    one, _, stopped = servers

    killed_once(drains, stopped if point in COLD else one, point, point)


def killed_once(drains: Drains, server: str, point: str, why: str) -> None:
    """Drain the node of a server, killed at that point, and let the witnesses judge."""
    node = drains.lab.server(server).hypervisor_hostname
    records, before = drains.records(drains.servers_on(node)), drains.place(server)
    planned, plan = drains.plan(node)
    assert planned.code == 0, planned.said

    death = kill(drains, str(plan), point)
    ended = drains.resume()

    moves = new(records, drains.records(records))
    assert (death, ended.code) == (-signal.SIGKILL, 0), f"{why}, point {point}: {ended.said}"
    assert {len(each) for each in moves.values()} == {1}, f"{why}, point {point}: {moves}"
    assert drains.place(server).state == before.state
    assert drains.servers_on(node) == []
