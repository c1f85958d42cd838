"""What is read before one server of a node starts: its own facts, not those of all servers."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from builders import a_server, an_id
from dying import NODE, Site
from fakes.cloud import FakeCloud
from fakes.nova import FakeNova
from stackward.errors import Unreachable
from stackward.model.server import IN_DOWN_CELL
from stackward.operations.recover_compute_node.facts import RecoveryFacts, read_recovery
from stackward.ports.nova import Nova  # noqa: TC001
from stackward.requests.recover_compute_node import RecoverRequest

ONE, OTHER = an_id("db-01"), an_id("db-02")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Given a node with two servers that are off."""
    cloud = FakeCloud()
    cloud.nova.add(a_server("SHUTOFF", name="db-01"), a_server("SHUTOFF", name="db-02"))
    return Site(tmp_path, cloud)


class WithoutLists:
    """A Nova that is not asked for all servers of a node."""

    def __init__(self, nova: FakeNova) -> None:
        self._nova = nova

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever Nova has
        assert name != "servers_on"
        return getattr(self._nova, name)


def read(site: Site, only: str | None = None) -> RecoveryFacts:
    asked, world = RecoverRequest(node=NODE), site.world()
    if only is not None:
        world = replace(world, nova=cast("Nova", WithoutLists(site.cloud.nova)))
    return read_recovery(world, site.journal, asked, None, only)


def test_for_one_server_no_list_of_all_is_read(site: Site) -> None:
    facts = read(site, ONE)

    assert [one.id for one in facts.servers] == [ONE]
    assert {*facts.to_bring_up} == {ONE}


def test_for_the_whole_node_all_its_servers_are_read(site: Site) -> None:
    assert {one.id for one in read(site).servers} == {ONE, OTHER}


def test_what_is_known_of_the_node_is_the_same_for_one_and_for_all(site: Site) -> None:
    one, all_ = read(site, ONE), read(site)

    for name in ("domains", "directories", "agents", "booted", "logs_unread", "list_unread"):
        assert getattr(one, name) == getattr(all_, name), name


def test_one_that_has_left_the_node_is_not_among_its_servers(site: Site) -> None:
    site.cloud.nova.known[ONE] = replace(site.cloud.nova.known[ONE], host="compute-08")

    assert read(site, ONE).servers == ()


def test_one_whose_cell_is_down_is_not_taken_for_gone(site: Site) -> None:
    gone = replace(site.cloud.nova.known[ONE], status=IN_DOWN_CELL, host=None)
    site.cloud.nova.known[ONE] = gone

    with pytest.raises(Unreachable, match="its cell is down"):
        read(site, ONE)
