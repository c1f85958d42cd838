"""`stackward node`: the machines of the cloud."""

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stackward.cli.checking import (
    RpcOption,
    StrictOption,
    TablesOption,
    TimeoutOption,
    check_once,
    open_lookout,
)
from stackward.cli.outside import (
    ReaderOption,
    inventory_here,
    open_journal,
    open_world,
    settings_here,
)
from stackward.cli.show import ColumnOption, FormOption, WideOption, show
from stackward.cli.subjects import example, one_of, subject
from stackward.errors import BadInput
from stackward.report.tables import Form

if TYPE_CHECKING:
    from stackward.model.wish import Consent
    from stackward.plan import Plan

app = subject("The machines of the cloud.")

InventoryOption = Annotated[
    Path | None,
    typer.Option(
        "--inventory",
        metavar="PATH",
        help="An inventory as Ansible reads it, INI or YAML; else STACKWARD_INVENTORY.",
    ),
]

YesOption = Annotated[bool, typer.Option("--yes", help="Approve the plan without being asked.")]

QueueOption = Annotated[
    bool, typer.Option("--queue", help="Once approved, leave it to the workers.")
]


class WhenSlow(StrEnum):
    """What to do about a live migration that takes too long."""

    WAIT = "wait"
    FORCE_COMPLETE = "force-complete"
    ABORT = "abort"
    STOP_SERVER = "stop-server"


ParallelOption = Annotated[int, typer.Option(min=1, metavar="N", help="Moves at a time.")]
SlowAfterOption = Annotated[
    int, typer.Option(min=1, metavar="SECONDS", help="After which a move counts as slow.")
]
WhenSlowOption = Annotated[
    WhenSlow,
    typer.Option(
        metavar="ACTION",
        help=f"What to do about a slow live migration: {one_of(WhenSlow)}.",
    ),
]


AllowDowntimeOption = Annotated[
    bool, typer.Option("--allow-downtime", help="Stop running servers that cannot move live.")
]
LeaveBehindOption = Annotated[
    list[str] | None, typer.Option(metavar="ID", help="This server stays; may be repeated.")
]
ConsentOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ID=REFERENCE",
        help="The owner of this server, who wishes to be asked, agrees; may be repeated.",
    ),
]


@app.command(
    "list",
    epilog=example(
        "stackward node list --group compute",
        "stackward node list --maintenance",
        "stackward node list -f value -c Name",
    ),
)
def list_nodes(  # noqa: PLR0913, PLR0917  # one for each flag
    context: typer.Context,
    inventory: InventoryOption = None,
    inventory_reader: ReaderOption = None,  # noqa: ARG001  # its callback keeps it
    group: Annotated[
        str | None, typer.Option(metavar="GROUP", help="Only the nodes of this group.")
    ] = None,
    maintenance: Annotated[
        bool,
        typer.Option("--maintenance", help="The compute nodes that Nova has disabled, and why."),
    ] = False,
    form: FormOption = Form.TABLE,
    column: ColumnOption = None,
    wide: WideOption = False,  # noqa: ARG001  # its callback keeps it
) -> None:
    """List the nodes of the inventory, or those that are out of service."""
    from stackward.app import memory_of, read_maintenance
    from stackward.model.unread import Unread
    from stackward.report.inventory import (
        identities_of,
        maintenance_table,
        nodes_in,
        nodes_table,
    )
    from stackward.report.text import printable

    known = inventory_here(context, inventory)
    nodes_in(known, group)  # before the cloud is asked
    if not maintenance:
        show(nodes_table(known, group), form, column)
        return
    with open_world(context, inventory) as world:
        once = memory_of(settings_here())(world.cloud.identity().id)
        found = read_maintenance(world, None if isinstance(once, Unread) else once)
    if isinstance(once, Unread):
        sys.stderr.write(f"warning: the journal was not read: {printable(once.why)}\n")
    for line in identities_of(found):
        sys.stderr.write(f"note: {line}\n")
    show(maintenance_table(found, known, group), form, column)


