"""What is asked of the logs of a cloud, and what of them could be read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from stackward.logs.event import Event, Level
from stackward.model.clock_offset import Offset


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which events are wanted. Words go before the level: what has one of them is wanted."""

    since: datetime | None = None
    until: datetime | None = None
    level: Level | None = None
    words: tuple[str, ...] = ()
    also: tuple[str, ...] = ()  # words of first lines that are wanted at any level
    traced: bool = False  # what a raw traceback follows is wanted too
    components: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    only_times: bool = False  # no events: only of which time the files are
    # Of events of a file that say the same except numbers and ids, about so many are read, and the
    # others are counted; None: all are read.
    most_alike: int | None = None
    # False: the others are not counted either, and show no clock that was set back.
    counts_alike: bool = True
    each: tuple[str, ...] = ()  # of `also`: what has one of these is read each time


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStep:
    """Time runs backwards in a file: the clock was set back, or was ahead before a boot."""

    by_s: float
    at: datetime  # of the first line after it, by the node's clock


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFile:
    """A file that was looked through."""

    node: str
    path: str
    component: str
    size: int
    scanned: int  # bytes of its text
    first: datetime | None = None  # the time of its first event
    last: datetime | None = None  # about that of its last; None where that is not known
    events: int = 0  # wanted ones
    lost: int = 0  # wanted ones for which there was no room
    outside: int = 0  # lines that belong to no event
    error: str = ""  # that ended it early
    clock_step: ClockStep | None = None  # the largest, of what was read

    @property
    def is_understood(self) -> bool:
        """Say whether a line of a known format was met in it; the journal has its own."""
        has_time = self.first is not None or self.last is not None
        return has_time or not self.size or self.events > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPlace:
    """Where a component logs by its own settings: not where it usually does."""

    component: str
    by: str  # the file of its settings
    paths: tuple[str, ...]
    to_journal: bool = False


Place = tuple[str, str, int]  # of an event: its node, its file, and where in that it begins


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """Events that were only counted: they say what one that was read says, except numbers and ids.

    The counted ones are not those that were read.
    """

    like: Place  # of the first of them, which was read
    count: int
    first: datetime  # in UTC, as `Event.at`
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRead:
    """What was read on a node."""

    node: str
    files: tuple[ReadFile, ...] = ()
    refused: tuple[str, ...] = ()  # what may not be read, each with the reason
    cut: tuple[str, ...] = ()  # for what there was no time
    offset: Offset | None = None  # None: its clock was not asked, as of collected logs
    took_s: float = 0.0
    unread: str | None = None  # why nothing was read of it
    own_places: tuple[OwnPlace, ...] = ()
    settings_unread: tuple[str, ...] = ()  # where logs may be elsewhere, unknown to us
    repeated: tuple[Repeated, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Say whether all that was wanted of it was read."""
        return not (
            self.unread
            or self.refused
            or self.cut
            or any(each.lost or each.error for each in self.files)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All that was read for a query: events in the order of time, and what is missing."""

    events: Sequence[Event]
    nodes: Mapping[str, NodeRead]
    doubled: int = 0  # events that were in the journal too, and count once
    # By the place of the event that was read; one that was in the journal too has none there.
    repeated: Mapping[Place, Repeated] = field(default_factory=dict)

    @property
    def counted(self) -> int:
        """Return how many events were only counted."""
        return sum(one.count for one in self.repeated.values())

    @property
    def is_blind(self) -> bool:
        """Say whether no log at all was read: there was none, or none has a known format."""
        return not any(each.is_understood for one in self.nodes.values() for each in one.files)

    @property
    def is_understood(self) -> bool:
        """Say whether each log has lines of a known format."""
        return all(each.is_understood for one in self.nodes.values() for each in one.files)

    @property
    def is_whole(self) -> bool:
        """Say whether all that was wanted was read, on all nodes."""
        return all(one.is_whole for one in self.nodes.values())
