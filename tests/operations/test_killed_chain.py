"""Chains of reboots, killed at writes and changes all over their life: each thing is once.

Its children are carried out in threads of it, so a kill ends them too; the next process goes on
with all of them. That a server is stopped or moved twice shows in what Nova was asked; that a node
is rebooted twice, or left out of service, in the nodes.
"""

from collections.abc import Callable
from pathlib import Path

from builders import a_server
from dying import NODE, Site, of_cloud
from killing import killed
from stackward.model.run import RunState
from stackward.operations.reboot_compute_node.after_drain import drained_and_back
from stackward.plan import Request, dump
from stackward.requests.chain import ChainItem, ChainRequest
from stackward.requests.drain_compute_node import DrainRequest
from stackward.requests.reboot_compute_node import RebootNodeRequest
from stackward.requests.return_compute_node import ReturnRequest

OTHER = "compute-08"
HOME = {"db-01": NODE, "db-02": NODE, "db-03": OTHER}
ONCE = ["stop", "start"]


def with_three(place: Path) -> Site:
    """Given a node with a server that runs and one that is off, and another node with one."""
    site = Site(place)
    site.cloud.nova.add(
        a_server(name="db-01"),
        a_server("SHUTOFF", name="db-02"),
        a_server(name="db-03", host=OTHER),
    )
    return site


def in_place(node: str) -> tuple[Request, ...]:
    return (RebootNodeRequest(node=node, reason="kernel"),)


def emptied(node: str) -> tuple[Request, ...]:
    return drained_and_back(
        DrainRequest(node=node, reason="kernel"),
        RebootNodeRequest(node=node, reason="kernel", is_drained=True),
        ReturnRequest(node=node),
    )


def a_chain(of: Callable[[str], tuple[Request, ...]], *nodes: str) -> ChainRequest:
    asked = [(node, [dump(each) for each in of(node)]) for node in nodes]
    items = tuple(
        ChainItem(name=node, asked=first, then=tuple(then)) for node, (first, *then) in asked
    )
    return ChainRequest(what="reboot", items=items, needs_well=len(items) > 1)


def kill_chain(
    tmp_path: Path, asked: ChainRequest, ends: dict[str, object], every: int
) -> list[str]:
    """Kill the process of a chain at so many of its writes and changes; return all of them.

    Each of its operations by itself is killed at every one of them by `test_killed.py`.
    """
    place = tmp_path / "prepared"
    place.mkdir()
    site = with_three(place)
    site.close()
    well = {"state": RunState.SUCCEEDED, "hosts": HOME, "out of service": [], "cut by a reboot": []}
    return killed(of_cloud(site, lambda _: asked, {**well, **ends}), tmp_path, every=every)


def test_two_nodes_that_are_rebooted_in_place(tmp_path: Path) -> None:
    ends = {
        "asked": {"db-01": ONCE, "db-03": ONCE},
        "reboots of all": {NODE: 1, OTHER: 1},
        "runs": 2,
    }

    points = kill_chain(tmp_path, a_chain(in_place, NODE, OTHER), ends, every=3)

    assert sum(each.startswith("after add") for each in points) == 2


def test_a_node_that_is_emptied_rebooted_returned_and_filled_again(tmp_path: Path) -> None:
    ends = {
        "asked": {
            "db-01": ["live-migration"] * 2,
            "db-02": ["migrate", "confirmResize"] * 2,
        },
        "reboots of all": {NODE: 1},
        "built": 1,
        "runs": 4,
    }

    points = kill_chain(tmp_path, a_chain(emptied, NODE), ends, every=7)

    assert sum(each.startswith("after add") for each in points) == 4
