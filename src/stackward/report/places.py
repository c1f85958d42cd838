"""What a component on its nodes is called where an operator reads it; data keeps the plain form."""

from stackward.anatomy import MACHINE


def place(component: str, nodes: str | None) -> str:
    """Return a component with the names of its nodes; what the machine itself has is of the node.

    "nova-compute on c01", but "node c01" of `machine`; without a node, the component alone.
    """
    if not nodes:
        return component
    return f"node {nodes}" if component == MACHINE else f"{component} on {nodes}"


def place_under(under: str) -> str:
    """Return the same of what a finding is `under`, which is kept as one text."""
    component, _, node = under.partition(" on ")
    return place(component, node)
