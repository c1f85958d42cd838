"""Nodes as rows."""

from collections.abc import Sequence

from stackward.errors import BadInput
from stackward.model.claim import Maintenance
from stackward.model.inventory import Inventory, Node
from stackward.report.tables import Cell, Table


def nodes_table(inventory: Inventory, group: str | None = None) -> Table:
    """Return a row per node, of one group if it is named."""
    nodes = nodes_in(inventory, group)
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


def maintenance_table(
    found: Sequence[Maintenance], inventory: Inventory, group: str | None = None
) -> Table:
    """Return a row per node that is out of service, of one group if it is named."""
    named = {node.name for node in nodes_in(inventory, group)}
    return Table(
        columns=("Node", "Disabled by", "Run", "Operator", "Machine", "Since", "Reason"),
        rows=tuple(_row(each) for each in found if group is None or each.node in named),
    )


def _row(each: Maintenance) -> tuple[Cell, ...]:
    claim = each.claim
    if claim is None:
        return (each.node, "others", None, None, None, None, each.text)
    own = (claim.run, claim.operator, claim.machine, claim.since, claim.reason)
    return (each.node, "Stackward", *own)


def nodes_in(inventory: Inventory, group: str | None) -> tuple[Node, ...]:
    """Return the nodes of a group, or all; `BadInput` where no node is in it."""
    if group is not None and group not in inventory.groups:
        known = ", ".join(f"`{name}`" for name in inventory.groups)
        raise BadInput(
            f"no node of `{inventory.source}` is in a group `{group}`",
            hint=f"the groups are {known}" if known else "it has no groups: leave `--group` out",
        )
    return inventory.nodes if group is None else inventory.in_group(group)
