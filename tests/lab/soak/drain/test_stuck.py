"""Orders that Nova loses for good: each is found by the drain that gave it, named, and got out of.

What loses them is real: queues that are purged, processes that are killed. Each takes its minutes,
for what is silent for less may go on.
"""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.deaths import SCRIPT, is_frozen
from lab.drains import INSTANCES, Drains, Ended, Going
from real_lab import RealLab, allow_bindings, until
from stackward.errors import ExitCode

# What a failure after Nova has closed the record leaves behind.
CLOSED_TOO_EARLY = """mariadb nova -e "
UPDATE migrations SET status='completed' WHERE instance_uuid='{server}';
UPDATE instances SET task_state=NULL WHERE uuid='{server}'"
"""

LEFT_BY_A_MOVE = f"""
virsh destroy {{server}} >/dev/null 2>&1
virsh undefine --keep-nvram {{server}} >/dev/null 2>&1
rm -rf {INSTANCES}/{{server}} {INSTANCES}/{{server}}_resize
"""

# As if the last reports had just been taken: a conductor takes the first new ones and its orders
# at the same time, and either may be first.
HEARD_LATELY = """mariadb nova -e "
UPDATE services SET last_seen_up=UTC_TIMESTAMP() WHERE topic='compute'"
"""


@pytest.fixture
def node(nodes: tuple[str, str, str]) -> str:
    """Given a node that is drained."""
    return nodes[1]


@pytest.fixture
def server(lab: RealLab, node: str) -> Iterator[str]:
    """Given a server on it that runs."""
    drains = Drains(lab, Path())
    drains.remove_left_over("stuck-")
    made = drains.boot("stuck-1", node)
    drains.wait_for_guests([made])
    yield made
    clear_away(drains, made, node)
    drains.remove(made)
    leave_nothing(drains, made)


def begin(drains: Drains, node: str, server: str) -> Going:
    """Begin a drain, and return once the server's order was taken."""
    going = drains.begin(node)
    until(lambda: drains.lab.server(server).task_state == "migrating", within_s=60)
    return going


def newest(drains: Drains, server: str) -> str | None:
    """Return the status of the server's last migration."""
    records = drains.migrations(server)
    return records[max(records)][1] if records else None


def started_anew(drains: Drains, node: str) -> None:
    """Start a node's stopped nova-compute, and wait until Nova hears from the new one.

    What Nova heard last of the old one counts as `up` for half a minute, and no longer.
    """
    last = drains.service(node).updated_at
    drains.lab.on(node, "systemctl start nova-compute")
    until(lambda: drains.reports_anew(node, last))


def assert_stuck(ended: Ended, name: str, advice: str) -> None:
    """See that the run has stopped, by the name of the state, with what to do."""
    assert ended.code == ExitCode.STOPPED, ended.said
    assert f"it is stuck ({name})" in ended.said
    assert advice in ended.said
    assert "run resume" in ended.said


def assert_goes_home(drains: Drains, node: str) -> None:
    """Once the remedy was followed, the run is resumed and ends proved."""
    ended = drains.resume()

    assert ended.code == 0, ended.said
    assert drains.servers_on(node) == []


def test_an_order_that_waits_for_a_dead_conductor_is_named_and_goes_on_with_it(
    drains: Drains, server: str, node: str
) -> None:
    planned, plan = drains.plan(node)
    assert planned.code == 0, planned.said

    drains.lab.on("ctl", "systemctl stop nova-conductor")
    ended = drains.apply(plan).ended()
    drains.lab.on("ctl", f"{HEARD_LATELY}systemctl start nova-conductor")

    assert_stuck(ended, "waits-for-conductor", "start nova-conductor")
    until(lambda: newest(drains, server) == "completed")
    until(lambda: drains.lab.compute_state(node) == "up")
    assert_goes_home(drains, node)
    assert len(drains.migrations(server)) == 1


