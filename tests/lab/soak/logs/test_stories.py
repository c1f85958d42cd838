"""The stories of a volume and of a port that are attached to a server hold every service.

What there is to see is found by `grep` on all nodes: for the UUIDs, and for the id that Nova's
action log has of the request.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import pytest

from lab.drains import Drains, Ended
from lab.logs import Reader, places_in, places_of
from real_lab import RealLab, until
from stackward.lab import proof
from stackward.lab.load import attach_volume


@dataclass(frozen=True, kw_only=True)
class Told:
    """A thing that was attached, what logs have of it, and what its story has."""

    places: set[tuple[str, str]]  # nodes and logs that have one of its ids
    followed: set[tuple[str, str]]
    ended: Ended


@pytest.fixture(scope="module")
def drains(lab: RealLab, tmp_path_factory: pytest.TempPathFactory) -> Drains:
    return Drains(lab, tmp_path_factory.mktemp("stories"))


@pytest.fixture(scope="module")
def server(lab: RealLab, drains: Drains) -> Iterator[str]:
    """Given a server that runs."""
    drains.remove_left_over("stories-")
    made = drains.boot("stories-0", lab.spec.compute_nodes[0].name)
    proof.wait_active(lab.cloud, made)
    yield made
    drains.remove(made)


@pytest.fixture(scope="module")
def volume(lab: RealLab, drains: Drains, server: str) -> Iterator[Told]:
    """Attach a volume, and follow it."""
    made = attach_volume(lab.cloud, lab.cloud.compute.get_server(server)).id
    request = request_of(lab, server, "attach_volume")
    yield told(lab, drains, made, request)
    lab.cloud.compute.delete_volume_attachment(server, made)
    until(lambda: lab.cloud.block_storage.get_volume(made).status == "available")
    lab.cloud.block_storage.delete_volume(made)


@pytest.fixture(scope="module")
def port(lab: RealLab, drains: Drains, server: str) -> Iterator[Told]:
    """Attach a port, so that Nova binds it to the server's node, and follow it."""
    network = lab.cloud.network.find_network("lab-net", ignore_missing=False)
    made = lab.cloud.network.create_port(name="stories-port", network_id=network.id).id
    lab.cloud.compute.create_server_interface(server, port_id=made)
    until(lambda: lab.cloud.network.get_port(made).status == "ACTIVE")
    request = request_of(lab, server, "attach_interface")
    yield told(lab, drains, made, request)
    lab.cloud.compute.delete_server_interface(made, server=server)
    until(lambda: not lab.cloud.network.get_port(made).device_id)
    lab.cloud.network.delete_port(made)


def request_of(lab: RealLab, server: str, action: str) -> str:
    """Return the id of the request of that action on a server, once Nova calls it ended."""
    return str(until(partial(ended_request, lab, server, action)))


def ended_request(lab: RealLab, server: str, action: str) -> str | None:
    """Return the id of the request of that action, or None while it goes on."""
    [found] = [one for one in lab.cloud.compute.server_actions(server) if one.action == action]
    events = lab.cloud.compute.get_server_action(found.request_id, server).events
    is_ended = bool(events) and all(one["finish_time"] for one in events)
    return found.request_id if is_ended else None


def told(lab: RealLab, drains: Drains, thing: str, request: str) -> Told:
    """Search all logs for a thing's ids, then follow it."""
    places = places_of(lab, (thing, request))
    ended, events = Reader(drains).follow(thing)
    return Told(places=places, followed=places_in(events), ended=ended)


def test_the_story_of_a_volume_has_each_log_that_has_one_of_its_ids(volume: Told) -> None:
    assert {log for _, log in volume.places} >= {"nova-compute.log", "cinder-volume.log"}
    assert volume.places - volume.followed == set()
    assert volume.ended.code == 0, volume.ended.said


def test_the_story_of_a_port_has_each_log_that_has_one_of_its_ids(port: Told) -> None:
    logs = {log for _, log in port.places}
    assert logs >= {"nova-compute.log", "neutron-api.log", "ovn-controller.log"}
    assert port.places - port.followed == set()
    assert port.ended.code == 0, port.ended.said
