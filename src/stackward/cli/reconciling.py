"""What `cloud reconcile` and `node reconcile` share: two looks, and how they end."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from stackward.cli.options import Approving, InventoryChoice, Output, Planning
from stackward.cli.outside import open_world, remembered_in, settings_here
from stackward.cli.show import refuse_columns, say, write
from stackward.cli.width import width_here
from stackward.errors import BadInput, ExitCode
from stackward.wording import count_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stackward.health.agreement import Agreement
    from stackward.model.identity import Itself
    from stackward.ports.journal import Journal
    from stackward.ports.world import World

OrphansOption = Annotated[
    bool,
    typer.Option(
        "--orphans",
        help="List what is left of servers and nodes that are gone, with owner and age.",
    ),
]
RepairOption = Annotated[
    list[str] | None,
    typer.Option(
        "--repair",
        metavar="CLASS",
        help="Plan the repair of this class of disagreement; may be repeated.",
    ),
]


RemoveOption = Annotated[
    list[str] | None,
    typer.Option(
        "--remove",
        metavar="KIND/ID",
        help="With `--orphans`: plan to remove one thing that it lists, or all of a kind: "
        "allocation, port, service or agent. Of a volume, the attachment. May be repeated.",
    ),
]
MinAgeOption = Annotated[
    float | None,
    typer.Option(
        "--min-age",
        metavar="HOURS",
        min=0,
        help="With `--remove`: keep what is left for fewer hours than this (default: 24).",
    ),
]

KillOption = Annotated[
    list[str] | None,
    typer.Option(
        "--kill-domain",
        metavar="NODE/ID",
        help="End the guest of this server on that node: power cut; the disk stays. Only with "
        "`--repair` of a class whose guest must go; may be repeated.",
    ),
]


def reconcile_here(
    context: typer.Context, choice: InventoryChoice, output: Output, node: str | None = None
) -> int:
    """Compare the witnesses, show what they do not agree on, and say how it is."""
    from stackward.health.agreement import reconcile
    from stackward.report.agreement import COLUMNS, render_agreement

    refuse_columns(COLUMNS, output)
    with open_world(context, choice) as world:
        remembered = remembered_in(world)
        host = None if node is None else _host_of(world, node, remembered)
        found = reconcile(
            world,
            wait_s=settings_here().reconcile_wait_s,
            remembered=remembered,
            host=host,
            waiting=_say_waiting,
        )
    write(render_agreement(found, output.form, output.columns, width_here()), output.form)
    return exit_code_of(found)


def orphans_here(context: typer.Context, choice: InventoryChoice, output: Output) -> int:
    """List what is left of servers and nodes that are gone."""
    from stackward.health.agreement import reconcile
    from stackward.health.orphans import find_orphans, read_what_is_left
    from stackward.report.orphans import COLUMNS, render_orphans

    refuse_columns(COLUMNS, output)
    with open_world(context, choice) as world:
        remembered = remembered_in(world)
        seen = reconcile(
            world,
            wait_s=settings_here().reconcile_wait_s,
            remembered=remembered,
            waiting=_say_waiting,
        )
        left = read_what_is_left(world, seen, remembered)
    found = find_orphans(seen, left)
    write(render_orphans(found, output.form, output.columns, width_here()), output.form)
    return ExitCode.DEGRADED if found.found or found.unread else ExitCode.DONE


def refuse_without_repair(
    planning: Planning, approving: Approving, kill_domain: list[str] | None, *, orphans: bool
) -> None:
    """Refuse what only a plan has, where none is asked for."""
    given = {
        "--kill-domain": kill_domain,
        "--dry-run": planning.dry_run,
        "--plan-out": planning.plan_out,
        "--yes": approving.yes,
        "--queue": approving.queue,
        "--at": approving.at,
        "--window": approving.window,
    }
    if flags := [flag for flag, value in given.items() if value]:
        asks = "--remove" if orphans and flags[0] != "--kill-domain" else "--repair"
        raise BadInput(
            f"`{flags[0]}` is for a plan, and without `{asks}` there is none",
            hint="name what is removed, such as `--remove port`"
            if asks == "--remove"
            else "name a class, such as `--repair allocation-orphan`",
        )


def remove_here(  # noqa: PLR0913  # what is removed, and how it is shown
    context: typer.Context,
    given: list[str],
    *,
    min_age: float | None,
    planning: Planning,
    approving: Approving,
    choice: InventoryChoice,
    output: Output,
) -> int:
    """Plan the removal of what is left, have it approved, and carry it out."""
    from stackward.cli.carrying import carry_out
    from stackward.model.orphan import MIN_AGE_S
    from stackward.requests.reconcile_cloud import ReconcileRequest

    _refuse_kinds(given)

    def asked(_: "World", __: "Journal") -> ReconcileRequest:
        return ReconcileRequest(
            classes=(),
            wait_s=_said_wait(),
            remove=tuple(dict.fromkeys(given)),
            min_age_s=MIN_AGE_S if min_age is None else min_age * 3600,
        )

    carry_out(context, asked, planning=planning, approving=approving, choice=choice, output=output)
    return ExitCode.DONE


def _refuse_kinds(given: list[str]) -> None:
    """Refuse a kind that nobody knows, one that is not removed here, and an id that is empty."""
    from stackward.model.orphan import OrphanKind
    from stackward.wording import near_to, perhaps

    able = [one.value for one in OrphanKind if one is not OrphanKind.GUEST]
    for each in given:
        kind, slash, id_ = each.partition("/")
        if kind == OrphanKind.GUEST:
            raise BadInput(
                "a guest is not removed by `--remove`: its power is cut, and it may be the last "
                "of its server",
                hint="`--repair domain-of-deleted --kill-domain NODE/ID` ends the one that is "
                "named; its disk stays",
            )
        if kind not in able:
            near = near_to(kind.lower(), able)
            raise BadInput(
                f"there is no kind of left things `{kind}`",
                hint=perhaps(near) if near else f"there are: {', '.join(able)}",
            )
        if (slash and not id_.strip()) or " " in id_:
            raise BadInput(
                f"`--remove {each}` has no id",
                hint="`stackward cloud reconcile --orphans` lists each thing with its id",
            )


def repair_here(  # noqa: PLR0913  # what is repaired, and how it is shown
    context: typer.Context,
    classes: list[str],
    *,
    kill_domain: list[str] | None,
    node: str | None = None,
    planning: Planning,
    approving: Approving,
    choice: InventoryChoice,
    output: Output,
) -> int:
    """Plan the repair of these classes, have it approved, and carry it out."""
    from stackward.cli.carrying import carry_out
    from stackward.requests.reconcile_cloud import ReconcileRequest

    _refuse_classes(classes)

    def asked(world: "World", _: "Journal") -> ReconcileRequest:
        return ReconcileRequest(
            classes=tuple(dict.fromkeys(classes)),
            host=None if node is None else _host_of(world, node, remembered_in(world)),
            wait_s=_said_wait(),
            kill_domain=tuple(dict.fromkeys(kill_domain or ())),
        )

    carry_out(context, asked, planning=planning, approving=approving, choice=choice, output=output)
    return ExitCode.DONE


def _said_wait() -> float:
    """Return how long is waited between the two looks, in seconds, and say so."""
    wait_s = settings_here().reconcile_wait_s
    say(f"what the first look sees is looked at again after {wait_s:.0f} s")
    return wait_s


def _refuse_classes(classes: list[str]) -> None:
    """Refuse a class that nobody knows, and one that has no repair, with the reason."""
    from stackward.health.disagreements import BY_NAME
    from stackward.wording import near_to, perhaps

    able = [name for name, one in BY_NAME.items() if one.repair]
    for name in classes:
        if name not in BY_NAME:
            near = near_to(name, BY_NAME)
            raise BadInput(
                f"there is no class of disagreement `{name}`",
                hint=perhaps(near) if near else f"those with a repair: {', '.join(able)}",
            )
        if BY_NAME[name].no_repair:
            raise BadInput(
                f"`{name}` has no repair: {BY_NAME[name].no_repair}",
                hint=f"those with a repair: {', '.join(able)}",
            )


def exit_code_of(found: "Agreement") -> ExitCode:
    """Return how it ends: a server that runs twice has its own exit code."""
    from stackward.health.disagreements import TWICE

    if any(one.name == TWICE for one in found.cases):
        return ExitCode.BROKEN
    is_whole = not found.testimony.unread() and found.testimony.is_whole
    return ExitCode.DONE if is_whole and not found.cases else ExitCode.DEGRADED


def _say_waiting(count: int, seconds: float) -> None:
    say(
        f"the first look saw {count_of(count, 'disagreement')}; looking again in {seconds:.0f} s: "
        "only what both see is counted"
    )
    sys.stderr.flush()


def _host_of(world: "World", node: str, remembered: "Mapping[str, Itself]") -> str:
    from stackward.facts.named import find_node

    return find_node(world, world.nova.services(), node, remembered).service.host
