"""An evacuation whose worker dies after its requests: each is sent once, what was off stays off.

The servers have volumes and no other disk. One ran, one its owner had stopped, one was paused.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab.deaths import kill
from lab.drains import Drains, Ended
from lab.evacuations import bring_back, on_a_volume
from real_lab import RealLab, until
from stackward.lab.guest import Tick

RAN, WAS_OFF, PAUSED = "killed-ran", "killed-off", "killed-paused"
POINTS = ("evacuate-unread", "start-unread")
KILLED = -9


@dataclass(frozen=True, kw_only=True)
class Evacuated:
    """How its workers ended, and what became of the servers."""

    node: str
    deaths: list[int]
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
    """Given a node that has died, and whose evacuation was killed twice and resumed."""
    drains, node = Drains(lab, tmp_path_factory.mktemp("journal")), nodes[2]
    drains.remove_left_over("killed-")
    made = {name: on_a_volume(lab, name, node) for name in (RAN, WAS_OFF, PAUSED)}
    drains.wait_for_guests([*made.values()])
    drains.stop(made[WAS_OFF])
    lab.cloud.compute.pause_server(made[PAUSED])
    until(lambda: lab.server(made[PAUSED]).status == "PAUSED")
    assert drains.call("node", "check", node).returncode == 0
    before, known = lab.tick(made[RAN]), asked_of(lab, made)
    lab.run("power", "off", node)
    until(lambda: lab.compute_state(node) == "down")
    plan = drains.folder / "evacuation.json"
    only = [word for each in made.values() for word in ("--only", each)]
    flags = ["--with-stopped", "--reset-state", made[PAUSED], "--dry-run", "--plan-out", str(plan)]
    planned = drains.call("node", "evacuate", node, "--reason", "tested", *only, *flags)
    assert planned.returncode == 0, planned.stderr
    deaths = [kill(drains, str(plan), POINTS[0]), kill(drains, drains.run["ID"], POINTS[1])]
    ended = drains.resume()
    after = lab.tick(made[RAN])
    yield Evacuated(
        node=node,
        deaths=deaths,
        ended=ended,
        state=str(drains.run["State"]),
        asked={name: asked[len(known[name]) :] for name, asked in asked_of(lab, made).items()},
        records={name: [*drains.migrations(each).values()] for name, each in made.items()},
        statuses={name: lab.server(each).status for name, each in made.items()},
        hosts={name: lab.server(each).hypervisor_hostname for name, each in made.items()},
        boots=boots_of(before, after),
    )
    bring_back(drains, node)
    drains.remove(*made.values())


def asked_of(lab: RealLab, made: dict[str, str]) -> dict[str, list[str]]:
    """Return what Nova was asked to do with each server, in the order of time."""
    found = {
        name: sorted(
            (action.start_time, action.action)
            for action in lab.cloud.compute.server_actions(server)
        )
        for name, server in made.items()
    }
    return {name: [action for _, action in those] for name, those in found.items()}


def boots_of(before: Tick, after: Tick) -> tuple[int, int]:
    return before.boots, after.boots


def test_it_was_killed_twice_and_ends_well(evacuated: Evacuated) -> None:
    assert evacuated.deaths == [KILLED, KILLED]
    assert (evacuated.ended.code, evacuated.state) == (0, "succeeded"), evacuated.ended.said


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
