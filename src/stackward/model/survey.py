"""What a machine reports of itself at a look: units, sockets, disks, clock, tools."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from stackward.model.blind import Blind
from stackward.model.cluster import Cluster
from stackward.model.domain import Domain
from stackward.model.identity import Itself
from stackward.model.raft import Member

ACTIVE = "active"
NETWORKD_RAN = "/run/systemd/netif/state"  # stays where networkd is stopped, until the next boot
NO_RESTART = "no"  # the restart policy of a container that its engine does not start
AT_BOOT = frozenset({"enabled", "alias", "linked", "indirect"})  # in the words of `is-enabled`
FAILED = "failed"
PAUSED = "paused"  # a container


@dataclass(frozen=True, slots=True)
class Misread:
    """An answer whose shape is not known: nothing is known by it."""

    what: str  # the command
    says: str  # what was read, shortened
    component: str = "machine"  # which stays unknown by that


@dataclass(frozen=True, slots=True)
class Unseen:
    """Something that could not be looked at, and why."""

    why: str
    kind: Blind = Blind.SILENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit of systemd that exists on a node, or a container."""

    name: str
    load: str = "loaded"
    active: str = ACTIVE
    sub: str = "running"
    is_oneshot: bool = True  # it has done its work once it has ended; also if that is not reported
    result: str = "success"
    # What `systemctl is-enabled` says; of a container its restart policy, if it was reported.
    enabled: str = "enabled"
    restarts: int = 0  # by systemd itself, since somebody last started it
    up_s: float | None = None  # since it last became active; None: it never did
    wanted_by: tuple[str, ...] = ()
    triggered_by: tuple[str, ...] = ()
    # The file of its package is there. What stays of a removed one is a link, a mask, a setting.
    is_installed: bool = True
    is_stopped: bool = False  # the kernel runs its main process no more, and it has not ended
    is_condition_met: bool = True
    is_assertion_met: bool = True
    last_words: tuple[str, ...] = ()  # of its log, where it is in trouble
    is_container: bool = False
    engine: str | None = None  # what runs the container: `docker`, `podman`

    @property
    def has_ended(self) -> bool:
        """Say whether nothing of it runs, though systemd calls it active: `RemainAfterExit`.

        It does so with every script of /etc/init.d, even if its process is gone.
        """
        return self.active == ACTIVE and self.sub == "exited" and not self.is_oneshot

    @property
    def is_wanted(self) -> bool:
        """Say whether somebody has asked for it to run here: at boot, or for another unit."""
        if self.load in {"masked", "not-found"}:
            return False
        return self.starts_at_boot or self.enabled == "enabled-runtime"

    @property
    def starts_at_boot(self) -> bool:
        """Say whether the node brings it up by itself after a reboot."""
        return self.enabled in AT_BOOT or bool(self.wanted_by or self.triggered_by)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A port that is listened on."""

    address: str
    port: int
    owner: str | None  # its unit or container; None where that cannot be seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An established connection."""

    near: str
    near_port: int
    far: str
    far_port: int
    owner: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filesystem:
    """A file system that is mounted."""

    mount: str
    type: str
    source: str = ""  # what is mounted there: a device, or the place on a server
    size: int = 0  # bytes
    free: int = 0  # bytes, for others than root
    inodes: int = 0  # 0: it has no table of them
    inodes_free: int = 0
    is_read_only: bool = False
    error: str | None = None  # in the kernel's words, when it was looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A place where a part of a file system is seen."""

    mount: str
    root: str  # that part, as a path in it
    type: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeClock:
    """How right a clock is."""

    is_synchronized: bool
    ahead_s: float  # of ours, at least; 0 where the way there may explain it


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A queue of RabbitMQ."""

    name: str
    messages: int
    consumers: int
    type: str = "classic"
    vhost: str = "/"
    is_down: bool = False  # with the member of the cluster that has it; nothing is known of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """RabbitMQ, as one of its nodes sees it."""

    alarms: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()
    running: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    queues: tuple[Queue, ...] | None = None  # of all virtual hosts that reported; None: none did
    queues_unread: tuple[str, ...] = ()  # virtual hosts
    bound: frozenset[tuple[str, str]] | None = None  # virtual host and queue; None: none reported
    bound_unread: tuple[str, ...] = ()  # virtual hosts
    vhosts: tuple[str, ...] | None = None  # None: not reported
    vhosts_down: tuple[str, ...] = ()
    odd_queues: tuple[str, ...] = ()  # rows of queues in a form that is not known
    # Where members are to take clients: their ports, as the cluster has them.
    client_ports: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelError:
    """A line of the kernel's log that matters."""

    says: str
    at: datetime | None  # by the clock of its node; None: the line does not say
    age_s: float | None  # when it was read, by that clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Statements of MariaDB that wait for a lock, or for room."""

    state: str  # in its words: "Waiting for backup lock"
    count: int
    longest_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseServer:
    """MariaDB or MySQL, as one server sees itself."""

    connections: int
    most_connections: int
    is_galera: bool = False
    is_ready: bool = True
    cluster_state: str | None = None
    cluster_size: int = 0
    local_state: str | None = None
    is_desynced: bool = False  # by somebody's order
    rejects: str | None = None  # what it refuses by somebody's order
    paused: float = 0.0  # the part of the time in which replication waited for a slow member
    read_only: tuple[str, ...] = ()  # the variables that make it so
    recovery: int = 0  # `innodb_force_recovery`
    is_offline: bool = False  # MySQL: only administrators are let in
    is_replica: bool = False  # it follows another server
    sessions: int = 0  # that use a database
    waits: tuple[Wait, ...] = ()
    rejects_second_writers: bool = False  # `innodb_snapshot_isolation`
    broken_tables: tuple[str, ...] | None = None  # None: not asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """memcached."""

    connections: int
    most_connections: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a file system has left."""

    size: int  # bytes
    free: int
    inodes: int  # 0: it has no table of them
    inodes_free: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A folder in which a component keeps what users have."""

    path: str
    user: str  # who writes there
    engine: str | None = None  # of its container, in which the path is
    mount: str
    is_read_only: bool = False
    is_there: bool = True
    takes_writes: bool | Unseen = True
    room: Room | Unseen | None = None  # None: it was not asked


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeGroup:
    """A volume group of LVM."""

    name: str
    is_there: bool
    is_read_only: bool = False
    is_partial: bool = False  # a disk of it is missing
    size: int = 0  # bytes
    free: int = 0  # not given to volumes or pools yet


