"""Approve a plan and carry it out here; end as its run does. Serves every command that changes."""

import getpass
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import typer

from stackward.cli.following import following
from stackward.cli.options import Approving, InventoryChoice, Output, Planning
from stackward.cli.outside import open_engine, open_journal, open_world
from stackward.cli.plans import (
    keep_plan,
    refuse_place,
    show_account,
    show_and_refuse,
    show_proofs,
    signed,
    started_by,
)
from stackward.cli.show import refuse_columns, say, say_next
from stackward.cli.width import width_here
from stackward.errors import BadInput, Refused
from stackward.plan import cloud_of, refuse_another

if TYPE_CHECKING:
    from stackward.app.engine import Engine
    from stackward.cli.triaging import Explain
    from stackward.engine import Brakes
    from stackward.model.run import Run, Turn
    from stackward.plan import Plan, Request
    from stackward.ports.journal import Journal
    from stackward.ports.world import World

_WAITS = "begins nothing more, waits for what is under way; again: leaves"
_LEAVES = "leaves what is under way to itself"


def carry_out(  # noqa: PLR0913  # what was asked for, and how it is shown
    context: typer.Context,
    asked: "Request | Callable[[World, Journal], Request]",
    *,
    planning: Planning,
    approving: Approving,
    choice: InventoryChoice,
    output: Output,
    explain: "Explain | None" = None,
) -> None:
    """Plan a request, have the plan approved, and carry it out; or only show or keep the plan.

    The request may be made of the world to which it is put: by a name that is looked up there.
    """
    from stackward.operations import plan_request

    place = planning.plan_out
    if place is not None:
        refuse_place(place)
    turn = turn_of(approving)  # what is no time is said before the cloud is asked
    with open_world(context, choice) as world, open_journal() as journal:
        plan = plan_request(world, journal, asked(world, journal) if callable(asked) else asked)
    if place is not None and not plan.blockers:
        keep_plan(plan, place)
    if planning.dry_run:
        show_and_refuse(plan, output)
    else:
        approve_and_carry_out(
            context,
            plan,
            approving=approving,
            turn=turn,
            choice=choice,
            output=output,
            explain=explain,
        )


def turn_of(approving: Approving) -> "Turn | None":
    """Return when the run may begin, by `--at` or `--window`; None: at once."""
    if approving.at is None and approving.window is None:
        return None
    from stackward.app.turns import turn_of as read

    return read(approving.at, approving.window)


def approve_and_carry_out(  # noqa: PLR0913  # what is approved, for when, and how it is shown
    context: typer.Context,
    plan: "Plan[Any]",
    *,
    approving: Approving,
    turn: "Turn | None",
    choice: InventoryChoice,
    output: Output,
    explain: "Explain | None" = None,
) -> None:
    """Show the plan, have it approved, carry it out, and show what was proved.

    Or leave it to the workers, and show under which id.
    """
    from stackward.app.engine import refuse_to_wait
    from stackward.engine import Brakes
    from stackward.model.run import Approval
    from stackward.report.account import account_table
    from stackward.report.colour import painted
    from stackward.report.plans import refusal, render_plan
    from stackward.report.turns import in_turn

    if approving.queue or turn is not None:
        refuse_to_wait(plan)
    refuse_columns(account_table(plan, ()).columns, output)
    sys.stderr.write(painted(render_plan(plan, width_here(sys.stderr)), sys.stderr))
    if plan.blockers:
        raise refusal(plan, is_shown=True)
    if not plan.stages:
        _prove(context, plan, choice, output)
        return
    if turn is not None:
        say(f"\n{in_turn(turn)}")
    if not approving.yes:
        _confirm(plan)
    how = "--yes" if approving.yes else "prompt"
    if approving.queue or turn is not None:
        with open_engine() as engine:
            approval = Approval(by=getpass.getuser(), at=engine.clock.now(), how=how)
            run = engine.approve(signed(plan), approval, for_workers=True, turn=turn)
            _show_queued(run, engine, output)
        return
    brakes = Brakes()
    # Opened before the run exists: what cannot be opened must not leave a run behind.
    with (
        open_world(context, choice) as world,
        open_engine(brakes) as engine,
        _braked(brakes) as unsaid,
    ):
        refuse_another("the plan", cloud_of(plan), world.cloud.identity())
        approval = Approval(by=getpass.getuser(), at=world.clock.now(), how=how)
        run = engine.approve(signed(plan), approval)
        _carry_out(
            world, engine, run, brakes, unsaid, take_over=False, output=output, explain=explain
        )


