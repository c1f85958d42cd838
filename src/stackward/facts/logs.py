"""Read the logs of all nodes side by side: a scanner finds the wanted events, where they are."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath

from stackward.anatomy import Anatomy, Deployed
from stackward.answers import document, figure, mapping, rows, text, texts, truth, understood, whole
from stackward.errors import NotUnderstood, StackwardError, Uncertain, Unreachable
from stackward.logs.event import Event, Level, Raw
from stackward.logs.folding import folded, without_doubles
from stackward.logs.formats import BODIES, JOURNAL, PREFIXES, Format, by_our_clock, parse
from stackward.logs.groups import VARIABLE
from stackward.logs.order import in_order
from stackward.logs.reading import (
    ClockStep,
    NodeRead,
    OwnPlace,
    Query,
    ReadFile,
    Reading,
    Repeated,
)
from stackward.logs.tracebacks import Continued
from stackward.masking import has_known, masked, may_hide
from stackward.model.clock_offset import Offset
from stackward.model.values import Json
from stackward.ports.log_source import BEGINS, LogSource
from stackward.ports.together import Together

PER_NODE = 8 * 2**20  # bytes that a node sends home
IN_ALL = 64 * 2**20
ALIKE_IN_ALL = 500  # events that say the same, of one kind on all nodes
LEAST_ALIKE = 5  # on each of them
SCAN_S = 20.0  # of work on a node
_WAY_S = 10.0  # there and back, and to begin
_AT_ONCE = 50
_SAME_CLOCK_S = 1.0  # a window is not looked through again for less
_KEPT = ".journal"


@dataclass(frozen=True, slots=True)
class Places:
    """Where the logs of components are on a node, and who is told by the name of a file."""

    paths: tuple[str, ...]
    units: tuple[str, ...]
    of_path: Mapping[str, str]  # a component by the path of its log
    of_unit: Mapping[str, str]  # a component by its unit
    settings: tuple[Mapping[str, Json], ...] = ()  # of each component, with its usual logs


def places_of(anatomy: Anatomy, components: Sequence[str] = ()) -> Places:
    """Return where the logs of components are; of none that is named: of all.

    Raises BadInput where there is no such component.
    """
    chosen = {anatomy[name].name for name in components}
    deployed = [
        (component, each)
        for component, each in anatomy.deployed()
        if not chosen or component.name in chosen
    ]
    of_path: dict[str, str] = {}
    of_unit: dict[str, str] = {}
    for component, each in anatomy.deployed():
        for path in each.logs:
            of_path.setdefault(path, component.name)
        for unit in each.units:
            of_unit.setdefault(unit, component.name)
    return Places(
        paths=tuple(dict.fromkeys(path for _, each in deployed for path in each.logs)),
        units=tuple(dict.fromkeys(unit for _, each in deployed for unit in each.units)),
        of_path=of_path,
        of_unit=of_unit,
        settings=tuple(
            {"component": component.name, "files": files_, "logs": list(each.logs)}
            for component, each in deployed
            if (files_ := _settings_of(each))
        ),
    )


def _settings_of(one: Deployed) -> list[Json]:
    """Return the files that say where a component logs; the last of them counts."""
    # In a container a file has another place than on its node.
    paths = dict.fromkeys((*(() if one.containers else one.settings), *one.configuration))
    return [path for path in paths if path.endswith((".conf", ".cnf", ".ini", ".d"))]


def with_own(places: Places, own: Iterable[OwnPlace]) -> Places:
    """Return places with those that components of a node have by their settings."""
    named: dict[str, set[str]] = {}
    for one in own:
        for path in one.paths:
            named.setdefault(path, set()).add(one.component)
    # Of a file that several share, its name says more than any of theirs.
    of_path = {path: min(those) for path, those in named.items() if len(those) == 1}
    return replace(places, of_path={**places.of_path, **of_path}) if of_path else places


def component_of(path: str, places: Places) -> str:
    """Return whose log a file is; of one that is not known, its own name."""
    for known, name in places.of_path.items():
        if path == known or path.startswith((f"{known}.", f"{known}-", f"{known}/")):
            return name
    # Collected elsewhere: by the last two parts, else by the name alone.
    parts = _parts(path)
    for wanted in (2, 1):
        for known, name in places.of_path.items():
            ends = _parts(known)[-wanted:]
            if parts[-wanted:-1] == ends[:-1] and parts[-1].startswith(ends[-1]):
                return name
    name = parts[-1] if parts else path
    begins = re.match(r"[^.]+", name)
    return begins[0] if begins else name


@cache
def _parts(path: str) -> tuple[str, ...]:
    return PurePosixPath(path).parts


def read_logs(
    source: LogSource,
    together: Together,
    anatomy: Anatomy,
    query: Query,
    *,
    within_s: float = SCAN_S,
) -> Reading:
    """Read the wanted events of all nodes; what could not be read is named in the answer."""
    places = places_of(anatomy, query.components)
    nodes = [each for each in source.nodes if not query.nodes or each in query.nodes]
    budget = min(PER_NODE, IN_ALL // max(1, len(nodes)))
    asked = _asked(query, places, source, budget, within_s)
    asked = {**asked, **as_alike(query, len(nodes))}
    told = together.ask(
        {node: _Question(source, node, asked, within_s) for node in nodes},
        within_s=within_s + _WAY_S,
        at_once=_AT_ONCE,
    )
    events: list[Event] = []
    reads: dict[str, NodeRead] = {}
    continued = Continued()
    for node in nodes:
        reads[node], own = _of_node(node, told.get(node), places, query, continued)
        events += own
    kept, doubled = without_doubles(in_order(events))
    counted = {one.like: one for node in reads.values() for one in node.repeated}
    read = {one.written_at for one in kept} if counted else set()
    repeated = {place: one for place, one in counted.items() if place in read}
    return Reading(events=kept, nodes=reads, doubled=doubled, repeated=repeated)


def as_alike(query: Query, nodes: int) -> Mapping[str, Json]:
    """Return what the scanner of each of so many nodes is told of events that say the same."""
    if query.most_alike is None:
        return {}
    most = max(LEAST_ALIKE, ALIKE_IN_ALL // max(1, nodes))
    forms: list[Json] = [[_with_flags(form), sign] for form, sign in VARIABLE]
    return {
        "alike": {
            "most": min(query.most_alike, most),
            "counts": query.counts_alike,
            "each": list(query.each),
            "forms": forms,
        }
    }


def _with_flags(form: re.Pattern[str]) -> str:
    """Return a pattern that needs no flag beside it."""
    return f"(?i:{form.pattern})" if form.flags & re.IGNORECASE else form.pattern


@dataclass(frozen=True, slots=True)
class _Told:
    """What a node has answered, or why it has not; and its clock."""

    offset: Offset | None
    out: str | StackwardError


@dataclass(frozen=True, slots=True)
class _Question:
    """A scan of one node; why it failed is its answer too."""

    source: LogSource
    node: str
    asked: Mapping[str, Json]
    within_s: float

    def __call__(self) -> "_Told":
        try:
            out = self._scan(self.asked)
            offset = self.source.offset(self.node)
            if (by_its_clock := _by_its_clock(self.asked, offset)) is not None:
                out = self._scan(by_its_clock)
        except (Unreachable, Uncertain) as error:
            return _Told(None, error)
        return _Told(offset, out)

    def _scan(self, asked: Mapping[str, Json]) -> str:
        return self.source.scan(self.node, script(), asked, within_s=self.within_s + _WAY_S)


def _by_its_clock(asked: Mapping[str, Json], offset: Offset | None) -> Mapping[str, Json] | None:
    """Return what is asked with the window by a node's clock; None where that is as good as ours.

    A clock is asked after the scan: of a node that does not answer, nothing more is waited for.
    """
    if offset is None or abs(offset.ahead_s) <= max(_SAME_CLOCK_S, offset.error_s):
        return None
    moved = {
        each: at + offset.ahead_s
        for each in ("since", "until")
        if isinstance(at := asked[each], int | float)
    }
    return {**asked, **moved} if moved else None


@cache
def script() -> str:
    """Return what is run on a node."""
    return files(__package__).joinpath("on_node/scan.py").read_text("utf-8")


def _asked(
    query: Query, places: Places, source: LogSource, budget: int, within_s: float
) -> Mapping[str, Json]:
    return {
        **as_asked(places, level=query.level, words=query.words),
        **({"places": ["/"]} if source.is_collected else {}),
        "since": query.since.timestamp() if query.since else None,
        "until": query.until.timestamp() if query.until else None,
        "also": list(query.also),
        "traced": query.traced,
        "only_times": query.only_times,
        "bytes": budget,
        "within_s": within_s,
    }


def as_asked(places: Places, *, level: Level | None, words: Sequence[str]) -> Mapping[str, Json]:
    """Return what a script on a node is told: where logs are, how they are written, what counts."""
    return {
        "places": list(places.paths),
        "units": list(places.units),
        "settings": list(places.settings),
        "journal": True,
        "level": int(level) if level is not None else None,
        "words": list(words),
        "bodies": [_as_sent(one) for one in BODIES],
        "prefixes": [_as_sent(one) for one in PREFIXES],
    }


def _as_sent(one: Format) -> dict[str, Json]:
    return {
        "name": one.name,
        "head": one.head,
        "levels": {word: int(level) for word, level in one.levels.items()},
        "usual": int(one.usual),
        "marks": {str(int(level)): list(words) for level, words in one.marks.items()},
        "repeats": one.repeats,
        "is_late": one.is_late,
    }


def _of_node(
    node: str, told: _Told | None, places: Places, query: Query, continued: Continued
) -> tuple[NodeRead, list[Event]]:
    if told is None:
        return NodeRead(node=node, unread="no answer in time"), []
    if isinstance(told.out, StackwardError):
        lines = (told.out.says or "").strip().splitlines()
        return NodeRead(node=node, unread=masked(lines[-1] if lines else told.out.message)), []
    try:
        read, raws = parse_scan(node, told.out, places)
    except NotUnderstood as error:
        return NodeRead(node=node, unread=error.message), []
    events = [
        to_event(raw, told.offset, continued)
        for raw in raws
        if not query.components or raw.component in query.components
    ]
    kept = [each for each in folded(events) if _is_wanted(each, query)]
    repeated = tuple(_by_our_clock(each, told.offset) for each in read.repeated)
    return replace(read, offset=told.offset, repeated=repeated), kept


def _by_our_clock(one: Repeated, offset: Offset | None) -> Repeated:
    first, last = (by_our_clock(at, offset)[0] for at in (one.first, one.last))
    return replace(one, first=first, last=last)


def _is_wanted(one: Event, query: Query) -> bool:
    is_grave = query.level is None or one.level >= query.level
    if is_grave or (query.traced and one.raised):
        return True
    return any(word in one.message for word in query.also)


def parse_scan(node: str, out: str, places: Places) -> tuple[NodeRead, list[Raw]]:
    """Read what the scanner printed.

    Raises NotUnderstood where it has another shape.
    """
    # What a login's shell writes before it (`echo` in its settings) is none of the answer.
    given = out[max(0, out.find(BEGINS)) :]
    with understood(f"the log scanner on `{node}`", given[:1000]):
        told = document(given)
        own = own_places(told)
        places = with_own(places, own)
        read, raws = [], []
        for one in map(mapping, rows(told["files"])):
            path = text(one["path"])
            component = JOURNAL if path == JOURNAL else component_of(path, places)
            events = [
                to_raw(node, path, component, rows(each), places) for each in rows(one["events"])
            ]
            raws += events
            read.append(
                ReadFile(
                    node=node,
                    path=path,
                    component=component,
                    size=whole(one["size"]),
                    scanned=whole(one["scanned"]),
                    first=None if one["first"] is None else _time(one["first"]),
                    last=None if one["last"] is None else _time(one["last"]),
                    events=len(events),
                    lost=whole(one.get("lost", 0)),
                    outside=whole(one["outside"]),
                    error=masked(text(one["error"])),
                    clock_step=_step(one.get("back")),
                )
            )
        return (
            NodeRead(
                node=node,
                files=tuple(read),
                refused=tuple(map(masked, texts(told["refused"]))),
                cut=texts(told["cut"]),
                took_s=figure(told["took_s"]),
                own_places=own,
                settings_unread=texts(told.get("settings_unread", [])),
                repeated=tuple(
                    _repeated(node, rows(one)) for one in rows(told.get("repeated", []))
                ),
            ),
            raws,
        )


def _repeated(node: str, given: Sequence[object]) -> Repeated:
    path, offset, count, first, last = given
    return Repeated(
        like=(node, text(path), whole(offset)),
        count=whole(count),
        first=_time(first),
        last=_time(last),
    )


def _step(given: object) -> ClockStep | None:
    if given is None:
        return None
    by_s, at = rows(given)
    return ClockStep(by_s=figure(by_s), at=_time(at))


def own_places(told: Mapping[str, object]) -> tuple[OwnPlace, ...]:
    """Read where components of a node log by their own settings."""
    return tuple(
        OwnPlace(
            component=text(one["component"]),
            by=text(one["by"]),
            paths=texts(one["paths"]),
            to_journal=truth(one["to_journal"]),
        )
        for one in map(mapping, rows(told.get("named", [])))
    )


def to_raw(node: str, path: str, component: str, given: Sequence[object], places: Places) -> Raw:
    """Read an event as a node sends it."""
    at, kind, offset, said, is_cut, *unit = given
    if unit:  # of the journal
        name = text(unit[0])
        component = places.of_unit.get(name) or name.removesuffix(".service")
    return Raw(
        node=node,
        component=component,
        file=path,
        offset=whole(offset),
        at=_time(at),
        format=text(kind),
        text=text(said),
        is_cut=truth(is_cut),
    )


def _time(given: object) -> datetime:
    try:
        return datetime.fromtimestamp(figure(given), UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(given) from error


def to_event(raw: Raw, offset: Offset | None, continued: Continued | None = None) -> Event:
    """Read the lines of an event: its secrets are masked, its clock is corrected."""
    continued = Continued() if continued is None else continued
    return _masked(parse(raw, offset, continued), continued)


def _masked(one: Event, continued: Continued) -> Event:
    """Mask what is secret in an event, before anybody reads or keeps it."""
    whole_text = "\n".join((one.message, *one.more))
    if not (may_hide(one.message) or continued.may_hide(one.more) or has_known(whole_text)):
        return one
    clean = masked(whole_text)
    if clean == whole_text:
        return one
    first, *more = clean.split("\n")
    raised = tuple(replace(each, message=masked(each.message)) for each in one.raised)
    return replace(one, message=first, more=tuple(more), raised=raised)


def newest_in(
    source: LogSource, together: Together, anatomy: Anatomy, query: Query
) -> datetime | None:
    """Return when the newest line is from, by the files' ends; None where none has a time."""
    reading = read_logs(source, together, anatomy, replace(query, only_times=True))
    times = [one.last for node in reading.nodes.values() for one in node.files if one.last]
    return max(times, default=None)


def level_named(word: str) -> Level:
    """Return the level of a word."""
    return Level[word.upper()]
