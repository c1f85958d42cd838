"""Which servers ran on a node before it was lost: what each witness says, and what follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from stackward.model.node_boot import NodeBoot
from stackward.model.server import Server, ServerAction
from stackward.model.unread import Unread


class Was(StrEnum):
    """How a witness has the server at the time of the loss."""

    RUNNING = "running"
    OFF = "off"
    UNKNOWN = "unknown"


class StartOrNot(StrEnum):
    """What follows for a server."""

    START = "start"
    LEAVE_OFF = "leave off"
    CONTRADICTED = "contradicted"  # witnesses differ, or none knows: a person decides


class GuestEvent(StrEnum):
    """What libvirt's log of a guest says, in our own words."""

    STARTED = "started"
    SIGNALLED = "told to end by a signal"  # by another process than libvirt's
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestLine:
    """One line of libvirt's log of a guest, by the clock of its node."""

    event: GuestEvent
    at: datetime
    reason: str = ""  # of an end, in libvirt's word: `shutdown`, `destroyed`, `crashed`


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How we ourselves last saw the guest on its node."""

    state: str  # in libvirt's words; empty: libvirt was read, and had no such guest
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """When the node was lost: not after a moment that is known."""

    not_after: datetime  # it has booted again since, or was last heard before
    words: str  # how that moment is known


# What decides whether a server is on or off (nova 31.0 compute/instance_actions.py): all else, as a
# snapshot or a volume that is attached, leaves that as it is.
STARTS = {"create", "start", "reboot", "resume", "unpause", "unrescue", "unshelve", "restore"}
STOPS = {
    *("stop", "pause", "suspend", "rescue", "shelve", "shelveOffload"),
    *("softDelete", "delete", "forceDelete"),
}
STOPPING = "stop "  # so begin the stages that stop servers for a reboot: the journal is read by it
WHO_RAN = "/var/lib/stackward/who-ran"  # on a node, written before its servers are stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Who ran on a node, as a reboot of ours has written it there before it stopped anything."""

    run: str
    user: str  # which run then stopped its servers
    at: datetime
    boot: NodeBoot  # in which it was written
    # The newest request of each server's action log at that time; empty: it had none.
    ran: Mapping[str, str] = field(default_factory=dict)
    off: Mapping[str, str] = field(default_factory=dict)
    # The requests by which that run has stopped them, and whether all are known. A run of another
    # machine is in the journal of that machine. A lost answer may belong to one more request.
    stops: frozenset[str] = frozenset()
    has_all_stops: bool = False

    @property
    def known(self) -> Mapping[str, str]:
        """Return all servers that it names."""
        return {**self.off, **self.ran}


@dataclass(frozen=True, slots=True)
class Torn:
    """A list that is on a node and is not understood, as a full disk may leave it."""

    why: str


def newer_than(request: str, actions: Sequence[ServerAction]) -> tuple[ServerAction, ...] | None:
    """Return the actions that are newer than a request, the newest first.

    None where the log does not have it any more: nothing is known then.
    """
    if not request:
        return tuple(actions)
    requests = [each.request_id for each in actions]
    return tuple(actions[: requests.index(request)]) if request in requests else None


def is_left_off(listed: Listed, server: str, actions: Sequence[ServerAction]) -> bool:
    """Say whether the run of a list has stopped a server, and nobody has started it since.

    Where its stops are not known, one by its user counts: a run that ended well has started it.
    """
    orders = [each for each in actions if each.action in STARTS | STOPS]
    if not orders or orders[0].action != "stop":
        return False
    if orders[0].request_id in listed.stops:
        return True
    if listed.has_all_stops or server not in listed.ran or orders[0].user != listed.user:
        return False
    newer = newer_than(listed.ran[server], actions) or ()
    return orders[0] in newer and not any(each.action in STARTS for each in newer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """All that shows whether one server ran; for what could not be read, the reason."""

    server: Server
    actions: tuple[ServerAction, ...] | Unread  # the newest first
    seen: Seen | None = None  # None: we have not looked at its node while it lived
    log: tuple[GuestLine, ...] | Unread = ()  # in the order of time; none: the log has nothing
    listed: Listed | None = None  # what a reboot of ours has written on the node


@dataclass(frozen=True, slots=True, kw_only=True)
class Testimony:
    """What one witness says."""

    witness: str  # "its owner", "Nova", "libvirt's log", "our last look", "our list"
    was: Was
    words: str
    at: datetime | None = None  # when that was so


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoRan:
    """What follows for one server, and from what."""

    server: Server
    answer: StartOrNot
    because: str
    testimonies: tuple[Testimony, ...] = ()
