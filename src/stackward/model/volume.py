"""A volume, as Cinder has it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A volume attached to a server, as Cinder has it."""

    id: str
    status: str = "in-use"
    migration_status: str | None = None
    name: str = ""
    backend: str | None = None  # `host@backend#pool`
    attached: tuple[tuple[str, str | None], ...] = ()  # (server, host)
    attachment_ids: tuple[str, ...] = ()  # of the same, in the same order

    def attachments_on(self, server: str, host: str) -> tuple[str, ...]:
        """Return the ids of the attachments that a server has there."""
        pairs = zip(self.attached, self.attachment_ids, strict=False)
        return tuple(own for place, own in pairs if place == (server, host))
