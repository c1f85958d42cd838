"""What may be asked of Cinder."""

from typing import Protocol

from stackward.model.volume import Attachment, Volume


class Cinder(Protocol):
    """Cinder, asked as an administrator."""

    def volume(self, volume: str, /) -> Volume | None:
        """Return a volume; None where there is none."""
        ...

    def every_volume(self) -> tuple[Volume, ...]:
        """Return the volumes of all projects, page by page."""
        ...

    def every_attachment(self, server: str | None = None, /) -> tuple[Attachment, ...]:
        """Return the attachments of all projects, page by page; with `server`, those of it."""
        ...

    def attachments_of(self, server: str, /) -> tuple[tuple[str, str], ...]:
        """Return Cinder's attachments of a server, (id, volume)."""
        ...

    def remove_attachment(self, attachment: str, /) -> str | None:
        """Remove an attachment that Nova does not use; one that it uses is refused by Cinder."""
        ...

    def unreserve(self, volume: str, /) -> str | None:
        """Give a volume free that is `attaching`; one in any other state stays as it is."""
        ...

    def roll_detaching(self, volume: str, /) -> str | None:
        """Call a volume `in-use` again that is `detaching`; any other stays as it is."""
        ...

    def volume_services(self) -> tuple[str, ...]:
        """Return the hosts of all cinder-volume services, `host@backend`."""
        ...