def test_an_order_that_waits_for_a_conductor_which_hears_no_nova_compute_is_given_again(
    drains: Drains, server: str, node: str
) -> None:
    """It is the conductor that takes the reports: the order may come before the first of them."""
    planned, plan = drains.plan(node)
    assert planned.code == 0, planned.said

    drains.lab.on("ctl", "systemctl stop nova-conductor")
    going = drains.apply(plan)
    until(lambda: drains.lab.server(server).task_state == "migrating", within_s=60)
    # What it has sent last waits in RabbitMQ for as long as a call does, which is less than this.
    drains.lab.on(node, "systemctl kill -s STOP nova-compute")
    ended = going.ended()
    drains.lab.on("ctl", "systemctl start nova-conductor")

    assert_stuck(ended, "waits-for-conductor", "asks for a refused move again")
    until(lambda: newest(drains, server) == "error")
    drains.lab.on(node, "systemctl kill -s CONT nova-compute")
    until(lambda: drains.lab.compute_state(node) == "up")
    left = drains.lab.server(server)
    assert (left.task_state, left.status) == (None, "ACTIVE")
    assert_goes_home(drains, node)
    records = drains.migrations(server)
    assert [records[each][1] for each in sorted(records)] == ["error", "completed"]


def test_an_order_that_was_lost_on_its_way_to_the_conductor_is_named(
    drains: Drains, server: str, node: str
) -> None:
    planned, plan = drains.plan(node)
    assert planned.code == 0, planned.said

    drains.lab.on("ctl", "systemctl stop nova-conductor")
    going = drains.apply(plan)
    until(lambda: drains.lab.server(server).task_state == "migrating", within_s=60)
    drains.lab.on("ctl", "rabbitmqctl -q purge_queue conductor; systemctl start nova-conductor")
    ended = going.ended()

    assert_stuck(ended, "no-record", f"restart nova-compute on `{node}`")
    drains.lab.on(node, "systemctl stop nova-compute")
    started_anew(drains, node)
    until(lambda: drains.lab.server(server).task_state is None)
    assert_goes_home(drains, node)


def test_a_move_whose_conductor_was_killed_is_named(drains: Drains, server: str, node: str) -> None:
    going = begin(drains, node, server)
    until(lambda: newest(drains, server) == "accepted")

    drains.lab.on("ctl", "systemctl kill -s KILL nova-conductor; systemctl start nova-conductor")
    ended = going.ended()
    drains.lab.on(node, "systemctl restart nova-compute")

    assert_stuck(ended, "order-lost", f"restart nova-compute on `{node}`")
    until(lambda: drains.lab.server(server).task_state is None)


def test_a_move_whose_conductor_is_gone_is_named_and_let_go_by_its_source(
    drains: Drains, server: str, node: str
) -> None:
    going = begin(drains, node, server)
    until(lambda: newest(drains, server) == "accepted")

    drains.lab.on("ctl", "systemctl kill -s KILL nova-conductor; systemctl stop nova-conductor")
    ended = going.ended()
    drains.lab.on("ctl", "systemctl start nova-conductor")
    drains.lab.on(node, "systemctl stop nova-compute")
    started_anew(drains, node)

    assert_stuck(ended, "conductor-died", "start nova-conductor, which does not continue it")
    assert f"restart nova-compute on `{node}`" in ended.said
    until(lambda: drains.lab.server(server).task_state is None)
    resumed = drains.resume()
    assert drains.servers_on(node) == []
    # The record of the lost move never ends, and with it stays the room that Nova took for it.
    assert resumed.code == ExitCode.FAILED, resumed.said
    kept = consumers_named(resumed)
    assert any(f"look first whether {each} is a server" in resumed.said for each in kept)
    assert kept == {uuid for uuid, status in moves_of(drains, server) if status == "accepted"}
    for each in kept:
        assert drains.lab.cloud.compute.find_server(each) is None
        drains.lab.cloud.placement.delete(f"/allocations/{each}")
    again = drains.drain(node)
    assert again.code == 0, again.said


def consumers_named(ended: Ended) -> set[str]:
    """Return the consumers that a run names whose allocations are left on its node."""
    [line] = {
        each.strip() for each in ended.said.splitlines() if "holds allocations: " in each
        and " UTC " not in each
    }  # fmt: skip
    return set(line.rsplit("allocations: ", 1)[1].split(", "))


def moves_of(drains: Drains, server: str) -> list[tuple[str, str]]:
    """Return the id and the status of each migration of a server."""
    answer = drains.lab.cloud.compute.get(f"/os-migrations?instance_uuid={server}")
    return [(each["uuid"], each["status"]) for each in answer.json()["migrations"]]


