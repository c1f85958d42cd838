"""An instance-HA service is told in mid-run that the node failed: nothing more is evacuated.

It refuses to be told while the node is in maintenance. So somebody ends that first, and its monitor
tells it then. What is under way is brought to its end; the rest waits until that service has ended.
"""

import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from lab.deaths import SCRIPT, is_frozen
from lab.drains import Drains, Ended
from lab.evacuations import asked_of, bring_back, on_a_volume
from real_lab import RealLab, until
from stackward.errors import ExitCode

ONE, OTHER = "notified-1", "notified-2"
FREEZES = ("before-evacuate", "freezes")
ONCE = ["evacuate", "start"]
FAILED = {"event": "STOPPED", "cluster_status": "OFFLINE", "host_status": "NORMAL"}


@dataclass(frozen=True, kw_only=True)
class Notified:
    """What the service was told, what the run did then, and what its end has let it do."""

    node: str
    was_in_maintenance: bool  # when the first request was about to be sent
    notification: str
    state: str
    why: str  # the run ended there
    asked: dict[str, list[str]]  # of Nova, until the service had ended
    planned: Ended  # of what is left, before that
    resumed: Ended
    asked_then: dict[str, list[str]]
    records: dict[str, list[tuple[str, str]]]
    statuses: dict[str, str]
    hosts: dict[str, str]


@pytest.fixture(scope="module")
def notified(
    lab: RealLab, nodes: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Notified]:
    """Given a dead node whose evacuation is disturbed by an instance-HA service, and resumed."""
    drains, node = Drains(lab, tmp_path_factory.mktemp("journal")), nodes[2]
    drains.remove_left_over("notified-")
    lab.run("add", "masakari")
    watched = RealLab(lab.name)  # a client from before has a catalog without it
    made = {name: on_a_volume(lab, name, node) for name in (ONE, OTHER)}
    drains.wait_for_guests([*made.values()])
    assert drains.call("node", "check", node).returncode == 0
    lab.run("power", "off", node)
    until(lambda: lab.compute_state(node) == "down")
    known = {name: len(asked_of(lab, each)) for name, each in made.items()}
    going = drains.start([sys.executable, SCRIPT, planned(drains, node, made), *FREEZES])
    until(lambda: is_frozen(going), within_s=300)
    was_in_maintenance = maintenance(watched, node)
    set_maintenance(watched, node, is_on=False)
    notification = notify(watched, node)
    going.process.send_signal(signal.SIGCONT)
    going.ended()
    state, why = str(drains.run["State"]), " ".join(drains.events[-1]["Says"])
    asked = {name: asked_of(lab, each)[known[name] :] for name, each in made.items()}
    left = [each for name, each in made.items() if not asked[name]]
    again = plan(drains, node, *left)
    end_all(lab)
    resumed = drains.resume()
    yield Notified(
        node=node,
        was_in_maintenance=was_in_maintenance,
        notification=notification,
        state=state,
        why=why,
        asked=asked,
        planned=again,
        resumed=resumed,
        asked_then={name: asked_of(lab, each)[known[name] :] for name, each in made.items()},
        records={name: [*drains.migrations(each).values()] for name, each in made.items()},
        statuses={name: lab.server(each).status for name, each in made.items()},
        hosts={name: lab.server(each).hypervisor_hostname for name, each in made.items()},
    )
    bring_back(drains, node)
    drains.remove(*made.values())
    set_maintenance(watched, node, is_on=False)
    lab.run("drop", "masakari")


def planned(drains: Drains, node: str, made: dict[str, str]) -> str:
    """Plan to evacuate the servers one by one; return where the plan is kept."""
    place = drains.folder / "evacuation.json"
    ended = plan(drains, node, *made.values(), more=("--plan-out", str(place)))
    assert ended.code == 0, ended.said
    return str(place)


def plan(drains: Drains, node: str, *servers: str, more: tuple[str, ...] = ()) -> Ended:
    only = [word for each in servers for word in ("--only", each)]
    asked = ("node", "evacuate", node, "--reason", "tested", "--parallel", "1", *only)
    ended = drains.call(*asked, "--dry-run", *more)
    return Ended(code=ended.returncode, said=" ".join((ended.stdout + ended.stderr).split()))


def maintenance(lab: RealLab, node: str) -> bool:
    """Return whether the service leaves a node alone."""
    ha = lab.cloud.instance_ha
    [found] = [each for one in ha.segments() for each in ha.hosts(one.uuid) if each.name == node]
    return bool(found.on_maintenance)


def set_maintenance(lab: RealLab, node: str, *, is_on: bool) -> None:
    ha = lab.cloud.instance_ha
    for segment in ha.segments():
        for host in ha.hosts(segment.uuid):
            if host.name == node:
                ha.update_host(host.uuid, segment.uuid, on_maintenance=is_on)


def notify(lab: RealLab, node: str) -> str:
    """Tell the service, as its monitor does, that a node failed; return which notification it is.

    Raises what the SDK raises where it refuses: the node is in maintenance.
    """
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    made = lab.cloud.instance_ha.create_notification(
        type="COMPUTE_HOST", hostname=node, generated_time=now, payload=FAILED
    )
    return str(made.notification_uuid)


def end_all(lab: RealLab) -> None:
    """End what the service works on: its engine, which the lab does not run, would do so."""
    lab.on("ctl", "mariadb masakari -e \"UPDATE notifications SET status = 'finished'\"")


def test_the_service_was_told_of_the_maintenance_first(notified: Notified) -> None:
    assert notified.was_in_maintenance


def test_what_was_under_way_is_brought_to_its_end_and_nothing_more_begins(
    notified: Notified,
) -> None:
    assert notified.state == "stopped"
    assert f"notification {notified.notification} is `new`" in notified.why
    assert sorted(notified.asked.values()) == [[], ONCE]


def test_what_is_left_is_refused_while_the_service_works_on_the_node(notified: Notified) -> None:
    assert notified.planned.code == ExitCode.BLOCKED, notified.planned.said
    assert notified.notification in notified.planned.said


def test_once_the_service_has_ended_the_run_is_resumed_and_each_was_evacuated_once(
    notified: Notified,
) -> None:
    assert notified.resumed.code == 0, notified.resumed.said
    assert notified.asked_then == {ONE: ONCE, OTHER: ONCE}
    assert {each for those in notified.records.values() for each in those} == {
        ("evacuation", "done")
    }
    assert notified.statuses == {ONE: "ACTIVE", OTHER: "ACTIVE"}
    assert notified.node not in notified.hosts.values()
