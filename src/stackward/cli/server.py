"""`stackward server`: the servers of the cloud, one at a time."""

from pathlib import Path
from typing import Annotated

import typer

from stackward.cli.node import InventoryOption, QueueOption, YesOption
from stackward.cli.outside import ReaderOption, open_journal, open_world
from stackward.cli.show import ColumnOption, FormOption, WideOption
from stackward.cli.subjects import example, subject
from stackward.report.tables import Form

app = subject("The servers of the cloud, one at a time.")


@app.callback()
def _subject() -> None:
    """Keep the verb, although there is only one as yet."""


@app.command(
    epilog=example(
        "stackward server reboot web-1 --dry-run",
        "stackward server reboot web-1",
        "stackward server reboot web-1 --hard",
    ),
)
def reboot(  # noqa: PLR0913, PLR0917  # one for each flag
    context: typer.Context,
    server: Annotated[
        str, typer.Argument(metavar="SERVER", help="Its name or id, of any project.")
    ],
    hard: Annotated[
        bool, typer.Option("--hard", help="Switch it off and on, without a shutdown of its guest.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the whole plan; change nothing.")
    ] = False,
    plan_out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write the plan there, if it could be approved."),
    ] = None,
    yes: YesOption = False,
    queue: QueueOption = False,
    inventory: InventoryOption = None,
    inventory_reader: ReaderOption = None,  # noqa: ARG001  # its callback keeps it
    form: FormOption = Form.TABLE,
    column: ColumnOption = None,
    wide: WideOption = False,  # noqa: ARG001  # its callback keeps it
) -> None:
    """Reboot a server where it is, and prove that it was rebooted.

    The plan is shown first; it is carried out once it is approved. It names the volumes that Nova
    or Cinder would forget by the reboot. A server that was stopped is refused: `--hard` would start
    it. A reboot cannot be undone.
    """
    from stackward.cli.carrying import approve_and_carry_out
    from stackward.cli.plans import keep_plan, refuse_place, show_and_refuse
    from stackward.operations import plan_request
    from stackward.requests.reboot_server import RebootRequest

    if plan_out is not None:
        refuse_place(plan_out)
    with open_world(context, inventory) as world, open_journal() as journal:
        plan = plan_request(world, journal, RebootRequest(server=server, is_hard=hard))
    if plan_out is not None and not plan.blockers:
        keep_plan(plan, plan_out)
    if dry_run:
        show_and_refuse(plan, form, column)
        return
    approve_and_carry_out(
        context, plan, yes=yes, queue=queue, inventory=inventory, form=form, columns=column
    )
