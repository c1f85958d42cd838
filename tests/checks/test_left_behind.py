"""That something is gone is proved by others than whoever was asked to remove it."""

import pytest

from builders import a_server, a_service, an_id
from fakes.cloud import FakeCloud
from fakes.world import a_world
from stackward.checks.left_behind import AgentsGone, AttachmentsGone, PortsGone, ServicesGone
from stackward.model.volume import Volume
from stackward.plan import Check, Holds, Refuted, Unverified
from stackward.ports.world import World

GONE, HOME = a_server(name="gone"), a_server(host="compute-99")
PORT, VOLUME, LOST = an_id("port-left"), an_id("volume"), "compute-99"
PORTS = PortsGone(ports=((PORT, GONE.id),))
VOLUMES = AttachmentsGone(volumes=((VOLUME, GONE.id),))
SERVICES = ServicesGone(services=((an_id(f"service-{LOST}"), LOST),), providers=(an_id(LOST),))
AGENTS = AgentsGone(agents=((an_id(f"{LOST}-OVN agent"), LOST),))


@pytest.fixture
def cloud() -> FakeCloud:
    cloud = FakeCloud()
    cloud.cinder.volumes = {VOLUME: Volume(id=VOLUME, status="available")}
    return cloud


@pytest.mark.parametrize("check", [PORTS, VOLUMES, SERVICES, AGENTS], ids=lambda check: check.kind)
def test_it_holds_where_all_is_gone(cloud: FakeCloud, check: Check[World]) -> None:
    assert isinstance(check.ask(a_world(cloud)), Holds)


def refuted(cloud: FakeCloud, check: Check[World]) -> str:
    answer = check.ask(a_world(cloud))
    assert isinstance(answer, Refuted)
    return answer.reason


def test_a_port_that_is_there_and_a_server_that_came_back_are_findings(cloud: FakeCloud) -> None:
    cloud.neutron.leftovers = {PORT: GONE.id}
    there = refuted(cloud, PORTS)
    cloud.neutron.leftovers = {}
    cloud.nova.add(GONE)

    assert (there, refuted(cloud, PORTS)) == (
        "Neutron still has it", f"Nova has its server {GONE.id}"
    )  # fmt: skip


def test_a_volume_that_is_lost_or_attached_still_is_a_finding(cloud: FakeCloud) -> None:
    cloud.cinder.volumes = {VOLUME: Volume(id=VOLUME, attached=((GONE.id, "compute-07"),))}
    attached = refuted(cloud, VOLUMES)
    cloud.cinder.volumes = {}

    assert "attached to" in attached
    assert "somebody has deleted it" in refuted(cloud, VOLUMES)


def test_a_service_that_is_listed_and_a_provider_that_stayed_are_findings(
    cloud: FakeCloud,
) -> None:
    """Nova deletes a service whose provider placement keeps, and does not say so."""
    cloud.nova.computes[LOST] = a_service(LOST, is_up=False)
    listed = refuted(cloud, SERVICES)
    del cloud.nova.computes[LOST]
    cloud.nova.hosts = (*cloud.nova.hosts, LOST)

    assert "Nova lists" in listed
    assert f"placement has its provider {an_id(LOST)} still" in refuted(cloud, SERVICES)


def test_while_a_cell_is_down_no_service_is_called_gone(cloud: FakeCloud) -> None:
    cloud.nova.cells_down = {"compute-07"}

    assert isinstance(SERVICES.ask(a_world(cloud)), Unverified)


def test_an_agent_that_is_listed_is_asked_for_again_and_one_with_servers_is_a_finding(
    cloud: FakeCloud,
) -> None:
    cloud.neutron.agents = {LOST: ("OVN agent",)}
    listed = AGENTS.ask(a_world(cloud))
    cloud.neutron.agents = {}
    cloud.nova.add(HOME)

    assert isinstance(listed, Refuted)
    assert listed.passes
    assert refuted(cloud, AGENTS) == "Nova has 1 server there"
