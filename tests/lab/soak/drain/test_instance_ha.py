"""A real instance-HA service is told of a node's maintenance, and of its end."""

from collections.abc import Iterator

import pytest

from lab.drains import Drains
from real_lab import RealLab


@pytest.fixture
def masakari(lab: RealLab) -> Iterator[RealLab]:
    """Given a cloud whose compute nodes are looked after."""
    lab.run("add", "masakari")
    yield RealLab(lab.name)  # a client from before has a catalog without it
    lab.run("drop", "masakari")


def entry(lab: RealLab, node: str) -> tuple[str, str, bool]:
    """Return a node's segment and id at the service, and whether that leaves it alone."""
    ha = lab.cloud.instance_ha
    [segment] = ha.segments()
    [host] = [each for each in ha.hosts(segment.uuid) if each.name == node]
    return segment.uuid, host.uuid, host.on_maintenance


def test_a_drain_tells_it_and_the_return_tells_it_again(
    masakari: RealLab, drains: Drains, nodes: tuple[str, str, str]
) -> None:
    node = nodes[0]

    drained = drains.drain(node)
    told = entry(masakari, node)[2]
    returned = drains.call("node", "return", node, "--yes")

    assert drained.code == 0, drained.said
    assert f"the instance-HA service leaves `{node}` alone" in drained.said
    assert returned.returncode == 0, returned.stderr
    assert (told, entry(masakari, node)[2]) == (True, False)
    assert not entry(masakari, nodes[1])[2]


def test_what_somebody_else_told_it_is_left_as_it_is(
    masakari: RealLab, drains: Drains, nodes: tuple[str, str, str]
) -> None:
    node = nodes[0]
    segment, host, _ = entry(masakari, node)
    ha = masakari.cloud.instance_ha
    ha.update_host(host, segment, on_maintenance=True)

    drained = drains.drain(node)
    returned = drains.call("node", "return", node, "--yes")
    left = entry(masakari, node)[2]
    ha.update_host(host, segment, on_maintenance=False)

    assert (drained.code, returned.returncode) == (0, 0), drained.said + returned.stderr
    assert "not by Stackward: that is left as it is" in returned.stderr
    assert left
