"""A volume, as Cinder has it."""

from dataclasses import dataclass

IN_USE, DETACHING, ATTACHING, AVAILABLE = "in-use", "detaching", "attaching", "available"


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
    devices: tuple[str, ...] = ()  # of the same, as Nova reported it to Cinder: /dev/vdb
    updated: str | None = None  # when Cinder last wrote to it
    project: str = ""
    is_multiattach: bool = False  # several servers may have it
    is_encrypted: bool = False

    def attachments_on(self, server: str, host: str) -> tuple[str, ...]:
        """Return the ids of the attachments that a server has there."""
        pairs = zip(self.attached, self.attachment_ids, strict=False)
        return tuple(own for place, own in pairs if place == (server, host))


@dataclass(frozen=True, slots=True, kw_only=True)
class NovaAttachment:
    """Nova's record that a server has a volume."""

    volume: str
    device: str | None = None  # /dev/vdb; None: Nova has not chosen one
    id: str | None = None  # Cinder's attachment that it uses; None: Nova is too old to say (2.89)
    tag: str | None = None
    is_deleted_with_server: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """Cinder's record that a server has, or is to have, a volume."""

    id: str
    volume: str
    server: str | None  # None: none is named, as for a volume that Glance or Cinder itself uses
    status: str  # reserved, attaching, attached, detaching, ...


def device_name(device: str | None) -> str:
    """Return the name of a device without its folder: vdb of /dev/vdb; empty where it has none."""
    return (device or "").rpartition("/")[2]


def device_order(device: str | None) -> tuple[int, str]:
    """Return what sorts devices as they are taken: vdb, vdc, ..., vdaa; those without come last."""
    name = device_name(device)
    return (len(name), name) if name else (99, "")
