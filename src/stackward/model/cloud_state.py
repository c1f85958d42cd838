"""All that one look at a cloud has read: its nodes, its APIs, its heartbeats, its RPC."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from stackward.model.login import Login
from stackward.model.survey import Survey, Unseen

# Why something was not asked; more words may follow.
NO_TIME = "no time was left for it in this look"
UNREACHED = "its node was not reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An entry of the catalog."""

    kind: str  # the service's type: "compute"
    region: str
    interface: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """What a login brings: where each service is."""

    endpoints: tuple[Endpoint, ...]
    region: str  # the one that we use
    interfaces: tuple[str, ...]  # those that we use, the best first
    cloud: str = ""  # the id of its `CloudIdentity`

    def endpoint(self, kinds: tuple[str, ...]) -> Endpoint | None:
        """Return the endpoint that we use of a service, under any of the service's types."""
        ours = [one for one in self.endpoints if one.region == self.region]
        fitting = (
            one
            for interface in self.interfaces
            for kind in kinds
            for one in ours
            if one.interface == interface and one.kind == kind
        )
        return next(fitting, None)

    def uses(self, endpoint: Endpoint) -> bool:
        """Say whether it is the one that we use of its type."""
        return endpoint == self.endpoint((endpoint.kind,))


class Failure(StrEnum):
    """How a question to an API failed."""

    NO_ANSWER = "no answer"  # no connection, or none in time
    REFUSED = "refused"  # it says that we may not
    ERROR = "error"  # it answers, and says that it could not
    TOO_OLD = "too old"  # it does not have the version that we ask for: our limit, not its fault
    NOT_UNDERSTOOD = "not understood"  # its answer makes no sense here
    NOT_ASKED = "not asked"  # no time was left to ask it
    UNUSABLE = "unusable"  # the settings of our login: nothing could be sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A question that an API did not answer as it should."""

    how: Failure
    says: str  # its words, or those of the transport
    status: int | None = None
    request_id: str | None = None
    is_late: bool = False  # its time was over; False: it said at once that there is no connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A question that was answered."""

    took_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """What an API says of a process that reports to it."""

    binary: str
    host: str  # without the backend of a volume service
    name: str  # as its API calls it: `ctl@nfs`
    is_up: bool
    is_enabled: bool = True
    age_s: float | None = None
    reason: str | None = None  # why it is disabled
    is_forced_down: bool = False
    cluster: str | None = None  # whose members share one queue; None: it has its own
    is_known: bool = True  # False: its cell is down, and Nova knows no more than its host


@dataclass(frozen=True, slots=True, kw_only=True)
class LivesOnSource:
    """A server on the source of its own evacuation, which is open: a start there destroys it."""

    server: str
    name: str
    host: str
    record: int
    status: str


class Rpc(StrEnum):
    """What came of a call over RPC."""

    ANSWERED = "answered"
    EMPTY = "empty"  # Nova answered, and had no answer from there
    SILENT = "silent"  # Nova itself did not answer in time, or who was called did not
    FAILED = "failed"  # its API was asked to call it, and answered with an error of its own
    ODD = "odd"  # its API answered in a form that is not known here
    FORBIDDEN = "forbidden"  # this login may not have it called
    NO_SUCH_CALL = "no such call"  # its API has none, or does not know the process
    NOT_ENABLED = "not enabled"  # it is not set to answer: that says nothing of how it is
    NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcAnswer:
    """A call over RPC to a process on a host."""

    outcome: Rpc
    took_s: float = 0.0
    why: str = ""  # why it was not asked, or what its API says
    status: int | None = None  # with which its API answered, where that was an error
    asked_at: datetime | None = None  # where it is kept from an earlier look
    down: tuple[str, ...] = ()  # backends of which it says so


@dataclass(frozen=True, slots=True, kw_only=True)
class PingTarget:
    """A process that can be called over RPC, from where it runs and with its own settings."""

    node: str
    engine: str | None = None  # of the container that it runs in
    container: str | None = None
    settings: tuple[str, ...]  # files and folders, there
    exchange: str
    topic: str
    server: str

    @property
    def queue(self) -> str:
        """Return the name of its own queue."""
        return f"{self.topic}.{self.server}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTarget:
    """A process that its API can be made to call over RPC, or several that share a queue."""

    queue: str
    kinds: tuple[str, ...]  # the types of its API in the catalog
    path: str
    answer: str  # what the answer has


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudState:
    """One look at everything."""

    read_at: datetime
    took_s: float = 0.0
    loading_s: float = 0.0  # before it: the client of the APIs, and its settings
    surveys: Mapping[str, Survey | Unseen] = field(default_factory=dict)  # by node
    login: Answered | Failed | None = None  # None: not tried
    catalog: Catalog | None = None
    probes: Mapping[str, Answered | Failed] = field(default_factory=dict)  # by component
    reached: Mapping[str, Answered | Failed] = field(default_factory=dict)  # by URL
    certificates: Mapping[str, datetime | Failed] = field(default_factory=dict)  # by host:port
    heartbeats: tuple[Heartbeat, ...] = ()
    heartbeats_unread: Mapping[str, Failed] = field(default_factory=dict)  # by the API's component
    rpc: Mapping[str, RpcAnswer] = field(default_factory=dict)  # of nova-compute, by host
    pings: Mapping[str, RpcAnswer] = field(default_factory=dict)  # of others, by their own queues
    is_rpc_asked: bool = True  # False: no process had to be called over RPC
    calls: Mapping[str, RpcAnswer] = field(default_factory=dict)  # by their APIs, by queue
    nodes: Mapping[str, str | None] = field(default_factory=dict)  # of hosts; None: not named
    bare_metal: frozenset[str] = frozenset()  # hosts that are no machines: Ironic's
    other_drivers: frozenset[str] = frozenset()  # hosts with no hypervisor of libvirt's
    # Servers that the next start of their nova-compute destroys.
    on_source: tuple[LivesOnSource, ...] = ()
    on_source_unread: Failed | None = None
    hypervisors_unread: Failed | None = None  # then it is not known which hosts are Ironic's
    unnamed: Mapping[str, str] = field(default_factory=dict)  # why a host is none of the nodes
    # When the node of a host called itself so; it cannot be asked now.
    identified_at: Mapping[str, datetime] = field(default_factory=dict)
    unremembered: str | None = None  # why what nodes once said of themselves was not read
    keystone_on: str | None = None  # the node whose address Keystone has
    # The nodes of addresses by which members of clusters of databases know each other.
    members_at: Mapping[str, str] = field(default_factory=dict)
    only: str | None = None  # the one node that was looked at
    left_out: Mapping[str, str] = field(default_factory=dict)  # nodes that are not reached by ssh
    logins: Mapping[str, Login] = field(default_factory=dict)  # of nodes that are

    def in_order(self, nodes: Iterable[str]) -> tuple[str, ...]:
        """Return some nodes, each once, in the order of the inventory; others come last."""
        place = {node: at for at, node in enumerate(self.surveys)}
        return tuple(sorted(set(nodes), key=lambda node: (place.get(node, len(place)), node)))

    @property
    def has_seen_all(self) -> bool:
        """Say whether what runs was seen of each node: only then is what was not seen missing."""
        return self.only is None and not any(
            isinstance(one, Unseen) or isinstance(one.units, Unseen)
            for one in self.surveys.values()
        )
