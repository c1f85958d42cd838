"""What `cloud reconcile` and `node reconcile` share: two looks, and how they end."""

import sys
from typing import TYPE_CHECKING

import typer

from stackward.cli.options import InventoryChoice, Output
from stackward.cli.outside import open_world, settings_here
from stackward.cli.show import refuse_columns, say, write
from stackward.cli.width import width_here
from stackward.errors import ExitCode
from stackward.wording import count_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stackward.health.agreement import Agreement
    from stackward.model.identity import Itself
    from stackward.ports.world import World


def reconcile_here(
    context: typer.Context, choice: InventoryChoice, output: Output, node: str | None = None
) -> int:
    """Compare the witnesses, show what they do not agree on, and say how it is."""
    from stackward.health.agreement import reconcile
    from stackward.report.agreement import COLUMNS, render_agreement

    refuse_columns(COLUMNS, output)
    with open_world(context, choice) as world:
        remembered = _remembered(world)
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


def exit_code_of(found: "Agreement") -> ExitCode:
    """Return how it ends: a server that runs twice is told apart from all else."""
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


def _remembered(world: "World") -> "Mapping[str, Itself]":
    """Return what nodes once said of themselves; a journal that cannot be read fails nothing."""
    from stackward.app.probes import memory_of
    from stackward.model.unread import Unread

    known = memory_of(settings_here())(world.cloud.identity().id)
    return {} if isinstance(known, Unread) else known


def _host_of(world: "World", node: str, remembered: "Mapping[str, Itself]") -> str:
    from stackward.facts.named import find_node

    return find_node(world, world.nova.services(), node, remembered).service.host
