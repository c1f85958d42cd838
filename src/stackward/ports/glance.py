"""What may be asked of Glance."""

from typing import Protocol

from stackward.model.image import Image


class Glance(Protocol):
    """Glance, asked as an administrator."""

    def public_images(self) -> tuple[Image, ...]:
        """Return the images that every project may use."""
        ...

    def images_called(self, word: str, /) -> tuple[Image, ...]:
        """Return the images whose name or id it is."""
        ...
