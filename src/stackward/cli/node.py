"""`stackward node`: the machines of the cloud."""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from stackward.cli import Chosen
from stackward.cli.show import ColumnOption, FormOption, show
from stackward.cli.subjects import example, subject
from stackward.errors import BadInput
from stackward.report.tables import Form

app = subject("The machines of the cloud.")

InventoryOption = Annotated[
    Path | None,
    typer.Option(
        "--inventory",
        metavar="FILE",
        help="An inventory as Ansible reads it, INI or YAML; else STACKWARD_INVENTORY.",
    ),
]


class WhenSlow(StrEnum):
    """What to do about a live migration that takes too long."""

    WAIT = "wait"
    FORCE_COMPLETE = "force-complete"
    ABORT = "abort"


@app.command(
    "list",
    epilog=example(
        "stackward node list --group compute",
        "stackward node list -f value -c Name",
    ),
)
def list_nodes(
    inventory: InventoryOption = None,
    group: Annotated[
        str | None, typer.Option(metavar="GROUP", help="Only the nodes of this group.")
    ] = None,
    form: FormOption = Form.TABLE,
    column: ColumnOption = None,
) -> None:
    """List the nodes that the inventory names."""
    from stackward.app import read_inventory
    from stackward.report.inventory import nodes_table
    from stackward.settings import read_settings

    settings = read_settings(os.environ, is_root=os.geteuid() == 0)
    known = read_inventory(inventory or settings.inventory)
    show(nodes_table(known, group), form, column)


@app.command(
    epilog=example(
        'stackward node drain compute-07 --reason "bad DIMM" --dry-run',
        'stackward node drain compute-07 --reason "bad DIMM" --dry-run --plan-out plan.json',
    ),
)
def drain(  # noqa: PLR0913, PLR0917  # one for each flag
    context: typer.Context,
    node: Annotated[str, typer.Argument(metavar="NODE", help="As the inventory or Nova calls it.")],
    reason: Annotated[str, typer.Option(help="Why; all who look at the node will read it.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the whole plan; change nothing.")
    ] = False,
    plan_out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write the plan there, if it could be approved."),
    ] = None,
    allow_downtime: Annotated[
        bool, typer.Option("--allow-downtime", help="Stop running servers that cannot move live.")
    ] = False,
    leave_behind: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="This server stays; may be repeated."),
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="NODE", help="Move all servers to this node.")
    ] = None,
    parallel: Annotated[int, typer.Option(min=1, metavar="N", help="Moves at a time.")] = 2,
    timeout: Annotated[
        int, typer.Option(min=1, metavar="SECONDS", help="After which a move counts as slow.")
    ] = 1800,
    when_slow: Annotated[
        WhenSlow, typer.Option(help="What to do about a slow live migration.")
    ] = WhenSlow.WAIT,
    keep_service: Annotated[
        bool, typer.Option("--keep-service", help="Leave nova-compute running afterwards.")
    ] = False,
    inventory: InventoryOption = None,
    form: FormOption = Form.TABLE,
    column: ColumnOption = None,
) -> None:
    """Plan how to empty a living compute node: what moves how, and what stands against it.

    So far it only plans: `--dry-run` is required.
    """
    from stackward.app import open_world, plan_drain, read_inventory
    from stackward.cli.plans import keep_plan, show_plan
    from stackward.report.plans import refusal
    from stackward.runbooks.drain_compute_node import DrainRequest
    from stackward.settings import read_settings

    if not dry_run:
        raise BadInput(
            "`node drain` can only plan so far",
            hint="pass `--dry-run` to see the plan; nothing is changed",
        )
    settings = read_settings(os.environ, is_root=os.geteuid() == 0)
    chosen = context.find_object(Chosen)
    asked = DrainRequest(
        node=node,
        reason=reason,
        allow_downtime=allow_downtime,
        leave_behind=tuple(leave_behind or ()),
        target=target,
        at_once=parallel,
        slow_after_s=float(timeout),
        when_slow=when_slow.value,
        keep_service=keep_service,
    )
    known = read_inventory(inventory or settings.inventory)
    with open_world(known, chosen.os_cloud if chosen else None) as world:
        plan = plan_drain(world, asked)
    show_plan(plan, form, column)
    sys.stdout.flush()
    if plan.blockers:
        raise refusal(plan)
    if plan_out is not None:
        keep_plan(plan, plan_out)
