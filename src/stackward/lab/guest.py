"""The lab's guest: how its image is built, and what its console says.

The guest is a witness. On its console it says which boot of which disk runs, what it is attached to
and which hosts it reaches. So a test can prove from inside that a server moved without a restart,
kept its disk, or is a new one. It keeps nothing worth keeping: it is no server image.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

# Both are set in build.sh too: the guest's records lie on the disk behind the first.
FILE_SYSTEM_MIB: Final = 18
IMAGE_MIB: Final = 20

BUILD_FOLDER: Final = "guest_image"
"""The folder beside this module that the build needs, whole."""

PACKAGES: Final = (
    "busybox-static",
    "cpio",
    "dosfstools",
    "kmod",
    "mtools",
    "syslinux",
    "xz-utils",
)
"""What the Debian root needs in which the image is built."""

TICK_EVERY_S: Final = 3
PEERS_EVERY_S: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """A start of the guest, reported once the drivers are loaded."""

    id: str
    """Random, new at each start."""
    up_s: float
    boots: int
    """How often this disk was booted, this time included."""
    mark: str
    previous: tuple[str, int] | None
    """Boot and tick that this disk saw last; None on its first boot."""
    memory_mib: int
    kernel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A disk as the guest reads it at a tick."""

    name: str
    size_mib: int
    mark: str
    """Random, written on first sight: another mark is another disk.

    In its place: `blank`, `foreign`, or `error` where the disk cannot be read.
    """
    note: str | None
    """What `write` was last told to keep on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A sign of life, every TICK_EVERY_S seconds."""

    number: int
    up_s: float
    boot: str
    boots: int
    disks: tuple[Disk, ...]
    addresses: tuple[str, ...]

    def disk(self, name: str) -> Disk | None:
        """Return the disk of this name, None when the guest does not see it."""
        return next((disk for disk in self.disks if disk.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskChange:
    """A disk was seen for the first time in this boot, or no more."""

    name: str
    appeared: bool
    size_mib: int | None = None
    mark: str | None = None
    serial: str | None = None
    """The first 20 characters of what the hypervisor calls it; for Nova, the volume's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkChange:
    """A network card came, went, lost its link or was given an address."""

    name: str
    event: str
    """appeared, vanished, link-up, link-down, bound or renew."""
    address: str | None = None
    mtu: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerChange:
    """A peer answers otherwise than before."""

    address: str
    answers_ping: bool
    tcp_boot: str | None
    """The boot id that the peer told over TCP, in front of 64 KiB that all arrived."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Who answered in one round of asking; a round asks three of the known peers, in turn."""

    up_s: float
    boot: str
    by_ping: tuple[str, ...]
    by_tcp: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerDown:
    """The guest heard the power button and stops, clean."""

    up_s: float
    boot: str
    last_tick: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Intruder:
    """Another boot wrote to the root disk while `boot` ran from it: two guests share one disk."""

    boot: str
    other: str


Event: TypeAlias = (
    Boot | Tick | DiskChange | NetworkChange | PeerChange | Round | PowerDown | Intruder
)


@dataclass(frozen=True, slots=True)
class Console:
    """Everything that a console log shows, in order.

    A log is cut at its start when it is rotated, so that a boot may be known by its ticks only.
    """

    events: tuple[Event, ...]
    unreadable: tuple[str, ...] = ()
    """Lines that begin as ours and cannot be understood: damage, never evidence."""

    @property
    def boots(self) -> tuple[Boot, ...]:
        """Every start that the log still holds."""
        return tuple(event for event in self.events if isinstance(event, Boot))

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """Every tick, of all boots."""
        return tuple(event for event in self.events if isinstance(event, Tick))

    @property
    def boot_ids(self) -> tuple[str, ...]:
        """Every boot that gave a sign of life, in order: two are a restart."""
        told = (
            event.id if isinstance(event, Boot) else event.boot
            for event in self.events
            if isinstance(event, Boot | Tick)
        )
        return tuple(dict.fromkeys(told))

    @property
    def last_tick(self) -> Tick | None:
        """The newest tick of the newest boot; None when that has not ticked yet."""
        for event in reversed(self.events):
            if isinstance(event, Boot):
                return None
            if isinstance(event, Tick):
                return event
        return None

    @property
    def address(self) -> str | None:
        """The first address that the guest has now, as of its last tick or lease."""
        for event in reversed(self.events):
            match event:
                case Boot():
                    return None
                case Tick(addresses=addresses):
                    return addresses[0] if addresses else None
                case NetworkChange(address=str(address)):
                    return address
                case _:
                    continue
        return None

    @property
    def mtu(self) -> int | None:
        """The MTU in effect when the last lease was taken."""
        leases = (event for event in reversed(self.events) if isinstance(event, NetworkChange))
        return next((lease.mtu for lease in leases if lease.mtu is not None), None)

    @property
    def last_round(self) -> Round | None:
        """The newest round of asking peers in the newest boot."""
        for event in reversed(self.events):
            if isinstance(event, Boot):
                return None
            if isinstance(event, Round):
                return event
        return None

    @property
    def peers(self) -> tuple[str, ...]:
        """Who answered a ping in the last round."""
        return self.last_round.by_ping if self.last_round else ()

    @property
    def tcp_peers(self) -> tuple[str, ...]:
        """Who answered over TCP in the last round."""
        return self.last_round.by_tcp if self.last_round else ()

    @property
    def disk_marks(self) -> Mapping[str, str]:
        """The mark of each disk at the last tick, by the disk's name."""
        return {disk.name: disk.mark for disk in self.last_tick.disks} if self.last_tick else {}

    @property
    def power_downs(self) -> tuple[PowerDown, ...]:
        """Every clean stop."""
        return tuple(event for event in self.events if isinstance(event, PowerDown))

    @property
    def intruders(self) -> tuple[Intruder, ...]:
        """Every time that somebody else wrote to the root disk of the running guest."""
        return tuple(event for event in self.events if isinstance(event, Intruder))


def read_console(text: str) -> Console:
    """Read a console log; what is not the guest's own is passed over.

    A last line without an end is left out: more of it may be on its way.
    """
    events: list[Event] = []
    unreadable: list[str] = []
    whole, _, _ = text.rpartition("\n")
    for line in whole.splitlines():
        # Typed words, and the shell's prompt, may come before it: search, do not match.
        said = _OURS.search(_TERMINAL_CODE.sub("", line))
        if said is None:
            continue
        fields = dict(_FIELD.findall(said[0]))
        try:
            events.append(_READERS[said["kind"]](fields))
        except (KeyError, ValueError):
            unreadable.append(line)
    return Console(tuple(events), tuple(unreadable))


def _boot(fields: Mapping[str, str]) -> Boot:
    previous, tick = fields["previous"].split(":")
    return Boot(
        id=fields["boot"],
        up_s=float(fields["up"]),
        boots=int(fields["boots"]),
        mark=fields["mark"],
        previous=None if previous == "none" else (previous, int(tick)),
        memory_mib=int(fields["mem"]),
        kernel=fields["kernel"],
    )


def _tick(fields: Mapping[str, str]) -> Tick:
    return Tick(
        number=int(fields["n"]),
        up_s=float(fields["up"]),
        boot=fields["boot"],
        boots=int(fields["boots"]),
        disks=tuple(_disk(disk) for disk in _listed(fields["disks"])),
        addresses=_listed(fields["addr"]),
    )


def _disk(text: str) -> Disk:
    name, size, mark, note = text.split(":")
    return Disk(name=name, size_mib=int(size), mark=mark, note=_told(note))


def _disk_change(fields: Mapping[str, str]) -> DiskChange:
    if fields["event"] == "vanished":
        return DiskChange(name=fields["name"], appeared=False)
    return DiskChange(
        name=fields["name"],
        appeared=True,
        size_mib=int(fields["size"]),
        mark=fields["mark"],
        serial=_told(fields["serial"]),
    )


def _network_change(fields: Mapping[str, str]) -> NetworkChange:
    change = NetworkChange(name=fields["name"], event=fields["event"])
    if change.event not in {"bound", "renew"}:
        return change
    address, _, _ = fields["addr"].partition("/")
    return NetworkChange(
        name=change.name, event=change.event, address=address, mtu=int(fields["mtu"])
    )


def _peer_change(fields: Mapping[str, str]) -> PeerChange:
    return PeerChange(
        address=fields["addr"],
        answers_ping=fields["ping"] == "yes",
        tcp_boot=None if fields["tcp"] == "no" else fields["tcp"],
    )


def _round(fields: Mapping[str, str]) -> Round:
    return Round(
        up_s=float(fields["up"]),
        boot=fields["boot"],
        by_ping=_listed(fields["ping"]),
        by_tcp=_listed(fields["tcp"]),
    )


def _power_down(fields: Mapping[str, str]) -> PowerDown:
    return PowerDown(up_s=float(fields["up"]), boot=fields["boot"], last_tick=int(fields["n"]))


def _intruder(fields: Mapping[str, str]) -> Intruder:
    return Intruder(boot=fields["boot"], other=fields["other"])


def _told(text: str) -> str | None:
    return None if text == "-" else text


def _listed(text: str) -> tuple[str, ...]:
    return () if text == "-" else tuple(text.split(","))


# Each kind of line is known by its word and its first key, so that it is found after anything.
_READERS: Final[Mapping[str, Callable[[Mapping[str, str]], Event]]] = {
    "guest up": _boot,
    "tick n": _tick,
    "disk name": _disk_change,
    "net name": _network_change,
    "peer addr": _peer_change,
    "peers up": _round,
    "down up": _power_down,
    "stolen disk": _intruder,
}
_OURS: Final = re.compile(rf"(?P<kind>{'|'.join(_READERS)})=.*")
_FIELD: Final = re.compile(r"([a-z]+)=(\S+)")
_TERMINAL_CODE: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
