"""`stackward log`: what the services of all nodes have logged."""

from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stackward.cli.options import InventoryChoice, Output, grouped
from stackward.cli.outside import inventory_here, open_world
from stackward.cli.show import refuse_columns, say, write
from stackward.cli.subjects import example, one_of, subject
from stackward.cli.width import width_here
from stackward.errors import BadInput, ExitCode, StackwardError
from stackward.report.tables import Form

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from stackward.anatomy import Anatomy
    from stackward.facts.tail import Tail
    from stackward.logs.event import Level
    from stackward.logs.reading import Query, Reading
    from stackward.logs.story import Link
    from stackward.ports.log_source import LogSource
    from stackward.ports.together import Together

MOST_LINES = 1000
USUAL_SPAN = "1d"  # of nodes, where no time is given

app = subject("What the services of all nodes have logged.")


class Grave(StrEnum):
    """From which level on events are shown."""

    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Where:
    """Which logs are read, and of which time."""

    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="PATH",
            help="Collected logs: a folder with a folder for each node, a tar of it, or a "
            "sosreport. No node is asked. Else the nodes of the inventory.",
        ),
    ] = None
    zone: Annotated[
        str | None,
        typer.Option(
            "--zone",
            metavar="NAME",
            help="The time zone of collected lines that name none; else the node's own, if that "
            "was collected, or UTC.",
        ),
    ] = None
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Only what is newer: a time such as 2026-11-27T22:00, or a span such as 90s, "
            "30m, 6h, 2d before now; of collected logs, before their newest line.",
        ),
    ] = None
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only what is older; as `--since`.")
    ] = None
    component: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this component; may be repeated."),
    ] = None
    node: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this node; may be repeated.")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Chosen:
    """What is shown of what is logged now."""

    node: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this node; may be repeated.")
    ] = None
    grep: Annotated[
        list[str] | None,
        typer.Option(metavar="WORD", help="Only events with this in them; may be repeated."),
    ] = None
    level: Annotated[
        Grave | None,
        typer.Option(metavar="LEVEL", help=f"From which level on: {one_of(Grave)}; else all."),
    ] = None
    lines: Annotated[
        int,
        typer.Option(
            "--lines",
            "-n",
            metavar="N",
            min=0,
            max=MOST_LINES,
            help="How many of the events that are there already are shown first.",
        ),
    ] = 10


@app.callback()
def log() -> None:
    """Read the logs of all nodes as one."""


@app.command(
    epilog=example(
        "stackward log errors --since 1h",
        "stackward log errors --component nova-compute --level warning",
        "stackward log errors --from collected/ -f json",
    ),
)
@grouped
def errors(
    context: typer.Context,
    *,
    where: Where,
    choice: InventoryChoice,
    level: Annotated[
        Grave, typer.Option(metavar="LEVEL", help=f"From which level on: {one_of(Grave)}.")
    ] = Grave.ERROR,
    output: Output,
) -> int:
    """Show the errors of all logs in groups.

    Of each: how many, since when, where, and one of them. Errors that differ only in numbers, ids
    and addresses are one group. A traceback is one event. Ends with 0, with 6 if part of the logs
    could not be read, or 8 if none could.
    """
    from stackward.facts.logs import read_logs
    from stackward.logs.groups import grouped as in_groups
    from stackward.report.logs import GROUP_COLUMNS, render_groups

    refuse_columns(GROUP_COLUMNS, output)
    with _opened(context, where, choice) as (source, together, anatomy):
        query = _query(where, source, together, anatomy, _level(level))
        reading = read_logs(source, together, anatomy, query)
    groups = in_groups(reading.events)
    write(render_groups(groups, output.form, output.columns, width_here()), output.form)
    return _ended(reading)


