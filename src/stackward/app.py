"""The one place where adapters are chosen and handed to the rest."""

from pathlib import Path

from stackward.adapters import inventory
from stackward.model.inventory import Inventory


def read_inventory(path: Path) -> Inventory:
    """Read the inventory that names the nodes."""
    return inventory.read_inventory(path)
