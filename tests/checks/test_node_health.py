"""Whether a node is well: by the look of `node check`."""

from dataclasses import replace

from fakes.cloud import FakeCloud
from fakes.world import a_world
from stackward.checks.node_health import NodeIsWell
from stackward.model.health import Unwell
from stackward.plan import Holds, Refuted, Unverified

NODE = "compute-07"
ILL = Unwell(where=f"libvirtd on {NODE}", reason="it does not run [process-down]", remedy="start")
UNSEEN = Unwell(where=NODE, reason="no answer in time", is_known=False)


def asked(*found: Unwell) -> object:
    cloud = FakeCloud()
    cloud.health.ill = dict.fromkeys([NODE], found[0]) if found else {}
    return NodeIsWell(node=NODE).ask(a_world(cloud))


def test_a_node_of_which_nothing_is_found_is_well() -> None:
    assert isinstance(asked(), Holds)


def test_what_is_wrong_is_named_with_its_remedy() -> None:
    assert asked(ILL) == Refuted(
        NODE, f"is not well: libvirtd on {NODE}: it does not run [process-down]", "start"
    )


def test_one_that_could_not_be_seen_is_not_proved_to_be_well() -> None:
    answer = asked(UNSEEN)

    assert isinstance(answer, Unverified)
    assert "no answer in time" in answer.reason


def test_where_nothing_looks_it_is_not_proved() -> None:
    world = replace(a_world(FakeCloud()), health=None)

    assert isinstance(NodeIsWell(node=NODE).ask(world), Unverified)
