"""Read what logs have of a failure: the window that is asked for, and what was usual before it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from stackward.logs.event import Event, Level
from stackward.logs.order import in_order
from stackward.logs.reading import NodeRead, Query, Reading

Read = Callable[[Query], Reading]
_JUST_BEFORE = timedelta(microseconds=1)
MOST_ALIKE = 50  # events of a file that say the same; the others are counted
_ONE_OF_A_KIND = 1  # shows that it was usual
_CLOCKS = timedelta(seconds=5)  # by which an answer may be before what it answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What is looked for below the level of a warning."""

    words: Sequence[str]  # of what a user notices, and of reasons
    made_good: Sequence[str] = ()  # of what takes such a sign back
    may_be_made_good: Callable[[Event], bool] = lambda _: False


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What logs have of one failure."""

    asked: Query
    reading: Reading  # of the window
    events: Sequence[Event]  # in the window: warnings and worse, and signs of what a user noticed
    before: Sequence[Event] = ()  # warnings and worse, from before the window
    first: datetime | None = None  # the time of the oldest line of all logs
    last: datetime | None = None
    ids: frozenset[str] = field(default_factory=frozenset)  # of the story that was asked for
    asides: Sequence[Event] = ()  # in the window: what only the words of `beside` have

    @property
    def has_before(self) -> bool:
        """Say whether it is known what was usual: logs begin before the window."""
        return self.asked.since is not None and (
            self.first is not None and self.first < self.asked.since
        )

    @property
    def is_beyond(self) -> bool:
        """Say whether the window begins after the newest line of all logs."""
        return self.asked.since is not None and (
            self.last is not None and self.last < self.asked.since
        )


def read_failure(  # noqa: PLR0913  # all that a window is asked for
    read: Read,
    asked: Query,
    signs: Signs,
    *,
    ids: Sequence[str] = (),
    before: timedelta | None = None,
    beside: Sequence[str] = (),
) -> Failure:
    """Read the warnings and errors of a window, what has signs, and what was usual `before`.

    What has none of these, but words that are asked for `beside`, is kept apart. Of warnings and
    errors that say the same, many are only counted, unless a story is asked for by its ids. What
    takes a sign back is read only from the first such sign on.
    """
    also = (*signs.words, *beside)
    wanted = replace(
        asked,
        level=Level.WARNING,
        also=also,
        traced=True,
        most_alike=None if ids else MOST_ALIKE,
        each=tuple(beside),
    )
    reading = read(wanted)
    events, asides = _apart(reading.events, signs.words, beside)
    events, reading = _with_made_good(read, asked, events, reading, signs)
    usual: Sequence[Event] = ()
    times = [one for node in reading.nodes.values() for one in node.files]
    if asked.since is not None:
        until = asked.since - _JUST_BEFORE
        since = None if before is None else asked.since - before
        earlier = read(
            replace(
                asked,
                since=since,
                until=until,
                level=Level.WARNING,
                traced=True,
                most_alike=_ONE_OF_A_KIND,
                counts_alike=False,
            )
        )
        usual = earlier.events
        times += [one for node in earlier.nodes.values() for one in node.files]
    return Failure(
        asked=asked,
        reading=reading,
        events=events,
        asides=asides,
        before=usual,
        first=min((one.first for one in times if one.first), default=None),
        last=max((one.last for one in times if one.last), default=None),
        ids=frozenset(ids),
    )


def _with_made_good(
    read: Read, asked: Query, events: Sequence[Event], reading: Reading, signs: Signs
) -> tuple[Sequence[Event], Reading]:
    """Add what takes signs back; what of it cannot be read takes back nothing, and is named."""
    first = next((one.at for one in events if signs.may_be_made_good(one)), None)
    if first is None or not signs.made_good:
        return events, reading
    since = first - _CLOCKS if asked.since is None else max(asked.since, first - _CLOCKS)
    found = read(replace(asked, since=since, words=tuple(signs.made_good)))
    known = {one.written_at for one in events}
    added = [one for one in found.events if one.written_at not in known]
    nodes = {
        name: _with_what_is_missing(one, found.nodes[name]) if name in found.nodes else one
        for name, one in reading.nodes.items()
    }
    return in_order([*events, *added]), replace(reading, nodes=nodes)


def _with_what_is_missing(one: NodeRead, other: NodeRead) -> NodeRead:
    """Return what was read on a node, with what another reading of it could not read."""
    lost = (each.path for each in other.files if each.lost or each.error)
    return replace(
        one,
        unread=one.unread or other.unread,
        refused=tuple(dict.fromkeys([*one.refused, *other.refused])),
        cut=tuple(dict.fromkeys([*one.cut, *other.cut, *lost])),
    )


def _apart(
    events: Sequence[Event], signs: Sequence[str], beside: Sequence[str]
) -> tuple[Sequence[Event], Sequence[Event]]:
    """Return the events, and those that only the words of `beside` have brought."""
    if not beside:
        return events, ()
    kept: list[Event] = []
    asides: list[Event] = []
    for one in events:
        has_sign = any(word in one.message for word in signs)
        is_wanted = one.level >= Level.WARNING or one.raised or has_sign
        if is_wanted:
            kept.append(one)
        if any(word in one.message for word in beside):
            asides.append(one)
    return kept, asides
