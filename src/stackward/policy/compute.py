"""Whether and how a server may leave its node: one small rule per worry, all verdicts kept.

The rules hold for Nova 31.0 (2025.1) with libvirt; each worry cites what it follows. What is not
known to be movable blocks.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum

from stackward.facts.cpus import CpuConflict, cpus_of, thread_policy_of
from stackward.model.domain import INSTANCES, BlockStorage, Disk
from stackward.model.node import ComputeNode
from stackward.model.placement import Candidate
from stackward.model.server import IN_DOWN_CELL, Server
from stackward.model.standstill import Guest
from stackward.model.unread import Unread
from stackward.plan import Blocked, Verdict
from stackward.policy import worries
from stackward.ports.libvirt import cure_of
from stackward.status.stuck import find_stuck
from stackward.wording import first_of, in_size

_QEMU_WITH_VGPU_MIGRATION = 8_001_000
_MOVED_AS_THEY_ARE = {"normal", "virtio-forwarder"}
_MOVED_UNPLUGGED = {"direct", "direct-physical", "macvtap", "vdpa", "remote-managed"}
_NEVER_MOVED = {"accelerator-direct", "accelerator-direct-physical", "smart-nic"}
_NETWORK_FILESYSTEMS = {
    "nfs", "nfs4", "ceph", "fuse.ceph", "fuse.glusterfs", "ocfs2", "gfs2", "lustre", "cifs",
    "beegfs", "fuse.juicefs", "gpfs",
}  # fmt: skip
_TRUE = {"1", "true", "yes", "on"}

# vm_state and power state (nova/objects/fields.py InstancePowerState) that go with a status.
_AGREEING = {
    "ACTIVE": ("active", {1}),
    "PAUSED": ("paused", {3}),
    "SHUTOFF": ("stopped", {0, 4, 6}),
}
_GUEST_STATES = {
    "ACTIVE": {"running", "blocked"},
    "PAUSED": {"paused"},
    "SHUTOFF": {"shut off", "crashed"},
}
_UNBOUND = {"binding_failed", "unbound"}
_UNDER_A_TASK = {"MIGRATING", "RESIZE", "REBOOT", "HARD_REBOOT", "PASSWORD", "REBUILD"}
_BLOCKING_STATUS = {
    "ERROR": worries.ERROR,
    "RESCUE": worries.RESCUED,
    "SUSPENDED": worries.SUSPENDED,
    "SHELVED": worries.SHELVED,
    "BUILD": worries.BUILDING,
    "VERIFY_RESIZE": worries.VERIFY_RESIZE,
    "SOFT_DELETED": worries.SOFT_DELETED,
    IN_DOWN_CELL: worries.CELL_DOWN,
}


class Way(StrEnum):
    """How a server leaves its node."""

    LIVE = "live"
    COLD = "cold"


def way_of(server: Server) -> Way | None:
    """Say which way Nova has for a server in this status; None where it has none."""
    match server.status:
        case "ACTIVE" | "PAUSED":
            return Way.LIVE
        case "SHUTOFF":
            return Way.COLD
        case _:
            return None


def judge_state(server: Server, node: ComputeNode) -> Iterator[Verdict]:
    """Ask whether the server is in a state that can be moved, as Nova and libvirt see it."""
    standstill = node.standstills.get(server.id)
    if server.task_state is not None and standstill and (stuck := find_stuck(standstill)):
        yield worries.STUCK.blocks(
            server.label,
            server.id,
            state=stuck.state.name,
            reason=stuck.reason,
            remedy=stuck.remedy,
        )
    elif server.task_state is not None:
        yield worries.BUSY.blocks(server.label, server.id, task=server.task_state)
    if server.task_state is not None and server.status in _UNDER_A_TASK:
        return  # the status is that of the task, and needs no remedy of its own
    if worry := _BLOCKING_STATUS.get(server.status):
        yield worry.blocks(server.label, server.id)
    elif way_of(server) is None:
        yield worries.UNKNOWN_STATUS.blocks(server.label, server.id, status=server.status)
    elif server.task_state is None:
        yield from _judge_agreement(server, node)


def _judge_agreement(server: Server, node: ComputeNode) -> Iterator[Verdict]:
    vm_state, powers = _AGREEING[server.status]
    domain = node.domain_of(server.id)
    if server.vm_state != vm_state or server.power_state not in powers:
        yield worries.STATES_DISAGREE.blocks(
            server.label,
            server.id,
            status=server.status,
            vm_state=server.vm_state,
            power=server.power_state,
        )
    elif isinstance(node.domains, Unread) or not node.hypervisor.has_domains:
        return
    elif domain is None and server.status != "SHUTOFF":
        yield _judge_missing(server, node.sought.get(server.id, ()))
    elif domain is not None and domain.state not in _GUEST_STATES[server.status]:
        yield worries.DOMAIN_DISAGREES.blocks(
            server.label, server.id, status=server.status, state=domain.state
        )


_LOOK_ELSEWHERE = (
    "look first for it on the other nodes (`virsh --readonly list --all --uuid`), for a second "
    "guest would write to its disks; if none has it, "
)


def _judge_missing(server: Server, sought: tuple[Guest, ...] | Unread) -> Verdict:
    """Say where the guest of a server is that libvirt does not have on its node."""
    said = {"status": server.status}
    if isinstance(sought, Unread):
        return worries.GUEST_UNSEEN.blocks(
            server.label, server.id, why=sought.why, way=cure_of(sought), **said
        )
    if found := next((guest for guest in sought if guest.state is not None), None):
        return worries.GUEST_ELSEWHERE.blocks(
            server.label, server.id, where=found.node, state=found.state, **said
        )
    asked = ", ".join(f"`{guest.node}`" for guest in sought)
    nor = f"nor has {asked}" if asked else "and no record says where else it may be"
    # Nova's records of moves are archived: without one, only one libvirt has been heard.
    look = "" if asked else _LOOK_ELSEWHERE
    return worries.NO_DOMAIN.blocks(server.label, server.id, nor=nor, look=look, **said)


def judge_live(server: Server, node: ComputeNode) -> Iterator[Blocked]:
    """Ask what stands only against a live migration: `--allow-downtime` takes it away."""
    flavor = server.flavor
    if alias := flavor.spec("pci_passthrough:alias"):
        yield worries.HOLDS_PCI.blocks(server.label, server.id, what=alias)
    if _is_asked(server, "hw:tpm_version", "hw_tpm_version"):
        yield worries.HAS_TPM.blocks(server.label, server.id)
    if _is_asked(server, "hw:mem_encryption", "hw_mem_encryption"):
        yield worries.ENCRYPTED_MEMORY.blocks(server.label, server.id)
    has_vgpu = any(":VGPU" in name for name, _ in flavor.extra_specs)
    if has_vgpu and node.hypervisor.version < _QEMU_WITH_VGPU_MIGRATION:
        yield worries.HAS_VGPU.blocks(server.label, server.id)


def _is_asked(server: Server, spec: str, image_property: str) -> bool:
    given = server.flavor.spec(spec) or dict(server.image_properties or ()).get(image_property)
    if given is None:
        return False
    return given.lower() in _TRUE or not spec.endswith("encryption")


def judge_devices(server: Server, node: ComputeNode) -> Iterator[Verdict]:
    """Ask about what the server holds: accelerators and ports."""
    if profile := server.flavor.spec("accel:device_profile"):
        yield worries.HAS_ACCELERATOR.blocks(server.label, server.id, what=profile)
    for port in server.ports:
        kind = port.vnic_type
        if kind in _NEVER_MOVED:
            yield worries.HAS_ACCELERATOR.blocks(server.label, server.id, what=f"port {port.id}")
        elif kind in _MOVED_UNPLUGGED:
            if way_of(server) is Way.LIVE:
                yield worries.PORT_LEAVES.warns(server.label, server.id, port=port.id, what=kind)
        elif kind not in _MOVED_AS_THEY_ARE:
            yield worries.UNKNOWN_PORT.blocks(server.label, server.id, port=port.id, what=kind)
        is_bound_here = port.host == node.host and port.vif_type not in _UNBOUND
        # Where the guest is not here, its ports are not to be bound here either.
        if not is_bound_here and _is_guest_here(server, node):
            yield worries.PORT_ELSEWHERE.blocks(
                server.label,
                server.id,
                port=port.id,
                host=port.host or "none",
                vif=port.vif_type,
                here=node.host,
            )


def _is_guest_here(server: Server, node: ComputeNode) -> bool:
    """Say whether the guest of a server is where Nova has it, as far as libvirt could be read."""
    if isinstance(node.domains, Unread) or not node.hypervisor.has_domains:
        return True
    return server.status == "SHUTOFF" or node.domain_of(server.id) is not None


def judge_bindings(server: Server) -> Iterator[Verdict]:
    """Tell which bindings are removed before the move; those of a move under way are its own."""
    if server.task_state is None:
        for port, host in left_bindings(server):
            yield worries.LEFT_BINDING.warns(server.label, server.id, port=port, left_on=host)


def left_bindings(server: Server) -> Iterator[tuple[str, str]]:
    """Return each binding that a move has left behind: the port, and the host."""
    yield from ((port.id, host) for port in server.ports for host in port.left_on)


def judge_cpus(server: Server) -> Iterator[Verdict]:
    """Ask whether flavor and image agree on the CPUs: Nova asks again with every move."""
    image = dict(server.image_properties or ())
    for found in (cpus_of(server.flavor, image), thread_policy_of(server.flavor, image)):
        if isinstance(found, CpuConflict):
            yield worries.CPU_POLICY.blocks(server.label, server.id, why=found.why)


def judge_zone(server: Server, node: ComputeNode) -> Iterator[Verdict]:
    """Tell that a zone may bind it, where Nova is too old to say."""
    if not server.is_zone_known and any(each.zone for each in node.aggregates):
        yield worries.ZONE_UNKNOWN.warns(server.label, server.id, zone=node.zone)


def judge_group(server: Server) -> Iterator[Verdict]:
    """Ask whether it is known where the others of its group are."""
    if server.group and server.group.unknown:
        yield worries.GROUP_UNKNOWN.blocks(
            server.label,
            server.id,
            group=server.group.name,
            count=len(server.group.unknown),
        )


_NAMED = 3  # nodes in one remedy


def judge_capabilities(server: Server, others: Iterable[Candidate]) -> Iterator[Verdict]:
    """Tell of what a flavor wants of a node's capabilities; only Nova's scheduler has them."""
    wanted = [
        f"`{name}={value}`"
        for name, value in server.flavor.extra_specs
        if name.startswith("capabilities:") or name == "hw:maxphysaddr_bits"
    ]
    if wanted:
        names = sorted({each.name for each in others if each.is_usable})
        look = first_of((f"`openstack hypervisor show {name}`" for name in names), _NAMED)
        yield worries.CAPABILITIES_UNSEEN.warns(
            server.label,
            server.id,
            wanted=", ".join(wanted),
            look=look or "`openstack hypervisor list --long` (none has room now)",
        )


def judge_lock(server: Server) -> Iterator[Verdict]:
    """Tell of a lock."""
    if server.is_locked:
        why = server.locked_reason or "no reason given"
        yield worries.LOCKED.warns(server.label, server.id, why=why)


def judge_allocation(server: Server, node: ComputeNode) -> Iterator[Verdict]:
    """Ask whether placement has the server in its books."""
    if server.id not in node.provider.allocations and _is_guest_here(server, node):
        yield worries.NO_ALLOCATION.warns(server.label, server.id)


def judge_disks(server: Server, node: ComputeNode) -> Iterator[Verdict]:
    """Tell what a move will have to copy."""
    match storage_of(server, node):
        case BlockStorage.LOCAL:
            yield worries.DISK_COPIED.warns(
                server.label, server.id, size=_in_words(local_bytes(server, node))
            )
        case BlockStorage.UNKNOWN:
            yield worries.DISK_UNKNOWN.warns(server.label, server.id)
        case BlockStorage.NONE | BlockStorage.SHARED:
            return


def storage_of(server: Server, node: ComputeNode) -> BlockStorage:
    """Say where the server's own disks are, volumes aside; one local disk is copied with it."""
    flavor = server.flavor
    if not (server.has_image or flavor.ephemeral_gib or flavor.swap_mib):
        return BlockStorage.NONE
    domain = node.domain_of(server.id)
    if domain is None:
        return BlockStorage.UNKNOWN
    own = [disk for disk in domain.disks if disk.path and server.id in disk.path]
    found = {_storage_of(disk, server.id, node) for disk in own}
    found = found or {_by_filesystem(node.instances_filesystem)}
    for worst in (BlockStorage.LOCAL, BlockStorage.UNKNOWN):
        if worst in found:
            return worst
    return BlockStorage.SHARED


