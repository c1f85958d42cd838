"""Events, groups of errors and stories as text and as data."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import PurePosixPath

from stackward.errors import PartlySeen, StackwardError
from stackward.logs.event import Event, Frame, Level
from stackward.logs.groups import Group
from stackward.logs.order import marks_of_order
from stackward.logs.reading import NodeRead, Query, Reading
from stackward.logs.story import Certainty, Hop, Story
from stackward.report.tables import Cell, Form, Table, render_rows
from stackward.report.text import as_json, as_text, on_one_line, printable, shortened, wrap
from stackward.report.times import local, to_the_millisecond, utc
from stackward.wording import count_of, first_of, in_size, perhaps

GROUP_COLUMNS = ("Level", "Count", "Component", "Nodes", "First", "Last", "Says", "Exception")
EVENT_COLUMNS = ("Time", "Node", "Component", "Level", "Request", "Says")
MOST_NODES = 4
MOST_LINES = 6  # of an event, in a text for people; data has all
MOST_FILES = 3  # named of what could not be read
MOST_OF_LINE = 2000  # characters of a line of a log, in a text for people; data has 64 KiB
_DATE = len("2026-11-27")
_QUIET = 3  # events of a hop that are shown where none is a warning or worse


# What programs read, by `-f json`: an object a line. These names do not change.
EVENT_FIELDS = {
    "at": "when, in UTC, the offset of its node's clock taken off",
    "error_s": "by how many seconds that clock may still be off; 0 where it was not measured",
    "node": "where, as the inventory or the folder of collected logs has it",
    "component": "whose log it is, by its name in the anatomy; or the name of its file or unit",
    "file": "the path on that node; `journal` for the journal",
    "offset": "where in that file its first byte is; in the journal a number",
    "format": "how it is written: one of the formats below",
    "level": "`debug`, `info`, `warning`, `error` or `critical`",
    "module": "the part of the program that logged it",
    "pid": "the process, as the line has it",
    "request_id": "its own request, or null",
    "global_request_id": "the request that led to that one, or null",
    "user_id": "who made the request, or null where nobody did",
    "server_id": "the server in brackets before the message, or null",
    "message": "the first line without its header, secrets masked",
    "more": "the lines that continue it",
    "exceptions": "of its traceback, the first cause first: `exception`, `message`, `is_remote`, "
    "`frames`",
    "is_cut": "whether it was too long to be read whole",
}
STORY_FIELDS = {
    "about_same_time": "whether the clocks are too far off to order it and the event before",
    "because": "why it belongs to the story",
    "certainty": "`certain` or `likely`",
}
GROUP_FIELDS = {
    "level": "of all its events",
    "count": "how many there are",
    "component": "whose log they are in",
    "module": "the part of the program that logged them",
    "words": "the message, with a sign such as `<uuid>` for what varies",
    "exception": "the last one of their tracebacks, or null",
    "raised_in": "the innermost call outside of libraries, where that was raised, or null",
    "first": "when the first was",
    "last": "when the last was",
    "nodes": "where they are",
    "request_ids": "up to five of their requests",
    "example": "the last of them, with the fields of an event",
}


# --- groups -------------------------------------------------------------------------------------


def render_groups(  # noqa: PLR0913  # what a table is made of
    groups: Sequence[Group],
    form: Form,
    columns: Sequence[str] = (),
    width: int | None = None,
    *,
    is_whole: bool = True,
    follow: str = "stackward log follow",
) -> str:
    """Return groups of errors; a person gets an example of each, and `follow` with a request."""
    if form is Form.JSON and not columns:
        return "".join(f"{_as_line(group_record(one))}\n" for one in groups)
    rows = tuple(map(_group_row, groups))
    table = Table(columns=GROUP_COLUMNS, rows=rows, gives_way=("Exception", "First", "Nodes")).only(
        columns
    )
    if form is not Form.TABLE or columns:
        return render_rows(table, form, width)
    lines = (line for one in groups for line in _group_lines(one, width, follow))
    return as_text((*lines, _counted(groups, is_whole=is_whole)))


def _counted(groups: Sequence[Group], *, is_whole: bool) -> str:
    if not groups:
        return "no errors in these logs" if is_whole else "no errors in what could be read"
    events = sum(one.count for one in groups)
    return f"{count_of(events, 'event')} in {count_of(len(groups), 'group')}"


def _group_row(one: Group) -> tuple[Cell, ...]:
    return (
        one.level.word, one.count, one.component, one.nodes, one.first, one.last,
        on_one_line(one.words), one.exception or "",
    )  # fmt: skip


def _group_lines(one: Group, width: int | None, follow: str) -> Iterator[str]:
    where = f"{one.component} on {first_of(one.nodes, MOST_NODES)}"
    yield from wrap(f"{one.level.word}: {where}: {_times(one)}", width, rest="  ")
    example = one.example
    yield from _field("says", _quoted(example.message), width)
    if one.exception:
        last = example.raised[-1]
        yield from _field("raised", _quoted(f"{last.exception}: {last.message}"), width)
    if one.frame:
        yield from _field("in", on_one_line(_frame(one.frame)), width)
    source = f"{example.module or example.format}, {example.file} on {example.node}"
    yield from _field("logged", on_one_line(source), width)
    if one.requests:
        yield from _field("follow", f"{follow} {one.requests[-1]}", width)
    yield ""


def _quoted(said: str) -> str:
    """Return what a line of a log says, as one line that a person can read."""
    return shortened(on_one_line(said), MOST_OF_LINE)


def _times(one: Group) -> str:
    if one.count == 1:
        return f"once, {local(one.first)}"
    return f"{count_of(one.count, 'time')}, {local(one.first)} to {local(one.last)}"


def _frame(one: Frame) -> str:
    return f"{one.function}, {one.file}:{one.line}"


def _field(name: str, said: str, width: int | None) -> list[str]:
    return wrap(said, width, first=f"  {name:7} ", rest=" " * 10)


def group_record(one: Group) -> dict[str, object]:
    """Return a group as data; docs/reference/logs.md has its fields."""
    return {
        "level": one.level.word,
        "count": one.count,
        "component": one.component,
        "module": one.module,
        "words": one.words,
        "exception": one.exception,
        "raised_in": None if one.frame is None else _frame(one.frame),
        "first": _stamp(one.first),
        "last": _stamp(one.last),
        "nodes": list(one.nodes),
        "request_ids": list(one.requests),
        "example": event_record(one.example),
    }


# --- a story ------------------------------------------------------------------------------------


def render_story(
    story: Story, form: Form, columns: Sequence[str] = (), width: int | None = None
) -> str:
    """Return a story: for people hop by hop, for programs a line for each event."""
    if form is Form.JSON and not columns:
        return "".join(f"{_as_line(one)}\n" for one in _records(story))
    rows = tuple(_event_row(one) for one in story.events)
    table = Table(columns=EVENT_COLUMNS, rows=rows, gives_way=("Request",)).only(columns)
    if form is not Form.TABLE or columns:
        return render_rows(table, form, width)
    return as_text(_story_lines(story, width))


def _event_row(one: Event) -> tuple[Cell, ...]:
    said = on_one_line(one.message)
    return one.at, one.node, one.component, one.level.word, one.request or "", said


def _story_lines(story: Story, width: int | None) -> Iterator[str]:
    """Return each hop with its first and its worst events; many small reads are one line.

    A request that was asked for is shown, a read too. Times have their date where a story goes
    over days.
    """
    shown: list[Hop] = []
    reads: list[Hop] = []
    checks: list[Hop] = []
    for hop in story.hops:
        is_asked = story.sought in {hop.request, hop.events[0].global_request}
        if is_asked or not (hop.is_read or hop.is_periodic):
            shown.append(hop)
        else:
            (reads if hop.is_read else checks).append(hop)
    is_dated = len({local(one.at)[:_DATE] for one in story.events}) > 1
    uncertain = dict(
        zip(
            [hop.events[0] for hop in shown],
            marks_of_order([hop.events[0] for hop in shown]),
            strict=False,
        )
    )
    for hop in shown:
        about = ", about the same time" if uncertain.get(hop.events[0]) else ""
        began = _when(hop.began, is_dated=is_dated)
        yield from wrap(f"{began} {_hop(hop)}{about}", width, rest="  ")
        certain = "" if hop.link.certainty is Certainty.CERTAIN else " (likely)"
        yield from wrap(f"because {hop.link.why}{certain}", width, first="  ", rest="    ")
        yield from _hop_lines(hop, width, is_dated=is_dated)
    for what, some in (("read", reads), ("periodic check", checks)):
        if some:
            names = tuple(dict.fromkeys(hop.component for hop in some))
            yield f"also {count_of(len(some), what)}: {first_of(names, MOST_NODES)}"
    for gap in story.gaps:
        yield from wrap(f"gap: {gap}", width, rest="  ")
    if story.hops:
        events = story.events
        took_s = (events[-1].at - events[0].at).total_seconds()
        nodes = {hop.node for hop in story.hops}
        yield ""
        yield from wrap(
            f"{count_of(len(events), 'event')} of {count_of(len(story.hops), 'hop')} on "
            f"{count_of(len(nodes), 'node')} in {took_s:.3f} s, from {local(events[0].at)}",
            width,
        )


def _hop(hop: Hop) -> str:
    request = f" {hop.request}" if hop.request else ""
    events = count_of(len(hop.events), "event")
    took = f", {hop.took_s:.3f} s" if len(hop.events) > 1 else ""
    return f"{hop.node} {hop.component}{request}: {events}{took}"


def _when(at: datetime, *, is_dated: bool) -> str:
    time = to_the_millisecond(at)
    return f"{local(at)[:_DATE]} {time}" if is_dated else time


def _hop_lines(hop: Hop, width: int | None, *, is_dated: bool) -> Iterator[str]:
    grave = [one for one in hop.events if one.level >= Level.WARNING]
    quiet = [one for one in hop.events if one.level < Level.WARNING]
    kept = {id(one) for one in (*grave, *quiet[:_QUIET], *quiet[-1:])}
    left = 0
    for one in hop.events:
        if id(one) not in kept:
            left += 1
            continue
        word = f"{one.level.word}: " if one.level >= Level.WARNING else ""
        said = f"{_when(one.at, is_dated=is_dated)} {word}{_quoted(one.message)}"
        yield from wrap(said, width, first="    ", rest="      ")
        if one.raised:
            last = one.raised[-1]
            yield from wrap(
                _quoted(f"{last.exception}: {last.message}"),
                width,
                first="      ",
                rest="      ",
            )
    if left:
        yield f"    and {left} more"


def _records(story: Story) -> Iterator[dict[str, object]]:
    hops = {id(one): hop for hop in story.hops for one in hop.events}
    events = story.events
    for one, about in zip(events, marks_of_order(events), strict=True):
        hop = hops[id(one)]
        yield {
            **event_record(one),
            "about_same_time": about,
            "because": hop.link.why,
            "certainty": hop.link.certainty.value,
        }


def event_record(one: Event) -> dict[str, object]:
    """Return an event as data; docs/reference/logs.md has its fields."""
    return {
        "at": _stamp(one.at),
        "error_s": one.error_s,
        "node": one.node,
        "component": one.component,
        "file": one.file,
        "offset": one.offset,
        "format": one.format,
        "level": one.level.word,
        "module": one.module,
        "pid": one.pid,
        "request_id": one.request,
        "global_request_id": one.global_request,
        "user_id": one.user,
        "server_id": one.server,
        "message": one.message,
        "more": list(one.more),
        "exceptions": [
            {
                "exception": each.exception,
                "message": each.message,
                "is_remote": each.is_remote,
                "frames": [_frame(frame) for frame in each.frames],
            }
            for each in one.raised
        ],
        "is_cut": one.is_cut,
    }


def _as_line(record: object) -> str:
    return as_json(record)


def _stamp(at: datetime) -> str:
    """Write a time for programs: order is what logs are about, so to the microsecond."""
    return utc(at, "microseconds")


# --- events as they come ------------------------------------------------------------------------


def render_live(
    one: Event, form: Form, width: int | None = None, paint: Callable[[Level], str] | None = None
) -> str:
    """Return an event that has just come: for programs as data, for people with all its lines."""
    if form is Form.JSON:
        return f"{_as_line(event_record(one))}\n"
    word = "" if one.level < Level.WARNING else f"{(paint or _word)(one.level)}: "
    ahead = printable(f"{to_the_millisecond(one.at)} {one.node} {one.component} ")
    said = shortened(printable(one.message), MOST_OF_LINE)
    lines = wrap(f"{ahead}{word}{said}", width, rest="  ")
    for line in one.more:
        lines += wrap(shortened(printable(line), MOST_OF_LINE), width, first="  ", rest="    ")
    return "".join(f"{line}\n" for line in lines)


def _word(level: Level) -> str:
    return level.word


# --- what was not read --------------------------------------------------------------------------


def notes_of(reading: Reading) -> Iterator[str]:
    """Say what could not be read, node by node."""
    for node in reading.nodes.values():
        yield from map(on_one_line, _notes_of(node))
    yield from map(on_one_line, _unreadable(reading.nodes.values()))


def places_of(reading: Reading) -> Iterator[str]:
    """Say where logs are by the settings of their services, and where those may not be read."""
    own: dict[tuple[str, str], tuple[dict[str, None], dict[str, None]]] = {}
    for node in reading.nodes.values():
        for one in node.own_places:
            folders = [str(PurePosixPath(path).parent) for path in one.paths]
            where = ", ".join(dict.fromkeys([*folders, *(["the journal"] * one.to_journal)]))
            components, nodes = own.setdefault((one.by, where), ({}, {}))
            components[one.component] = nodes[f"`{node.node}`"] = None
    for (by, where), (components, nodes) in own.items():
        whose, on = first_of(components, MOST_FILES), first_of(nodes, MOST_NODES)
        yield on_one_line(f"logs of {whose} are in {where}, by {by} on {on}")
    unread = [node.node for node in reading.nodes.values() if node.settings_unread]
    if unread:
        yield (
            f"the settings of services may not be read on {count_of(len(unread), 'node')}: "
            "their logs are looked for in the usual places"
        )


def clock_steps_of(reading: Reading) -> Iterator[str]:
    """Say where time runs backwards; of each node the largest step."""
    for node in reading.nodes.values():
        steps = [(each.clock_step, each.path) for each in node.files if each.clock_step]
        if steps:
            step, path = max(steps, key=lambda one: one[0].by_s)
            when = local(step.at)
            others = f", and in {count_of(len(steps) - 1, 'other log')}" if len(steps) > 1 else ""
            yield on_one_line(
                f"`{node.node}`: time runs backwards by {step.by_s:.0f} s at {when} in "
                f"{path}{others}: its clock was set; events of that time may be in another order"
            )


def not_understood_of(reading: Reading) -> Iterator[str]:
    """Name logs that have no line of a known format: nothing of them can be an event."""
    named = [
        f"{each.path} on `{node.node}`"
        for node in reading.nodes.values()
        for each in node.files
        if not each.is_understood
    ]
    if named:
        yield on_one_line(
            f"{count_of(len(named), 'log has', 'logs have')} no line of a known format: "
            f"{first_of(named, MOST_FILES)}"
        )


def _notes_of(one: NodeRead) -> Iterator[str]:
    if one.unread:
        yield f"`{one.node}` was not read: {one.unread}"
    if one.cut:
        named = first_of(one.cut, MOST_FILES)
        yield f"`{one.node}`: the time was over before {count_of(len(one.cut), 'file')}: {named}"
    lost = [each for each in one.files if each.lost]
    if lost:
        number = sum(each.lost for each in lost)
        yield (
            f"`{one.node}`: {count_of(number, 'event')} more in "
            f"{first_of([each.path for each in lost], MOST_FILES)}: no room; narrow the window"
        )
    for each in one.files:
        if each.error:
            yield f"`{one.node}`: {each.path}: {each.error}"


def _unreadable(nodes: Iterable[NodeRead]) -> Iterator[str]:
    """Name each place that was not read; nodes of which the same is true are named together."""
    nodes_of: dict[str, list[str]] = {}
    for node in nodes:
        for place in node.refused:
            nodes_of.setdefault(place, []).append(f"`{node.node}`")
    alike: dict[tuple[str, str], list[str]] = {}
    for refused, names in nodes_of.items():
        place, _, reason = refused.partition(": ")
        alike.setdefault((", ".join(names), reason), []).append(place)
    for (on, reason), places in alike.items():
        count = count_of(len(places), "place is", "places are")
        yield f"{on}: {count} not read ({reason}): {', '.join(_by_folder(places))}"


def _by_folder(places: Iterable[str]) -> Iterator[str]:
    """Name places; of a folder with many files, it and their number. A folder itself is named."""
    files: dict[PurePosixPath, list[str]] = {}
    for one in places:
        if PurePosixPath(one).suffix:
            files.setdefault(PurePosixPath(one).parent, []).append(one)
        else:
            yield one
    for folder, own in files.items():
        yield from [f"{count_of(len(own), 'file')} in {folder}"] if len(own) > MOST_FILES else own


def not_found(sought: str, reading: Reading, near: Sequence[str], query: Query) -> StackwardError:
    """Return the error for an id that no log has: what was looked through, and what is like it.

    Where part of the logs could not be read, the id may be there: it is another kind of error.
    """
    details = [_searched(query)]
    details += [
        printable(
            f"{node.node}: "
            + (
                "not read"
                if node.unread
                else f"{count_of(len(node.files), 'file')}, "
                f"{in_size(sum(one.scanned for one in node.files))}"
            )
        )
        for node in reading.nodes.values()
    ]
    hint = (
        perhaps(near)
        if near
        else f"{_widen(query)}services log some requests at the level DEBUG alone"
    )
    if not reading.is_whole:
        return PartlySeen(
            f"no log that could be read has `{sought}`",
            details=details,
            hint=hint if near else f"make readable what is named above; {hint}",
        )
    return StackwardError(f"no log has `{sought}`", details=details, hint=hint)


def _searched(query: Query) -> str:
    if query.since and query.until:
        return f"searched: {local(query.since)} to {local(query.until)}"
    if query.since:
        return f"searched: since {local(query.since)}"
    return f"searched: until {local(query.until)}" if query.until else "searched: all times"


def _widen(query: Query) -> str:
    flags = [
        flag for flag, at in (("--since", query.since), ("--until", query.until)) if at is not None
    ]
    return f"widen the window by {' and '.join(f'`{one}`' for one in flags)}; " if flags else ""
