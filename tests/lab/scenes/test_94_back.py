"""A node loses its power and is back: what ran runs again, in its order, and nobody else.

The guests tell: how often each disk was booted. And the two witnesses of who ran, Nova's action log
and libvirt's logs, are read by the product's own adapters, as they are after a real loss.
"""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from lab.stage import Stage, scene
from real_lab import RealLab, until
from stackward.adapters.inventory import read_inventory
from stackward.adapters.openstack import OpenStackCloud
from stackward.adapters.ssh import Ssh
from stackward.facts.who_ran import read_guest_logs
from stackward.lab.client import connect
from stackward.lab.guest import Tick
from stackward.lab.load import off_by_its_guest
from stackward.model.server import ServerAction
from stackward.model.who_ran import GuestEvent, GuestLine

LATER, SOONER = "back-1", "back-2"  # by their priority
BY_OWNER, BY_ITSELF = "back-stopped", "back-off"
RAN, WERE_OFF = (LATER, SOONER), (BY_OWNER, BY_ITSELF)
PRIORITY = "stackward:priority"


@dataclass(frozen=True, kw_only=True)
class Back:
    """What the witnesses tell, what was said and done, and what the guests tell."""

    actions: dict[str, list[ServerAction]]  # of each server, the newest first; before the recovery
    logs: dict[str, tuple[GuestLine, ...]]  # same
    lost_at: float  # when its power was cut, by the clock that all nodes share
    code: int
    said: str
    started: list[str]  # whom Nova was asked to start, in the order of time
    boots: dict[str, int]  # of those that ran: how often more each disk was booted
    statuses: dict[str, str]


@scene(budget_s=100, is_later=True)
def back(stage: Stage) -> Generator[Back]:
    """Cut the power of a node with four servers, and recover the two that ran."""
    lab, drains, node = stage.lab, stage.drains, stage.nodes[1]
    stage.all_in_service()
    drains.remove_left_over("back-")
    more = {LATER: {"metadata": {PRIORITY: "20"}}, SOONER: {"metadata": {PRIORITY: "10"}}}
    ids = {name: drains.boot(name, node, **more.get(name, {})) for name in (*RAN, *WERE_OFF)}
    with ThreadPoolExecutor(max_workers=2) as pool:
        off = pool.submit(off_by_its_guest, lab.spec, connect(lab.spec), ids[BY_ITSELF])
        until(lambda: lab.server(ids[BY_OWNER]).status == "ACTIVE")
        drains.stop(ids[BY_OWNER])
        before = drains.wait_for_guests([ids[name] for name in RAN])
        off.result()
    stage.begins()

    lost_at = float(lab.on(node, "date +%s.%N"))
    lab.run("power", "off", node)
    lab.run("power", "on", node)
    until(lambda: all(lab.server(ids[name]).status == "SHUTOFF" for name in RAN))
    actions, logs = witnesses(lab, node, ids)
    ended = drains.call("node", "recover", node, "--yes")
    after = {name: tick_of_another_boot(lab, ids[name], before[ids[name]]) for name in RAN}
    yield Back(
        actions=actions,
        logs=logs,
        lost_at=lost_at,
        code=ended.returncode,
        said=" ".join((ended.stdout + ended.stderr).split()),
        started=starts_of(lab, ids),
        boots={name: after[name].boots - before[ids[name]].boots for name in RAN},
        statuses={name: lab.server(server).status for name, server in ids.items()},
    )
    drains.remove(*ids.values())


def witnesses(
    lab: RealLab, node: str, ids: dict[str, str]
) -> tuple[dict[str, list[ServerAction]], dict[str, tuple[GuestLine, ...]]]:
    """Return what Nova's action log and libvirt's logs tell of each server, as a recovery does."""
    nova = OpenStackCloud(connect(lab.spec)).nova
    shell = Ssh(read_inventory(lab.spec.inventory))
    logs = read_guest_logs(shell, node)
    shell.close()
    assert isinstance(logs, dict), logs
    domains = {name: lab.server(server).instance_name for name, server in ids.items()}
    return (
        {name: [*nova.actions_of(server)] for name, server in ids.items()},
        {name: logs[domain] for name, domain in domains.items()},
    )


def tick_of_another_boot(lab: RealLab, server: str, before: Tick) -> Tick:
    """Return the first sign of life of the guest's next boot."""
    return lab.tick(server, lambda tick: tick.boot != before.boot)


def starts_of(lab: RealLab, ids: dict[str, str]) -> list[str]:
    """Return the names of those that Nova was asked to start, in the order of time."""
    starts = [
        (action.start_time, name)
        for name, server in ids.items()
        for action in lab.cloud.compute.server_actions(server)
        if action.action == "start"
    ]
    return [name for _, name in sorted(starts)]


def test_each_that_ran_has_booted_once_more(back: Back) -> None:
    assert back.code == 0, back.said
    assert back.boots == dict.fromkeys(RAN, 1)


def test_the_lower_priority_was_started_first_and_nobody_else_was_started(back: Back) -> None:
    assert back.started == [SOONER, LATER], back.said


def test_what_was_off_stays_off(back: Back) -> None:
    assert {back.statuses[name] for name in WERE_OFF} == {"SHUTOFF"}
    assert {back.statuses[name] for name in RAN} == {"ACTIVE"}


def test_nova_itself_has_stopped_what_ran_after_the_loss_and_tells_no_user(back: Back) -> None:
    for name in RAN:
        last, before = back.actions[name][:2]
        assert (last.action, last.user, before.action) == ("stop", None, "create")
        assert since_loss(back, last) > 0


def test_a_guest_that_switched_itself_off_looks_the_same_but_for_the_time(back: Back) -> None:
    last = back.actions[BY_ITSELF][0]

    assert (last.action, last.user) == ("stop", None)
    assert since_loss(back, last) < 0


def test_a_stop_of_its_owner_tells_whose_it_was(back: Back) -> None:
    last = back.actions[BY_OWNER][0]

    assert last.action == "stop"
    assert last.user is not None


def test_libvirts_log_of_what_ran_has_a_start_and_no_end(back: Back) -> None:
    for name in RAN:
        assert [line.event for line in back.logs[name]] == [GuestEvent.STARTED]


def test_libvirts_log_of_a_guest_that_switched_itself_off_ends_with_its_shutdown(
    back: Back,
) -> None:
    first, last = back.logs[BY_ITSELF]

    assert first.event is GuestEvent.STARTED
    assert (last.event, last.reason) == (GuestEvent.ENDED, "shutdown")
    assert last.at.timestamp() < back.lost_at


def test_both_were_told_in_the_plan(back: Back) -> None:
    assert "Nova: Nova itself stopped it at" in back.said
    assert "libvirt's log: its guest was started at" in back.said


def since_loss(back: Back, action: ServerAction) -> float:
    """Return how many seconds after the loss an action began."""
    return datetime.fromisoformat(action.started).replace(tzinfo=UTC).timestamp() - back.lost_at
