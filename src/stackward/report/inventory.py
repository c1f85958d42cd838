"""Nodes as rows."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from stackward.errors import BadInput
from stackward.model.claim import Maintenance
from stackward.model.inventory import Inventory, Node
from stackward.model.run import Run
from stackward.report.tables import Cell, Table
from stackward.report.text import printable
from stackward.report.times import local, time_in
from stackward.wording import first_of

MOST_NODES = 4  # named in a warning; more are counted


def nodes_table(inventory: Inventory, group: str | None = None) -> Table:
    """Return a row per node, of one group if it is named."""
    nodes = nodes_in(inventory, group)
    return Table(
        columns=("Name", "Groups", "Address", "Port", "User", "BMC", "Reached by"),
        rows=tuple(
            (
                node.name,
                node.groups,
                _address(node),
                node.ssh.port,
                node.ssh.user,
                node.bmc_url,
                _reached_by(node),
            )
            for node in nodes
        ),
        gives_way=("BMC", "Port", "User", "Groups"),
    )


def _address(node: Node) -> str | None:
    if node.left_out or node.unknown:
        return None
    return "local" if node.is_local else node.address


def _reached_by(node: Node) -> str:
    if node.left_out:
        return f"{node.left_out}: left out"
    if node.unknown:
        return f"unknown: {node.unknown}"
    return "local" if node.is_local else "ssh"


def warnings_of(inventory: Inventory) -> Iterator[str]:
    """Return a line for all that an operator should know about an inventory."""
    yield from map(printable, inventory.warnings)
    left_out: dict[str, list[str]] = {}
    unknown: dict[str, list[str]] = {}
    for node in inventory.nodes:
        if node.left_out:
            left_out.setdefault(node.left_out, []).append(node.name)
        elif node.unknown:
            unknown.setdefault(node.unknown, []).append(node.name)
    if left_out:
        names = "; ".join(f"{_named(nodes)} ({how})" for how, nodes in left_out.items())
        yield printable(f"left out, for Ansible does not reach them by ssh: {names}")
    for why, nodes in unknown.items():
        yield printable(f"unknown how to reach {_named(nodes)}: {why}; nothing is run there")


def _named(nodes: Sequence[str]) -> str:
    return first_of((f"`{name}`" for name in nodes), MOST_NODES)


def identities_of(found: Sequence[Maintenance]) -> Iterator[str]:
    """Say of each node that is known only by what it once said of itself when that was."""
    for each in found:
        if each.identified_at:
            at = local(each.identified_at)
            yield printable(f"`{each.node}` is known by what it said of itself at {at}")


def maintenance_table(
    found: Sequence[Maintenance],
    inventory: Inventory,
    group: str | None = None,
    to_come: Mapping[str, Run] = MappingProxyType({}),
) -> Table:
    """Return a row per node that is out of service, of one group if it is named.

    `to_come` are the nodes that chains will take in their turn, each with its chain.
    """
    named = {node.name for node in nodes_in(inventory, group)}
    return Table(
        columns=("Node", "Disabled by", "Run", "Operator", "Machine", "Since", "Reason"),
        rows=(
            *(_row(each) for each in found if group is None or each.node in named),
            *(
                (node, "nobody yet", run.id, run.approval.by, None, None, run.title)
                for node, run in to_come.items()
                if node not in {each.node for each in found} and (group is None or node in named)
            ),
        ),
        gives_way=("Machine", "Operator", "Run", "Since"),
    )


def _row(each: Maintenance) -> tuple[Cell, ...]:
    claim = each.claim
    if not each.is_known:
        return (each.node, "not known", None, None, None, None, each.text)
    if claim is None:
        return (each.node, "others", None, None, None, None, each.text)
    since = time_in(claim.since) or claim.since
    own = (claim.run, claim.operator, claim.machine, since, claim.reason)
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
