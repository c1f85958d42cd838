"""What an acceptance server is made of, from recorded answers of a real cloud (2025.1)."""

from typing import Any

import pytest

from stackward.adapters.openstack import glance, nova_answers
from stackward.model.acceptance import NewServer
from stackward.model.flavor import OfferedFlavor
from stackward.model.image import Image

# GET /v2/images?visibility=public, without its hashes and links
IMAGE = {
    "hw_disk_bus": "virtio",
    "name": "guest",
    "disk_format": "raw",
    "container_format": "bare",
    "visibility": "public",
    "size": 20971520,
    "virtual_size": 20971520,
    "status": "active",
    "min_ram": 0,
    "min_disk": 0,
    "os_hidden": False,
    "id": "ee8cf54d-c3fd-4e07-ba10-f9b0d119b305",
    "created_at": "2026-11-22T21:35:05Z",
    "tags": [],
}
# GET /flavors/detail at 2.96, without its links
FLAVOR = {
    "id": "771e63c7-bff4-460c-87fb-991e1cb90ac4",
    "name": "tiny",
    "ram": 128,
    "disk": 0,
    "swap": "",
    "OS-FLV-EXT-DATA:ephemeral": 0,
    "OS-FLV-DISABLED:disabled": False,
    "vcpus": 1,
    "os-flavor-access:is_public": True,
    "rxtx_factor": 1.0,
    "description": None,
    "extra_specs": {},
}


def test_an_image_is_read() -> None:
    assert glance.to_image(IMAGE) == Image(
        id="ee8cf54d-c3fd-4e07-ba10-f9b0d119b305",
        name="guest",
        status="active",
        disk_format="raw",
        size_bytes=20971520,
        virtual_bytes=20971520,
    )


def test_an_image_without_content_is_read() -> None:
    """Glance knows neither its size nor its format yet."""
    queued = {**IMAGE, "status": "queued", "size": None, "virtual_size": None, "name": None}

    image = glance.to_image({**queued, "disk_format": None})

    assert (image.name, image.status, image.size_bytes, image.virtual_bytes) == (
        "",
        "queued",
        0,
        None,
    )


def test_a_flavor_is_read() -> None:
    assert nova_answers.to_offered_flavor(FLAVOR) == OfferedFlavor(
        id="771e63c7-bff4-460c-87fb-991e1cb90ac4", name="tiny", vcpus=1, ram_mib=128
    )


@pytest.mark.parametrize(
    ("network", "networks"),
    [
        pytest.param("net-1", [{"uuid": "net-1"}], id="in a network"),
        pytest.param(None, "none", id="without a port"),
    ],
)
def test_a_server_is_asked_for_on_one_host(network: str | None, networks: object) -> None:
    wanted = NewServer(
        name="stackward-acceptance-01j9",
        host="c01",
        zone="nova",
        image="image-1",
        flavor="flavor-1",
        network=network,
        metadata=(("stackward_run", "01J9"),),
    )

    assert nova_answers.to_new_server(wanted) == {
        "server": {
            "name": "stackward-acceptance-01j9",
            "imageRef": "image-1",
            "flavorRef": "flavor-1",
            "networks": networks,
            "availability_zone": "nova",
            "host": "c01",
            "metadata": {"stackward_run": "01J9"},
        }
    }


def test_the_fault_of_a_server_is_read() -> None:
    given: dict[str, Any] = {
        "id": "1",
        "name": "stackward-acceptance-01j9",
        "status": "ERROR",
        "OS-EXT-STS:vm_state": "error",
        "OS-EXT-STS:task_state": None,
        "OS-EXT-STS:power_state": 0,
        "OS-EXT-SRV-ATTR:host": None,
        "tenant_id": "p",
        "locked": False,
        "os-extended-volumes:volumes_attached": [],
        "flavor": {
            "original_name": "tiny",
            "vcpus": 1,
            "ram": 128,
            "disk": 0,
            "ephemeral": 0,
            "swap": 0,
            "extra_specs": {},
        },
        "fault": {
            "code": 500,
            "created": "2026-11-22T21:46:53Z",
            "message": "No valid host was found. ",
        },
    }

    assert nova_answers.to_server(given).fault == "No valid host was found. "
