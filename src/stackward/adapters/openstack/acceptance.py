"""What an acceptance server is made of, as Glance's and Nova's JSON."""

from stackward.adapters.openstack.answers import Json, text
from stackward.model.acceptance import NewServer
from stackward.model.flavor import OfferedFlavor
from stackward.model.image import Image


def to_image(given: Json) -> Image:
    """Read an element of `GET /v2/images`."""
    return Image(
        id=given["id"],
        name=given.get("name") or "",
        status=given["status"],
        disk_format=given["disk_format"],
        size_bytes=given["size"] or 0,
        virtual_bytes=given.get("virtual_size"),
        min_ram_mib=given["min_ram"],
        min_disk_gib=given["min_disk"],
        is_public=given["visibility"] == "public",
        is_hidden=given["os_hidden"],
    )


def to_flavor(given: Json) -> OfferedFlavor:
    """Read an element of `GET /flavors/detail` (2.61 and later have the extra specs)."""
    return OfferedFlavor(
        id=given["id"],
        name=given["name"],
        vcpus=given["vcpus"],
        ram_mib=given["ram"],
        disk_gib=given["disk"],
        is_public=given["os-flavor-access:is_public"],
        is_disabled=given["OS-FLV-DISABLED:disabled"],
        extra_specs=tuple(
            sorted((text(name), text(value)) for name, value in given["extra_specs"].items())
        ),
    )


def to_body(wanted: NewServer) -> Json:
    """Return the body of `POST /servers` (2.74 and later take the host)."""
    return {
        "server": {
            "name": wanted.name,
            "imageRef": wanted.image,
            "flavorRef": wanted.flavor,
            "networks": [{"uuid": wanted.network}] if wanted.network else "none",
            "availability_zone": wanted.zone,
            "host": wanted.host,
            "metadata": dict(wanted.metadata),
        }
    }
