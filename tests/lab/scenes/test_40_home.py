"""The servers of a drain come home by `run undo`, whose worker dies at each point that matters.

The worker kills itself (see killed_drain.py); who goes on is the plain `run resume`. That nothing
was done twice is told by Nova's own records and by the guests.
"""

import json
import signal
import sys
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path

from lab.deaths import COLD, LIVE, SCRIPT, is_frozen, is_moving, kill
from lab.drains import TRAIT, Drains, Ended, Place, new
from lab.scenes.test_30_drain import all_kinds, told_ha
from lab.stage import Stage, scene
from real_lab import until
from stackward.lab.guest import Tick

POINTS = ("intended", "unread", "answered", *COLD)
FROZEN = "frozen"  # not dead, but it writes no more


@dataclass(frozen=True, kw_only=True)
class Home:
    """Servers that came home by a run that died again and again."""

    node: str
    servers: dict[str, str]
    ticks: tuple[dict[str, Tick], dict[str, Tick]]  # of those that ran, before and after
    moves: dict[str, list[tuple[str, str]]]
    deaths: dict[str, int]
    late: Ended | None  # who was frozen, and thawed when another had taken over
    ended: Ended
    state: str
    places: dict[str, tuple[str, str]]
    service: tuple[str, str]
    traits: list[str]
    unit: tuple[str, str]
    told_ha: dict[str, bool]


@scene(budget_s=240)
def home(stage: Stage) -> Generator[Home]:
    """Undo a drain by a run that is killed at each named point, and frozen once."""
    lab, drains = stage.lab, stage.drains
    lab.run("add", "masakari")
    kept = drained(stage)
    node, run, group = kept.pop("node"), kept.pop("run"), kept.pop("group")
    moved = {what: each for what, each in kept.items() if what != "partner"}
    ran = [what for what in moved if what != "stopped"]
    ticks = {what: lab.tick(moved[what]) for what in ran}
    records = drains.records(moved.values())
    stage.begins()

    plan = undo(drains, run)
    deaths: dict[str, int] = {}
    late = None
    for point in as_met(plan, moved["stopped"]):
        what = drains.run["ID"] if deaths or late else str(plan)
        if point == FROZEN:
            late = freeze(drains, what, moved.values())
        else:
            deaths[point] = kill(drains, what, point)
    ended = drains.resume()

    service = drains.service(node)
    yield Home(
        node=node,
        servers=moved,
        ticks=(ticks, {what: drains.ticks_on(moved[what], ticks[what]) for what in ran}),
        moves=new(records, drains.records(moved.values())),
        deaths=deaths,
        late=late,
        ended=ended,
        state=drains.run["State"],
        places={what: (place.node, place.status) for what, place in places(drains, moved).items()},
        service=(service.state, service.status),
        traits=drains.traits(node),
        unit=drains.unit(node),
        told_ha={each: told_ha(lab, each) for each in stage.nodes},
    )
    lab.run("drop", "masakari")
    volumes = [each.volume_id for each in lab.cloud.compute.volume_attachments(moved["volume"])]
    drains.remove(*kept.values())
    lab.cloud.compute.delete_server_group(group)
    for volume in volumes:
        lab.cloud.block_storage.delete_volume(volume)
    stage.remembers("drained", {})


def drained(stage: Stage) -> dict[str, str]:
    """Return what the drain of all kinds has left, or drain a node of such servers now."""
    drains, (_, node, other) = stage.drains, stage.nodes
    kept = stage.remembers("drained")
    if kept and drains.service(kept["node"]).status == "disabled":
        return kept
    stage.all_in_service()
    drains.remove_left_over("drain-")
    servers, group = all_kinds(drains, node, other)
    drains.stop(servers["stopped"])
    ended = drains.drain(node)
    assert ended.code == 0, ended.said
    return servers | {"node": node, "run": drains.run["ID"], "group": group}


def undo(drains: Drains, run: str) -> Path:
    """Plan to undo a run, one move after the other."""
    plan = drains.folder / f"undo-{run}.json"
    plan.unlink(missing_ok=True)
    planned = drains.call(
        "run", "undo", run, "--parallel", "1", "--dry-run", "--plan-out", str(plan)
    )
    assert planned.returncode == 0, planned.stdout + planned.stderr
    return plan


def as_met(plan: Path, stopped: str) -> list[str]:
    """Return the named points in the order in which the plan's moves meet them, one by one."""
    moves = [
        move
        for stage in json.loads(plan.read_text())["stages"]
        for move in stage["moves"]
        if {step["kind"] for step in move["steps"]} & {"live-migrate", "cold-migrate"}
    ]
    live, met = iter([(FROZEN,), *LIVE]), list[str]()
    for move in moves:
        met += COLD if move["thing_id"] == stopped else next(live, ())
    return met


def freeze(drains: Drains, what: str, servers: Iterable[str]) -> Ended:
    """Freeze a worker that has written its intent, until another has taken over and asked.

    That one dies while the server moves; return what came of the first, once it was thawed.
    """
    frozen = drains.start([sys.executable, SCRIPT, what, "intended", "freezes"])
    until(lambda: is_frozen(frozen))
    other = drains.start_resume("--take-over")
    until(lambda: is_moving(drains, servers))
    other.process.kill()
    other.process.wait()
    frozen.process.send_signal(signal.SIGCONT)
    return frozen.ended()


def places(drains: Drains, servers: dict[str, str]) -> dict[str, Place]:
    """Return where each server is, by what it is."""
    return {what: drains.place(each) for what, each in servers.items()}


def test_it_died_at_every_named_point_and_ends_proved(home: Home) -> None:
    assert home.deaths == dict.fromkeys(POINTS, -signal.SIGKILL)
    assert (home.ended.code, home.state) == (0, "succeeded"), home.ended.said


def test_all_are_home_and_the_node_is_in_service(home: Home) -> None:
    states = dict.fromkeys(home.servers, "ACTIVE") | {"stopped": "SHUTOFF"}

    assert home.places == {what: (home.node, status) for what, status in states.items()}
    assert (home.service, TRAIT in home.traits) == (("up", "enabled"), False)
    assert home.unit == ("active", "enabled")


def test_each_server_came_home_once_in_spite_of_all_deaths(home: Home) -> None:
    expected = {
        each: [("migration", "confirmed")]
        if what == "stopped"
        else [("live-migration", "completed")]
        for what, each in home.servers.items()
    }

    assert home.moves == expected


def test_the_guests_ran_on_while_the_worker_died(home: Home) -> None:
    before, after = home.ticks

    assert {what: (tick.boot, tick.boots) for what, tick in after.items()} == {
        what: (tick.boot, tick.boots) for what, tick in before.items()
    }


def test_a_worker_that_was_frozen_before_its_request_moves_nothing_twice(home: Home) -> None:
    """It had written its intent. Another took over; thawed, it asked, and Nova refused it."""
    assert home.late is not None
    assert (home.late.code, "Superseded" in home.late.said) == (1, True), home.late.said


def test_the_instance_ha_service_is_told_that_the_maintenance_is_over(home: Home) -> None:
    assert set(home.told_ha.values()) == {False}
