"""What a component on its nodes is called where an operator reads it; data keeps the plain form."""

from stackward.anatomy import MACHINE


def place(component: str, nodes: str) -> str:
    """Return a component with the names of its nodes; what the machine itself has is of the node.

    "nova-compute on c01", but "node c01" of `machine`.
    """
    return f"node {nodes}" if component == MACHINE else f"{component} on {nodes}"


def shown_as(where: str) -> str:
    """Return the same of what a finding says: its `where`, or what it is `under`."""
    component, is_on_node, node = where.partition(" on ")
    return place(component, node) if is_on_node else where
