"""Nodes as rows."""

from stackward.errors import BadInput
from stackward.model.inventory import Inventory
from stackward.report.tables import Table


def nodes_table(inventory: Inventory, group: str | None = None) -> Table:
    """Return a row per node, of one group if it is named."""
    if group is not None and group not in inventory.groups:
        known = ", ".join(f"`{name}`" for name in inventory.groups)
        raise BadInput(
            f"no node of `{inventory.source}` is in a group `{group}`",
            hint=f"the groups are {known}" if known else None,
        )
    nodes = inventory.nodes if group is None else inventory.in_group(group)
    return Table(
        columns=("Name", "Groups", "Address", "Port", "User", "BMC"),
        rows=tuple(
            (
                node.name,
                node.groups,
                "local" if node.is_local else node.address,
                node.ssh.port,
                node.ssh.user,
                node.bmc_url,
            )
            for node in nodes
        ),
    )