def test_a_move_whose_source_was_killed_is_named_and_what_it_leaves_is_removed(
    drains: Drains, server: str, node: str
) -> None:
    """Nova leaves a second binding on the server's port, if it chose another target then."""
    going = begin(drains, node, server)
    until(lambda: newest(drains, server) == "preparing")

    drains.lab.on(node, "systemctl kill -s KILL nova-compute; systemctl stop nova-compute")
    ended = going.ended()

    assert_stuck(ended, "node-died", f"start nova-compute on `{node}`")
    started_anew(drains, node)
    until(lambda: drains.lab.server(server).task_state is None)
    resumed = drains.resume()
    if resumed.code == ExitCode.STOPPED:
        assert "has an inactive binding" in resumed.said
        drains.call("run", "cancel", drains.run["ID"])
        # The record of the lost move is called a trace once it has been quiet for long.
        until(lambda: drains.plan(node)[0].code == 0, within_s=420)
        resumed = drains.drain(node)
    if resumed.code == ExitCode.STOPPED:
        assert "Neutron lets only the role `service` remove a binding" in resumed.said
        allow_bindings(drains.lab)
        resumed = drains.resume()
    if resumed.code == ExitCode.FAILED:
        # The lost move still holds room on its source: Nova gives it to a move, and takes it back.
        assert "remedy: look again in some minutes" in resumed.said
        assert "openstack resource provider allocation delete" in resumed.said
        clear_away(drains, server, node)
        resumed = drains.drain(node)
    assert resumed.code == 0, resumed.said
    assert drains.servers_on(node) == []


def test_a_confirmation_that_was_lost_is_named(drains: Drains, server: str, node: str) -> None:
    drains.stop(server)
    planned, plan = drains.plan(node)
    assert planned.code == 0, planned.said
    frozen = drains.start([sys.executable, SCRIPT, str(plan), "confirm", "freezes"])
    until(lambda: is_frozen(frozen), within_s=240)

    # Nova refuses to confirm what a node is to do that it has not heard of for a while: the order
    # follows a report at once.
    last = drains.service(node).updated_at
    until(lambda: drains.reports_anew(node, last))
    drains.lab.on(node, "systemctl kill -s STOP nova-compute")
    frozen.process.send_signal(signal.SIGCONT)
    until(lambda: newest(drains, server) == "confirming")
    frozen.process.kill()
    frozen.process.wait()
    going = drains.start_resume()
    queue = f"compute.{node}"
    drains.lab.on(node, "systemctl kill -s KILL nova-compute; systemctl stop nova-compute")
    drains.lab.on("ctl", f"rabbitmqctl -q purge_queue {queue}")
    drains.lab.on(node, "systemctl start nova-compute")
    ended = going.ended()

    assert_stuck(ended, "confirm-lost", "--state active")


def leave_nothing(drains: Drains, server: str) -> None:
    """Remove what a deleted server has left on the nodes.

    A move that went on while it was deleted leaves its guest's directory on the target, which
    fails every later drain of that node.
    """
    for each in drains.lab.spec.compute_nodes:
        drains.lab.on(each.name, LEFT_BY_A_MOVE.format(server=server))
        assert server not in drains.directories(each.name)


def clear_away(drains: Drains, server: str, node: str) -> None:
    """Remove what lost moves have left: it would fail every later drain of the node."""
    for uuid, _ in moves_of(drains, server):
        drains.lab.cloud.placement.delete(f"/allocations/{uuid}")
    drains.lab.on(node, f"rm -rf {INSTANCES}/{server}_resize")


def test_a_record_that_says_completed_of_a_server_that_stayed_is_named(
    drains: Drains, server: str, node: str
) -> None:
    going = begin(drains, node, server)
    until(lambda: newest(drains, server) == "running")

    drains.lab.on(node, "systemctl kill -s STOP nova-compute")
    drains.lab.on("ctl", CLOSED_TOO_EARLY.format(server=server))
    ended = going.ended()
    drains.lab.on(node, "systemctl kill -s CONT nova-compute")

    assert_stuck(ended, "completed-not-moved", "nothing has moved: its guest is on")
