"""Whether a server runs where it is: the proof of what brought it up, row by row.

Nova calls it ACTIVE without a `task_state`; libvirt runs its guest; the guest has started to boot;
its ports are active and bound there; its volumes are attached there.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from stackward.answers import why
from stackward.errors import NotUnderstood, StackwardError
from stackward.model.hypervisor import Hypervisor
from stackward.model.server import Server
from stackward.ports.libvirt import read_bytes_read
from stackward.ports.shell import VIRSH
from stackward.ports.together import ask_both
from stackward.ports.world import World
from stackward.status.lookups import hypervisor_of
from stackward.status.proof import Row, domain_on_target, on_its_node, volumes_on

BLOCKS = (*VIRSH, "domstats", "--block", "--raw")
BOOT = "boot"

_ON = ("active", 1)  # vm_state and power_state
_BEGUN_BYTES = 4 * 2**20  # more than firmware and a boot loader read
_LINES = 60  # of a console
_FAILED = re.compile(
    r"Kernel panic|No bootable device|Boot failed: not a bootable disk|Unable to mount root fs"
    r"|grub rescue>|You are in emergency mode|FATAL: No bootable medium",
    re.IGNORECASE,
)
_LOGIN = re.compile(r"(?m)^\S.* login: ?\Z")
_FIRMWARE = re.compile(
    r"SeaBIOS|iPXE|Booting from|BdsDxe|UEFI|GRUB|SYSLINUX|ISOLINUX|Machine UUID|PMM\+|Press .* to",
    re.IGNORECASE,
)


class Boot(StrEnum):
    """How far a guest has come."""

    NOT_BEGUN = "not begun"
    BEGUN = "begun"  # it has read more than firmware does, or written to its console
    BOOTED = "booted"  # it asks for a login
    FAILED = "failed"  # its console shows a panic, or no disk to boot from


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The rows of the proof, and how far the guest has come."""

    rows: tuple[Row, ...]
    boot: Boot | None = None  # None: its hypervisor has no domains, or it was not reached

    @property
    def wrong(self) -> str | None:
        """Say which row does not hold; None: each row holds or cannot be read."""
        return "; ".join(f"{row.name}: {row.wrong}" for row in self.rows if row.wrong) or None

    @property
    def unread(self) -> str | None:
        """Say what cannot be read."""
        return "; ".join(f"{row.name}: {row.unread}" for row in self.rows if row.unread) or None

    @property
    def saw(self) -> Mapping[str, str | None]:
        """Return the evidence, for the journal."""
        return {row.name: row.standing for row in self.rows} | (
            {BOOT: self.boot.value} if self.boot else {}
        )


def prove_running(world: World, server: Server, host: str) -> Running:
    """Return whether the server runs on the host: each row holds, does not, or cannot be read."""
    (boot, guest), attached = ask_both(
        world.together,
        f"whether {server.id} runs on {host}",
        partial(_guest, world, server, host),
        partial(_attached, world, server, host),
        calls=1 + len(server.volume_ids),  # its ports, and each volume
    )
    return Running(rows=(*_by_nova(server, host), *guest, *attached), boot=boot)


def _by_nova(server: Server, host: str) -> Iterator[Row]:
    yield Row("host", None if server.host == host else f"it is on `{server.host}`")
    yield Row("task", f"it is busy ({server.task_state})" if server.task_state else None)
    is_on = (server.vm_state, server.power_state) == _ON
    yield Row("state", None if is_on else f"it is {server.status}")


def _guest(world: World, server: Server, host: str) -> tuple[Boot | None, tuple[Row, Row]]:
    """Say whether its guest runs there, and how far it has come."""
    hypervisor = hypervisor_of(world.nova, host)
    boot, began = _boot(world, server.id, hypervisor)
    return boot, (domain_on_target(world, server.id, hypervisor, "running"), began)


def _attached(world: World, server: Server, host: str) -> tuple[Row, ...]:
    """Say whether its ports and its volumes are there."""
    return (*_ports(world, server, host), volumes_on(world, server, host))


def _ports(world: World, server: Server, host: str) -> Iterator[Row]:
    for port in world.neutron.ports_of([server.id]):
        is_well = port.status == "ACTIVE" and port.host == host
        said = f"it is {port.status} on `{port.host}`"
        yield Row(f"port {port.id}", None if is_well else said)


def _boot(world: World, server: str, hypervisor: Hypervisor | None) -> tuple[Boot | None, Row]:
    """Say how far the guest has come, by what it has read and by its console."""
    name = "boot begun"
    asked = on_its_node(world, hypervisor, [*BLOCKS, server], name)
    if isinstance(asked, Row):
        return None, asked
    if asked.code != 0:
        return None, Row(name, unread=asked.err.strip() or f"it ended with {asked.code}")
    try:
        has_read = read_bytes_read(asked.out)
    except NotUnderstood as error:
        return None, Row(name, unread=why(error))
    boot = max_of(_by_console(world, server), has_read)
    match boot:
        case Boot.FAILED:
            return boot, Row(name, "its console shows that it cannot boot")
        case Boot.NOT_BEGUN:
            return boot, Row(name, f"it has read {has_read} bytes, and its console is silent")
        case _:
            return boot, Row(name)


def max_of(console: Boot, has_read: int) -> Boot:
    """Return how far a guest has come by both signs."""
    if console is Boot.NOT_BEGUN and has_read >= _BEGUN_BYTES:
        return Boot.BEGUN
    return console


def _by_console(world: World, server: str) -> Boot:
    try:
        text = world.nova.console(server, _LINES)
    except StackwardError:
        return Boot.NOT_BEGUN  # what it has read from its disks may show it
    return read_console(text or "")


def read_console(text: str) -> Boot:
    """Say how far a guest has come by what it wrote to its console."""
    if _FAILED.search(text):
        return Boot.FAILED
    if _LOGIN.search(text.rstrip("\n")):
        return Boot.BOOTED
    own = [line for line in text.splitlines() if line.strip() and not _FIRMWARE.search(line)]
    return Boot.BEGUN if own else Boot.NOT_BEGUN
