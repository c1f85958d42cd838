"""How a volume is attached to a server, by each witness: for steps and checks.

Each is asked by itself. What cannot be read is `Unread`, and proves nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias
from xml.etree import ElementTree as ET

from stackward.answers import understood
from stackward.errors import NotUnderstood, Uncertain, Unreachable
from stackward.model.server import Server
from stackward.model.unread import Unread
from stackward.model.volume import IN_USE, NovaAttachment, Volume, device_name
from stackward.ports.libvirt import read_definition, refused
from stackward.ports.shell import VIRSH
from stackward.ports.world import World
from stackward.status.lookups import hypervisor_of
from stackward.status.proof import Row, on_its_node
from stackward.status.stalled import NO_DOMAIN

DUMP = (*VIRSH, "dumpxml")  # of a guest that runs: as it runs

Disks: TypeAlias = Mapping[str, str]  # the device of each volume: vdb, by its serial


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """One volume and one server, as all three have them now."""

    server: Server
    nova: NovaAttachment | None
    volume: Volume | None
    disks: Disks | Unread | None  # of the guest; None: its hypervisor has no domains

    @property
    def is_nobodys(self) -> bool:
        """Say whether none of them has it; what is unread is no such word."""
        return self.nova is None and not self._hosts and self._disk is None and self.is_read

    @property
    def is_read(self) -> bool:
        """Say whether libvirt could be read."""
        return not isinstance(self.disks, Unread)

    def wrong(self, device: str | None) -> str | None:
        """Say what is not as it should be; None where all three have it there, as this device."""
        if self.nova is None:
            return "Nova does not have it"
        if self.volume is None or self.volume.status != IN_USE:
            return f"it is {self.volume.status if self.volume else 'gone'} to Cinder"
        if self._hosts != (self.server.host,):
            where = ", ".join(map(str, self._hosts)) or "no host"
            return f"Cinder has it attached on {where}"
        if self.disks is not None and self.is_read and self._disk is None:
            return "its guest has no disk with this serial"
        devices = {device_name(self.nova.device), *([self._disk] if self._disk else [])}
        if device is not None and devices != {device_name(device)}:
            listed = " and ".join(sorted(map(str, devices)))
            return f"its device is {listed}, and not {device_name(device)}"
        return None

    @property
    def who_has_it(self) -> str:
        """Say who still has it."""
        who = [("Nova", self.nova), ("Cinder", self._hosts), ("its guest", self._disk)]
        return " and ".join(name for name, has in who if has)

    @property
    def saw(self) -> dict[str, str | None]:
        """Return what each says, for the journal."""
        disk = f"unread: {self.disks.why}" if isinstance(self.disks, Unread) else self._disk
        return {
            "nova": self.nova.device if self.nova else None,
            "cinder": self.volume.status if self.volume else None,
            "libvirt": "not applicable" if self.disks is None else disk,
        }

    @property
    def _hosts(self) -> tuple[str | None, ...]:
        places = self.volume.attached if self.volume else ()
        return tuple(host for owner, host in places if owner == self.server.id)

    @property
    def _disk(self) -> str | None:
        known = {} if isinstance(self.disks, Unread) or self.disks is None else self.disks
        return known.get(self.volume.id) if self.volume else None


def read_attached(world: World, server: Server, volume: str) -> Attached:
    """Return how they have it now. Raises an error where Nova or Cinder cannot be asked."""
    records = world.nova.attached_to(server.id)
    return Attached(
        server=server,
        nova=next((one for one in records if one.volume == volume), None),
        volume=world.cinder.volume(volume),
        disks=disks_of(world, server.id, server.host or ""),
    )


def disks_of(world: World, server: str, host: str) -> Disks | Unread | None:
    """Return the disks of a guest that have a serial; none where libvirt has no such guest."""
    asked = on_its_node(world, hypervisor_of(world.nova, host), [*DUMP, server], "disks")
    if isinstance(asked, Row):
        return Unread(asked.unread) if asked.unread else None
    if asked.code != 0:
        return {} if NO_DOMAIN in asked.err else refused(asked, "dumpxml")
    try:
        return _disks_in(read_definition(asked.out))
    except (NotUnderstood, Unreachable, Uncertain) as error:
        return Unread.of(error)


def _disks_in(definition: str) -> Disks:
    with understood("`virsh dumpxml`", definition):
        try:
            root = ET.fromstring(definition)  # noqa: S314  # libvirt wrote it
        except ET.ParseError as error:
            raise ValueError(str(error)) from error
        found = ((one.findtext("serial"), one.find("target")) for one in root.iter("disk"))
        return {
            serial: target.get("dev") or ""
            for serial, target in found
            if serial and target is not None
        }
