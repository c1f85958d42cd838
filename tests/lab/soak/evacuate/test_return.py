"""A dead node comes back after its servers were evacuated: what lives elsewhere lives on.

One server was evacuated once; of the other an order was lost, so that two records of it are open.
The guests themselves tell: how often each was booted.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab.drains import Drains
from lab.evacuations import restart_compute
from real_lab import RealLab, until
from stackward.lab.guest import Tick

ONCE, TWICE = "returned-once", "returned-twice"
STOPPING = "2.95"  # from which Nova leaves off what it evacuates


@dataclass(frozen=True, kw_only=True)
class Returned:
    """What the commands said, and what became of the servers and their records."""

    records: dict[str, list[str]]  # before: the states of the open ones, by name
    without_a_word: tuple[int, str]
    returned: tuple[int, str]
    left_open: list[str]
    in_service: bool
    forced_down: bool
    home: tuple[int, str]
    hosts: dict[str, str]
    boots: dict[str, set[int]]  # each guest's, from when it was started elsewhere
    again: tuple[int, str]  # a second return


@pytest.fixture(scope="module")
def returned(
    lab: RealLab, nodes: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Returned]:
    """Given a node that lost its power, was evacuated, and is returned."""
    drains, (node, lost, other) = Drains(lab, tmp_path_factory.mktemp("journal")), nodes
    drains.remove_left_over("returned-")
    made = {name: drains.boot(name, node) for name in (ONCE, TWICE)}
    drains.wait_for_guests([*made.values()])
    said(drains, "node", "check", node)  # it keeps which machine it is
    lab.run("power", "off", node)
    until(lambda: drains.service(node).state == "down")
    given_up = ("--accept-data-loss", made[ONCE], "--only", made[ONCE])
    evacuated = said(drains, "node", "evacuate", node, "--reason", "dead", *given_up, "--yes")
    assert evacuated[0] == 0, evacuated[1]
    lose_an_order(lab, drains, made[TWICE], lost)
    evacuate(drains, made[TWICE], node, other)
    records = {name: open_records(drains, server, node) for name, server in made.items()}
    lab.cloud.compute.start_server(made[TWICE])  # the evacuation starts the other itself
    ticks = drains.wait_for_guests([*made.values()])
    seen = {name: [ticks[server]] for name, server in made.items()}
    without = said(drains, "node", "return", node, "--dry-run")
    came = said(drains, "node", "return", node, "--discard-old-disks", "--yes")
    left_open = [one for each in made.values() for one in open_records(drains, each, node)]
    is_in_service, is_down = drains.is_in_service(node), drains.service(node).is_forced_down
    see(drains, made, seen)
    home = said(drains, "node", "return", node, "--bring-back", "--yes")
    live_migrate(lab, made[TWICE], node)
    see(drains, made, seen)
    restart_compute(drains, node)
    see(drains, made, seen)
    yield Returned(
        records=records,
        without_a_word=without,
        returned=came,
        left_open=left_open,
        in_service=is_in_service,
        forced_down=bool(is_down),
        home=home,
        hosts={name: lab.server(each).hypervisor_hostname for name, each in made.items()},
        boots={name: {tick.boots for tick in ticks} for name, ticks in seen.items()},
        again=said(drains, "node", "return", node, "--dry-run"),
    )
    drains.remove(*made.values())


def said(drains: Drains, *words: str) -> tuple[int, str]:
    ended = drains.call(*words)
    return ended.returncode, ended.stdout + ended.stderr


def see(drains: Drains, made: dict[str, str], seen: dict[str, list[Tick]]) -> None:
    """Wait for the next sign of life of each guest, of whichever boot."""
    for name, server in made.items():
        seen[name].append(drains.ticks_on(server, seen[name][-1]))


def lose_an_order(lab: RealLab, drains: Drains, server: str, target: str) -> None:
    """Order an evacuation that never reaches its target; its record stays as it is."""
    lab.on(target, "systemctl kill -s STOP nova-compute")
    order(lab, server, target)
    queue = f"compute.{target}"
    until(lambda: ready(lab, queue) > 0)
    lab.on(target, "systemctl kill -s KILL nova-compute; systemctl stop nova-compute || true")
    until(lambda: ready(lab, queue) > 0)  # what it had taken is back
    lab.on("ctl", f"rabbitmqctl -q purge_queue {queue}")
    last = drains.service(target).updated_at
    lab.on(target, "systemctl start nova-compute")
    until(lambda: drains.reports_anew(target, last))
    lab.cloud.compute.reset_server_state(server, "active")
    until(lambda: lab.server(server).task_state is None)


def ready(lab: RealLab, queue: str) -> int:
    """Return how many messages wait in a queue."""
    listed = lab.on("ctl", "rabbitmqctl -q --no-table-headers list_queues name messages")
    counts = dict(line.split() for line in listed.splitlines())
    return int(counts.get(queue, 0))


def evacuate(drains: Drains, server: str, node: str, target: str) -> None:
    """Evacuate a server without the product, and wait until it is there and its record says so.

    Nova ends the record only after it has written the host and the state.
    """
    lab = drains.lab
    order(lab, server, target)
    until(lambda: lab.server(server).hypervisor_hostname == target)
    until(lambda: (lab.server(server).status, lab.server(server).task_state) == ("SHUTOFF", None))
    until(lambda: "done" in open_records(drains, server, node))


def order(lab: RealLab, server: str, target: str) -> None:
    answer = lab.cloud.compute.post(
        f"/servers/{server}/action", json={"evacuate": {"host": target}}, microversion=STOPPING
    )
    assert answer.ok, answer.text


def open_records(drains: Drains, server: str, node: str) -> list[str]:
    """Return the states of the records of a server that its source would act on."""
    answer = drains.lab.cloud.compute.get(f"/os-migrations?instance_uuid={server}")
    return sorted(
        one["status"]
        for one in answer.json()["migrations"]
        if one["migration_type"] == "evacuation"
        and one["source_compute"] == node
        and one["status"] in {"accepted", "pre-migrating", "done"}
    )


def live_migrate(lab: RealLab, server: str, target: str) -> None:
    lab.cloud.compute.live_migrate_server(server, host=target, block_migration="auto")
    until(lambda: lab.server(server).hypervisor_hostname == target)
    until(lambda: lab.server(server).status == "ACTIVE")


def test_of_the_one_whose_order_was_lost_two_records_are_open(returned: Returned) -> None:
    assert returned.records[ONCE] == ["done"]
    assert "done" in returned.records[TWICE]
    assert len(returned.records[TWICE]) == 2


def test_old_copies_need_a_word_of_their_own(returned: Returned) -> None:
    code, text = returned.without_a_word

    assert code != 0
    assert "--discard-old-disks" in " ".join(text.split())


def test_it_serves_again_and_no_evacuation_from_it_is_open(returned: Returned) -> None:
    assert returned.returned[0] == 0, returned.returned[1]
    assert returned.left_open == []
    assert (returned.in_service, returned.forced_down) == (True, False)


def test_what_was_evacuated_once_comes_home_by_the_run_of_the_evacuation(
    returned: Returned, nodes: tuple[str, str, str]
) -> None:
    assert returned.home[0] == 0, returned.home[1]
    assert returned.hosts == {ONCE: nodes[0], TWICE: nodes[0]}


def test_no_guest_was_booted_again_by_the_return_nor_by_a_restart_of_nova_compute(
    returned: Returned,
) -> None:
    assert {name: len(boots) for name, boots in returned.boots.items()} == {ONCE: 1, TWICE: 1}


def test_a_second_return_has_nothing_to_do(returned: Returned) -> None:
    assert "in service" in " ".join(returned.again[1].split())
