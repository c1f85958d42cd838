"""What commands do with a plan: print it, keep it in a file, print what came of it."""

import getpass
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from stackward.cli.show import say_next, show, write
from stackward.cli.width import width_here
from stackward.errors import BadInput
from stackward.plan import ASKED_BY, to_json, with_caught_up
from stackward.report.plans import moves_table, refusal, render_plan
from stackward.report.tables import Form, render_records

if TYPE_CHECKING:
    from stackward.cli.options import Output
    from stackward.model.run import Attempt, Event, Run
    from stackward.plan import Plan
    from stackward.ports.journal import Journal
    from stackward.ports.world import World
    from stackward.report.chains import StartedRuns


def show_plan(plan: "Plan[World]", output: "Output") -> None:
    """Print the whole plan; as `value` or `csv`, or with columns named, its moves as rows."""
    if output.is_of_rows:
        show(moves_table(plan), output)
    elif output.form is Form.TABLE:
        write(render_plan(plan, width_here()), output.form)
    else:
        write(render_records(json.loads(to_json(plan)), output.form), output.form)


def show_and_refuse(plan: "Plan[World]", output: "Output") -> None:
    """Print a plan that is only shown, then refuse it if something blocks it."""
    show_plan(plan, output)
    sys.stdout.flush()
    if plan.blockers:
        raise refusal(plan, is_shown=output.form is Form.TABLE and not output.columns)
    if plan.stages:
        say_next(
            "nothing was changed; without `--dry-run` you are asked first, then it is carried out"
        )


def signed(plan: "Plan[Any]") -> "Plan[Any]":
    """Return the plan with who had it made, unless that is known."""
    return replace(plan, facts={ASKED_BY: getpass.getuser(), **plan.facts})


def refuse_place(path: Path) -> None:
    """Refuse a place where no plan could be kept, before there is one; nothing is left there."""
    try:
        if os.path.lexists(path):
            raise _is_there(path)
        with TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise _cannot_write(path, error) from error


def keep_plan(plan: "Plan[World]", path: Path) -> None:
    """Write the plan to a new file; an older plan is never written over."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(to_json(signed(plan)))
    except FileExistsError as error:
        raise _is_there(path) from error
    except OSError as error:
        raise _cannot_write(path, error) from error


def _is_there(path: Path) -> BadInput:
    return BadInput(f"`{path}` is there already", hint="name a new file with `--plan-out`")


def _cannot_write(path: Path, error: OSError) -> BadInput:
    return BadInput(
        f"cannot write `{path}`: {error.strerror}",
        hint="name a new file in a directory that you may write to",
    )


def show_account(
    run: "Run",
    attempts: "Sequence[Attempt]",
    events: "Sequence[Event]",
    output: "Output",
    started: "StartedRuns | None" = None,
) -> None:
    """Print what came of a run; as `value` or `csv`, or with columns named, its moves as rows.

    Of a chain, what came of the runs that it has started.
    """
    from stackward.kinds import KINDS, read_plan
    from stackward.report.account import account_data, account_table, render_account

    plan = with_caught_up(read_plan(run.plan), events, KINDS)
    if output.is_of_rows:
        show(account_table(plan, attempts, started), output)
    elif output.form is Form.TABLE:
        # A terminal has each proof above, as the run printed it; a file must have all by itself.
        is_told = sys.stdout.isatty() and sys.stderr.isatty()
        text = render_account(
            run, plan, attempts, events, width_here(), started=started, is_told=is_told
        )
        write(text, output.form)
    else:
        data = account_data(run, plan, attempts, events, started)
        write(render_records(data, output.form), output.form)


def show_proofs(
    plan: "Plan[World]",
    proofs: Sequence[tuple[str, str]],
    output: "Output",
) -> None:
    """Print what was proved without a run, in the forms of one."""
    from stackward.report.account import account_table
    from stackward.report.proofs import proofs_data, render_proofs

    if output.is_of_rows:
        show(account_table(plan, ()), output)
    elif output.form is Form.TABLE:
        sys.stdout.write("".join(f"{line}\n" for line in render_proofs(proofs)))
    else:
        write(render_records(proofs_data(plan, proofs), output.form), output.form)


def started_by(journal: "Journal", chain: "Run") -> "StartedRuns":
    """Return the runs that a chain has started, with the downtime of servers in each."""
    from stackward.report.chains import StartedRuns
    from stackward.report.downtimes import longest_downtimes

    runs = journal.children(chain.id)
    made = journal.attempts_of([each.id for each in runs]) if runs else {}
    return StartedRuns(runs, longest_downtimes(made))
