"""`stackward cloud`: the cloud as a whole."""

from enum import StrEnum
from typing import Annotated

import typer

from stackward.cli.checking import (
    RpcOption,
    StrictOption,
    TablesOption,
    TimeoutOption,
    check_once,
    open_probes,
)
from stackward.cli.options import Approving, InventoryChoice, Output, Planning, grouped
from stackward.cli.reconciling import (
    KillOption,
    MinAgeOption,
    OrphansOption,
    RemoveOption,
    RepairOption,
    orphans_here,
    reconcile_here,
    refuse_without_repair,
    remove_here,
    repair_here,
)
from stackward.cli.subjects import example, one_of, subject
from stackward.errors import BadInput

app = subject("The cloud as a whole.")


class Interface(StrEnum):
    """The interfaces of a catalog."""

    PUBLIC = "public"
    INTERNAL = "internal"
    ADMIN = "admin"


@app.callback()
def cloud() -> None:
    """See how the cloud is."""


@app.command(
    epilog=example(
        "stackward cloud check",
        "stackward cloud check -f json",
        "stackward cloud check --watch",
        "stackward cloud check --interface public --tables --timeout 60",
    ),
)
@grouped
def check(  # noqa: PLR0913  # one for each flag
    context: typer.Context,
    *,
    watch: Annotated[
        bool, typer.Option("--watch", help="Look again and again, until Ctrl-C.")
    ] = False,
    every: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="Between two looks of `--watch`.")
    ] = 15,
    rpc: RpcOption = True,
    tables: TablesOption = False,
    strict: StrictOption = False,
    interface: Annotated[
        list[Interface] | None,
        typer.Option(
            metavar="NAME",
            help=f"Try only endpoints of this interface: {one_of(Interface)}; may be repeated. "
            "By default all of the catalog.",
        ),
    ] = None,
    timeout: TimeoutOption = 8,
    choice: InventoryChoice,
    output: Output,
) -> int:
    """Say by component what is well, what is not, and what to do.

    All nodes of the inventory are looked at side by side, and the APIs at the same time. Nothing
    is changed. Ends with 0 (well as far as asked), 6 (degraded, or part of it could not be looked
    at), 7 (broken) or 8 (nothing was reached).
    """
    from stackward.facts.cloud_state import CheckRequest
    from stackward.health.looking import check_cloud

    chosen = tuple(each.value for each in interface or Interface)
    asked = CheckRequest(within_s=timeout, interfaces=chosen, tables=tables, rpc=rpc)
    with open_probes(context, choice) as probes:
        if watch:
            from stackward.cli.watching import watch_cloud

            return watch_cloud(probes, asked, every_s=every, strict=strict)
        return check_once(probes, lambda: check_cloud(probes, asked), output, strict=strict)


@app.command(
    epilog=example(
        "stackward cloud reconcile",
        "stackward cloud reconcile -f json",
        "stackward cloud reconcile --orphans",
        "stackward cloud reconcile --orphans --remove service/ID --dry-run",
        "stackward cloud reconcile --repair allocation-orphan --dry-run",
        "stackward cloud reconcile --repair domain-elsewhere --kill-domain c08/ID",
    ),
)
@grouped
def reconcile(  # noqa: PLR0913  # one for each flag
    context: typer.Context,
    *,
    orphans: OrphansOption = False,
    remove: RemoveOption = None,
    min_age: MinAgeOption = None,
    repair: RepairOption = None,
    kill_domain: KillOption = None,
    planning: Planning,
    approving: Approving,
    choice: InventoryChoice,
    output: Output,
) -> int:
    """Compare what Nova, libvirt, placement, Neutron and Cinder have.

    It shows where they disagree, and what to do. Nothing is changed. If the first look sees a
    disagreement, a second one follows after STACKWARD_RECONCILE_WAIT_S (30 s). A case counts only
    if both see it, and if nobody acts on the server in between. Facts that cannot be read give no
    case.

    Exit codes: 0 (all agree), 6 (they disagree, or part of it could not be read), 7 (a server runs
    on two nodes), 8 (Nova cannot be asked).

    `--repair` makes a plan of the cases of a class, which is shown first and carried out once it is
    approved; what cannot be proved by the other witnesses is left alone. It ends as a run does, and
    with 3 where nothing can be repaired. A guest is ended only where `--kill-domain` names it.

    `--orphans` lists guests, allocations, ports and volumes of servers that Nova does not have, and
    services and agents that are down on nodes that the inventory does not name. It changes nothing.

    `--remove` plans the removal of what you name, as `--repair` plans a repair. A removal cannot be
    undone. A volume keeps its data: only its attachment goes. Only `--kill-domain` ends a guest.
    """
    if orphans and repair is not None:
        raise BadInput(
            "`--orphans` lists, and `--repair` plans: give one of them",
            hint="`--orphans --remove KIND` plans the removal of what is left",
        )
    if remove and not orphans:
        raise BadInput(
            "`--remove` is for what `--orphans` lists",
            hint=f"`stackward cloud reconcile --orphans --remove {remove[0]}`",
        )
    if min_age is not None and not remove:
        raise BadInput(
            "`--min-age` is for `--remove`", hint="name what is removed: `--remove port`"
        )
    if remove:
        if kill_domain:
            raise BadInput(
                "`--kill-domain` goes with `--repair`, and `--remove` ends no guest",
                hint="`--repair domain-of-deleted --kill-domain NODE/ID` ends one",
            )
        return remove_here(
            context,
            remove,
            min_age=min_age,
            planning=planning,
            approving=approving,
            choice=choice,
            output=output,
        )
    if repair is None:
        refuse_without_repair(planning, approving, kill_domain, orphans=orphans)
        if orphans:
            return orphans_here(context, choice, output)
        return reconcile_here(context, choice, output)
    return repair_here(
        context,
        repair,
        kill_domain=kill_domain,
        planning=planning,
        approving=approving,
        choice=choice,
        output=output,
    )
