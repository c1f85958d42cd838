"""Who ran on a node before it was lost: what each witness tells of a server, and what follows."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from stackward.model.server import Server, ServerAction
from stackward.model.unread import Unread


class Was(StrEnum):
    """How a witness has the server at the time of the loss."""

    RUNNING = "running"
    OFF = "off"
    UNKNOWN = "unknown"


class Answer(StrEnum):
    """What follows for a server."""

    START = "start"
    LEAVE_OFF = "leave off"
    CONTRADICTED = "contradicted"  # witnesses differ, or none can tell: a person says


class GuestEvent(StrEnum):
    """What libvirt's log of a guest tells, in words of our own."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """All that tells of one server whether it ran; what could not be read says why."""

    server: Server
    actions: tuple[ServerAction, ...] | Unread  # the newest first
    seen: Seen | None = None  # None: we have not looked at its node while it lived
    log: tuple[GuestLine, ...] | Unread = ()  # in the order of time; none: the log has nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Testimony:
    """What one witness tells."""

    witness: str  # "its owner", "Nova", "libvirt's log", "our last look"
    was: Was
    words: str
    at: datetime | None = None  # when that was so


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoRan:
    """What follows for one server, and from what."""

    server: Server
    answer: Answer
    because: str
    testimonies: tuple[Testimony, ...] = ()
