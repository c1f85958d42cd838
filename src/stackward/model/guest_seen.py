"""A guest as it was seen on its node: its domain, and whether all that it needs is there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A process that has a disk open for writing, and is not the guest."""

    pid: int
    program: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """Where QEMU's user may not go on."""

    user: str
    path: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskOfGuest:
    """A disk that the domain names."""

    device: str
    kind: str  # disk, cdrom, ...
    path: str  # empty: of the network, or none
    serial: str = ""  # of a volume: its id
    network: str | None = None
    is_there: bool | None = None
    unread: str = ""
    image_code: int | None = None  # how `qemu-img info` ended; None: it was not asked, or is late
    image_says: str = ""
    missing: str | None = None  # a file below it that is not there
    sharing: int = 0  # disks of the node that rest on that file
    denied: Denied | None = None
    held_by: tuple[Holder, ...] = ()
    # The first: boot, gpt, encrypted, empty, other; None: it was not read.
    sector: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleOfGuest:
    """The last that a guest has written."""

    path: str
    lines: tuple[str, ...]
    first_line: int
    written: datetime | None
    unread: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainSeen:
    """What libvirt has of a guest, and what of it is there."""

    name: str
    state: str
    why: str  # in libvirt's words
    is_bios: bool = True
    boots_from_disks: bool = True  # False: from a CD or the network, as far as its XML says
    has_huge_pages: bool = False
    machine: str = ""
    knows_machine: bool | None = None  # None: not known
    emulator: str = ""
    has_emulator: bool | None = None
    cpu_code: int | None = None  # how the comparison ended; None: it was not made
    cpu_says: str = ""
    disks: tuple[DiskOfGuest, ...] = ()
    bridges: Mapping[str, bool]  # whether each is there
    pci: Mapping[str, bool]
    secrets: Mapping[str, bool]
    console: ConsoleOfGuest | None = None  # None: it has none
    started_s: float | None = None  # for how long its process has run; None: it has none


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """The room of a file system."""

    path: str
    free: int | None
    inodes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestSeen:
    """All that was seen on the node."""

    at: datetime
    is_root: bool
    libvirt_says: str | None  # why libvirt does not answer; None: it does, or that is not known
    domain: DomainSeen | None  # None: there is none, or libvirt does not answer
    no_domain: str = ""  # libvirt's words on that
    own_disk: DiskOfGuest | None = None  # where there is no domain
    space: tuple[Space, ...] = ()
    memory_available: int | None = None
    unread: tuple[str, ...] = ()
    is_libvirt_known: bool = True  # whether it answers

    @property
    def is_running(self) -> bool:
        """Say whether the guest runs, by libvirt."""
        return self.domain is not None and self.domain.state == "running"

    @property
    def disks(self) -> tuple[DiskOfGuest, ...]:
        """Return all disks that are known."""
        if self.domain is not None:
            return self.domain.disks
        return (self.own_disk,) if self.own_disk is not None else ()
