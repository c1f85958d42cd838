"""Servers, the nodes they run on, and what stands around them, as values.

Words of the APIs (`status`, `task_state`) are kept as they came: a rule decides what it knows, and
what it does not know blocks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from stackward.answers import why
from stackward.errors import NotUnderstood, StackwardError, Uncertain
from stackward.model.claim import Claim, read_claim
from stackward.model.run import RunState

if TYPE_CHECKING:
    from stackward.model.compute_process import RunningAs
    from stackward.model.standstill import Guest, Standstill

Resources = Mapping[str, int]
"""How much of each resource class, as placement counts: VCPU, MEMORY_MB, DISK_GB, ..."""

NOVA_COMPUTE = "nova-compute"
IN_DOWN_CELL = "UNKNOWN"  # the status of a server whose cell's database is away (2.69 and later)
MEND_CELL = (
    "mend that cell: `nova-manage cell_v2 list_cells` names its database and its message queue"
)
INACTIVE = "INACTIVE"  # a port's binding that is prepared for a move, or left behind by one
INSTANCES = "/var/lib/nova/instances"
BY_ITSELF = "AUTO:"  # how Nova begins the reason when it disables a service by itself
DISABLED = "COMPUTE_STATUS_DISABLED"  # the trait by which placement keeps servers off a node

# Every status of a migration in which something may still happen (nova 31.0,
# objects/migration.py and compute/manager.py). `finished` is a resize that awaits confirmation.
IN_PROGRESS = (
    "accepted",
    "queued",
    "preparing",
    "pre-migrating",
    "running",
    "migrating",
    "post-migrating",
    "confirming",
    "reverting",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavor:
    """What a server was built as; Nova keeps it with the server, so it outlives the flavor."""

    name: str
    vcpus: int
    ram_mib: int
    disk_gib: int = 0
    ephemeral_gib: int = 0
    swap_mib: int = 0
    extra_specs: tuple[tuple[str, str], ...] = ()  # sorted: equal flavors are equal values

    def spec(self, name: str) -> str | None:
        """Return an extra spec, or None if the flavor has none of that name."""
        return dict(self.extra_specs).get(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A server's network port, as Neutron has it."""

    id: str
    server: str
    vnic_type: str = "normal"
    status: str = "ACTIVE"
    host: str | None = None
    vif_type: str = "ovs"
    left_on: tuple[str, ...] = ()  # hosts on which it has an inactive binding


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A volume attached to a server, as Cinder has it."""

    id: str
    status: str = "in-use"
    migration_status: str | None = None
    name: str = ""
    attached: tuple[tuple[str, str | None], ...] = ()  # (server, host)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerGroup:
    """Servers that are to stay together or apart."""

    id: str
    name: str
    policy: str
    members: tuple[str, ...]
    max_per_host: int = 1
    elsewhere: tuple[tuple[str, str], ...] = ()  # members on other hosts: (server, host)
    unknown: tuple[str, ...] = ()  # members in a cell that is down

    @property
    def is_hard(self) -> bool:
        """Say whether the scheduler refuses hosts for it; the soft policies only weigh them."""
        return self.policy in {"affinity", "anti-affinity"}


class BlockStorage(StrEnum):
    """Where a server's own disks are."""

    NONE = "none"  # it has only volumes
    LOCAL = "local"  # files or devices of this node
    SHARED = "shared"  # a network file system, or Ceph
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """A guest as libvirt on the node knows it."""

    server: str  # its UUID is the server's
    name: str
    state: str  # running, paused, shut off, ...
    disks: tuple["Disk", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A disk of a domain."""

    device: str
    path: str | None
    used_bytes: int = 0  # what a copy has to carry
    size_bytes: int = 0

    def directory_of(self, server: str) -> str | None:
        """Return the directory of instances that has this disk; None where it is no file of one.

        Nova names a file `<instances_path>/<id>/disk`, a logical volume `/dev/<group>/<id>_disk`,
        an image of Ceph `<pool>/<id>_disk`.
        """
        place, found, _ = (self.path or "").rpartition(f"/{server}/")
        return place if found and place.startswith("/") else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A Nova server with all that decides how it may leave its node."""

    id: str
    name: str
    status: str
    vm_state: str
    task_state: str | None
    power_state: int
    host: str | None  # the name of Nova's service; None where it has no host
    flavor: Flavor
    project: str = ""
    user: str = ""  # who made it
    is_locked: bool = False
    locked_reason: str | None = None
    pinned_zone: str | None = None  # the zone it was asked for; None: any
    is_zone_known: bool = True  # False: Nova is too old to say
    has_image: bool = True  # False: it boots from a volume
    metadata: tuple[tuple[str, str], ...] = ()
    image_properties: tuple[tuple[str, str], ...] | None = ()  # None: Nova is too old to say
    volume_ids: tuple[str, ...] = ()
    group_id: str | None = None
    volumes: tuple[Volume, ...] = ()
    volumes_unread: str | None = None  # why no volume could be asked for
    ports: tuple[Port, ...] = ()
    group: ServerGroup | None = None
    updated: str | None = None  # when Nova last wrote to it
    fault: str | None = None  # why it is in ERROR, in Nova's words

    @property
    def label(self) -> str:
        """Return what the operator reads; names are not unique, so the plan adds the id."""
        return self.name or self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """Nova's record of a move."""

    id: int
    uuid: str
    server: str
    kind: str  # live-migration, migration (cold), resize, evacuation
    status: str
    source: str
    target: str | None
    created: str = ""
    updated: str | None = None
    user: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAction:
    """One entry of a server's action log: who asked for what, and how it ended."""

    action: str
    request_id: str
    user: str | None
    started: str
    message: str | None = None  # "Error" where it failed


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionEvent:
    """A part of an action, as Nova carried it out; its times are whole seconds in Nova's clock."""

    name: str  # compute_stop_instance
    started: datetime
    finished: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeService:
    """One of Nova's services, as it reports itself."""

    id: str
    binary: str
    host: str
    is_enabled: bool
    is_up: bool
    zone: str = "nova"
    disabled_reason: str | None = None
    is_forced_down: bool = False
    updated: str | None = None
    is_known: bool = True  # False: its cell is down, and Nova knows no more than its host


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypervisor:
    """A hypervisor; its id is also that of its resource provider."""

    id: str
    name: str
    host: str
    kind: str  # QEMU, fake, ...
    address: str | None = None
    version: int = 0
    cpu_model: str | None = None

    @property
    def has_domains(self) -> bool:
        """Say whether libvirt runs its guests."""
        return self.kind in {"QEMU", "KVM"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What a resource provider has of one resource class."""

    total: int
    reserved: int = 0
    ratio: float = 1.0

    @property
    def capacity(self) -> int:
        """Return what placement gives away of it, at most."""
        return int((self.total - self.reserved) * self.ratio)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A resource provider of placement: the node's account."""

    id: str
    inventories: Mapping[str, Inventory] = field(default_factory=dict)
    usages: Resources = field(default_factory=dict)
    allocations: Mapping[str, Resources] = field(default_factory=dict)  # by consumer
    traits: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """A host aggregate; one with an `availability_zone` is also a zone."""

    uuid: str
    name: str
    hosts: tuple[str, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()

    @property
    def zone(self) -> str | None:
        """Return the availability zone that it makes, if it does."""
        return dict(self.metadata).get("availability_zone")


@dataclass(frozen=True, slots=True)
class Need:
    """What one kind of server asks of a node; servers of equal needs share one question."""

    resources: tuple[tuple[str, int], ...]  # sorted
    required: tuple[str, ...] = ()  # traits
    forbidden: tuple[str, ...] = ()
    zone: str | None = None
    further: tuple[
        tuple[str, str], ...
    ] = ()  # granular groups, as placement is asked: `resources1`

    @property
    def amounts(self) -> Resources:
        """Return the resources by class."""
        return dict(self.resources)

    @property
    def all_required(self) -> frozenset[str]:
        """Return the traits that are required, those of granular groups among them."""
        granular = (
            trait
            for name, traits in self.further
            if name.startswith("required")
            for trait in traits.split(",")
            if not trait.startswith("!")
        )
        return frozenset((*self.required, *granular))


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A node on which placement sees room for one server of a need."""

    provider: str
    name: str  # of the provider, which is the hypervisor's
    capacity: Resources
    used: Resources
    traits: frozenset[str] = frozenset()
    host: str | None = None  # Nova's service there; None where none is known
    is_usable: bool = True  # its service is enabled and up


class Hindrance(StrEnum):
    """What kept a fact from being read, where it was not what answered; each has its remedy."""

    WAY = "no way"  # nothing leads to the node, or it does not let us in
    LATE = "late"  # it was asked, and gave no answer
    UNNAMED = "unnamed"  # no node of the inventory is known to be it
    LACKING = "lacking"  # the program that would answer is not there


@dataclass(frozen=True, slots=True)
class Unread:
    """A fact that could not be read, and why: not the same as a fact that says no."""

    why: str
    by: Hindrance | None = None  # None: an answer came, which says so or is not understood
    hint: str | None = None  # the way on, of who could not reach it

    @classmethod
    def of(cls, error: StackwardError) -> "Unread":
        """Return what could not be read because of an error on the way."""
        if isinstance(error, NotUnderstood):
            return cls(why(error), None, error.hint)
        by = Hindrance.LATE if isinstance(error, Uncertain) else Hindrance.WAY
        return cls(why(error), by, error.hint)

    @property
    def may_be_dead(self) -> bool:
        """Say whether nothing was heard of the node."""
        return self.by in {Hindrance.WAY, Hindrance.LATE, Hindrance.UNNAMED}


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkAgent:
    """One of Neutron's agents; with OVN, a chassis is one too."""

    kind: str
    is_alive: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """A host that an instance-HA service looks after: it restarts its servers elsewhere."""

    id: str
    segment: str
    host: str
    is_in_maintenance: bool = False  # the service leaves it alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """Something else that the machine does for the cloud."""

    name: str  # "OVN gateway"
    effect: str  # what users notice when the machine is taken away
    remedy: str  # what to do before that


@dataclass(frozen=True, kw_only=True)  # no slots: `_domains` is kept once it is made
class ComputeNode:
    """A compute node and all that a drain of it has to know; read once."""

    name: str  # as the inventory calls the machine
    host: str  # as Nova calls its service
    read_at: datetime
    service: ComputeService
    hypervisor: Hypervisor
    provider: Provider
    servers: tuple[Server, ...] = ()
    resizing_away: tuple[tuple[Server, Migration], ...] = ()  # VERIFY_RESIZE, now elsewhere
    migrations: tuple[Migration, ...] = ()  # in progress, from here or to here
    # Where else the guest of a server may be that libvirt does not have here.
    sought: Mapping[str, "tuple[Guest, ...] | Unread"] = field(default_factory=dict)
    standstills: Mapping[str, "Standstill"] = field(default_factory=dict)  # by server
    domains: tuple[Domain, ...] | Unread = ()
    running_as: "RunningAs | Unread | None" = None  # None: it was not asked for
    instances_filesystem: str | Unread = "ext4"  # of /var/lib/nova/instances
    # Of the other directories (`instances_path`) in which guests here have their disks.
    other_filesystems: Mapping[str, "str | Unread"] = field(default_factory=dict)
    aggregates: tuple[Aggregate, ...] = ()
    zone: str = "nova"
    roles: tuple[Role, ...] = ()
    guarded: tuple[Guarded, ...] | Unread = ()  # its entries in the instance-HA service
    candidates: Mapping[Need, tuple[Candidate, ...]] = field(default_factory=dict)
    needs: Mapping[str, Need] = field(default_factory=dict)  # by server
    promised: Mapping[str, Resources] = field(default_factory=dict)  # to other drains, by provider
    acting_run: str | None = None  # for which it was read: a claim of that run is our own
    claiming_run: RunState | None = None  # of the run that claims it, where our journal knows it
    is_left_occupied: bool = False  # that run was approved to leave servers here
    identified_at: datetime | None = None  # when it last said who it is, where it says nothing now

    def filesystem_of(self, directory: str) -> "str | Unread":
        """Return the type of the file system that holds a directory of instances."""
        return self.other_filesystems.get(directory, self.instances_filesystem)

    @property
    def claim(self) -> Claim | None:
        """Return the claim on the node, if Stackward made one for another run than this."""
        if self.service.is_enabled:
            return None
        found = read_claim(self.service.disabled_reason)
        return None if found is None or found.run == self.acting_run else found

    @property
    def is_in_maintenance(self) -> bool:
        """Say whether a run that is over has taken the node out of service."""
        return self.claim is not None and (self.claiming_run is None or self.claiming_run.is_over)

    def domain_of(self, server: str) -> Domain | None:
        """Return the server's guest on this node, if libvirt was read and has it."""
        return None if isinstance(self.domains, Unread) else self._domains.get(server)

    @cached_property
    def _domains(self) -> Mapping[str, Domain]:
        known = () if isinstance(self.domains, Unread) else self.domains
        return {domain.server: domain for domain in known}
