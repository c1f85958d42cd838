"""A volume of a server, as Nova, Cinder and libvirt each know it."""

import re
from dataclasses import dataclass
from datetime import datetime

from stackward.model.server import Server
from stackward.model.testimony import Source
from stackward.model.unread import Unread
from stackward.model.volume import Attachment, NovaAttachment, Volume
from stackward.model.witness import Sign

_VOLUME = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_volume_id(serial: str | None) -> bool:
    """Say whether a disk's serial is the id of a volume, as Nova sets it."""
    return serial is not None and _VOLUME.fullmatch(serial) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one witness says: whether the server has the volume, and as which device."""

    has: Sign
    device: str | None = None  # as the witness calls it: /dev/vdb to Nova, vdb to libvirt
    why: str = ""  # why it is unknown, or what else there is to say


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedVolume:
    """One volume of one server, by each of the three."""

    server: str  # its id
    volume: str  # same
    nova: Told
    cinder: Told
    libvirt: Told | None  # None: its hypervisor has no domains
    of_nova: NovaAttachment | None = None  # Nova's record; None: it has none, or it is not known
    of_cinder: Volume | None = None  # the volume; None: Cinder has none, or it is not known
    attachments: tuple[Attachment, ...] = ()  # Cinder's, of this server and this volume
    hosts: tuple[str, ...] = ()  # where Cinder has it attached
    serial: str | None = None  # of the disk in the domain
    guest: str | None = None  # the state of the domain; None: none is known

    @property
    def told(self) -> dict[Source, Told]:
        """Return who says what; only those that can say something."""
        said = {Source.NOVA: self.nova, Source.CINDER: self.cinder, Source.LIBVIRT: self.libvirt}
        return {who: one for who, one in said.items() if one is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedVolumes:
    """The volumes of a server, or of all servers of a node, as of one look."""

    at: datetime
    rows: tuple[AttachedVolume, ...]
    servers: dict[str, Server]  # by id; those that Nova does not have are missing
    devices: tuple[str, ...] = ()  # of all disks of the guest, where one server was asked for
    unread: tuple[tuple[Source, str, Unread], ...] = ()  # who, of which host (none: all), and why
