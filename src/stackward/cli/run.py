"""`stackward run`: what was approved, how it goes, how to stop it."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from platform import node
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stackward.cli.options import (
    AT,
    WINDOW,
    Acceptance,
    Approving,
    InventoryChoice,
    Movers,
    Output,
    Pace,
    Planning,
    grouped,
    how_to_move,
)
from stackward.cli.outside import open_engine, open_journal, settings_here
from stackward.cli.show import say, say_next, show
from stackward.cli.subjects import example, subject
from stackward.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stackward.app.engine import Engine
    from stackward.model.run import Event, Run
    from stackward.plan import Plan

app = subject("Runs: what was approved and carried out.")

RunArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The run; the beginning of its id is enough.")
]


@app.command("list", epilog=example("stackward run list", "stackward run list -f json"))
@grouped
def list_runs(
    *,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="The latest N.")] = 20,
    output: Output,
) -> None:
    """List the runs, the latest first."""
    from stackward.app.listing import list_runs as latest
    from stackward.report.runs import runs_table

    runs = [_seen(run) for run in latest(settings_here(), limit)]
    show(runs_table(runs, {run.id for run in runs if _is_orphan(run)}), output)


@app.command("show", epilog=example("stackward run show 01M8", "stackward run show 01M8 --events"))
@grouped
def show_run(
    *,
    run_id: RunArgument,
    events: Annotated[
        bool, typer.Option("--events", help="Show all that happened, line by line.")
    ] = False,
    output: Output,
) -> None:
    """Show the state of a run, attempt by attempt."""
    from stackward.cli.plans import started_by
    from stackward.report.chains import chain_for_people, chain_table
    from stackward.report.names import Names
    from stackward.report.runs import events_table, how_it_stands, steps_table

    with open_journal() as journal:
        run = _seen(journal.run(run_id))
        attempts, happened = journal.attempts(run.id), journal.events(run.id)
        started = started_by(journal, run) if run.is_chain else None
    plan = _plan_of(run, happened)
    names = Names.of_run(run, plan, happened)
    say(how_it_stands(run, attempts, is_orphan=_is_orphan(run)))
    if events:
        show(events_table(happened, names), output)
    elif run.is_chain and plan is not None:
        table = chain_table(plan, attempts, started)
        is_read = output.form == "table" and not output.columns
        show(chain_for_people(table, plan) if is_read else table, output)
    else:
        show(steps_table(attempts, run, names), output)
    if _is_orphan(run):
        sys.stdout.flush()
        say_next(f"`stackward run resume {run.id}` goes on; nothing is done twice")


@app.command(epilog=example("stackward run audit 01M8", "stackward run audit 01M8 --export"))
@grouped
def audit(
    *,
    run_id: RunArgument,
    export: Annotated[
        bool, typer.Option("--export", help="Every field, as JSON: one record a line.")
    ] = False,
    output: Output,
) -> None:
    """Show who asked, who approved, each attempt and each proof.

    Each has its requests, and what was read for it. The fields of `--export` are a contract.
    """
    from stackward.report.audit import audit_records, audit_table, render_audit, who_is_who
    from stackward.report.runs import how_it_stands

    with open_journal() as journal:
        run = _seen(journal.run(run_id))
        attempts, events = journal.attempts(run.id), journal.events(run.id)
    records = audit_records(run, _plan_of(run, events), attempts, events)
    if export:
        sys.stdout.write(render_audit(records))
        return
    say(how_it_stands(run, attempts, is_orphan=_is_orphan(run)))
    say(who_is_who(records))
    show(audit_table(records), output)


def _seen(run: "Run") -> "Run":
    """Return a run as it is now: that its turn has passed may not be written down yet."""
    if run.turn is None:
        return run
    from stackward.status.turn import seen_at

    return seen_at(run, datetime.now(UTC))


def _is_orphan(run: "Run") -> bool:
    if run.state != "running":
        return False
    from stackward.status.run import state_now

    return state_now(run, node(), datetime.now(UTC)) == "stopped"


def _plan_of(run: "Run", events: "Sequence[Event]") -> "Plan[Any] | None":
    """Return the plan of a run, with all that was caught up; None: another version made it."""
    from stackward.kinds import KINDS, read_plan
    from stackward.plan import with_caught_up

    try:
        return with_caught_up(read_plan(run.plan), events, KINDS)
    except BadInput:
        return None


@app.command(epilog=example("stackward run check", "stackward run check 01M8 -f json"))
@grouped
def check(
    *,
    run_id: Annotated[
        str | None,
        typer.Argument(metavar="ID", help="Only this run; the beginning of its id is enough."),
    ] = None,
    output: Output,
) -> int:
    """Look for contradictions in the database of runs; change nothing.

    It checks what must always be true of each run. Each step has at most one open attempt. No
    worker that was given up writes. No node is held by two runs. Steps start in the order of the
    plan. Nothing happens after the end. Each row shows one that is broken: the run, the invariant,
    what was found, what to do. The database is only read, also one of an older version.

    Exit codes: 0 (all in order), 7 (not in order), 8 (the database cannot be read).
    """
    from stackward.app.invariants import broken_invariants
    from stackward.errors import ExitCode
    from stackward.report.runs import broken_table
    from stackward.wording import count_of

    broken, looked = broken_invariants(settings_here(), run_id)
    rows = [(each.run, each.invariant.name, each.found, each.remedy) for each in broken]
    show(broken_table(rows), output)
    of = f"{len({each.run for each in broken})} of " if broken else ""
    say(f"{of}{count_of(looked, 'run')} {'not in order' if broken else 'checked: all in order'}")
    return ExitCode.BROKEN if broken else ExitCode.DONE


@app.command(epilog=example("stackward run watch 01M8"))
def watch(run_id: RunArgument) -> None:
    """Follow a run until it has ended; leaving does not stop it."""
    from stackward.cli.following import following
    from stackward.report.runs import orphaned, outcome

    with open_engine() as engine:
        journal = engine.journal
        found = journal.run(run_id)
        _say_if_it_waits_in_vain(engine, engine.seen(found))
        with following(journal, found, engine.clock, sys.stdout) as followed:
            while (run := engine.seen(followed.look())).state in {"queued", "running"}:
                if engine.state_of(run) == "stopped":
                    raise orphaned(run)
                engine.clock.wait(1)
        ended = outcome(run, journal.attempts(run.id))
    if ended is not None:
        raise ended


@app.command(
    epilog=example("stackward run cancel 01M8", "stackward run cancel 01M8 --give-up 'c01 burned'")
)
def cancel(
    run_id: RunArgument,
    give_up: Annotated[
        str | None,
        typer.Option(
            "--give-up",
            metavar="WHY",
            help="End a stopped run although nobody can see how its steps ended, for example "
            "because the node has died. The open steps are recorded as lost, with your reason, and "
            "the nodes are free.",
        ),
    ] = None,
) -> None:
    """Begin nothing more of a run; what is under way is waited for."""
    import getpass

    from stackward.report.runs import half_way, how_it_stands, orphaned

    with open_engine() as engine:
        journal = engine.journal
        if give_up is not None:
            run = engine.give_up(run_id, getpass.getuser(), give_up)
            say(how_it_stands(run, journal.attempts(run.id)))
            return
        run, left = engine.cancel(run_id, getpass.getuser())
        say(how_it_stands(run, journal.attempts(run.id)))
        if run.state == "stopped":
            raise half_way(run, left)
        if _is_orphan(run):
            raise orphaned(run)
        if run.state in {"running", "queued"}:
            sys.stderr.write("its worker ends it once what is under way has settled\n")
            _say_if_it_waits_in_vain(engine, run)


def _say_if_it_waits_in_vain(engine: "Engine", run: "Run") -> None:
    is_waiting = run.for_workers and not run.state.is_over
    if is_waiting and engine.is_without_workers(run):
        sys.stderr.write(
            "it waits for a worker of its cloud, and none is alive: `stackward worker`\n"
        )


@app.command(
    epilog=example(
        "stackward run resume 01M8",
        "stackward run resume 01M8 --queue",
        "stackward run resume 01M8 --window 01:00-05:00",
    )
)
@grouped
def resume(  # noqa: PLR0913  # one for each flag
    context: typer.Context,
    *,
    run_id: RunArgument,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Give up a worker that seems alive.")
    ] = False,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes", help="Of a chain: approve what is new in its next runs without a prompt."
        ),
    ] = False,
    queue: Annotated[bool, typer.Option("--queue", help="Leave it to the workers.")] = False,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help=AT)] = None,
    window: Annotated[str | None, typer.Option("--window", metavar="WINDOW", help=WINDOW)] = None,
    choice: InventoryChoice,
    output: Output,
) -> None:
    """Continue a run that has stopped, or whose worker has died.

    With `--at` or `--window` a worker goes on with it then. Where a chain has stopped because more
    was needed than was approved, the new plan is shown, and you are asked for an approval of it.
    """
    from stackward.cli.carrying import approve_what_is_new, carry_on, queue_again, turn_of

    turn = turn_of(Approving(at=at, window=window))
    approve_what_is_new(context, run_id, yes=yes, choice=choice)
    if queue or turn is not None:
        queue_again(run_id, take_over=take_over, turn=turn, output=output)
        return
    carry_on(context, run_id, take_over=take_over, choice=choice, output=output)


@app.command(
    epilog=example(
        "stackward run undo 01M8 --dry-run",
        "stackward run undo 01M8 --network internal",
    )
)
@grouped
def undo(  # noqa: PLR0913  # one for each flag
    context: typer.Context,
    *,
    run_id: RunArgument,
    image: Annotated[
        str | None,
        typer.Option(
            metavar="NAME_OR_ID",
            help="Image of the acceptance server of a return; default: the smallest public one.",
        ),
    ] = None,
    acceptance: Acceptance,
    movers: Movers,
    keep_service: Annotated[
        bool,
        typer.Option(
            "--keep-service",
            help="Of a return, which a drain undoes: leave nova-compute running afterwards.",
        ),
    ] = False,
    pace: Pace,
    planning: Planning,
    approving: Approving,
    choice: InventoryChoice,
    output: Output,
) -> None:
    """Take back what a run has changed, unless others changed it since.

    A drain is undone by a return: the node comes back into service, then the servers that the run
    moved come home. A return is undone by a drain. What others have changed since is left, and
    named. The undo is a plan as any other: shown, approved, carried out and proved.
    """
    from stackward.cli.carrying import carry_out
    from stackward.requests.undo_run import UndoRequest

    with open_journal() as journal:  # what names no run needs neither cloud nor inventory
        run = journal.run(run_id).id
    asked = UndoRequest(
        run=run,
        image=image,
        flavor=acceptance.flavor,
        network=acceptance.network,
        how=how_to_move(movers, pace),
        keep_service=keep_service,
    )
    carry_out(context, asked, planning=planning, approving=approving, choice=choice, output=output)


@app.command(epilog=example("stackward run apply plan.json", "stackward run apply plan.json --yes"))
@grouped
def apply(  # one for each flag
    context: typer.Context,
    *,
    plan_file: Annotated[Path, typer.Argument(metavar="FILE", help="From `--plan-out`.")],
    approving: Approving,
    choice: InventoryChoice,
    output: Output,
) -> None:
    """Approve a stored plan and carry it out, if it still holds."""
    from stackward.cli.carrying import approve_and_carry_out, turn_of
    from stackward.kinds import read_plan
    from stackward.plan import refuse_unsaid

    turn = turn_of(approving)
    try:
        plan = read_plan(plan_file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise BadInput(
            f"cannot read `{plan_file}`: {why}", hint="name a file that `--plan-out` wrote"
        ) from error
    refuse_unsaid(plan)
    approve_and_carry_out(
        context, plan, approving=approving, turn=turn, choice=choice, output=output
    )
