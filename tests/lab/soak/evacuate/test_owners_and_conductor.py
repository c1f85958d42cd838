"""What was off stays off, and what is late is not lost: owners and the conductor of a dead node.

One server is evacuated while the conductor is frozen for three minutes. Of another its owner stops
what the run has just started, while the worker is dead. One was off, one paused, one in ERROR.
"""

import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab.deaths import SCRIPT, is_frozen, kill
from lab.drains import Drains, Ended
from lab.evacuations import Written, asked_of, bring_back, on_a_volume, written
from real_lab import RealLab, until
from stackward.lab.client import connect

LATE, STOPPED, OFF, PAUSED, IN_ERROR = (
    f"owned-{name}" for name in ("late", "stopped", "off", "paused", "error")
)
WERE_OFF = (OFF, PAUSED, IN_ERROR)
KILLED = -9
FROZEN_S = 180


@dataclass(frozen=True, kw_only=True)
class Owned:
    """How the runs ended, what Nova was asked, and what is on the disks."""

    node: str
    late: Ended
    late_asked: list[str]
    death: int
    resumed: Ended
    asked: dict[str, list[str]]
    statuses: dict[str, str]
    hosts: dict[str, str]
    before: dict[str, Written]
    after: dict[str, Written]


@pytest.fixture(scope="module")
def owned(
    lab: RealLab, nodes: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Owned]:
    """Given a dead node with servers of five kinds, evacuated by two runs."""
    drains, node = Drains(lab, tmp_path_factory.mktemp("journal")), nodes[2]
    drains.remove_left_over("owned-")
    made = {name: on_a_volume(lab, name, node) for name in (LATE, STOPPED, *WERE_OFF)}
    drains.wait_for_guests([*made.values()])
    drains.stop(made[OFF])
    lab.cloud.compute.pause_server(made[PAUSED])
    until(lambda: lab.server(made[PAUSED]).status == "PAUSED")
    drains.stop(made[IN_ERROR])
    lab.cloud.compute.reset_server_state(made[IN_ERROR], "error")
    assert drains.call("node", "check", node).returncode == 0
    lab.run("power", "off", node)
    until(lambda: lab.compute_state(node) == "down")
    known = {name: asked_of(lab, each) for name, each in made.items()}
    before = {name: written(lab, each) for name, each in made.items()}
    late = while_the_conductor_is_frozen(lab, drains, planned(drains, node, made[LATE]), made[LATE])
    rest = [made[name] for name in (STOPPED, *WERE_OFF)]
    resets = [word for name in (PAUSED, IN_ERROR) for word in ("--reset-state", made[name])]
    plan = planned(drains, node, *rest, flags=resets)
    death = kill(drains, plan, "start-unread")
    until(lambda: lab.server(made[STOPPED]).status == "ACTIVE")
    lab.tick(made[STOPPED])
    connect(lab.spec).compute.stop_server(made[STOPPED])  # its owner
    until(lambda: lab.server(made[STOPPED]).status == "SHUTOFF")
    until(lambda: lab.server(made[STOPPED]).task_state is None)
    left_off = {**before, STOPPED: written(lab, made[STOPPED])}
    resumed = drains.resume()
    yield Owned(
        node=node,
        late=late,
        late_asked=asked_of(lab, made[LATE])[len(known[LATE]) :],
        death=death,
        resumed=resumed,
        asked={name: asked_of(lab, each)[len(known[name]) :] for name, each in made.items()},
        statuses={name: lab.server(each).status for name, each in made.items()},
        hosts={name: lab.server(each).hypervisor_hostname for name, each in made.items()},
        before=left_off,
        after={name: written(lab, each) for name, each in made.items()},
    )
    bring_back(drains, node)
    drains.remove(*made.values())


def planned(drains: Drains, node: str, *servers: str, flags: list[str] | None = None) -> str:
    """Plan the evacuation of some servers; return where the plan is kept."""
    place = drains.folder / f"evacuation-{servers[0]}.json"
    only = [word for each in servers for word in ("--only", each)]
    asked = ("node", "evacuate", node, "--reason", "tested", *only, *(flags or []))
    ended = drains.call(*asked, "--dry-run", "--plan-out", str(place))
    assert ended.returncode == 0, ended.stderr
    return str(place)


def while_the_conductor_is_frozen(lab: RealLab, drains: Drains, plan: str, server: str) -> Ended:
    """Carry a plan out; its order is given to a conductor that stands still for three minutes."""
    going = drains.start([sys.executable, SCRIPT, plan, "before-evacuate", "freezes"])
    until(lambda: is_frozen(going), within_s=300)
    lab.on("ctl", "systemctl kill -s STOP nova-conductor")
    try:
        going.process.send_signal(signal.SIGCONT)
        until(lambda: "evacuate" in asked_of(lab, server))
        thaws_at = time.monotonic() + FROZEN_S
        until(lambda: time.monotonic() > thaws_at, within_s=FROZEN_S + 60)
    finally:
        lab.on("ctl", "systemctl kill -s CONT nova-conductor")
    return going.ended()


def test_an_order_that_the_conductor_takes_after_three_minutes_is_given_once(owned: Owned) -> None:
    assert owned.late.code == 0, owned.late.said
    assert owned.late_asked == ["evacuate", "start"]
    assert owned.statuses[LATE] == "ACTIVE"
    assert owned.hosts[LATE] != owned.node


def test_what_its_owner_stops_before_the_resume_stays_off(owned: Owned) -> None:
    assert owned.death == KILLED
    assert owned.asked[STOPPED] == ["evacuate", "start", "stop"]
    assert owned.statuses[STOPPED] == "SHUTOFF"
    assert owned.after[STOPPED] == owned.before[STOPPED]


def test_what_was_off_paused_or_in_error_is_not_started(owned: Owned) -> None:
    assert {owned.statuses[name] for name in WERE_OFF} == {"SHUTOFF"}
    assert {name: owned.asked[name].count("start") for name in WERE_OFF} == dict.fromkeys(
        WERE_OFF, 0
    )
    assert owned.hosts[OFF] == owned.node


def test_the_boot_counter_of_what_stays_on_its_node_is_unchanged(owned: Owned) -> None:
    assert owned.after[OFF] == owned.before[OFF]


def test_what_was_reset_was_booted_at_most_by_nova_itself(owned: Owned) -> None:
    """It boots what it evacuates for some seconds, before it stops it."""
    booted = {
        name: owned.after[name].boots - owned.before[name].boots for name in (PAUSED, IN_ERROR)
    }

    assert set(booted.values()) <= {0, 1}