@app.command(
    epilog=example(
        'stackward node drain compute-07 --reason "bad DIMM"',
        'stackward node drain compute-07 --reason "bad DIMM" --dry-run',
        "stackward node drain compute-07 --reason test --dry-run --plan-out plan.json",
    ),
)
def drain(  # noqa: PLR0913, PLR0917  # one for each flag
    context: typer.Context,
    node: Annotated[str, typer.Argument(metavar="NODE", help="As the inventory or Nova calls it.")],
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Shown to everyone as Nova's disabled reason.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the whole plan; change nothing.")
    ] = False,
    plan_out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write the plan there, if it could be approved."),
    ] = None,
    yes: YesOption = False,
    queue: QueueOption = False,
    allow_downtime: AllowDowntimeOption = False,
    leave_behind: LeaveBehindOption = None,
    consent: ConsentOption = None,
    projects: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID_OR_NAME", help="Move only servers of this project; may be repeated."
        ),
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="NODE", help="Move all servers to this node.")
    ] = None,
    parallel: ParallelOption = 2,
    timeout: SlowAfterOption = 1800,
    when_slow: WhenSlowOption = WhenSlow.WAIT,
    keep_service: Annotated[
        bool, typer.Option("--keep-service", help="Leave nova-compute running afterwards.")
    ] = False,
    no_mask: Annotated[
        bool,
        typer.Option(
            "--no-mask", help="Keep nova-compute off without masking it, for Ansible's sake."
        ),
    ] = False,
    inventory: InventoryOption = None,
    inventory_reader: ReaderOption = None,  # noqa: ARG001  # its callback keeps it
    form: FormOption = Form.TABLE,
    column: ColumnOption = None,
    wide: WideOption = False,  # noqa: ARG001  # its callback keeps it
) -> None:
    """Empty a living compute node, and keep it out of service.

    It is cordoned, every server is moved off it, and its service is kept off. The plan is shown
    first; it is carried out once it is approved, and each move and the end are proved. A node that
    is in maintenance already is only proved to be empty still.
    """
    from dataclasses import replace

    from stackward.app import read_projects
    from stackward.cli.carrying import approve_and_carry_out
    from stackward.cli.plans import keep_plan, refuse_place, show_and_refuse
    from stackward.operations import plan_request
    from stackward.requests.drain_compute_node import DrainRequest
    from stackward.requests.how_to_move import HowToMove

    asked = DrainRequest(
        node=node,
        reason=reason,
        how=HowToMove(
            allow_downtime=allow_downtime,
            leave_behind=tuple(leave_behind or ()),
            consents=consents_in(consent or ()),
            at_once=parallel,
            slow_after_s=float(timeout),
            when_slow=when_slow.value,
        ),
        target=target,
        keep_service=keep_service,
        with_mask=not no_mask,
    )
    if plan_out is not None:
        refuse_place(plan_out)
    with open_world(context, inventory) as world, open_journal() as journal:
        asked = replace(asked, projects=read_projects(world, projects or (), node))
        plan = plan_request(world, journal, asked)
    if plan_out is not None and not plan.blockers:
        keep_plan(plan, plan_out)
    if dry_run:
        show_and_refuse(plan, form, column)
        return
    approve_and_carry_out(
        context, plan, yes=yes, queue=queue, inventory=inventory, form=form, columns=column
    )


def consents_in(words: Sequence[str]) -> "tuple[Consent, ...]":
    """Return what owners agreed to, by the words of `--consent`."""
    from stackward.model.wish import Consent

    consents: dict[str, Consent] = {}
    for word in words:
        server, _, reference = (part.strip() for part in word.partition("="))
        if not (server and reference):
            raise BadInput(
                f"`--consent {word}` is not a server's id and a reference",
                hint="write `--consent ID=REFERENCE`, such as the number of a ticket",
            )
        if server in consents:
            raise BadInput(f"`--consent` was given twice for the server `{server}`")
        consents[server] = Consent(server=server, reference=reference)
    return tuple(consents.values())


