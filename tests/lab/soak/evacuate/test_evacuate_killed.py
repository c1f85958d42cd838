"""An evacuation whose worker dies after each order: each is given once, what was off stays off.

Its node is cut off and lives on, so that the run itself cuts its power. It dies after that order,
after the force down, after a request to Nova to evacuate and after one to start: each time before
the answer is known. The servers have volumes and no other disk. One ran, one its owner had stopped,
one was paused.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab.deaths import kill
from lab.drains import Drains, Ended
from lab.evacuations import asked_of, bring_back, on_a_volume, power_of
from real_lab import RealLab, until
from stackward.lab.guest import Tick

RAN, WAS_OFF, PAUSED = "killed-ran", "killed-off", "killed-paused"
POINTS = ("power-off-unanswered", "force-down-unanswered", "evacuate-unread", "start-unread")
KILLED = -9


@dataclass(frozen=True, kw_only=True)
class Evacuated:
    """How its workers ended, and what became of the servers."""

    node: str
    deaths: dict[str, int]
    powers: dict[str, str]  # of the node, after each death
    forced_down: dict[str, bool]  # the same
    ended: Ended
    state: str
    asked: dict[str, list[str]]  # of Nova, since the servers were as they should be
    records: dict[str, list[tuple[str, str]]]
    statuses: dict[str, str]
    hosts: dict[str, str]
    boots: tuple[int, int]  # of the one that ran: before and after


@pytest.fixture(scope="module")
def evacuated(
    lab: RealLab, nodes: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Evacuated]:
    """Given a node that is cut off, and whose evacuation was killed at each point and resumed."""
    drains, node = Drains(lab, tmp_path_factory.mktemp("journal")), nodes[2]
    drains.remove_left_over("killed-")
    made = {name: on_a_volume(lab, name, node) for name in (RAN, WAS_OFF, PAUSED)}
    drains.wait_for_guests([*made.values()])
    drains.stop(made[WAS_OFF])
    lab.cloud.compute.pause_server(made[PAUSED])
    until(lambda: lab.server(made[PAUSED]).status == "PAUSED")
    assert drains.call("node", "check", node).returncode == 0
    before = lab.tick(made[RAN])
    known = {name: len(asked_of(lab, each)) for name, each in made.items()}
    lab.run("break", "node-network-loss", node)
    deaths, powers, forced_down = dict[str, int](), dict[str, str](), dict[str, bool]()
    what = planned(drains, node, made)
    for point in POINTS:
        deaths[point] = kill(drains, what, point)
        what = drains.run["ID"]
        powers[point] = power_of(lab, node)
        forced_down[point] = bool(drains.service(node).is_forced_down)
    ended = drains.resume()
    after = lab.tick(made[RAN])
    yield Evacuated(
        node=node,
        deaths=deaths,
        powers=powers,
        forced_down=forced_down,
        ended=ended,
        state=str(drains.run["State"]),
        asked={name: asked_of(lab, each)[known[name] :] for name, each in made.items()},
        records={name: [*drains.migrations(each).values()] for name, each in made.items()},
        statuses={name: lab.server(each).status for name, each in made.items()},
        hosts={name: lab.server(each).hypervisor_hostname for name, each in made.items()},
        boots=boots_of(before, after),
    )
    bring_back(drains, node)  # a boot plugs its cables in
    lab.run("mend", "node-network-loss", node)
    drains.remove(*made.values())


def planned(drains: Drains, node: str, made: dict[str, str]) -> str:
    """Plan the evacuation, once nobody counts the node as up any more; return where it is kept."""
    place = drains.folder / "evacuation.json"
    only = [word for each in made.values() for word in ("--only", each)]
    flags = ["--with-stopped", "--reset-state", made[PAUSED], "--dry-run", "--plan-out", str(place)]
    asked = ("node", "evacuate", node, "--reason", "tested", *only, *flags)
    until(lambda: drains.call(*asked).returncode == 0)
    return str(place)


def boots_of(before: Tick, after: Tick) -> tuple[int, int]:
    return before.boots, after.boots


def test_it_was_killed_after_each_order_and_ends_well(evacuated: Evacuated) -> None:
    assert evacuated.deaths == dict.fromkeys(POINTS, KILLED)
    assert (evacuated.ended.code, evacuated.state) == (0, "succeeded"), evacuated.ended.said


def test_its_power_is_off_before_nova_is_told_that_it_is_down(evacuated: Evacuated) -> None:
    off, down, *_ = POINTS

    assert evacuated.powers == dict.fromkeys(POINTS, "off")
    assert (evacuated.forced_down[off], evacuated.forced_down[down]) == (False, True)


def test_each_was_asked_for_once(evacuated: Evacuated) -> None:
    evacuations = {name: asked.count("evacuate") for name, asked in evacuated.asked.items()}
    starts = {name: asked.count("start") for name, asked in evacuated.asked.items()}

    assert evacuations == {RAN: 1, WAS_OFF: 1, PAUSED: 1}
    assert starts == {RAN: 1, WAS_OFF: 0, PAUSED: 0}
    assert {one for records in evacuated.records.values() for one in records} == {
        ("evacuation", "done")
    }


def test_only_what_ran_runs(evacuated: Evacuated) -> None:
    assert evacuated.statuses == {RAN: "ACTIVE", WAS_OFF: "SHUTOFF", PAUSED: "SHUTOFF"}
    assert evacuated.node not in evacuated.hosts.values()


def test_it_has_booted_for_us_once_and_at_most_once_for_nova(evacuated: Evacuated) -> None:
    before, after = evacuated.boots

    assert after - before in {1, 2}
