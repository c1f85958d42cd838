"""Follow the logs of all nodes at once, merged.

Each node reports what was added. This side waits a moment for what others have of the same time. A
node that drops out is reported. Later it is resumed at the point where it was left.
"""

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from stackward.anatomy import Anatomy
from stackward.answers import document, figure, mapping, rows, text, texts, truth, understood
from stackward.errors import StackwardError, Uncertain
from stackward.facts.logs import (
    Places,
    as_asked,
    component_of,
    own_places,
    places_of,
    to_event,
    to_raw,
    with_own,
)
from stackward.facts.talks import script
from stackward.logs.event import Event, Level, Raw
from stackward.logs.folding import without_doubles
from stackward.logs.formats import JOURNAL
from stackward.logs.order import in_order
from stackward.masking import masked
from stackward.ports.clock import Clock
from stackward.ports.log_source import LiveLogs
from stackward.ports.shell import Answer, refusal
from stackward.ports.together import Stream, Streams

HOLD_S = 0.6  # what another node has of the same time may come this much later
HOLD_JOURNAL_S = 1.2  # a file has the same words a little later, and counts
RECENT_S = 5.0
AGAIN_S = 3.0  # before a node that dropped out is tried again
BEGIN_S = 15.0  # all nodes are waited for, for the events that are there already
_LOOK_S = 0.2
_LONG_S = 7 * 24 * 3600.0  # silence is no end: signs of life are watched all the time


@dataclass(frozen=True, slots=True, kw_only=True)
class TailQuery:
    """Which events are wanted."""

    components: tuple[str, ...]
    nodes: tuple[str, ...] = ()
    level: Level | None = None
    words: tuple[str, ...] = ()  # one of them is in the event
    lines: int = 0  # the last events that are there already, of all nodes together


@dataclass(frozen=True, slots=True)
class Remark:
    """What is said of a node between its events."""

    node: str
    says: str


@dataclass(slots=True)
class _Node:
    """How far a node has been heard; only the thread of that node writes it."""

    as_root: bool = True
    places: dict[str, object] = field(default_factory=dict)
    cursor: str | None = None
    files: tuple[str, ...] = ()
    is_heard: bool = False  # now
    was_heard: bool = False
    is_tried: bool = False
    refused: tuple[str, ...] = ()
    said: str = ""  # why it is not heard
    is_clock_old: bool = False  # it may have been set since its offset was measured


@dataclass(frozen=True, slots=True)
class _News:
    """What has come from a node."""

    node: str
    events: Sequence[Event] = ()
    old: Sequence[Event] = ()
    remarks: tuple[Remark, ...] = ()


