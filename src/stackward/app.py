"""The one place where adapters are chosen and handed to the rest."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from stackward.adapters import inventory
from stackward.model.inventory import Inventory

if TYPE_CHECKING:
    from stackward.plan import Plan
    from stackward.ports.world import World
    from stackward.runbooks.drain_compute_node import DrainRequest


def read_inventory(path: Path) -> Inventory:
    """Read the inventory that names the nodes."""
    return inventory.read_inventory(path)


@contextmanager
def open_world(known: Inventory, os_cloud: str | None) -> Iterator["World"]:
    """Connect to the cloud and its nodes; what was opened is closed again."""
    # Imported here: `node list` needs no cloud.
    from stackward.adapters.clock import SystemClock  # noqa: PLC0415
    from stackward.adapters.openstack import connect  # noqa: PLC0415
    from stackward.adapters.ssh import Ssh  # noqa: PLC0415
    from stackward.ports.world import World  # noqa: PLC0415

    shell = Ssh(known)
    try:
        yield World(clock=SystemClock(), cloud=connect(os_cloud), shell=shell)
    finally:
        shell.close()


def plan_drain(world: "World", asked: "DrainRequest") -> "Plan[World]":
    """Read the node as it is now, and plan how to empty it."""
    from stackward.facts.compute import read_compute_node  # noqa: PLC0415  # as above
    from stackward.runbooks import drain_compute_node  # noqa: PLC0415  # as above

    return drain_compute_node.plan_drain(read_compute_node(world, asked.node), asked)
