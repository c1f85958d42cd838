"""The smallest change that repairs the attachment of one volume: pure, by what the three say.

nova 31.0 compute/manager.py: a hard reboot writes the definition of the guest again by Nova's
records, with the connection that Cinder has for each. It deletes records that Cinder does not have
(`_delete_dangling_bdms`). cinder 26.0 volume/api.py: `os-unreserve` acts on `attaching` alone,
`os-roll_detaching` on `detaching`; an attachment that Nova names is deleted by Nova alone.
"""

from dataclasses import dataclass
from enum import StrEnum

from stackward.model.attached_volume import AttachedVolume
from stackward.model.server import Server
from stackward.model.volume import (
    ATTACHING,
    AVAILABLE,
    DETACHING,
    IN_USE,
    Volume,
    device_name,
)
from stackward.model.witness import Sign

ATTACHED = "attached"  # of an attachment


class Act(StrEnum):
    """What is done for one volume; the names are shown, and compared as decisions."""

    NONE = "none"
    UNRESERVE = "unreserve"
    ROLL_BACK = "roll back the detach"
    REMOVE = "remove what only Cinder has"
    REBOOT = "hard reboot"
    REATTACH = "detach and attach"
    ATTACH = "hard reboot and attach"  # Nova's record has no attachment of Cinder's behind it


class Why(StrEnum):
    """Why nothing repairs it."""

    GUEST_HAS_IT = "guest has it"  # and Nova does not
    NOBODY = "nobody has it"
    OTHERS = "another server has it"
    GONE = "Cinder has no such volume"
    STATE = "nothing of the API leads out of its state"
    UNKNOWN_RECORD = "which attachment Nova uses is not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What is done for one volume; or why nothing is."""

    row: AttachedVolume
    release: Act = Act.NONE  # first, by Cinder alone
    main: Act = Act.NONE  # then, by Nova
    stale: tuple[str, ...] = ()  # attachments of Cinder's that are removed
    why: Why | None = None

    @property
    def volume(self) -> str:
        """Return the id of the volume."""
        return self.row.volume

    @property
    def device(self) -> str | None:
        """Return the device that it has to Nova, and keeps."""
        return self.row.of_nova.device if self.row.of_nova else None

    @property
    def is_mended(self) -> bool:
        """Say whether anything is done."""
        return self.release != Act.NONE or self.main != Act.NONE


def choose(row: AttachedVolume, server: Server, *, in_run: bool = False) -> Chosen:
    """Return the smallest act that repairs a volume; all that is unknown was refused before."""
    volume = row.of_cinder
    if volume is None:
        return Chosen(row=row, why=Why.GONE)
    if row.of_nova is None:
        return _without_nova(row, volume.status, in_run=in_run)
    own = row.of_nova.id
    if own is None and len(row.attachments) > 1:
        return Chosen(row=row, why=Why.UNKNOWN_RECORD)
    ours = [one for one in row.attachments if own in {None, one.id}]
    stale = tuple(one.id for one in row.attachments if one not in ours)
    if not ours:
        return _without_attachment(row, volume, stale)
    is_whole = ours[0].status == ATTACHED and volume.status in {IN_USE, DETACHING}
    if not is_whole or (stale and volume.status == DETACHING):
        return Chosen(row=row, why=Why.STATE)
    release = Act.ROLL_BACK if volume.status == DETACHING else Act.REMOVE if stale else Act.NONE
    return Chosen(row=row, release=release, main=_main(row, server, stale), stale=stale)


def _without_attachment(row: AttachedVolume, volume: Volume, stale: tuple[str, ...]) -> Chosen:
    """Return what repairs a record of Nova's with no attachment of Cinder's behind it."""
    if any(owner != row.server for owner, _ in volume.attached):
        return Chosen(row=row, why=Why.OTHERS)
    if volume.status != AVAILABLE and not stale:
        return Chosen(row=row, why=Why.STATE)
    release = Act.REMOVE if stale else Act.NONE
    return Chosen(row=row, release=release, main=Act.ATTACH, stale=stale)


def _main(row: AttachedVolume, server: Server, stale: tuple[str, ...]) -> Act:
    # Of two attachments on two hosts, the one that is left is where Nova has it.
    hosts = {*row.hosts}
    if server.host not in hosts or (len(hosts) > 1 and not stale):
        return Act.REATTACH
    if row.libvirt is None or row.libvirt.has is Sign.UNKNOWN:  # it has no domains, or it is off
        return Act.NONE
    if row.libvirt.has is Sign.NO:
        return Act.REBOOT
    device = row.of_nova.device if row.of_nova else None
    if device and row.libvirt.device and device_name(device) != device_name(row.libvirt.device):
        return Act.REATTACH
    return Act.NONE


def _without_nova(row: AttachedVolume, status: str, *, in_run: bool) -> Chosen:
    if row.libvirt is not None and row.libvirt.has is Sign.YES:
        return Chosen(row=row, why=Why.GUEST_HAS_IT)
    if row.attachments:
        stale = tuple(one.id for one in row.attachments)
        return Chosen(row=row, release=Act.REMOVE, stale=stale)
    if status == ATTACHING:
        return Chosen(row=row, release=Act.UNRESERVE)
    if status in {AVAILABLE, IN_USE}:
        # The run itself may have given it free.
        return Chosen(row=row) if in_run else Chosen(row=row, why=Why.NOBODY)
    return Chosen(row=row, why=Why.STATE)