class Tail:
    """The logs of all nodes, as they grow."""

    def __init__(
        self,
        source: LiveLogs,
        streams: Streams,
        clock: Clock,
        anatomy: Anatomy,
        query: TailQuery,
    ) -> None:
        self._source, self._streams, self._clock, self._query = source, streams, clock, query
        self._places: Places = places_of(anatomy, query.components)
        names = [each for each in source.nodes if not query.nodes or each in query.nodes]
        self._nodes: Mapping[str, _Node] = {name: _Node() for name in names}
        self._held: list[tuple[float, Event]] = []  # each with when it is shown
        self._recent: list[Event] = []

    @property
    def is_blind(self) -> bool:
        """Say whether no node has been heard at all."""
        return not any(one.was_heard for one in self._nodes.values())

    @property
    def is_whole(self) -> bool:
        """Say whether all nodes are heard, and all of their logs may be read."""
        return all(one.is_heard and not one.refused for one in self._nodes.values())

    def files(self) -> Mapping[str, tuple[str, ...]]:
        """Return which files are followed, of each node that is heard."""
        return {name: one.files for name, one in self._nodes.items() if one.is_heard}

    def batches(self) -> Iterator[Sequence[Event | Remark]]:
        """Yield what is new, in the order of time, without end; an empty one means: nothing now.

        It ends by itself only where no node can be heard from the beginning.
        """
        with self._streams.stream([partial(self._heard, name) for name in self._nodes]) as stream:
            yield self._begun(stream)
            while not self._is_lost():
                yield self._next(stream)
            yield self._next(stream)

    def _begun(self, stream: Stream[_News]) -> Sequence[Event | Remark]:
        """Wait until each node has started or failed; return the last of what is there already."""
        ends = self._clock.monotonic() + BEGIN_S
        old: list[Event] = []
        remarks: list[Event | Remark] = []
        waiting = set(self._nodes)
        while waiting and self._clock.monotonic() < ends:
            for news in stream.come(within_s=_LOOK_S):
                waiting.discard(news.node)
                old += news.old
                remarks += news.remarks
                self._hold(news.events)
        kept, _ = without_doubles(in_order(old))
        self._recent = [*kept]
        return [*remarks, *kept[len(kept) - min(len(kept), self._query.lines) :]]

    def _is_lost(self) -> bool:
        """Say whether no node was heard, and each was tried."""
        return self.is_blind and all(one.is_tried for one in self._nodes.values())

    def _next(self, stream: Stream[_News]) -> Sequence[Event | Remark]:
        """Return what to show now."""
        remarks: list[Remark] = []
        for news in stream.come(within_s=_LOOK_S):
            remarks += news.remarks
            self._hold((*news.old, *news.events))
        ready = self._ready(self._clock.monotonic())
        if ready:
            new = {id(one) for one in ready}
            kept, _ = without_doubles([*self._recent, *ready])
            ready = [one for one in kept if id(one) in new]
            newest = max(one.at for one in kept) if kept else None
            self._recent = [
                one
                for one in kept
                if newest is None or (newest - one.at).total_seconds() <= RECENT_S
            ]
        return [*remarks, *ready]

    def _ready(self, now: float) -> Sequence[Event]:
        """Take what was held for long enough, and what was logged before that."""
        ready = [one for at, one in self._held if at <= now]
        if not ready:
            return ()
        last = max(one.at for one in ready)
        taken = {id(one) for one in ready} | {
            id(one) for _, one in self._held if one.at <= last and one.file != JOURNAL
        }
        ready = [one for _, one in self._held if id(one) in taken]
        self._held = [(at, one) for at, one in self._held if id(one) not in taken]
        return in_order(ready)

    def _hold(self, events: Sequence[Event]) -> None:
        now = self._clock.monotonic()
        self._held += [
            (now + (HOLD_JOURNAL_S if one.file == JOURNAL else HOLD_S), one) for one in events
        ]

    # --- what one node reports -------------------------------------------------------------------

    def _heard(self, name: str) -> Iterator[_News]:
        """Hear a node without end; if it drops out, connect to it again."""
        node = self._nodes[name]
        while True:
            why = yield from self._until_it_ends(name, node)
            if why is None:
                continue  # as the login alone, at once
            was_heard, node.is_heard, node.is_tried = node.is_heard, False, True
            if was_heard:
                yield _said(name, f"is not heard any more: {why}")
            elif why != node.said:
                yield _said(name, f"is not read: {why}")
            node.said = why
            self._clock.wait(AGAIN_S)

    def _until_it_ends(self, name: str, node: _Node) -> Generator[_News, None, str | None]:
        """Hear a node; return why that has ended, or None where root is refused."""
        try:
            with self._source.talk(name, script("tail"), as_root=node.as_root) as talk:
                talk.say(json.dumps(self._asked(node)).encode())
                while (heard := talk.hear(within_s=_LONG_S)) is not None:
                    yield self._taken(name, node, heard)
        except StackwardError as error:
            says = (error.says or "").strip()
            refused = isinstance(error, Uncertain) and refusal(Answer(1, "", says)) is not None
            if node.as_root and refused:
                node.as_root = False
                return None
            return masked(says.splitlines()[-1] if says else error.message)
        return "the follower there has ended"

    def _asked(self, node: _Node) -> Mapping[str, object]:
        return {
            **as_asked(self._places, level=self._query.level, words=self._query.words),
            "lines": self._query.lines,
            "places_read": node.places,
            "cursor": node.cursor,
        }

    def _taken(self, name: str, node: _Node, heard: bytes) -> _News:
        """Take one piece of news, and keep up to where the node was heard."""
        told = read_told(name, heard.decode("utf-8", "replace"), self._places)
        is_anew = bool(told.stepped_s) or (node.is_clock_old and told.files is not None)
        offset = self._source.offset(name, is_anew=is_anew)
        node.places |= dict(told.places)
        node.cursor, node.refused = told.cursor, told.refused
        remarks = [Remark(name, each) for each in told.notes]
        if told.stepped_s:
            remarks.append(Remark(name, _stepped(told.stepped_s)))
        if told.files is not None:
            remarks = [
                Remark(name, f"has a log that may not be read: {one}") for one in told.refused
            ] + remarks
            if node.said:
                remarks.insert(0, Remark(name, "is heard again"))
            node.files, node.said = told.files, ""
            node.is_heard = node.was_heard = True
            node.is_clock_old = True  # of the next conversation
        events, old = ([to_event(raw, offset) for raw in raws] for raws in (told.events, told.old))
        return _News(name, events, old, tuple(remarks))


def _stepped(by_s: float) -> str:
    """Say that a clock was set, and what that means for the times that are shown."""
    way = "forward" if by_s > 0 else "back"
    return (
        f"its clock was put {way} by {abs(by_s):.1f} s; "
        "times near this moment may be wrong by as much"
    )


def _said(node: str, says: str) -> _News:
    return _News(node, remarks=(Remark(node, says),))


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One piece of what the follower on a node reports."""

    events: Sequence[Raw]
    old: Sequence[Raw]  # that were there already
    notes: tuple[str, ...]
    refused: tuple[str, ...]
    files: tuple[str, ...] | None  # that are followed; reported once, in the first piece
    places: Mapping[str, object]  # up to where each file was reported, in the words of the follower
    cursor: str | None  # the same of the journal
    stepped_s: float = 0.0  # by how much the node's clock was put forward since the last piece


def read_told(node: str, given: str, places: Places) -> Told:
    """Read a piece of what the follower on a node reports.

    Raises NotUnderstood where it has another shape.
    """
    with understood(f"the follower of logs on `{node}`", given[:1000]):
        told = document(given)
        places = with_own(places, own_places(told))
        files = None
        if "begun" in told:
            begun = mapping(told["begun"])
            files = texts(begun["files"]) + (JOURNAL,) * truth(begun["has_journal"])
        return Told(
            events=_raws(node, told["events"], places),
            old=_raws(node, told.get("old", []), places),
            notes=tuple(map(masked, texts(told["notes"]))),
            refused=tuple(map(masked, texts(told["refused"]))),
            files=files,
            places=mapping(told["places"]),
            cursor=None if told["cursor"] is None else text(told["cursor"]),
            stepped_s=figure(told.get("stepped_s", 0.0)),
        )


def _raws(node: str, given: object, places: Places) -> Sequence[Raw]:
    raws = []
    for at, kind, where, said, is_cut, path, *unit in map(rows, rows(given)):
        name = text(path)
        component = JOURNAL if name == JOURNAL else component_of(name, places)
        raws.append(to_raw(node, name, component, [at, kind, where, said, is_cut, *unit], places))
    return raws