@app.command(
    "return",
    epilog=example(
        "stackward node return compute-07 --dry-run",
        "stackward node return compute-07 --network internal --bring-back",
    ),
)
def return_(  # noqa: PLR0913, PLR0917  # one for each flag
    context: typer.Context,
    node: Annotated[str, typer.Argument(metavar="NODE", help="As the inventory or Nova calls it.")],
    bring_back: Annotated[
        bool,
        typer.Option("--bring-back", help="Then move home the servers that its drain moved away."),
    ] = False,
    run: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Its drain; else the run whose claim the node bears. Must be given to lift the "
            "claim of a run that another machine has in its journal.",
        ),
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(
            metavar="NAME_OR_ID", help="For the acceptance server; else the smallest public image."
        ),
    ] = None,
    flavor: Annotated[
        str | None,
        typer.Option(metavar="NAME_OR_ID", help="For the same; else the smallest that fits."),
    ] = None,
    network: Annotated[
        str | None, typer.Option(metavar="NAME_OR_ID", help="For the same; else it has no port.")
    ] = None,
    allow_downtime: AllowDowntimeOption = False,
    leave_behind: LeaveBehindOption = None,
    consent: ConsentOption = None,
    parallel: ParallelOption = 2,
    timeout: SlowAfterOption = 1800,
    when_slow: WhenSlowOption = WhenSlow.WAIT,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the whole plan; change nothing.")
    ] = False,
    yes: YesOption = False,
    queue: QueueOption = False,
    inventory: InventoryOption = None,
    inventory_reader: ReaderOption = None,  # noqa: ARG001  # its callback keeps it
    form: FormOption = Form.TABLE,
    column: ColumnOption = None,
    wide: WideOption = False,  # noqa: ARG001  # its callback keeps it
) -> None:
    """Put a drained node back into service, once it is proved to work.

    Its nova-compute is started, what it needs is checked, it is uncordoned, and at once one small
    server is booted there and removed. Should that fail, it is cordoned again.
    `--allow-downtime`, `--leave-behind`, `--consent`, `--parallel`, `--timeout` and `--when-slow`
    say which servers of `--bring-back` move, and how.
    """
    from stackward.cli.carrying import approve_and_carry_out
    from stackward.cli.plans import show_and_refuse
    from stackward.operations import plan_request
    from stackward.policy.maintenance import is_in_service
    from stackward.requests.bring_back_servers import bring_back_request
    from stackward.requests.how_to_move import HowToMove
    from stackward.requests.return_compute_node import ReturnRequest

    if not bring_back:
        _refuse_how_servers_move(context)
    how = HowToMove(
        allow_downtime=allow_downtime,
        leave_behind=tuple(leave_behind or ()),
        consents=consents_in(consent or ()),
        at_once=parallel,
        slow_after_s=float(timeout),
        when_slow=when_slow.value,
    )
    asked = ReturnRequest(node=node, image=image, flavor=flavor, network=network, run=run)
    with open_world(context, inventory) as world, open_journal() as journal:
        plan = plan_request(world, journal, asked)
        if dry_run and bring_back and is_in_service(plan.blockers):
            plan = plan_request(world, journal, bring_back_request(plan.request, how))
    if dry_run:
        show_and_refuse(plan, form, column)
        return
    if queue and bring_back and not is_in_service(plan.blockers):
        raise BadInput(
            "`--bring-back` is planned once the node serves again: it cannot be queued with that",
            stands="nothing was changed",
            hint="queue the return alone; when it has succeeded, queue it with `--bring-back`"
            + _both_at_once(plan),
        )
    if not (bring_back and is_in_service(plan.blockers)):
        approve_and_carry_out(
            context, plan, yes=yes, queue=queue, inventory=inventory, form=form, columns=column
        )
    if not bring_back:
        return
    with open_world(context, inventory) as world, open_journal() as journal:
        home = plan_request(world, journal, bring_back_request(plan.request, how))
    approve_and_carry_out(
        context, home, yes=yes, queue=queue, inventory=inventory, form=form, columns=column
    )


def _both_at_once(plan: "Plan[Any]") -> str:
    from stackward.requests.return_compute_node import ReturnRequest

    run = plan.request.run if isinstance(plan.request, ReturnRequest) else None
    way = f"`stackward run undo {run} --queue` does both under one approval"
    return f"; or {way}" if run else ""


_HOW_SERVERS_MOVE = (
    "allow_downtime", "leave_behind", "consent", "parallel", "timeout", "when_slow",
)  # fmt: skip


def _refuse_how_servers_move(context: typer.Context) -> None:
    """Refuse flags that would be passed over: without `--bring-back` no server moves."""
    given = [
        f"`--{name.replace('_', '-')}`"
        for name in _HOW_SERVERS_MOVE
        if (source := context.get_parameter_source(name)) and source.name != "DEFAULT"
    ]
    if given:
        raise BadInput(
            f"{', '.join(given)}: only servers that are brought back move",
            hint="add `--bring-back`, or leave that out",
        )


@app.command(
    epilog=example("stackward node check compute-07", "stackward node check ctl -f json"),
)
def check(  # noqa: PLR0913, PLR0917  # one for each flag
    context: typer.Context,
    node: Annotated[str, typer.Argument(metavar="NODE", help="As the inventory or Nova calls it.")],
    rpc: RpcOption = True,
    tables: TablesOption = False,
    strict: StrictOption = False,
    timeout: TimeoutOption = 8,
    inventory: InventoryOption = None,
    inventory_reader: ReaderOption = None,  # noqa: ARG001  # its callback keeps it
    form: FormOption = Form.TABLE,
    column: ColumnOption = None,
    wide: WideOption = False,  # noqa: ARG001  # its callback keeps it
) -> int:
    """Say what is well on a node, what is not, why, and what to do.

    The node is looked at, and the APIs are asked what they hear from it. Nothing is changed. Ends
    with 0 (well as far as asked), 6 (degraded, or part of it could not be looked at), 7 (broken)
    or 8 (nothing was reached).
    """
    from stackward.facts.cloud_state import CheckRequest
    from stackward.looking import check_node

    with open_lookout(context, inventory) as lookout:
        asked = CheckRequest(within_s=timeout, tables=tables, rpc=rpc)
        return check_once(lambda: check_node(lookout, node, asked), form, column, strict=strict)
