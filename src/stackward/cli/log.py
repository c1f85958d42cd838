"""`stackward log`: what the services of all nodes have logged."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from stackward.cli.options import InventoryChoice, Output, grouped
from stackward.cli.outside import inventory_here
from stackward.cli.reading_logs import (
    Where,
    anatomy_here,
    by_nova,
    follow_of,
    opened_logs,
    query_of,
    refuse_nodes,
    say_what_was_not_read,
)
from stackward.cli.show import refuse_columns, say, write
from stackward.cli.subjects import example, one_of, subject
from stackward.cli.width import width_here
from stackward.errors import BadInput, ExitCode
from stackward.report.tables import Form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stackward.facts.tail import Tail
    from stackward.logs.event import Level
    from stackward.logs.reading import Query, Reading
    from stackward.logs.story import Link

MOST_LINES = 1000

app = subject("What the services of all nodes have logged.")


class Grave(StrEnum):
    """From which level on events are shown."""

    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


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
        typer.Option(
            metavar="LEVEL", help=f"From which level on: {one_of(Grave)}; by default all."
        ),
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
    """Show the errors of all logs, like errors together.

    Of each group: how many, since when, where, and one of them. Errors that differ only in numbers,
    ids and addresses are one group. A traceback is one event. Ends with 0, with 6 if part of the
    logs could not be read, or 8 if none could.
    """
    from stackward.facts.logs import read_logs
    from stackward.logs.groups import grouped as in_groups
    from stackward.report.logs import GROUP_COLUMNS, render_groups

    refuse_columns(GROUP_COLUMNS, output)
    with opened_logs(context, where, choice) as (source, together, anatomy):
        query = query_of(where, source, together, anatomy, _level(level))
        reading = read_logs(source, together, anatomy, query)
    groups = in_groups(reading.events)
    is_whole = reading.is_whole and reading.is_understood
    shown = render_groups(
        groups,
        output.form,
        output.columns,
        width_here(),
        is_whole=is_whole,
        follow=follow_of(where),
    )
    write(shown, output.form)
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
    1 if no log has it, with 6 if part of the logs could not be read, or 8 if none could.
    """
    from stackward.facts.follow import follow as followed
    from stackward.facts.follow import nearest
    from stackward.facts.logs import read_logs
    from stackward.logs.story import kind_of
    from stackward.report.logs import EVENT_COLUMNS, not_found, render_story

    if kind_of(sought) is None and where.source is not None:
        raise BadInput(
            f"`{sought}` is not an id; names cannot be looked up where only collected logs are "
            "read",
            hint="give the id of a request (`req-...`), or the UUID of a server, a port or a "
            "volume",
        )
    refuse_columns(EVENT_COLUMNS, output)
    named: Mapping[str, Link] = {}
    began, asks_nova = datetime.now(UTC), where.source is None and kind_of(sought) != "request"
    if asks_nova:
        sought, named = by_nova(context, choice, sought)
    with opened_logs(context, where, choice) as (source, together, anatomy):
        query = query_of(where, source, together, anatomy, None)
        if asks_nova and not (named or query.until):
            # Our own question for it is logged as well; uWSGI writes whole seconds.
            query = replace(query, until=began.replace(microsecond=0) - timedelta(microseconds=1))

        def read(asked: "Query") -> "Reading":
            return read_logs(source, together, anatomy, asked)

        story, reading = followed(sought, read, query, named=named)
        near = () if story.hops else nearest(sought, read, query)
    if not story.hops and not reading.is_blind:
        say_what_was_not_read(reading)
        raise not_found(sought, reading, near, query)
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
    """Show new log lines of all nodes as they are written, until Ctrl-C.

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
        refuse_nodes(query.nodes, source.nodes, "in the inventory")
        tail = Tail(source, streams, clock, anatomy_here(), query)
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


def _ended(reading: "Reading") -> ExitCode:
    """Say what could not be read, and return how the command ends."""
    say_what_was_not_read(reading)
    if reading.is_blind:
        return ExitCode.UNSEEN
    return ExitCode.DONE if reading.is_whole else ExitCode.DEGRADED
