"""`stackward run`: what was approved, how it goes, how to stop it."""

import getpass
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stackward.cli import Chosen
from stackward.cli.node import InventoryOption
from stackward.cli.show import ColumnOption, FormOption, show
from stackward.cli.subjects import example, subject
from stackward.errors import BadInput
from stackward.report.tables import Form

if TYPE_CHECKING:
    from stackward.engine import Brakes
    from stackward.model.run import Run
    from stackward.ports.journal import Journal

app = subject("Runs: what was approved and carried out.")

RunArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The run; the beginning of its id is enough.")
]


@contextmanager
def _journal() -> Iterator["Journal"]:
    from stackward.app import open_journal
    from stackward.settings import read_settings

    with open_journal(read_settings(os.environ, is_root=os.geteuid() == 0)) as journal:
        yield journal


@app.command("list", epilog=example("stackward run list", "stackward run list -f json"))
def list_runs(
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="The latest N.")] = 20,
    form: FormOption = Form.TABLE,
    column: ColumnOption = None,
) -> None:
    """List the runs, the latest first."""
    from stackward.app import list_runs as latest
    from stackward.report.runs import runs_table
    from stackward.settings import read_settings

    settings = read_settings(os.environ, is_root=os.geteuid() == 0)
    show(runs_table(latest(settings, limit)), form, column)


@app.command("show", epilog=example("stackward run show 01M8", "stackward run show 01M8 --events"))
def show_run(
    run_id: RunArgument,
    events: Annotated[
        bool, typer.Option("--events", help="Show all that happened, line by line.")
    ] = False,
    form: FormOption = Form.TABLE,
    column: ColumnOption = None,
) -> None:
    """Show how a run stands, attempt by attempt."""
    from stackward.report.runs import events_table, how_it_stands, steps_table

    with _journal() as journal:
        run = journal.run(run_id)
        attempts = journal.attempts(run.id)
        sys.stderr.write(how_it_stands(run, attempts) + "\n")
        if events:
            show(events_table(journal.events(run.id)), form, column)
        else:
            show(steps_table(attempts, run), form, column)


@app.command(epilog=example("stackward run watch 01M8"))
def watch(run_id: RunArgument) -> None:
    """Follow a run, event by event, until it has ended; leaving does not stop it."""
    from stackward.app import system_clock
    from stackward.report.runs import events_table, outcome
    from stackward.report.tables import render_rows

    last, clock = 0, system_clock()
    with _journal() as journal:
        run = journal.run(run_id)
        while True:
            # The state first: what happened up to it is then complete.
            run = journal.run(run.id)
            if news := journal.events(run.id, after=last):
                last = news[-1].number
                told = events_table(news).only(["At", "What", "Step", "Says"])
                sys.stdout.write(render_rows(told, Form.VALUE))
                sys.stdout.flush()
            if run.state not in {"queued", "running"}:
                break
            clock.wait(1)
        ended = outcome(run, journal.attempts(run.id))
    if ended is not None:
        raise ended


@app.command(epilog=example("stackward run cancel 01M8"))
def cancel(run_id: RunArgument) -> None:
    """Begin nothing more of a run; what is under way is waited for, never aborted."""
    from stackward.report.runs import how_it_stands

    with _journal() as journal:
        run = journal.ask_cancel(run_id, getpass.getuser(), datetime.now(UTC))
        sys.stderr.write(how_it_stands(run, journal.attempts(run.id)) + "\n")
        if run.state == "running":
            sys.stderr.write("its worker ends it once what is under way has settled\n")


@app.command(epilog=example("stackward run resume 01M8"))
def resume(
    context: typer.Context,
    run_id: RunArgument,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Give up a worker that seems alive.")
    ] = False,
    inventory: InventoryOption = None,
) -> None:
    """Carry a run on from where it stopped or its worker died."""
    with _journal() as journal:
        _carry_on(context, journal, journal.run(run_id), inventory, take_over=take_over)


@app.command(epilog=example("stackward run apply plan.json", "stackward run apply plan.json --yes"))
def apply(
    context: typer.Context,
    plan_file: Annotated[Path, typer.Argument(metavar="FILE", help="From `--plan-out`.")],
    yes: Annotated[bool, typer.Option("--yes", help="Approve it without being asked.")] = False,
    inventory: InventoryOption = None,
) -> None:
    """Approve a stored plan and carry it out, if the same would be decided now.

    So far this is proved against a fake cloud only: use it on a lab, not on a cloud that matters.
    """
    from stackward.app import read_plan
    from stackward.cli.plans import show_plan
    from stackward.engine import approve
    from stackward.model.run import Approval

    try:
        plan = read_plan(plan_file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"cannot read `{plan_file}`: {error.strerror}") from error
    if not yes:
        show_plan(plan, Form.TABLE, None)
        typer.confirm(f"{plan.title}?", abort=True, err=True)
    approval = Approval(
        by=getpass.getuser(), at=datetime.now(UTC), how="--yes" if yes else "prompt"
    )
    with _journal() as journal:
        run = approve(plan, approval, journal)
        _carry_on(context, journal, run, inventory, take_over=False)


def _carry_on(
    context: typer.Context,
    journal: "Journal",
    run: "Run",
    inventory: Path | None,
    *,
    take_over: bool,
) -> None:
    """Carry a run out here; end as the run does."""
    from stackward import app as wired
    from stackward.engine import Brakes
    from stackward.report.runs import how_it_stands, outcome
    from stackward.settings import read_settings

    settings = read_settings(os.environ, is_root=os.geteuid() == 0)
    chosen = context.find_object(Chosen)
    known = wired.read_inventory(inventory or settings.inventory)
    sys.stderr.write(
        f"run `{run.id}`, {run.title}; `stackward run watch {run.id}` follows it elsewhere\n"
    )
    brakes = Brakes()
    with wired.open_world(known, chosen.os_cloud if chosen else None) as world, _braked(brakes):
        shop = wired.workshop(world, journal)
        ended = wired.resume(run, settings, shop, brakes, take_over=take_over)
    attempts = journal.attempts(run.id)
    if (error := outcome(ended, attempts)) is not None:
        raise error
    sys.stderr.write(how_it_stands(ended, attempts) + "\n")


@contextmanager
def _braked(brakes: "Brakes") -> Iterator[None]:
    """Let Ctrl-C and a hang-up press the brakes instead of ending the process."""

    def press(_signal: int, _frame: object) -> None:
        if brakes.press() == 1:
            sys.stderr.write("begins nothing more, waits for what is under way; again: leaves\n")
        else:
            sys.stderr.write("leaves what is under way to itself\n")

    former = {each: signal.signal(each, press) for each in (signal.SIGINT, signal.SIGHUP)}
    try:
        yield
    finally:
        for each, handler in former.items():
            signal.signal(each, handler)