def carry_on(  # same
    context: typer.Context,
    run_id: str,
    *,
    take_over: bool,
    choice: InventoryChoice,
    output: Output,
) -> None:
    """Carry a run on that was approved before, and show what was proved."""
    from stackward.engine import Brakes
    from stackward.kinds import read_plan
    from stackward.report.account import account_table

    brakes = Brakes()
    with open_engine(brakes) as engine:
        # Before the world is opened: what names no such run needs neither cloud nor inventory.
        run = engine.to_resume(run_id, take_over=take_over)
        refuse_columns(account_table(read_plan(run.plan), ()).columns, output)
        with open_world(context, choice) as world, _braked(brakes) as unsaid:
            _carry_out(world, engine, run, brakes, unsaid, take_over=take_over, output=output)


def approve_what_is_new(
    context: typer.Context, run_id: str, *, yes: bool, choice: InventoryChoice
) -> None:
    """Show what a stopped chain could not begin, and have it approved; of any other run nothing.

    Refuses to go on where something blocks it.
    """
    from stackward.kinds import read_plan
    from stackward.model.run import Approval
    from stackward.report.colour import painted
    from stackward.report.plans import refusal, render_plan
    from stackward.report.text import printable

    with open_engine() as engine:
        run = engine.journal.run(run_id)
        if not (run.is_chain and run.state == "stopped"):
            return
        with open_world(context, choice) as world:
            refuse_another(f"run `{run.id}`", cloud_of(read_plan(run.plan)), world.cloud.identity())
            found = list(engine.what_is_new(run, world))
        for new in found:
            sys.stderr.write(painted(render_plan(new.plan, width_here(sys.stderr)), sys.stderr))
            if new.plan.blockers:
                raise refusal(new.plan, is_shown=True)
            say(f"\nnot approved with chain `{run.id}`:")
            for line in new.lines:
                say(f"  {printable(line)}")
            if not yes:
                _confirm(new.plan, hint="pass `--yes` to approve it without a prompt")
        how = "--yes" if yes else "prompt"
        approval = Approval(by=getpass.getuser(), at=engine.clock.now(), how=how)
        for new in found:
            engine.approve_more(run, new, approval)


def queue_again(run_id: str, *, take_over: bool, turn: "Turn | None", output: Output) -> None:
    """Leave a run to the workers that was approved before."""
    with open_engine() as engine:
        run = engine.queue(run_id, getpass.getuser(), take_over=take_over, turn=turn)
        _show_queued(run, engine, output)


def _show_queued(run: "Run", engine: "Engine", output: Output) -> None:
    from stackward.cli.show import show
    from stackward.report.runs import runs_table
    from stackward.report.turns import waits

    show(runs_table([run]), output)
    sys.stdout.flush()
    say(f"{waits(run, engine.clock.now())}; `stackward run watch {run.id}` follows it")
    if engine.is_without_workers(run):
        sys.stderr.write("no worker of its cloud is alive: start one with `stackward worker`\n")


