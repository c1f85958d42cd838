"""Whether and how a server may leave its node: each rule by itself, all verdicts kept.

The rules hold for Nova 31.0 (2025.1) with libvirt; each cites what it follows. What is not
known to be movable blocks.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum

from stackward.facts.cpus import CpuConflict, cpus_of, thread_policy_of
from stackward.model.domain import INSTANCES, BlockStorage, Disk
from stackward.model.node import ComputeNode
from stackward.model.placement import Candidate
from stackward.model.server import IN_DOWN_CELL, Server
from stackward.model.stalled_move import Guest
from stackward.model.unread import Unread
from stackward.plan import Blocked, Verdict
from stackward.policy.node import STUCK
from stackward.policy.rule import Rule
from stackward.ports.libvirt import cure_of
from stackward.status.stuck import find_stuck
from stackward.wording import first_of, in_size

BUSY = Rule(
    "busy",
    "is busy ({task})",
    "wait until it is done, then plan again; if it never is, `openstack server event list {id}` "
    "shows who asked for it",
    "Nova refuses a second task (409).",
)
ERROR = Rule(
    "in-error",
    "is in ERROR",
    "repair it (`openstack server show {id}` has the fault), or pass `--leave-behind {id}`",
    "Nova moves no server in ERROR. Look first at its data.",
)
RESCUED = Rule(
    "rescued",
    "is in RESCUE",
    "`openstack server unrescue {id}`, then plan again; or pass `--leave-behind {id}`",
    "Nova does not move a server that runs from its rescue disk.",
)
SUSPENDED = Rule(
    "suspended",
    "is SUSPENDED: its memory is kept on this node",
    "`openstack server resume {id}`, then plan again; or pass `--leave-behind {id}`",
    "nova 31.0 (2025.1) compute/api.py: live for ACTIVE and PAUSED, cold for ACTIVE and STOPPED.",
)
SHELVED = Rule(
    "shelved",
    "is SHELVED and not offloaded yet",
    "look first whether its snapshot is `active` "
    "(`openstack image list --name {thing}-shelved`), then offload it: `nova shelve-offload {id}`, "
    "the action `shelveOffload` of Nova's API; or ask its owner and bring it back: "
    "`openstack server unshelve {id}`; then plan again; or pass `--leave-behind {id}`",
    "Its snapshot is in the image service; offloading removes what is here. `openstack server "
    "shelve --offload` (10.5) ends well and does nothing for a server that is SHELVED already.",
)
BUILDING = Rule(
    "building",
    "is still being built",
    "wait until it is ACTIVE, then plan again; if it never is (`openstack server event list "
    "{id}`), its owner may delete it",
    "It has no state that could be moved.",
)
VERIFY_RESIZE = Rule(
    "verify-resize",
    "waits for the confirmation of a resize",
    "ask its owner whether it works: `openstack server resize confirm {id}` removes what it was "
    "resized from, `openstack server resize revert {id}` brings it back; then plan again",
    "Nova moves no server between a resize and its confirmation.",
)
SOFT_DELETED = Rule(
    "soft-deleted",
    "is deleted, but can still be brought back",
    "ask its owner: `openstack server restore {id}` brings it back, "
    "`openstack server delete --force {id}` removes it and its disk permanently; "
    "or pass `--leave-behind {id}`",
    "Its disk stays on this node until it is reclaimed.",
)
UNKNOWN_STATUS = Rule(
    "unknown-status",
    "is in {status}",
    "bring it to ACTIVE, PAUSED or SHUTOFF, then plan again; or pass `--leave-behind {id}`",
    "Stackward does not know how to move a server in this state.",
)
STATES_DISAGREE = Rule(
    "states-disagree",
    "Nova calls it {status}, but its vm_state is {vm_state} and its power state {power}",
    "wait 10 minutes, until Nova has read the power state from libvirt again, and plan again; if "
    "Nova's states still disagree, look first what the guest does (`virsh domstate --reason {id}` "
    "on its node), then `openstack server reboot --hard {id}` and plan again; or pass "
    "`--leave-behind {id}`: this server stays here",
    "After a move, nobody could say which of the states is right.",
)
NO_DOMAIN = Rule(
    "no-domain",
    "Nova calls it {status}, but libvirt on the node has no such guest, {nor}",
    "{look}`openstack server reboot --hard {id}` creates the guest again, then plan again; "
    "or pass `--leave-behind {id}`",
    "It runs nowhere: a live migration would fail before its end.",
)
GUEST_ELSEWHERE = Rule(
    "guest-elsewhere",
    "Nova calls it {status} here, but its guest is {state} on `{where}`",
    "never start or reboot the server now: a second guest would write to its disks; shut the guest "
    "down there (`virsh shutdown {id}` on `{where}`; `virsh destroy {id}` ends one that does not "
    "obey) and remove its definition (`virsh undefine --keep-nvram {id}`); unless storage is "
    "shared, copy its directory from there back to this node (by default "
    "`/var/lib/nova/instances/{id}`); then rename it there, because Nova moves no server to a node "
    "that has its directory; then `openstack server reboot --hard {id}` and plan again; or pass "
    "`--leave-behind {id}`",
    "A live migration was ended by libvirt and not by Nova.",
)
GUEST_UNSEEN = Rule(
    "guest-unseen",
    "Nova calls it {status}, but libvirt on the node has no such guest, and another node that may "
    "have it cannot be read: {why}",
    "{way}; then plan again; or pass `--leave-behind {id}`",
    "A migration may have left it there, running: a second start would run it twice.",
)
DOMAIN_DISAGREES = Rule(
    "domain-disagrees",
    "Nova calls it {status}, but its guest is {state}",
    "look first why (`virsh domstate --reason {id}` on its node: a full disk pauses guests); then "
    "`openstack server reboot --hard {id}`, or stop it, and plan again; "
    "or pass `--leave-behind {id}`",
    "Nova and libvirt must agree before a move, or the proof after it means nothing.",
)
HOLDS_PCI = Rule(
    "holds-pci",
    "holds a PCI device ({what})",
    "pass `--allow-downtime`: it is stopped while it moves; or pass `--leave-behind {id}`",
    "nova 31.0 conductor/tasks/live_migrate.py moves only devices declared `live_migratable`, "
    "which the API does not show.",
)
HAS_TPM = Rule(
    "has-tpm",
    "has an emulated TPM",
    "pass `--allow-downtime`: it is stopped while it moves; or pass `--leave-behind {id}`",
    "nova 31.0 compute/api.py, reject_vtpm_instances: no live migration with a TPM.",
)
ENCRYPTED_MEMORY = Rule(
    "encrypted-memory",
    "has encrypted memory (SEV)",
    "pass `--allow-downtime`: it is stopped while it moves; or pass `--leave-behind {id}`",
    "nova 31.0 compute/api.py, reject_sev_instances: no live migration with SEV.",
)
HAS_VGPU = Rule(
    "has-vgpu",
    "holds a virtual GPU, and QEMU here is older than 8.1",
    "pass `--allow-downtime`: it is stopped while it moves; or pass `--leave-behind {id}`",
    "nova 31.0 virt/libvirt/driver.py: live migration of vGPUs needs QEMU 8.1 and libvirt 8.6.",
)
HAS_ACCELERATOR = Rule(
    "has-accelerator",
    "holds an accelerator ({what})",
    "pass `--leave-behind {id}`; or ask its owner to build it again elsewhere",
    "nova 31.0 compute/api.py, block_accelerators and block_port_accelerators: no move at all.",
)
UNKNOWN_PORT = Rule(
    "unknown-port",
    "has a port of the type `{what}` (port {port})",
    "ask its owner whether it can do without; then detach it "
    "(`openstack server remove port {id} {port}`) and plan again; "
    "or pass `--leave-behind {id}`",
    "Stackward does not know how to move a port of this type.",
)
PORT_ELSEWHERE = Rule(
    "port-elsewhere",
    "its port {port} is not bound to this node (host {host}, {vif})",
    "look first whether its guest runs here, and nowhere else (`virsh domstate {id}`); then bind "
    "the port again: `openstack port set --host {here} {port}`, and plan again; "
    "or pass `--leave-behind {id}`",
    "An earlier move that failed has left it so; a new move would fail on it.",
)
LEFT_BINDING = Rule(
    "left-binding",
    "its port {port} has an inactive binding on `{left_on}`, left behind by a move: Stackward "
    "removes it before this move; newer Neutrons require the role `service` for that",
    "",
    "nova 31.0 removes it only with the move that made it; a port bound twice proves no move.",
)
CELL_DOWN = Rule(
    "cell-down",
    "is in a cell that is down: Nova does not know its state",
    "repair that cell (`nova-manage cell_v2 list_cells` names its database and its message queue), "
    "then plan again; or pass `--leave-behind {id}`",
    "Nova answers with a few fields and the status UNKNOWN while the cell's database is away.",
)
GROUP_UNKNOWN = Rule(
    "group-unknown",
    "its group {group} has members in a cell that is down, and their nodes are not known: {count}",
    "repair the cell that is down (`nova-manage cell_v2 list_cells` names its database and its "
    "message queue), then plan again; or pass `--leave-behind {id}`: this server stays here",
    "The nodes of the other members decide where it may go.",
)
ZONE_UNKNOWN = Rule(
    "zone-unknown",
    "may have to stay in its zone `{zone}`, which this Nova is too old to say: only room in that "
    "zone is counted",
    "",
    "Nova says so from microversion 2.96 (2024.1) on. In any case its scheduler keeps to the zone "
    "that a server was asked for.",
)
LOCKED = Rule(
    "locked",
    "is locked ({why}); an administrator may still move it",
    "ask its owner, if you usually do",
    "nova 31.0 compute/api.py: check_instance_lock lets administrators through.",
)
DISK_COPIED = Rule(
    "disk-copied",
    "has {size} on a disk of this node: it will be copied over the network",
    "",
    "Without shared storage a move copies the disk, which takes time.",
)
DISK_UNKNOWN = Rule(
    "disk-unknown",
    "its disk may be on shared storage or not: Stackward cannot see which",
    "",
    "Nova tests it, and copies the disk if it must.",
)
PORT_LEAVES = Rule(
    "port-leaves",
    "its port {port} ({what}) will be unplugged while it moves",
    "make sure that the guest has a bond or can do without the port for that time",
    "nova 31.0 moves SR-IOV ports live by detaching and attaching them.",
)
NO_ALLOCATION = Rule(
    "no-allocation",
    "has no allocation in placement for this node",
    "`nova-manage placement heal_allocations --instance {id}`",
    "Placement may give its room to other servers: the node is fuller than placement shows.",
)
CAPABILITIES_UNSEEN = Rule(
    "capabilities-unseen",
    "its flavor requires {wanted} of a node, which Stackward cannot compare",
    "compare the nodes that it may go to: {look}",
    "nova 31.0 scheduler/filters/compute_capabilities_filter.py, which is on by default: if no "
    "other node has that, Nova finds no host.",
)
CPU_POLICY = Rule(
    "cpu-policy",
    "Nova refuses to place it anywhere: {why}",
    "ask its owner to resize it to a flavor that agrees with its image, then plan again; "
    "or pass `--leave-behind {id}`",
    "nova 31.0 virt/hardware.py, get_cpu_policy_constraint and others like it: the scheduler "
    "checks them for every move.",
)


_QEMU_WITH_VGPU_MIGRATION = 8_001_000
_MOVED_AS_THEY_ARE = {"normal", "virtio-forwarder"}
_MOVED_UNPLUGGED = {"direct", "direct-physical", "macvtap", "vdpa", "remote-managed"}
_NEVER_MOVED = {"accelerator-direct", "accelerator-direct-physical", "smart-nic"}
NETWORK_FILESYSTEMS = {
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
    "ERROR": ERROR,
    "RESCUE": RESCUED,
    "SUSPENDED": SUSPENDED,
    "SHELVED": SHELVED,
    "BUILD": BUILDING,
    "VERIFY_RESIZE": VERIFY_RESIZE,
    "SOFT_DELETED": SOFT_DELETED,
    IN_DOWN_CELL: CELL_DOWN,
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
    stalled = node.stalled_moves.get(server.id)
    if server.task_state is not None and stalled and (stuck := find_stuck(stalled)):
        yield STUCK.blocks(
            server.label,
            server.id,
            state=stuck.state.name,
            reason=stuck.reason,
            remedy=stuck.remedy,
        )
    elif server.task_state is not None:
        yield BUSY.blocks(server.label, server.id, task=server.task_state)
    if server.task_state is not None and server.status in _UNDER_A_TASK:
        return  # `task_state` explains the status, so the status needs no other remedy
    if rule := _BLOCKING_STATUS.get(server.status):
        yield rule.blocks(server.label, server.id)
    elif way_of(server) is None:
        yield UNKNOWN_STATUS.blocks(server.label, server.id, status=server.status)
    elif server.task_state is None:
        yield from _judge_agreement(server, node)


def _judge_agreement(server: Server, node: ComputeNode) -> Iterator[Verdict]:
    vm_state, powers = _AGREEING[server.status]
    domain = node.domain_of(server.id)
    if server.vm_state != vm_state or server.power_state not in powers:
        yield STATES_DISAGREE.blocks(
            server.label,
            server.id,
            status=server.status,
            vm_state=server.vm_state,
            power=server.power_state,
        )
    elif isinstance(node.domains, Unread) or not node.hypervisor.has_domains:
        return
    elif domain is None and server.status != "SHUTOFF":
        yield _judge_missing(server, node.guest_locations.get(server.id, ()))
    elif domain is not None and domain.state not in _GUEST_STATES[server.status]:
        yield DOMAIN_DISAGREES.blocks(
            server.label, server.id, status=server.status, state=domain.state
        )


_LOOK_ELSEWHERE = (
    "look first for it on the other nodes (`virsh --readonly list --all --uuid`), because a second "
    "guest would write to its disks; if none has it, "
)


def _judge_missing(server: Server, locations: tuple[Guest, ...] | Unread) -> Verdict:
    """Say where the guest of a server is that libvirt does not have on its node."""
    said = {"status": server.status}
    if isinstance(locations, Unread):
        return GUEST_UNSEEN.blocks(
            server.label, server.id, why=locations.why, way=cure_of(locations), **said
        )
    if found := next((guest for guest in locations if guest.state is not None), None):
        return GUEST_ELSEWHERE.blocks(
            server.label, server.id, where=found.node, state=found.state, **said
        )
    asked = ", ".join(f"`{guest.node}`" for guest in locations)
    nor = f"nor has {asked}" if asked else "and no record says where else it may be"
    # Nova's records of moves are archived: without one, only one libvirt has been heard.
    look = "" if asked else _LOOK_ELSEWHERE
    return NO_DOMAIN.blocks(server.label, server.id, nor=nor, look=look, **said)


def judge_live(server: Server, node: ComputeNode) -> Iterator[Blocked]:
    """Find what blocks only a live migration: `--allow-downtime` removes it."""
    flavor = server.flavor
    if alias := flavor.spec("pci_passthrough:alias"):
        yield HOLDS_PCI.blocks(server.label, server.id, what=alias)
    if _is_asked(server, "hw:tpm_version", "hw_tpm_version"):
        yield HAS_TPM.blocks(server.label, server.id)
    if _is_asked(server, "hw:mem_encryption", "hw_mem_encryption"):
        yield ENCRYPTED_MEMORY.blocks(server.label, server.id)
    has_vgpu = any(":VGPU" in name for name, _ in flavor.extra_specs)
    if has_vgpu and node.hypervisor.version < _QEMU_WITH_VGPU_MIGRATION:
        yield HAS_VGPU.blocks(server.label, server.id)


def _is_asked(server: Server, spec: str, image_property: str) -> bool:
    given = server.flavor.spec(spec) or dict(server.image_properties or ()).get(image_property)
    if given is None:
        return False
    return given.lower() in _TRUE or not spec.endswith("encryption")


def judge_devices(server: Server, node: ComputeNode) -> Iterator[Verdict]:
    """Ask about what the server holds: accelerators and ports."""
    if profile := server.flavor.spec("accel:device_profile"):
        yield HAS_ACCELERATOR.blocks(server.label, server.id, what=profile)
    for port in server.ports:
        kind = port.vnic_type
        if kind in _NEVER_MOVED:
            yield HAS_ACCELERATOR.blocks(server.label, server.id, what=f"port {port.id}")
        elif kind in _MOVED_UNPLUGGED:
            if way_of(server) is Way.LIVE:
                yield PORT_LEAVES.warns(server.label, server.id, port=port.id, what=kind)
        elif kind not in _MOVED_AS_THEY_ARE:
            yield UNKNOWN_PORT.blocks(server.label, server.id, port=port.id, what=kind)
        is_bound_here = port.host == node.host and port.vif_type not in _UNBOUND
        # Where the guest is not here, its ports are not to be bound here either.
        if not is_bound_here and _is_guest_here(server, node):
            yield PORT_ELSEWHERE.blocks(
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
    """Report which bindings are removed before the move; those of a move under way are its own."""
    if server.task_state is None:
        for port, host in left_bindings(server):
            yield LEFT_BINDING.warns(server.label, server.id, port=port, left_on=host)


def left_bindings(server: Server) -> Iterator[tuple[str, str]]:
    """Return each binding that a move has left behind: the port, and the host."""
    yield from ((port.id, host) for port in server.ports for host in port.left_on)


def judge_cpus(server: Server) -> Iterator[Verdict]:
    """Ask whether flavor and image agree on the CPUs: Nova asks again with every move."""
    image = dict(server.image_properties or ())
    for found in (cpus_of(server.flavor, image), thread_policy_of(server.flavor, image)):
        if isinstance(found, CpuConflict):
            yield CPU_POLICY.blocks(server.label, server.id, why=found.why)


def judge_zone(server: Server, node: ComputeNode) -> Iterator[Verdict]:
    """Report that a zone may bind it, if Nova is too old to say."""
    if not server.is_zone_known and any(each.zone for each in node.aggregates):
        yield ZONE_UNKNOWN.warns(server.label, server.id, zone=node.zone)


def judge_group(server: Server) -> Iterator[Verdict]:
    """Ask whether it is known where the others of its group are."""
    if server.group and server.group.unknown:
        yield GROUP_UNKNOWN.blocks(
            server.label,
            server.id,
            group=server.group.name,
            count=len(server.group.unknown),
        )


_NAMED = 3  # nodes in one remedy


def judge_capabilities(server: Server, others: Iterable[Candidate]) -> Iterator[Verdict]:
    """Report what a flavor wants of a node's capabilities; only Nova's scheduler has them."""
    wanted = [
        f"`{name}={value}`"
        for name, value in server.flavor.extra_specs
        if name.startswith("capabilities:") or name == "hw:maxphysaddr_bits"
    ]
    if wanted:
        names = sorted({each.name for each in others if each.is_usable})
        look = first_of((f"`openstack hypervisor show {name}`" for name in names), _NAMED)
        yield CAPABILITIES_UNSEEN.warns(
            server.label,
            server.id,
            wanted=", ".join(wanted),
            look=look or "`openstack hypervisor list --long` (none has room now)",
        )


def judge_lock(server: Server) -> Iterator[Verdict]:
    """Report a lock."""
    if server.is_locked:
        why = server.locked_reason or "no reason given"
        yield LOCKED.warns(server.label, server.id, why=why)


def judge_allocation(server: Server, node: ComputeNode) -> Iterator[Verdict]:
    """Ask whether placement has the server in its books."""
    if server.id not in node.provider.allocations and _is_guest_here(server, node):
        yield NO_ALLOCATION.warns(server.label, server.id)


def judge_disks(server: Server, node: ComputeNode) -> Iterator[Verdict]:
    """Report what a move will have to copy."""
    match storage_of(server, node):
        case BlockStorage.LOCAL:
            yield DISK_COPIED.warns(
                server.label, server.id, size=_in_words(local_bytes(server, node))
            )
        case BlockStorage.UNKNOWN:
            yield DISK_UNKNOWN.warns(server.label, server.id)
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
    found = found or {by_filesystem(node.instances_filesystem)}
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
    return by_filesystem(node.filesystem_of(directory))


def by_filesystem(kind: str | Unread) -> BlockStorage:
    """Say what storage a file system is on, by its kind."""
    if isinstance(kind, Unread):
        return BlockStorage.UNKNOWN
    return BlockStorage.SHARED if kind in NETWORK_FILESYSTEMS else BlockStorage.LOCAL


def shares_directory(server: Server, node: ComputeNode) -> bool:
    """Say whether the server's directory is on a network file system."""
    own = _own_directory(server, node)
    kind = node.instances_filesystem if own is None else node.filesystem_of(own)
    return by_filesystem(kind) is BlockStorage.SHARED


def directories_of(server: Server, node: ComputeNode) -> tuple[str, ...]:
    """Return where a move may leave the server's directory: next to its own disk, if that is known.

    A server that has only volumes has one too, and nothing shows where.
    """
    own = _own_directory(server, node)
    return (INSTANCES, *own_directories(node)) if own is None else (own,)


def own_directories(node: ComputeNode) -> tuple[str, ...]:
    """Return the directories of instances, the usual one aside, that are this node's alone."""
    kinds = node.other_filesystems.items()
    return tuple(each for each, kind in kinds if by_filesystem(kind) is not BlockStorage.SHARED)


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
