"""Approve a plan and carry it out here; end as its run does. Serves every command that changes."""

import getpass
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from stackward.cli.following import following
from stackward.cli.outside import open_journal, open_world, settings_here
from stackward.cli.plans import show_account, show_proofs, signed
from stackward.errors import BadInput, Refused
from stackward.report.tables import Form

if TYPE_CHECKING:
    from stackward.engine import Brakes
    from stackward.model.run import Run
    from stackward.plan import Plan
    from stackward.ports.journal import Journal
    from stackward.ports.world import World

_WAITS = "begins nothing more, waits for what is under way; again: leaves"
_LEAVES = "leaves what is under way to itself"


def approve_and_carry_out(  # noqa: PLR0913  # what was asked for, and how it is shown
    context: typer.Context,
    plan: "Plan[Any]",
    *,
    yes: bool,
    inventory: Path | None,
    form: Form = Form.TABLE,
    columns: Sequence[str] | None = None,
) -> None:
    """Show the plan, have it approved, carry it out, and show what was proved."""
    from stackward.engine import Brakes, approve
    from stackward.model.run import Approval
    from stackward.report.plans import refusal, render_plan

    sys.stderr.write(render_plan(plan))
    if plan.blockers:
        raise refusal(plan)
    if not plan.stages:
        _prove(context, plan, inventory, form, columns)
        return
    if not yes:
        _confirm(plan)
    brakes = Brakes()
    # Opened before the run exists: what cannot be opened must not leave a run behind.
    with (
        open_world(context, inventory) as world,
        open_journal() as journal,
        _braked(brakes) as unsaid,
    ):
        now, how = world.clock.now(), "--yes" if yes else "prompt"
        run = approve(signed(plan), Approval(by=getpass.getuser(), at=now, how=how), journal)
        _carry_out(world, journal, run, brakes, unsaid, take_over=False, form=form, columns=columns)


def carry_on(  # noqa: PLR0913  # same
    context: typer.Context,
    run_id: str,
    *,
    take_over: bool,
    inventory: Path | None,
    form: Form = Form.TABLE,
    columns: Sequence[str] | None = None,
) -> None:
    """Carry a run on that was approved before, and show what was proved."""
    from stackward.engine import Brakes

    brakes = Brakes()
    with (
        open_world(context, inventory) as world,
        open_journal() as journal,
        _braked(brakes) as unsaid,
    ):
        run = journal.run(run_id)
        _carry_out(
            world, journal, run, brakes, unsaid, take_over=take_over, form=form, columns=columns
        )


def _prove(
    context: typer.Context,
    plan: "Plan[Any]",
    inventory: Path | None,
    form: Form,
    columns: Sequence[str] | None,
) -> None:
    """Prove the end of a plan that has nothing to be done: that needs no approval, and no run."""
    from stackward import app
    from stackward.report.account import not_proved

    with open_world(context, inventory) as world:
        proofs = [(proof.what, proof.text) for proof in app.prove(world, plan)]
    show_proofs(plan, proofs, form, columns)
    sys.stdout.flush()
    if (error := not_proved(plan, proofs)) is not None:
        raise error


def _confirm(plan: "Plan[Any]") -> None:
    from stackward.report.text import printable

    if not sys.stdin.isatty():
        raise BadInput(
            f"cannot ask whether to {plan.title}: there is no terminal to answer on",
            stands="nothing was changed",
            hint="pass `--yes` to approve the plan unasked; `--dry-run` only shows it",
        )
    # Not typer's prompt: it writes a part of itself to stdout, where only data goes.
    sys.stderr.write(f"\n{printable(plan.title)}? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().casefold() not in {"y", "yes"}:
        raise Refused(f"{plan.title}: not approved")


def _carry_out(  # noqa: PLR0913  # same
    world: "World",
    journal: "Journal",
    run: "Run",
    brakes: "Brakes",
    unsaid: list[str],
    *,
    take_over: bool,
    form: Form,
    columns: Sequence[str] | None,
) -> None:
    from stackward import app
    from stackward.report.runs import how_it_stands, outcome

    sys.stderr.write(
        f"run `{run.id}`, {run.title}; `stackward run watch {run.id}` follows it elsewhere\n"
    )
    shop = app.workshop(world, journal)
    with following(journal, run, world.clock, sys.stderr) as followed:

        def meanwhile() -> None:
            # A terminal that hung up shows nothing more; the run goes on to where it may stop.
            with suppress(OSError):
                while unsaid:
                    followed.say(unsaid.pop(0))
                followed.look()

        ended = app.resume(
            run, settings_here(), shop, brakes, take_over=take_over, meanwhile=meanwhile
        )
    attempts = journal.attempts(ended.id)
    show_account(ended, attempts, journal.events(ended.id), form, columns)
    sys.stdout.flush()
    if (error := outcome(ended, attempts)) is not None:
        raise error
    sys.stderr.write(how_it_stands(ended, attempts) + "\n")


@contextmanager
def _braked(brakes: "Brakes") -> Iterator[list[str]]:
    """Let Ctrl-C and a hang-up press the brakes; what is to be said of it is kept for later.

    A signal may come in the middle of a write, which its handler must not write into.
    """
    unsaid: list[str] = []

    def press(_signal: int, _frame: object) -> None:
        is_first = brakes.press() == 1
        unsaid.append(_WAITS if is_first else _LEAVES)

    former = {each: signal.signal(each, press) for each in (signal.SIGINT, signal.SIGHUP)}
    try:
        yield unsaid
    finally:
        for each, handler in former.items():
            signal.signal(each, handler)