@dataclass(frozen=True, slots=True, kw_only=True)
class StoresOf:
    """All stores of a component on a node."""

    component: str
    kind: str  # as the anatomy calls it
    settings: str  # the file that says where they are
    unread: Unseen | None = None  # that file: the usual paths were looked at
    elsewhere: tuple[str, ...] = ()  # backends that are neither files, nor NFS, nor LVM
    stores: tuple[Store, ...] = ()
    groups: tuple[VolumeGroup | Unseen, ...] = ()


@dataclass(frozen=True, slots=True)
class Replied:
    """What a process answered to a question put to it on its node."""

    out: str
    err: str = ""
    code: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WebReply:
    """What came of one HTTP request to where a process listens on its node."""

    place: str  # address and port
    path: str  # `*`: the web server itself was asked, not one of its sites
    status: int | None = None  # None: there was no answer
    is_own: bool = False  # it is known to be of who was meant, and not of another site there
    has_request_id: bool = False  # an application of OpenStack wrote it, not the server around it
    says: str = ""  # what it says of its failure, or why there was no answer
    is_silent: bool = False  # it had its time, and did not answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """What distinguishes a machine from all others, as it says itself."""

    uuid: str = ""  # of its board; empty: it was not reported
    serial: str = ""  # same
    macs: tuple[str, ...] = ()  # of its network cards


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """One look at a node."""

    node: str
    took_s: float
    units: Mapping[str, Unit] | Unseen
    itself: Itself = field(default_factory=Itself)  # what it calls itself
    hosts: Mapping[str, str] = field(default_factory=dict)  # `[DEFAULT] host`, by settings file
    board: Board = field(default_factory=Board)
    addresses: tuple[str, ...] = ()  # of its networks
    guests: tuple[Domain, ...] | None = None  # None: libvirt did not say
    other_failed: tuple[str, ...] = ()  # units that have failed and are no component's
    listeners: tuple[Listener, ...] = ()
    links: tuple[Link, ...] = ()
    sees_owners: bool = True  # of sockets
    paths: frozenset[str] = frozenset()  # of those asked for, the ones that exist
    filesystems: tuple[Filesystem, ...] = ()
    mounts: tuple[Mount, ...] = ()
    stores: tuple[StoresOf, ...] = ()
    memory_total: int = 0  # bytes, without those in huge pages
    memory_available: int = 0
    memory_huge: int = 0  # set aside in huge pages
    tracked: tuple[int, int] | None = None  # connections, and how many there may be
    clock: NodeClock | Unseen
    kernel_errors: tuple[KernelError, ...] | Unseen
    started: float | None = None  # when its first process began, in seconds of the epoch
    sudo_refused: str | None = None  # in sudo's words
    broker: Broker | Unseen | None = None  # None: it has none
    # Engines of containers that did not list them in time, with the programs that run in those.
    silent_engines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # Where RabbitMQ was asked as its clients do, with why it did not answer; None: it did.
    amqp: Mapping[str, Unseen | None] = field(default_factory=dict)
    # Where MariaDB should greet a client, because its own client reported nothing; None: it did.
    greeting: Mapping[str, Unseen | None] = field(default_factory=dict)
    database: DatabaseServer | Unseen | None = None
    cache: Cache | Unseen | None = None
    cluster: Cluster | Unseen | None = None  # None: Pacemaker does not run
    libvirt: str | Unseen | None = None  # the version of the daemon that answers
    # What processes answered, by `Question` as the anatomy numbers them: ("ovn-northd", 0). What is
    # not in it was not asked: the node has no such tool.
    answers: Mapping[tuple[str, int], Replied | Unseen] = field(default_factory=dict)
    # What was read of those answers that say how a cluster is; ODD: it was not understood.
    members: Mapping[tuple[str, int], Member | Unseen] = field(default_factory=dict)
    web: Mapping[str, tuple[WebReply, ...]] = field(default_factory=dict)  # by component
    misread: tuple[Misread, ...] = ()  # answers whose shape is not known
    unread: Mapping[str, Unseen] = field(default_factory=dict)  # what else could not be read
