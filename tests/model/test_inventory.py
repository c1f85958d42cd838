"""Nodes and their groups."""

from stackward.model.inventory import Inventory, Node

CTL = Node(name="ctl", address="10.0.0.1", groups=("cloud", "control"))
C01 = Node(name="c01", address="10.0.0.2", groups=("cloud", "compute"))
INVENTORY = Inventory(source="lab", nodes=(CTL, C01))


def test_a_group_holds_its_nodes_in_their_order() -> None:
    assert INVENTORY.in_group("cloud") == (CTL, C01)
    assert INVENTORY.in_group("compute") == (C01,)
    assert INVENTORY.in_group("storage") == ()


def test_groups_are_those_that_have_a_node() -> None:
    assert INVENTORY.groups == ("cloud", "compute", "control")
