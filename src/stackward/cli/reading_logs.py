"""What commands that read logs share: which logs, of which time, and how they are opened."""

import shlex
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stackward.cli import Chosen
from stackward.cli.options import InventoryChoice
from stackward.cli.outside import inventory_here, open_world
from stackward.cli.show import say
from stackward.errors import BadInput, StackwardError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from stackward.anatomy import Anatomy
    from stackward.logs.event import Level
    from stackward.logs.reading import Query, Reading
    from stackward.logs.story import Link
    from stackward.ports.log_source import LogSource
    from stackward.ports.together import Together

USUAL_SPAN = "1d"  # of nodes, where no time is given


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Where:
    """Which logs are read, and of which time."""

    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="PATH",
            help="Collected logs: a folder with a folder for each node, a tar of it, or a "
            "sosreport. No node is asked. By default the nodes of the inventory are read.",
        ),
    ] = None
    zone: Annotated[
        str | None,
        typer.Option(
            "--zone",
            metavar="NAME",
            help="The time zone of collected lines without one; by default that of the node, if it "
            "was collected, or UTC.",
        ),
    ] = None
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Only what is newer: a time such as 2026-11-27T22:00, or a span such as 90s, "
            "30m, 6h, 2d before now. A time without a zone is one of this machine; with a Z at its "
            "end it is UTC. Of collected logs, a span counts back from their newest line.",
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


def anatomy_here() -> "Anatomy":
    """Read what a cloud is made of."""
    from stackward.anatomy import read_anatomy

    return read_anatomy()


def refuse_nodes(given: "Iterable[str]", there: "Sequence[str]", place: str) -> None:
    """Refuse a name that no node has."""
    if unknown := [each for each in given if each not in there]:
        raise BadInput(
            f"there is no node `{unknown[0]}` {place}", hint=f"nodes: {', '.join(there)}"
        )


def by_nova(
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
def opened_logs(
    context: typer.Context, where: Where, choice: InventoryChoice
) -> "Iterator[tuple[LogSource, Together, Anatomy]]":
    """Open the logs that are meant, of nodes or collected; refuse a node that is not there."""
    from stackward.app.logs import open_logs_in, open_logs_of

    chosen = context.find_object(Chosen) or Chosen()
    if where.zone is not None and where.source is None:
        raise BadInput(
            "`--zone` is for collected logs: a node is asked for its own",
            hint="leave it out, or name collected logs by `--from`",
        )
    opened = (
        (chosen.open_logs or open_logs_of)(inventory_here(context, choice))
        if where.source is None
        else open_logs_in(where.source, where.zone)
    )
    with opened as (source, together):
        place = f"in `{where.source}`" if where.source else "in the inventory"
        refuse_nodes(where.node or (), source.nodes, place)
        yield source, together, anatomy_here()


@contextmanager
def reader_here(
    context: typer.Context, choice: InventoryChoice
) -> "Iterator[Callable[[Query], Reading]]":
    """Open the logs of the nodes, to be read by a query."""
    from stackward.app.logs import open_logs_of
    from stackward.facts.logs import read_logs

    chosen = context.find_object(Chosen) or Chosen()
    opened = chosen.open_logs or open_logs_of
    with opened(inventory_here(context, choice)) as (source, together):
        yield lambda asked: read_logs(source, together, anatomy_here(), asked)


def say_what_was_not_read(reading: "Reading") -> None:
    """Say on stderr where logs are elsewhere, and what of them could not be read."""
    from stackward.report.logs import clock_steps_of, not_understood_of, notes_of, places_of

    for line in (*places_of(reading), *clock_steps_of(reading), *not_understood_of(reading)):
        say(f"note: {line}")
    for line in notes_of(reading):
        say(f"warning: {line}")


def follow_of(where: Where) -> str:
    """Return the command that follows a request in the same logs, up to its id."""
    collected = f" --from {shlex.quote(str(where.source))}" if where.source is not None else ""
    return f"stackward log follow{collected}"


def query_of(  # noqa: PLR0913  # all that a query is made of
    where: Where,
    source: "LogSource",
    together: "Together",
    anatomy: "Anatomy",
    level: "Level | None",
    *,
    usual: str = USUAL_SPAN,
) -> "Query":
    """Return which events are meant; a span counts back from now, or from the newest line."""
    from datetime import UTC, datetime

    from stackward.facts.logs import newest_in
    from stackward.logs.reading import Query
    from stackward.logs.window import is_span, read_time

    query = Query(
        level=level, components=tuple(where.component or ()), nodes=tuple(where.node or ())
    )
    given = {"--since": where.since or (None if source.is_collected else usual)}
    given["--until"] = where.until
    newest = datetime.now(UTC)
    if source.is_collected and any(each and is_span(each) for each in given.values()):
        newest = newest_in(source, together, anatomy, query) or newest
    since, until = (
        None if each is None else read_time(each, flag=flag, newest=newest)
        for flag, each in given.items()
    )
    if since and not source.is_collected and since > newest:
        raise BadInput(
            f"`--since {where.since}` is in the future",
            hint="a time without a zone is one of this machine; write a Z at its end for UTC",
        )
    if since and until and since > until:
        raise BadInput("`--since` is later than `--until`", hint="exchange them")
    return replace(query, since=since, until=until)
