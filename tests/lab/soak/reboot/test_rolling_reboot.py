"""Three nodes are rebooted in turn: their process is killed in the middle, and one node hangs.

The servers tell how often each was stopped and started: by Nova's own log of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from lab.drains import Drains, Ended, drains_in
from lab.soak.chain.test_chain import latest_chain, said, shown
from lab.soak.reboot.test_node_reboot import first_process
from real_lab import STACKWARD, RealLab, until
from stackward.errors import ExitCode

OFF = "rolled-off"
ONCE = ["stop", "start"]
HANGS = "reboot-hangs"
Rows = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True, kw_only=True)
class Rolled:
    """What two rolling reboots of the same nodes said and did."""

    nodes: tuple[str, str, str]
    booted: tuple[tuple[str, ...], tuple[str, ...]]  # of all nodes: before and after the first
    resumed: Ended
    rows: Rows
    orders: dict[str, list[str]]  # of each server, once the first was resumed
    hung: Ended
    hung_rows: Rows
    hung_orders: dict[str, list[str]]  # since then, while the second node hangs
    cordoned: list[str]
    gone_on: Ended
    last_orders: dict[str, list[str]]
    statuses: dict[str, str]


@pytest.fixture(scope="module")
def rolled(
    lab: RealLab, nodes: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rolled]:
    """Given a server on each of three nodes, and one that is off.

    The process of the first chain is killed while its second node is down. In the second chain
    that node hangs as it boots; once that is mended the chain is resumed.
    """
    with drains_in(lab, tmp_path_factory.mktemp("rolled")) as drains:
        made = boot_all(drains, nodes)
        until(lambda: lab.server(made[OFF]).status == "SHUTOFF")
        words = ("node", "reboot", *nodes, "--in-place", "--at-once", "1", "--yes")

        born = orders_of(lab, made)
        booted = tuple(first_process(lab, node) for node in nodes)
        going = drains.start([STACKWARD, *words])
        until(lambda: has_stopped_after(lab, made[f"rolled-{nodes[1]}"], 0), within_s=600)
        going.process.kill()
        going.process.wait()
        chain = latest_chain(drains)
        resumed = said(drains, "run", "resume", chain, "--yes")
        rows = by_item(drains, chain)
        after = orders_of(lab, made)
        again = tuple(first_process(lab, node) for node in nodes)

        lab.run("break", HANGS, nodes[1])
        try:
            hung = said(drains, *words, "--timeout", "60")
            second = latest_chain(drains)
            hung_rows = by_item(drains, second)
            while_hung = orders_of(lab, made)
            cordoned = [one for one in nodes if drains.service(one).status == "disabled"]
        finally:
            lab.run("mend", HANGS, nodes[1])
        gone_on = said(drains, "run", "resume", second, "--yes")
        last = orders_of(lab, made)
        yield Rolled(
            nodes=nodes,
            booted=(booted, again),
            resumed=resumed,
            rows=rows,
            orders=since(born, after),
            hung=hung,
            hung_rows=hung_rows,
            hung_orders=since(after, while_hung),
            cordoned=cordoned,
            gone_on=gone_on,
            last_orders=since(after, last),
            statuses={name: lab.server(server).status for name, server in made.items()},
        )
        drains.remove(*made.values())


def boot_all(drains: Drains, nodes: tuple[str, str, str]) -> dict[str, str]:
    """Boot a server on each node, and one more on the second, which is asked to stop."""
    drains.remove_left_over("rolled-")
    made = {f"rolled-{node}": drains.boot(f"rolled-{node}", node) for node in nodes}
    made[OFF] = drains.boot(OFF, nodes[1])
    drains.wait_for_guests([*made.values()])
    drains.stop(made[OFF])
    return made


def by_item(drains: Drains, chain: str) -> Rows:
    """Return the row of each node."""
    return {str(each["Item"]): each for each in shown(drains, chain)}


def orders_of(lab: RealLab, made: Mapping[str, str]) -> dict[str, list[str]]:
    """Return what Nova was asked for of each server, in the order of time."""
    return {
        name: [
            each.action
            for each in sorted(
                lab.cloud.compute.server_actions(server), key=lambda one: one.start_time
            )
        ]
        for name, server in made.items()
    }


def since(before: Mapping[str, list[str]], now: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Return what was added."""
    return {name: orders[len(before[name]) :] for name, orders in now.items()}


def has_stopped_after(lab: RealLab, server: str, count: int) -> bool:
    """Say whether Nova has carried out more stops of a server than so many."""
    stops = [one for one in lab.cloud.compute.server_actions(server) if one.action == "stop"]
    return len(stops) > count and lab.server(server).status == "SHUTOFF"


def test_killed_in_the_middle_it_is_resumed_and_each_node_is_rebooted_once(rolled: Rolled) -> None:
    before, after = rolled.booted

    assert rolled.resumed.code == 0, rolled.resumed.said
    assert [row["State"] for row in rolled.rows.values()] == ["done"] * 3
    assert all(one != other for one, other in zip(before, after, strict=True))


def test_each_server_is_stopped_and_started_once_and_what_was_off_is_left_off(
    rolled: Rolled,
) -> None:
    assert rolled.orders == {name: [] if name == OFF else ONCE for name in rolled.orders}


def test_each_node_has_its_time_and_the_downtime_of_its_servers(rolled: Rolled) -> None:
    for node in rolled.nodes:
        row = rolled.rows[node]
        assert isinstance(row["Seconds"], int | float), row
        assert isinstance(row["Downtime"], int | float), row
        assert 0 < row["Downtime"] <= row["Seconds"], row


def test_a_node_that_does_not_come_back_ends_it_and_nothing_new_begins(rolled: Rolled) -> None:
    first, second, third = rolled.nodes
    text = " ".join(rolled.hung.said.split())

    assert rolled.hung.code == ExitCode.STOPPED, rolled.hung.said
    assert [rolled.hung_rows[one]["State"] for one in rolled.nodes] == ["done", "stopped", "left"]
    assert f"reboot `{second}`: not back 60 s after the order to reboot" in text
    assert "its device says that its power is on" in text
    assert rolled.cordoned == [second]
    assert rolled.hung_orders == {
        f"rolled-{first}": ONCE, f"rolled-{second}": ["stop"], f"rolled-{third}": [], OFF: [],
    }  # fmt: skip


def test_once_it_boots_the_chain_goes_on_and_does_nothing_twice(rolled: Rolled) -> None:
    assert rolled.gone_on.code == 0, rolled.gone_on.said
    assert rolled.last_orders == {name: [] if name == OFF else ONCE for name in rolled.last_orders}
    assert {name for name, status in rolled.statuses.items() if status != "ACTIVE"} == {OFF}
