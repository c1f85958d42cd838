"""What stands for Glance in the fast tests."""

from dataclasses import dataclass

from builders import an_id
from stackward.model.image import Image

GUEST = Image(
    id=an_id("guest"), name="guest", status="active", disk_format="raw", size_bytes=20 * 2**20
)


@dataclass
class FakeGlance:
    """Glance, with one image that every project may use."""

    images: tuple[Image, ...] = (GUEST,)

    def public_images(self) -> tuple[Image, ...]:
        return tuple(image for image in self.images if image.is_public)

    def images_called(self, word: str, /) -> tuple[Image, ...]:
        return tuple(image for image in self.images if word in {image.id, image.name})