def _prove(
    context: typer.Context,
    plan: "Plan[Any]",
    choice: InventoryChoice,
    output: Output,
) -> None:
    """Prove the end of a plan that has nothing to be done: that needs no approval, and no run."""
    from stackward.engine.verify import ask_all
    from stackward.report.proofs import not_proved

    with open_world(context, choice) as world:
        refuse_another("the plan", cloud_of(plan), world.cloud.identity())
        proofs = [(proof.what, proof.text) for proof in ask_all(plan.verify, world)]
    show_proofs(plan, proofs, output)
    sys.stdout.flush()
    if (error := not_proved(plan, proofs)) is not None:
        raise error


def _confirm(
    plan: "Plan[Any]",
    *,
    hint: str = "pass `--yes` to approve the plan without a prompt; `--dry-run` only shows it",
) -> None:
    from stackward.report.text import printable

    if not sys.stdin.isatty():
        raise BadInput(
            f"cannot ask whether to {plan.title}: there is no terminal to answer on",
            stands="nothing was changed",
            hint=hint,
        )
    # Not typer's prompt: it writes a part of itself to stdout, where only data goes.
    sys.stderr.write(f"\n{printable(plan.title)}? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().casefold() not in {"y", "yes"}:
        raise Refused(f"{plan.title}: not approved")


def _carry_out(  # noqa: PLR0913  # same
    world: "World",
    engine: "Engine",
    run: "Run",
    brakes: "Brakes",
    unsaid: list[str],
    *,
    take_over: bool,
    output: Output,
    explain: "Explain | None" = None,
) -> None:
    from stackward.operations import can_be_undone
    from stackward.report.account import not_brought_up
    from stackward.report.runs import how_it_stands, outcome

    # A line for the command alone: it is there to be copied.
    sys.stderr.write(f"run `{run.id}`, {run.title}\n")
    sys.stderr.write(f"to follow it from elsewhere: `stackward run watch {run.id}`\n")
    journal = engine.journal
    with following(journal, run, world.clock, sys.stderr) as followed:

        def meanwhile() -> None:
            # A terminal that hung up shows nothing more; the run goes on to where it may stop.
            with suppress(OSError):
                while unsaid:
                    followed.say(unsaid.pop(0))
                followed.look()

        ended = engine.carry_out(run, world, brakes, meanwhile, take_over=take_over)
    attempts = journal.attempts(ended.id)
    started = started_by(journal, ended) if ended.is_chain else None
    show_account(ended, attempts, journal.events(ended.id), output, started)
    sys.stdout.flush()
    if explain is not None and (failed := not_brought_up(ended, attempts)):
        explain(world, failed)
    has_undo = can_be_undone(journal, ended)
    if (error := outcome(ended, attempts, has_undo=has_undo)) is not None:
        raise error
    say(how_it_stands(ended, attempts))
    if has_undo:
        say_next(f"`stackward run undo {ended.id}` undoes it")


@contextmanager
def _braked(brakes: "Brakes") -> Iterator[list[str]]:
    """Let Ctrl-C and a hang-up press the brakes; keep the messages about it for later.

    A signal may come in the middle of a write, which its handler must not write into.
    """
    unsaid: list[str] = []
    terminals = [stream.fileno() for stream in (sys.stdout, sys.stderr) if stream.isatty()]

    def press(which: int, _frame: object) -> None:
        if which == signal.SIGHUP:
            _give_up(terminals)
            if brakes.is_stopping:
                # One closed terminal may send several: the shell passes it on, the kernel repeats.
                return
        is_first = brakes.press() == 1
        unsaid.append(_WAITS if is_first else _LEAVES)

    former = {each: signal.signal(each, press) for each in (signal.SIGINT, signal.SIGHUP)}
    try:
        yield unsaid
    finally:
        for each, handler in former.items():
            signal.signal(each, handler)


def _give_up(terminals: list[int]) -> None:
    """Let what is written to a terminal that is gone go nowhere; files and pipes are left.

    The run then ends as it would, with its exit code, instead of by an error of a write.
    """
    for each in terminals:
        if not os.isatty(each):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, each)
            os.close(nowhere)
