"""What `cloud check`, `node check` and `metrics` share: how they look, and how they end."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from stackward.cli import Chosen
from stackward.cli.options import InventoryChoice, Output
from stackward.cli.outside import inventory_here, settings_here
from stackward.cli.show import write
from stackward.cli.width import width_here
from stackward.errors import ExitCode

if TYPE_CHECKING:
    from stackward.model.cloud_state import CloudState
    from stackward.model.health import Health
    from stackward.ports.probes import Probes

TimeoutOption = Annotated[
    float,
    typer.Option(
        "--timeout",
        min=1,
        metavar="SECONDS",
        help="For each question: a node, a list, a login. All of a look ends after 10 s at up to "
        "50 nodes, even if something hangs; more than 8 here makes that longer in proportion.",
    ),
]
RpcOption = Annotated[
    bool,
    typer.Option(
        "--rpc/--no-rpc",
        help="Call services over RPC. Only an answer proves that they work.",
    ),
]
TablesOption = Annotated[
    bool,
    typer.Option(
        "--tables", help="Also check every table of MariaDB; takes long, and reads all of it."
    ),
]


@contextmanager
def open_probes(context: typer.Context, choice: InventoryChoice) -> Iterator["Probes"]:
    """Make ready to look at the cloud that was chosen, and at the nodes of the inventory."""
    from stackward.app.probes import keeper_of, memory_of
    from stackward.app.probes import open_probes as connect

    chosen = context.find_object(Chosen) or Chosen()
    known = inventory_here(context, choice)
    settings = settings_here()
    opened = chosen.open_probes or partial(connect, settings=settings)
    with opened(known, chosen.os_cloud) as probes:
        yield replace(probes, remember=memory_of(settings), keep=keeper_of(settings))


StrictOption = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="Also end with 6 if something was not proved, or if this login may not see it.",
    ),
]


def check_once(
    probes: "Probes",
    look: Callable[[], tuple["Health", "CloudState"]],
    output: Output,
    *,
    strict: bool = False,
) -> int:
    """Look once, print what was seen, keep it, and return how the command ends."""
    from stackward.report.health import render_health

    health, state = look()
    write(render_health(health, output.form, output.columns, width_here()), output.form)
    sys.stdout.flush()
    keep_seen(probes, state)
    return ended(health, strict=strict)


def keep_seen(probes: "Probes", state: "CloudState") -> bool:
    """Keep what a look has seen of the nodes that answered; say so where that cannot be done."""
    from stackward.facts.observed import seen_in
    from stackward.report.text import printable

    seen = seen_in(state)
    failed = probes.keep(seen) if probes.keep and seen else None
    if failed is not None:
        why = printable(failed.why)
        sys.stderr.write(f"warning: what was seen of the nodes is not kept: {why}\n")
    return failed is None


def ended(health: "Health", *, strict: bool = False) -> ExitCode:
    """Return the exit code of a look.

    What was not proved is no fault of the cloud: it counts only where that was asked for.
    """
    from stackward.model.health import State

    if health.is_blind:
        return ExitCode.UNSEEN
    if health.state.is_well and not (strict and health.state is State.NOT_PROVED):
        return ExitCode.DONE
    return ExitCode.BROKEN if health.state is State.BROKEN else ExitCode.DEGRADED
