"""A repair of disagreements whose worker dies at each of its writes: done once, and proved.

One server has allocations on a second node, of another a lost move has left a guest there: one plan
repairs both. The worker kills itself (see killed_drain.py), and each that resumes the run does too,
until a plain `run resume` ends it; and it dies once at each point of a run of its own. That nothing
was done twice is told by placement itself, by libvirt and by the guests.
"""

import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.deaths import kill_in_turn, writes_of
from lab.drains import Drains
from lab.reconciled import account_of, broken, look, providers_of
from real_lab import RealLab
from stackward.lab.guest import Tick

DOUBLE, STALE = "killed-double", "killed-stale"
FAULTS = {DOUBLE: "allocation-double", STALE: "domain-elsewhere"}
# The worst class comes first.
POINTS = (
    "after take_up",
    *writes_of("kill-domain", "run destroy", "run undefine"),
    *writes_of("remove-allocations", "keep_allocations"),
    "before end",
)


@dataclass(frozen=True, kw_only=True)
class Servers:
    """Two servers that run on one node, and the node on which the witnesses have more of them."""

    ids: dict[str, str]
    own: str
    other: str
    ticks: dict[str, Tick]


@pytest.fixture(scope="module")
def servers(lab: RealLab, nodes: tuple[str, str, str]) -> Iterator[Servers]:
    """Given the servers, and that the login may end guests on the other node."""
    drains, (own, other, _) = Drains(lab, Path()), nodes
    drains.remove_left_over("killed-")
    ids = {name: drains.boot(name, own) for name in (DOUBLE, STALE)}
    ticks = drains.wait_for_guests([*ids.values()])
    lab.run("ssh", other, "gpasswd", "-a", "ops", "libvirt")
    yield Servers(ids=ids, own=own, other=other, ticks=ticks)
    lab.run("ssh", other, "gpasswd", "-d", "ops", "libvirt")
    drains.remove(*ids.values())


@pytest.mark.parametrize(
    "points",
    [POINTS, *([point] for point in POINTS)],
    ids=lambda points: points[0] if len(points) == 1 else "each, one after the other",
)
def test_a_repair_that_dies_at_its_writes_is_done_once_and_proved(
    lab: RealLab, drains: Drains, servers: Servers, points: Sequence[str]
) -> None:
    drains.environment["STACKWARD_RECONCILE_WAIT_S"] = "1"  # nobody else acts on the lab
    double, stale = servers.ids[DOUBLE], servers.ids[STALE]
    with broken(lab, [(fault, servers.ids[name]) for name, fault in FAULTS.items()]):
        before = account_of(lab, double)["consumer_generation"]
        plan = planned(drains, f"{servers.other}/{stale}")

        deaths = kill_in_turn(drains, plan, points)
        ended = drains.resume()

        account, left = account_of(lab, double), lab.domains(servers.other)
    after = {each: drains.ticks_on(each, tick) for each, tick in servers.ticks.items()}

    assert deaths == dict.fromkeys(points, -signal.SIGKILL)
    assert (ended.code, drains.run["State"]) == (0, "succeeded"), ended.said
    # Placement counts each change of what a consumer holds.
    assert account["consumer_generation"] == before + 1
    assert len(providers_of(lab, double)) == 1
    assert lab.server(stale).instance_name not in left
    assert {each: (tick.boot, tick.boots) for each, tick in after.items()} == {
        each: (tick.boot, tick.boots) for each, tick in servers.ticks.items()
    }
    assert look(drains).cases == []


def planned(drains: Drains, guest: str) -> Path:
    """Plan the repair of both; return where the plan is kept."""
    place = drains.folder / "repair.json"
    classes = (word for fault in FAULTS.values() for word in ("--repair", fault))
    named = ("--kill-domain", guest, "--dry-run", "--plan-out", str(place))
    ended = drains.call("cloud", "reconcile", *classes, *named)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return place
