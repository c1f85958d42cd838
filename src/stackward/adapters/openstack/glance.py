"""Glance's API as the port `Glance`, and its JSON as values."""

from stackward.adapters.openstack.answers import Json
from stackward.adapters.openstack.http import Api
from stackward.adapters.openstack.paths import at
from stackward.model.image import Image


class GlanceApi:
    """Glance, behind openstacksdk."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def public_images(self) -> tuple[Image, ...]:
        """Return the images that every project may use."""
        return self._images([("visibility", "public")])

    def images_called(self, word: str, /) -> tuple[Image, ...]:
        """Return the images whose name or id it is."""
        by_id = self._api.find(at("/images/{}", word), to_image)
        return (by_id,) if by_id else self._images([("name", word)])

    def _images(self, query: list[tuple[str, str]]) -> tuple[Image, ...]:
        return self._api.every("/images", "images", to_image, query)


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