@app.command(
    epilog=example(
        "stackward log follow REQUEST_ID",
        "stackward log follow db-01 --since 6h",
        "stackward log follow PORT_ID --from logs.tar.gz -f json",
    ),
)
@grouped
def follow(
    context: typer.Context,
    *,
    sought: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="Of a request (req-...), a server, a port or a volume; or the name of a server.",
        ),
    ],
    where: Where,
    choice: InventoryChoice,
    output: Output,
) -> int:
    """Show the story of one request or thing over all nodes, hop by hop.

    The id of a request changes at each hop: each that is followed has its reason. Ends with 0, with
    1 if nothing was found, with 6 if part of the logs could not be read, or 8 if none could.
    """
    from stackward.facts.follow import follow as followed
    from stackward.facts.follow import nearest
    from stackward.facts.logs import read_logs
    from stackward.logs.story import kind_of
    from stackward.report.logs import EVENT_COLUMNS, not_found, render_story

    if kind_of(sought) is None and where.source is not None:
        raise BadInput(
            f"`{sought}` is no id, and of collected logs nobody knows names",
            hint="name a request as `req-...`, or the UUID of a server, a port or a volume",
        )
    refuse_columns(EVENT_COLUMNS, output)
    named: Mapping[str, Link] = {}
    if where.source is None and kind_of(sought) != "request":
        sought, named = _by_nova(context, choice, sought)
    with _opened(context, where, choice) as (source, together, anatomy):
        query = _query(where, source, together, anatomy, None)

        def read(asked: "Query") -> "Reading":
            return read_logs(source, together, anatomy, asked)

        story, reading = followed(sought, read, query, named=named)
        near = () if story.hops else nearest(sought, read, query)
    if not story.hops and not reading.is_blind:
        raise not_found(sought, reading, near)
    write(render_story(story, output.form, output.columns, width_here()), output.form)
    return _ended(reading)


@app.command(
    epilog=example(
        "stackward log tail nova-compute",
        "stackward log tail nova-api nova-scheduler --node ctl --grep req-",
        "stackward log tail neutron-server --level warning -f json",
    ),
)
@grouped
def tail(
    context: typer.Context,
    *,
    component: Annotated[
        list[str], typer.Argument(metavar="COMPONENT", help="Whose logs, on all nodes.")
    ],
    chosen: Chosen,
    choice: InventoryChoice,
    output: Output,
) -> int:
    """Show what is logged now, on all nodes, until Ctrl-C.

    Rotated files are followed. If a node stops answering, a warning says so. It is tried again, and
    goes on where it stopped. Ends with 0, with 6 if part could not be read at the end, or 8 if no
    node could be read.
    """
    from stackward.app.logs import open_live_logs_of
    from stackward.facts.tail import Tail, TailQuery

    if output.form not in {Form.TABLE, Form.JSON} or output.columns:
        raise BadInput(
            "what goes on without an end has no columns",
            hint="leave `-f` out, or take `-f json`, which writes an object a line",
        )
    query = TailQuery(
        components=tuple(component),
        nodes=tuple(chosen.node or ()),
        level=None if chosen.level is None else _level(chosen.level),
        words=tuple(chosen.grep or ()),
        lines=chosen.lines,
    )
    with open_live_logs_of(inventory_here(context, choice)) as (source, streams, clock):
        _refuse_nodes(query.nodes, source.nodes, "in the inventory")
        tail = Tail(source, streams, clock, _anatomy(), query)
        try:
            _show_live(tail, output.form)
        except KeyboardInterrupt:
            if tail.is_blind:
                raise
        # Before the connections are closed: then no node is heard any more.
        if tail.is_blind:
            return ExitCode.UNSEEN
        return ExitCode.DONE if tail.is_whole else ExitCode.DEGRADED


def _show_live(tail: "Tail", form: Form) -> None:
    """Write events as they come, and what is said of nodes between them."""
    import sys

    from stackward.facts.tail import Remark
    from stackward.logs.event import Level
    from stackward.report.colour import as_grave
    from stackward.report.logs import render_live

    def paint(level: Level) -> str:
        return as_grave(level.word, is_error=level >= Level.ERROR, stream=sys.stdout)

    is_begun = False
    for batch in tail.batches():
        for one in batch:
            if isinstance(one, Remark):
                sys.stdout.flush()
                say(f"warning: `{one.node}` {one.says}")
            else:
                sys.stdout.write(render_live(one, form, width_here(), paint))
        sys.stdout.flush()
        if not is_begun and not tail.is_blind:
            _say_what_is_followed(tail)
        is_begun = True


