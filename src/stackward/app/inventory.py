"""The inventory that names the nodes."""

from pathlib import Path

from stackward.adapters import inventory
from stackward.model.inventory import Inventory


def read_inventory(
    path: Path, reader: Path | None = None, *, by_ansible: bool | None = None
) -> Inventory:
    """Read the inventory that names the nodes.

    `reader` is the program of Ansible that the settings name. Where they do, it is used, unless the
    operator says otherwise; where they do not, it is used only if the operator says so.
    """
    if reader is not None if by_ansible is None else by_ansible:
        return inventory.read_inventory_by_ansible(path, str(reader) if reader else None)
    return inventory.read_inventory(path)