def _storage_of(disk: Disk, server: str, node: ComputeNode) -> BlockStorage:
    if not (disk.path or "").startswith("/"):
        return BlockStorage.SHARED  # Ceph: `pool/<id>_disk`
    directory = disk.directory_of(server)
    if directory is None:
        return BlockStorage.LOCAL  # LVM: `/dev/<group>/<id>_disk`
    return _by_filesystem(node.filesystem_of(directory))


def _by_filesystem(kind: str | Unread) -> BlockStorage:
    if isinstance(kind, Unread):
        return BlockStorage.UNKNOWN
    return BlockStorage.SHARED if kind in _NETWORK_FILESYSTEMS else BlockStorage.LOCAL


def is_shared(node: ComputeNode) -> bool:
    """Say whether the usual place of Nova's instances is on a network file system."""
    return _by_filesystem(node.instances_filesystem) is BlockStorage.SHARED


def shares_directory(server: Server, node: ComputeNode) -> bool:
    """Say whether the server's directory is on a network file system."""
    own = _own_directory(server, node)
    kind = node.instances_filesystem if own is None else node.filesystem_of(own)
    return _by_filesystem(kind) is BlockStorage.SHARED


def directories_of(server: Server, node: ComputeNode) -> tuple[str, ...]:
    """Return where a move may leave the server's directory: beside its own disk, if that is known.

    A server that has only volumes has one too, and nothing tells where.
    """
    own = _own_directory(server, node)
    return (INSTANCES, *own_directories(node)) if own is None else (own,)


def own_directories(node: ComputeNode) -> tuple[str, ...]:
    """Return the directories of instances, the usual one aside, that are this node's alone."""
    kinds = node.other_filesystems.items()
    return tuple(each for each, kind in kinds if _by_filesystem(kind) is not BlockStorage.SHARED)


def _own_directory(server: Server, node: ComputeNode) -> str | None:
    domain = node.domain_of(server.id)
    found = (disk.directory_of(server.id) for disk in (domain.disks if domain else ()))
    return next((each for each in found if each), None)


def local_bytes(server: Server, node: ComputeNode) -> int | None:
    """Return how much of the server is on the node's own disks."""
    domain = node.domain_of(server.id)
    if domain is None:
        return None
    return sum(disk.used_bytes for disk in domain.disks if server.id in (disk.path or ""))


def _in_words(size: int | None) -> str:
    return "data" if size is None else in_size(size)