def _say_what_is_followed(tail: "Tail") -> None:
    from stackward.wording import count_of

    files = tail.files()
    nothing = sorted(name for name, those in files.items() if not those)
    number = sum(len(those) for those in files.values())
    say(f"note: following {count_of(number, 'log')} on {count_of(len(files), 'node')}; Ctrl-C ends")
    if nothing and len(nothing) < len(files):
        return  # a component is on some nodes alone
    if nothing:
        say("warning: no node has a log of that; what is written later is followed")


def _level(level: Grave) -> "Level":
    from stackward.facts.logs import level_named

    return level_named(level.value)


def _anatomy() -> "Anatomy":
    from stackward.anatomy import read_anatomy

    return read_anatomy()


def _refuse_nodes(given: "Iterable[str]", there: "Sequence[str]", place: str) -> None:
    """Refuse a name that no node has."""
    if unknown := [each for each in given if each not in there]:
        raise BadInput(
            f"there is no node `{unknown[0]}` {place}", hint=f"nodes: {', '.join(there)}"
        )


def _by_nova(
    context: typer.Context, choice: InventoryChoice, sought: str
) -> "tuple[str, Mapping[str, Link]]":
    """Ask Nova whose id a name is, and for the requests of a server.

    An id is followed also where Nova does not answer: logs are read most when it does not.
    """
    from stackward.facts.sought import known_links, read_sought
    from stackward.logs.story import kind_of

    try:
        with open_world(context, choice) as world:
            if kind_of(sought) is None:
                return read_sought(world.nova, sought)
            return sought, known_links(world.nova, sought)
    except StackwardError as error:
        if kind_of(sought) is None:
            raise
        say(f"note: Nova's action log was not read: {error.message}")
        return sought, {}


@contextmanager
def _opened(
    context: typer.Context, where: Where, choice: InventoryChoice
) -> "Iterator[tuple[LogSource, Together, Anatomy]]":
    from stackward.app.logs import open_logs_in, open_logs_of

    if where.zone is not None and where.source is None:
        raise BadInput(
            "`--zone` is for collected logs: a node is asked for its own",
            hint="leave it out, or name collected logs by `--from`",
        )
    opened = (
        open_logs_of(inventory_here(context, choice))
        if where.source is None
        else open_logs_in(where.source, where.zone)
    )
    with opened as (source, together):
        place = f"in `{where.source}`" if where.source else "in the inventory"
        _refuse_nodes(where.node or (), source.nodes, place)
        yield source, together, _anatomy()


def _query(
    where: Where,
    source: "LogSource",
    together: "Together",
    anatomy: "Anatomy",
    level: "Level | None",
) -> "Query":
    from datetime import UTC, datetime

    from stackward.facts.logs import newest_in
    from stackward.logs.reading import Query
    from stackward.logs.window import is_span, read_time

    query = Query(
        level=level, components=tuple(where.component or ()), nodes=tuple(where.node or ())
    )
    given = {"--since": where.since or (None if source.is_collected else USUAL_SPAN)}
    given["--until"] = where.until
    newest = datetime.now(UTC)
    if source.is_collected and any(each and is_span(each) for each in given.values()):
        newest = newest_in(source, together, anatomy, query) or newest
    since, until = (
        None if each is None else read_time(each, flag=flag, newest=newest)
        for flag, each in given.items()
    )
    if since and until and since > until:
        raise BadInput("`--since` is later than `--until`", hint="exchange them")
    return replace(query, since=since, until=until)


def _ended(reading: "Reading") -> ExitCode:
    """Say what could not be read, and return how the command ends."""
    from stackward.report.logs import clock_steps_of, notes_of, places_of

    for line in (*places_of(reading), *clock_steps_of(reading)):
        say(f"note: {line}")
    for line in notes_of(reading):
        say(f"warning: {line}")
    if reading.is_blind:
        return ExitCode.UNSEEN
    return ExitCode.DONE if reading.is_whole else ExitCode.DEGRADED
