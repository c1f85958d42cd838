"""Facts that a signature may be about: every look at a cloud finds them.

Each has parts, which say of what it is true, and a sentence for the evidence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from stackward.signatures.form import Place, Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Something that is so, and was looked at."""

    says: str  # its parts are in braces
    parts: tuple[str, ...] = ()
    # While it is true, no start of the server can succeed. This does not hold for what nova-compute
    # makes again as it starts a guest (nova 31.0, virt/libvirt/driver.py, `_hard_reboot`). That is
    # its definition, the base of its disk, the connection of its volumes with their secrets, its
    # network cards.
    decides: bool = False


CONDITIONS: Mapping[str, Condition] = {
    "base-missing": Condition(
        says="`{disk}` rests on `{path}`, which is not there", parts=("disk", "path")
    ),
    "disk-missing": Condition(says="`{path}` is not there", parts=("path",), decides=True),
    "disk-unreadable": Condition(
        says="{user} may not open `{path}`: {why}", parts=("user", "path", "why"), decides=True
    ),
    "disk-held": Condition(
        says="`{path}` is open in {program} (pid {pid}), which is not this guest's QEMU",
        parts=("path", "program", "pid"),
    ),
    "no-boot-sector": Condition(
        says="the first sector of `{path}` has no boot signature (55 aa)",
        parts=("path",),
        decides=True,
    ),
    "volume-path-missing": Condition(says="the volume's `{path}` is not there", parts=("path",)),
    "volume-unattached": Condition(
        says="Nova lists the volume {volume}; Cinder says: {status}", parts=("volume", "status")
    ),
    "port-unbound": Condition(
        says="the port {port} is bound as `{binding}`", parts=("port", "binding"), decides=True
    ),
    "port-elsewhere": Condition(says="the port {port} is bound to {host}", parts=("port", "host")),
    "bridge-missing": Condition(says="there is no bridge `{bridge}`", parts=("bridge",)),
    "pci-missing": Condition(
        says="there is no PCI device {address}", parts=("address",), decides=True
    ),
    "machine-type-unknown": Condition(
        says="libvirt there knows no machine type `{machine}`", parts=("machine",)
    ),
    "cpu-lacking": Condition(says="libvirt says of the guest's CPU: {says}", parts=("says",)),
    "emulator-missing": Condition(says="`{path}` is not there", parts=("path",)),
    "secret-missing": Condition(says="libvirt has no secret {secret}", parts=("secret",)),
    "domain-missing": Condition(says="libvirt has no domain of the server"),
    "guest-paused": Condition(says="libvirt has its domain paused: {why}", parts=("why",)),
    "no-space": Condition(says="{free} free at `{path}`", parts=("free", "path")),
    "no-inodes": Condition(says="no inode is free at `{path}`", parts=("path",)),
    "no-memory": Condition(
        says="{available} of memory available; its flavor has {needed}",
        parts=("available", "needed"),
    ),
    "libvirt-silent": Condition(
        says="libvirt does not answer: {why}", parts=("why",), decides=True
    ),
    "compute-down": Condition(
        says="Nova has nova-compute down since {since}", parts=("since",), decides=True
    ),
    "compute-disabled": Condition(
        says="nova-compute has disabled itself: {reason}", parts=("reason",)
    ),
    "never-placed": Condition(says="Nova has it on no host", decides=True),
}
"""Every fact that a signature may be about. Another one is an entry here, and who finds it."""


def fact(
    name: str,
    parts: Mapping[str, str] | None = None,
    *,
    component: str = "",
    node: str = "",
    at: datetime | None = None,
) -> Seen:
    """Return a fact that was found to be so.

    Raises KeyError where no such fact, or no such part of it, is declared.
    """
    condition, given = CONDITIONS[name], dict(parts or {})
    if missing := set(condition.parts) ^ set(given):
        raise KeyError(f"{name}: {', '.join(sorted(missing))}")
    return Seen(
        place=Place.FACT,
        text=condition.says.format_map(given),
        component=component,
        node=node,
        at=at,
        fact=name,
        parts=given,
    )
