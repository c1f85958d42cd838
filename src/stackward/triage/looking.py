"""Make of what was read the things in which signatures are looked for, and what is ruled out."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from stackward.facts.triage import TriageFacts
from stackward.model.guest_seen import DiskOfGuest, DomainSeen, GuestSeen
from stackward.model.service import BY_ITSELF
from stackward.signatures.conditions import fact
from stackward.signatures.form import Place, Seen
from stackward.signatures.matching import seen_in
from stackward.wording import in_size, in_utc

LITTLE_SPACE = 64 * 2**20  # bytes: a console and a swap file need some
LAST_SCREEN = 30  # lines
NOT_BUILT = {"SHELVED_OFFLOADED", "SOFT_DELETED", "DELETED"}
UNBOUND = {"binding_failed", "unbound"}
# The guest came up: a prompt, also with other text next to it; a login; the target that systemd
# reaches last.
_PROMPT = re.compile(
    r"^[\w.-]{1,64} login:(?: |$)|^login:|^Last login: |^[\w.@-]{1,40}[$#] ?$"
    r"|Reached target (?:.{0,40}[Mm]ulti-[Uu]ser|.{0,40}[Gg]raphical)"
)
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[()][0-9A-B]|[=>78cDEHM])|[\r\x07]")
_NEW_BOOT = re.compile(
    r"^SYSLINUX |^\[ {0,6}0\.000000\] Linux version |^GRUB loading|^BdsDxe: load"
)
_MIB = 2**20


class So(Protocol):
    """Notes a fact that was found to be so."""

    def __call__(self, name: str, /, **parts: str) -> None:
        """Note it, with its parts."""
        ...


@dataclass(slots=True)
class Looked:
    """What was seen, and what was looked at and is well."""

    seen: list[Seen] = field(default_factory=list)
    well: list[str] = field(default_factory=list)


def looked_at(facts: TriageFacts) -> Looked:
    """Return all that signatures are looked for in, the surest first."""
    found = Looked()
    _nova(facts, found)
    _network(facts, found)
    _volumes(facts, found)
    if facts.guest is not None:
        _guest(facts, facts.guest, found)
    _words(facts, found)
    _console(facts, found)
    return found


def _nova(facts: TriageFacts, found: Looked) -> None:
    server, service = facts.server, facts.service
    if server.host is None:
        if server.status not in NOT_BUILT and server.task_state is None:
            found.seen.append(fact("never-placed", component="nova-api", at=facts.at))
        return
    if service is None:
        return
    reason = service.disabled_reason or ""
    name, parts = "", {}
    if not service.is_up:
        since = in_utc(service.updated) if service.updated else "an unknown time"
        name, parts = "compute-down", {"since": since}
    elif reason.startswith(BY_ITSELF):
        name, parts = "compute-disabled", {"reason": reason}
    if not name:
        found.well.append("nova-compute of its node is up")
        return
    found.seen.append(fact(name, parts, component="nova-api", node=server.host, at=facts.at))


def _network(facts: TriageFacts, found: Looked) -> None:
    odd = []
    for port in facts.ports:
        if port.vif_type in UNBOUND and facts.server.status not in NOT_BUILT:
            odd.append(("port-unbound", {"port": port.id, "binding": port.vif_type}))
        elif port.host and facts.server.host and port.host != facts.server.host:
            odd.append(("port-elsewhere", {"port": port.id, "host": port.host}))
    found.seen += [fact(*each, component="neutron-api", at=facts.at) for each in odd]
    if facts.ports and not odd:
        found.well.append("Neutron has its ports bound to its node")


def _volumes(facts: TriageFacts, found: Looked) -> None:
    odd = []
    for name, volume in facts.volumes:
        if volume is None:
            odd.append({"volume": name, "status": "there is no such volume"})
        elif not any(server == facts.server.id for server, _ in volume.attached):
            status = f"it is {volume.status}, and not attached to this server"
            odd.append({"volume": name, "status": status})
    found.seen += [
        fact("volume-unattached", each, component="cinder-api", at=facts.at) for each in odd
    ]
    if facts.volumes and not odd:
        found.well.append("Cinder has its volumes attached to it")


def _guest(facts: TriageFacts, guest: GuestSeen, found: Looked) -> None:
    def so(name: str, /, **parts: str) -> None:
        given = fact(name, parts, component="machine", node=facts.node or "", at=guest.at)
        found.seen.append(given)

    if guest.libvirt_says is not None:
        so("libvirt-silent", why=guest.libvirt_says)
    elif guest.is_libvirt_known:
        found.well.append("libvirt on its node answers")
        if guest.no_domain and facts.server.status not in NOT_BUILT:
            so("domain-missing")
    if guest.domain is not None:
        _domain(guest.domain, so, found)
    for disk in guest.disks:
        _disk(disk, so, found, facts.node or "", guest)
    _boot_sector(guest, so, found)
    _room(facts, guest, so, found)


def _domain(domain: DomainSeen, so: So, found: Looked) -> None:
    found.well.append("libvirt has its domain")
    if domain.state == "paused" and "I/O" in domain.why:
        so("guest-paused", why=domain.why)
    if domain.has_emulator is False:
        so("emulator-missing", path=domain.emulator)
    elif domain.knows_machine is False:
        so("machine-type-unknown", machine=domain.machine)
    elif domain.knows_machine:
        found.well.append(f"the node knows its machine type (`{domain.machine}`)")
    if domain.cpu_code:
        so("cpu-lacking", says=domain.cpu_says)
    for name, there, what in (
        ("bridge-missing", domain.bridges, "bridge"),
        ("pci-missing", domain.pci, "address"),
        ("secret-missing", domain.secrets, "secret"),
    ):
        for key, is_there in there.items():
            if not is_there:
                so(name, **{what: key})
        if there and all(there.values()):
            words = {"bridge": "bridges", "address": "PCI devices", "secret": "secrets"}[what]
            found.well.append(f"the {words} that it needs are there")


def _disk(disk: DiskOfGuest, so: So, found: Looked, node: str, guest: GuestSeen) -> None:
    if disk.is_there is False:
        if disk.serial or disk.path.startswith("/dev/"):
            so("volume-path-missing", path=disk.path)
        else:
            so("disk-missing", path=disk.path)
        return
    if disk.missing is not None:
        so("base-missing", disk=disk.path, path=disk.missing)
    if disk.denied is not None:
        denied = disk.denied
        so("disk-unreadable", user=denied.user, path=denied.path, why=denied.why)
    if not guest.is_running:
        for one in disk.held_by:
            so("disk-held", path=disk.path, program=one.program, pid=str(one.pid))
    if disk.image_code:
        found.seen += [
            Seen(
                place=Place.DISK, text=line, component="machine", node=node, file=disk.path,
                at=guest.at,
            )
            for line in disk.image_says.splitlines()
        ]  # fmt: skip
    if disk.image_code == 0 and disk.missing is None and disk.denied is None:
        found.well.append(f"`{disk.path}` and what it rests on is there, and QEMU can read it")


def _boot_sector(guest: GuestSeen, so: So, found: Looked) -> None:
    """Judge the disks that a BIOS may boot from: one of them is enough.

    A guest that may boot from a CD or from the network needs none; of a disk that is encrypted
    nothing is known.
    """
    if guest.domain is not None and not (guest.domain.is_bios and guest.domain.boots_from_disks):
        return
    disks = [one for one in guest.disks if one.kind == "disk"]
    known = [one for one in disks if one.sector not in {None, "encrypted"}]
    if any(one.sector in {"boot", "gpt"} for one in known):
        found.well.append("a disk of the server has a boot sector")
    elif known and len(known) == len(disks):
        so("no-boot-sector", path=known[0].path)


def _room(facts: TriageFacts, guest: GuestSeen, so: So, found: Looked) -> None:
    known = [one for one in guest.space if one.free is not None]
    full = [one for one in known if (one.free or 0) < LITTLE_SPACE]
    without = [one for one in guest.space if one.inodes == 0]
    for one in full[:1]:
        so("no-space", free=in_size(one.free or 0), path=one.path)
    for one in without[:1]:
        so("no-inodes", path=one.path)
    if known and not full and not without:
        found.well.append(f"{in_size(min(one.free or 0 for one in known))} are free on its node")
    needed = facts.server.flavor.ram_mib * _MIB
    if guest.memory_available is None or not needed or _has_huge_pages(facts, guest):
        return
    if guest.is_running or guest.memory_available >= needed:
        found.well.append(f"{in_size(guest.memory_available)} of memory are available there")
    else:
        so("no-memory", available=in_size(guest.memory_available), needed=in_size(needed))


def _has_huge_pages(facts: TriageFacts, guest: GuestSeen) -> bool:
    """Say whether its memory is of huge pages: they are set aside, and not among the available."""
    asked = facts.server.flavor.spec("hw:mem_page_size") or dict(
        facts.server.image_properties or ()
    ).get("hw_mem_page_size")
    is_seen = guest.domain is not None and guest.domain.has_huge_pages
    return is_seen or asked not in {None, "small", "4", "4096", "4KB", "4k"}


def _words(facts: TriageFacts, found: Looked) -> None:
    """Take the words of the last attempt; those of older ones say nothing of today."""
    found.seen += seen_in(facts.events)
    attempt = facts.attempt
    for said, at in (
        (attempt.says if attempt else None, attempt.started if attempt else None),
        (facts.server.fault, None),
    ):
        found.seen += [
            Seen(place=Place.FAULT, text=line.strip(), component="nova-api", file="fault", at=at)
            for line in (said or "").splitlines()
            if line.strip()
        ]
    if attempt is not None and not attempt.has_failed:
        found.well.append(f"Nova's last attempt (`{attempt.action}`) did not fail")


def _console(facts: TriageFacts, found: Looked) -> None:
    """Take the last screen of the console, from the last boot or prompt that it shows."""
    given = facts.guest.domain.console if facts.guest and facts.guest.domain else None
    if given is not None and given.lines:
        numbered = list(enumerate(given.lines, given.first_line))
        file, node, at = given.path, facts.node or "", given.written
    else:
        numbered = list(enumerate(facts.console, 1))
        file, node, at = "console", facts.server.host or "", None
    numbered = [(number, line) for number, line in numbered if line.strip()][-LAST_SCREEN:]
    begin = 0
    for place, (_, line) in enumerate(numbered):
        plain = _ESCAPES.sub("", line).strip()
        if _PROMPT.search(plain):
            begin = place + 1
        elif _NEW_BOOT.search(plain):
            begin = place
    if numbered and begin == len(numbered):
        found.well.append("its console shows a prompt")
    elif numbered:
        found.well.append("its console was read")
    found.seen += [
        Seen(
            place=Place.CONSOLE, text=line, component="guest", node=node, file=file, line=number,
            at=at,
        )
        for number, line in numbered[begin:]
    ]  # fmt: skip


def last_error(facts: TriageFacts, found: Sequence[Seen]) -> Seen | None:
    """Return the last words of the attempt that report an error, for a verdict without a cause."""
    texts = [one for one in found if one.place is Place.FAULT and one.at]
    disks = [one for one in found if one.place is Place.DISK]
    errors = [one for one in facts.events if one.level.name in {"ERROR", "CRITICAL"}]
    if errors:
        last = errors[-1]
        raised = last.raised[-1] if last.raised else None
        said = f"{raised.exception}: {raised.message}" if raised else last.message
        return Seen(
            place=Place.LOG, text=said, component=last.component, node=last.node, file=last.file,
            offset=last.offset, at=last.at,
        )  # fmt: skip
    return next(iter([*disks[-1:], *texts[-1:], *_faults(found)]), None)


def _faults(found: Sequence[Seen]) -> Iterator[Seen]:
    yield from (one for one in found if one.place is Place.FAULT)
