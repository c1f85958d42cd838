"""That volumes agree is proved by all three witnesses."""

from dataclasses import replace

import pytest

from builders import a_server, an_id
from fakes.cloud import FakeCloud
from fakes.shell import FakeShell
from fakes.world import a_world
from stackward.checks.volumes import VolumesAgree
from stackward.model.volume import Volume
from stackward.plan import Holds, Refuted, Unverified
from stackward.ports.world import World

V1, V2 = an_id("v1"), an_id("v2")
SERVER = a_server(volume_ids=(V1,))
AGREE = VolumesAgree(server=SERVER.id, name="db-01", attached=((V1, "/dev/vdb"),), free=(V2,))


@pytest.fixture
def cloud() -> FakeCloud:
    cloud = FakeCloud()
    cloud.nova.add(SERVER)
    cloud.cinder.volumes = {V1: Volume(id=V1), V2: Volume(id=V2, status="available")}
    return cloud


@pytest.fixture
def shell(cloud: FakeCloud) -> FakeShell:
    return FakeShell(cloud)


@pytest.fixture
def world(cloud: FakeCloud, shell: FakeShell) -> World:
    return a_world(cloud, shell)


def test_it_holds_where_all_agree(world: World) -> None:
    assert isinstance(AGREE.ask(world), Holds)


def test_it_holds_of_a_server_that_was_deleted(cloud: FakeCloud, world: World) -> None:
    cloud.nova.vanish(SERVER.id)

    assert isinstance(AGREE.ask(world), Holds)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"nova": ()}, "Nova does not have it"),
        ({"serials": ()}, "its guest has no disk with this serial"),
        ({"letters": "vdx"}, "its device is vdb and vdx, and not vdb"),
        ({"status": "detaching"}, "it is detaching to Cinder"),
        ({"host": "compute-08"}, "Cinder has it attached on compute-08"),
        ({"free": (SERVER.id, "compute-07")}, "Cinder has it"),
    ],
)
def test_what_one_of_them_says_otherwise_is_a_finding(
    change: dict[str, object], says: str, cloud: FakeCloud, shell: FakeShell, world: World
) -> None:
    [(what, to)] = change.items()
    if what == "nova":
        cloud.nova.known[SERVER.id] = replace(SERVER, volume_ids=())
    elif what == "serials":
        shell.serials[SERVER.id] = ()
    elif what == "letters":
        shell.letters[V1] = str(to)
    elif what == "status":
        cloud.cinder.volumes[V1] = Volume(id=V1, status=str(to))
    elif what == "host":
        cloud.cinder.hosts[V1] = str(to)
    else:
        cloud.cinder.volumes[V2] = Volume(id=V2, attached=((SERVER.id, "compute-07"),))

    found = AGREE.ask(world)

    assert isinstance(found, Refuted)
    assert says in found.reason


def test_without_libvirt_it_is_not_verified(shell: FakeShell, world: World) -> None:
    shell.silent.add("compute-07")

    assert isinstance(AGREE.ask(world), Unverified)
