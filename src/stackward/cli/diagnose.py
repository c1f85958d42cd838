"""`stackward diagnose`: which component is broken, and why."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperCommand

from stackward.cli.checking import keep_seen, open_probes
from stackward.cli.options import InventoryChoice, Output, grouped
from stackward.cli.reading_logs import (
    Where,
    by_nova,
    follow_of,
    opened_logs,
    query_of,
    say_what_was_not_read,
)
from stackward.cli.show import refuse_columns, say, write
from stackward.cli.subjects import example, subject
from stackward.cli.width import width_here
from stackward.errors import BadInput, ExitCode
from stackward.overriding import override

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from typer._click import Context

    from stackward.anatomy import Anatomy
    from stackward.diagnosis.asked import Asked
    from stackward.diagnosis.cause import Diagnosis
    from stackward.facts.failure import Failure
    from stackward.logs.reading import Query, Reading
    from stackward.logs.story import Link
    from stackward.model.changes import Changes
    from stackward.model.cloud_state import CloudState
    from stackward.model.health import Health
    from stackward.ports.command import Ran
    from stackward.ports.log_source import LogSource
    from stackward.ports.together import Together

USUAL_SPAN = "1h"  # of nodes, where no time is given
_BEFORE = timedelta(days=1)  # on nodes: what was usual then

_COMMAND = "stackward.diagnose.command"  # in the context
_MARK = "--"
_BEFORE_COMMAND = timedelta(seconds=1)  # a clock is never exact

app = subject("Which component is broken, and why.")


class _WithCommand(TyperCommand):
    """A command whose line may end with `--` and a command of the operator."""

    @override
    def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:
        if _MARK in args:
            at = args.index(_MARK)
            ctx.meta[_COMMAND], args = args[at + 1 :], args[:at]
        return super().parse_args(ctx, args)


@app.command(
    cls=_WithCommand,
    options_metavar="[OPTIONS] [-- COMMAND...]",
    epilog=example(
        "stackward diagnose",
        "stackward diagnose --since 30m",
        "stackward diagnose --request REQUEST_ID",
        "stackward diagnose -- openstack volume create --size 1 v1",
        "stackward diagnose --from collected/ --since 2026-11-27T22:00Z --why",
        "stackward diagnose --from logs.tar.gz --server SERVER_ID -f json",
    ),
)
@grouped
def diagnose(  # noqa: PLR0913  # one for each flag
    context: typer.Context,
    *,
    where: Where,
    request: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Read only lines of this request (req-...)."),
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(metavar="SERVER", help="Read only lines of this server: its UUID or name."),
    ] = None,
    why: Annotated[
        bool, typer.Option("--why", help="Show each step of the reasoning, and all evidence.")
    ] = False,
    timeout: Annotated[
        int,
        typer.Option(min=1, metavar="SECONDS", help="How long COMMAND may take; it is then ended."),
    ] = 600,
    choice: InventoryChoice,
    output: Output,
) -> int:
    """Find which component is broken, where in its code, and why.

    Without `--from`, the logs of all nodes are read, and the cloud is looked at once, as `cloud
    check` does. What is broken now and needs nothing that is broken is the cause. Nothing is
    changed.

    Give `--since` the time when the trouble began: an error that was logged before that time as
    well is not new. Or give the command that fails after `--`. It is run here, and its output goes
    to stderr. The logs of its time and of the request that it printed are read.

    Ends with 0 if nothing is wrong, and with 7 if a cause is certain or likely. Ends with 6 if
    causes are only possible, or if part could not be looked at. Ends with 1 if no log has that
    request or server, and with 8 if no log of that time could be read. A past cause counts only
    with a time.
    """
    from stackward.diagnosis.asked import Asked
    from stackward.report.diagnosis import COLUMNS, render_diagnosis
    from stackward.report.logs import notes_of

    refuse_columns(COLUMNS, output)
    if request is not None and server is not None:
        raise BadInput("`--request` and `--server` exclude each other", hint="give one of them")
    command: Sequence[str] | None = context.meta.get(_COMMAND)
    if command is not None:
        _refuse_with_command(command, where, request, server)
    sought, named = _sought(context, choice, where, request, server)
    with opened_logs(context, where, choice) as (source, together, anatomy):
        _refuse_components(where, anatomy)
        all_of_them = replace(where, component=None)
        query = query_of(all_of_them, source, together, anatomy, None, usual=USUAL_SPAN)

        ran: Ran | None = None
        if command is not None:
            from stackward.app.command import run_command

            ran = run_command(command, float(timeout))
            query = replace(query, since=ran.began - _BEFORE_COMMAND, until=None)
            sought = ran.request

        def read(asked: "Query") -> "Reading":
            from stackward.facts.logs import read_logs

            return read_logs(source, together, anatomy, asked)

        ids = _ids(sought, named, read, query, may_lack=ran is not None)
        found, failure = _found(read, query, where, frozenset(anatomy.components), ids)
        changed = {} if where.source is not None else _changed(source, together, anatomy, query)
    asked = _asked(where, is_story=bool(ids), has_run=ran is not None)
    if where.source is None:
        looked = _look(context, choice)
        found = _beside(found, failure, looked, changed, anatomy=anatomy, where=where, asked=asked)
    write(
        render_diagnosis(
            found,
            failure,
            output.form,
            output.columns,
            width_here(),
            why=why,
            follow=follow_of(where),
            ran=ran,
        ),
        output.form,
    )
    for line in notes_of(failure.reading):
        say(f"warning: {line}")
    is_timed = where.since is not None or asked is not Asked.NOW
    return _ended(found, failure, is_timed=is_timed)


def _ended(found: "Diagnosis", failure: "Failure", *, is_timed: bool) -> ExitCode:
    """Return how the command ends; what is past counts only where its time was asked for."""
    from stackward.model.sureness import Sureness

    is_seen = found.look is not None and not found.look.is_blind
    # Living nodes that have logged nothing in that time were read all the same.
    is_logged = not failure.reading.is_blind and (is_seen or not failure.is_beyond)
    if not is_logged and (is_timed or not is_seen):
        return ExitCode.UNSEEN
    counted = [one for one in found.causes if is_timed or one.is_now is not False]
    if any(one.sureness is not Sureness.POSSIBLE for one in counted):
        return ExitCode.BROKEN
    is_whole = is_logged and failure.reading.is_whole
    is_whole &= found.look is None or found.look.state.is_well
    is_grave = found.is_grave if found.look is None else bool(counted)
    return ExitCode.DONE if is_whole and not is_grave else ExitCode.DEGRADED


def _asked(where: Where, *, is_story: bool, has_run: bool) -> "Asked":
    """Return what was asked for; a time that has started and is not over is now."""
    from stackward.diagnosis.asked import Asked

    if is_story:
        return Asked.STORY
    is_over = where.until is not None or where.source is not None
    return Asked.THEN if is_over or has_run else Asked.NOW


def _changed(
    source: "LogSource", together: "Together", anatomy: "Anatomy", query: "Query"
) -> "Mapping[str, Changes]":
    """Read what was changed on the nodes, also shortly before the window."""
    from datetime import UTC, datetime

    from stackward.diagnosis.lately import SHORTLY
    from stackward.facts.changes import read_changes

    begins = query.since or datetime.now(UTC)
    return read_changes(source, together, anatomy, begins - SHORTLY)


def _look(context: typer.Context, choice: InventoryChoice) -> "tuple[Health, CloudState]":
    """Look once, as `cloud check` does."""
    from stackward.facts.cloud_state import CheckRequest
    from stackward.health.looking import check_cloud

    with open_probes(context, choice) as probes:
        health, state = check_cloud(probes, CheckRequest())
        keep_seen(probes, state)
    return health, state


def _beside(  # noqa: PLR0913  # all that is joined
    found: "Diagnosis",
    failure: "Failure",
    looked: "tuple[Health, CloudState]",
    changed: "Mapping[str, Changes]",
    *,
    anatomy: "Anatomy",
    where: Where,
    asked: "Asked",
) -> "Diagnosis":
    from stackward.diagnosis.now import Beside, beside
    from stackward.diagnosis.unit_lives import changes_in, ended
    from stackward.facts.changes import with_boots

    health, state = looked
    return beside(
        found,
        Beside(
            health=health,
            anatomy=anatomy,
            asked=asked,
            ends=ended(changes_in(failure.asides)),
            changed=with_boots(changed, state),
            nodes=frozenset(where.node or ()),
            only=frozenset(where.component or ()),
        ),
    )


def _sought(
    context: typer.Context,
    choice: InventoryChoice,
    where: Where,
    request: str | None,
    server: str | None,
) -> "tuple[str | None, Mapping[str, Link]]":
    """Return whose story is wanted; of a cloud Nova knows a server by its name."""
    from stackward.logs.story import kind_of

    if request is not None and kind_of(request) != "request":
        raise BadInput(f"`{request}` is no id of a request", hint="it begins with `req-`")
    if server is None:
        return request, {}
    if where.source is None:
        return by_nova(context, choice, server)
    if kind_of(server) is None:
        raise BadInput(
            f"`{server}` is not an id; names cannot be looked up where only collected logs are "
            "read",
            hint="give the UUID of the server",
        )
    return server, {}


def _refuse_with_command(
    command: "Sequence[str]", where: Where, request: str | None, server: str | None
) -> None:
    """Refuse what does not go together with a command, which has its own time and request."""
    if not command:
        raise BadInput("no command follows `--`", hint="stackward diagnose -- COMMAND...")
    others = {
        "--from": where.source, "--since": where.since, "--until": where.until,
        "--request": request, "--server": server,
    }  # fmt: skip
    if given := next((flag for flag, one in others.items() if one is not None), None):
        raise BadInput(
            f"`{given}` and a command exclude each other",
            hint="leave it out: the command gives the time and the request",
        )


def _refuse_components(where: Where, anatomy: "Anatomy") -> None:
    """Refuse a component that nobody knows, with the nearest names."""
    from stackward.diagnosis.components import ALL_NAMES
    from stackward.wording import near_to, perhaps

    known = {*anatomy.components, *ALL_NAMES}
    for name in where.component or ():
        if name not in known:
            near = near_to(name, sorted(known))
            raise BadInput(
                f"there is no component `{name}`",
                hint=perhaps(near) if near else "name one of the anatomy, such as `nova-compute`",
            )


def _ids(
    sought: str | None,
    named: "Mapping[str, Link]",
    read: "Callable[[Query], Reading]",
    query: "Query",
    *,
    may_lack: bool,
) -> tuple[str, ...]:
    """Return the ids that belong to what is sought; raise an error if no log has it.

    If it may be missing, no id is returned: all of that time is looked at.
    """
    from stackward.facts.follow import follow, nearest
    from stackward.report.logs import not_found

    if sought is None:
        return ()
    story, reading = follow(sought, read, query, named=named)
    if not story.hops and may_lack:
        return ()
    if not story.hops and not reading.is_blind:
        say_what_was_not_read(reading)
        raise not_found(sought, reading, nearest(sought, read, query), query)
    return tuple(link.id for link in story.links)


def _found(
    read: "Callable[[Query], Reading]",
    query: "Query",
    where: Where,
    known: frozenset[str],
    ids: tuple[str, ...],
) -> "tuple[Diagnosis, Failure]":
    from stackward.diagnosis.reasoning import diagnose as reasoned
    from stackward.diagnosis.signs import LOOKED_FOR
    from stackward.diagnosis.unit_lives import WORDS as OF_UNITS
    from stackward.facts.failure import read_failure
    from stackward.signatures import read_signatures

    only = frozenset(where.component or ())
    is_live = where.source is None
    before, beside = (_BEFORE, OF_UNITS) if is_live else (None, ())
    failure = read_failure(read, query, LOOKED_FOR, ids=ids, before=before, beside=beside)
    return reasoned(failure, known, only, read_signatures()), failure
