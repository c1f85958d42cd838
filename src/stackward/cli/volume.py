"""`stackward volume`: the volumes of servers."""

from typing import TYPE_CHECKING, Annotated

import typer

from stackward.cli.options import InventoryChoice, Output, grouped
from stackward.cli.outside import open_world, settings_here
from stackward.cli.show import refuse_columns, write
from stackward.cli.subjects import example, subject
from stackward.cli.width import width_here
from stackward.errors import BadInput, ExitCode

if TYPE_CHECKING:
    from stackward.model.attached_volume import AttachedVolumes
    from stackward.ports.world import World

app = subject("The volumes of servers.")


@app.callback()
def volume() -> None:
    """See the volumes of servers."""


@app.command(
    "list",
    epilog=example(
        "stackward volume list --server web-1",
        "stackward volume list --node compute-07 -f json",
    ),
)
@grouped
def list_volumes(
    context: typer.Context,
    *,
    node: Annotated[
        str | None,
        typer.Option(
            "--node", metavar="NODE", help="All servers of this compute node, by its name."
        ),
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(
            "--server", metavar="SERVER", help="One server, by its name or id, of any project."
        ),
    ] = None,
    choice: InventoryChoice,
    output: Output,
) -> int:
    """List the volumes of servers as Nova, Cinder and libvirt know them.

    Each row is one volume of one server: the device that each of the three has for it, and the
    serial of the disk in the domain. Nothing is changed. What could not be read is `unknown`,
    never `no`. Ends with 0 if all was read and all agree, with 6 if not; 8 if Nova could not be
    asked.
    """
    from stackward.report.volumes import COLUMNS, render_volumes

    if (node is None) == (server is None):
        raise BadInput(
            "name a node or a server" if node is None else "name a node or a server, not both",
            hint="`stackward volume list --server SERVER`, or `--node NODE` for all servers there",
        )
    refuse_columns(COLUMNS, output)
    with open_world(context, choice) as world:
        found = _found(world, node, server or "")
    write(render_volumes(found, output.form, output.columns, width_here()), output.form)
    return _ended(found)


def _found(world: "World", node: str | None, server: str) -> "AttachedVolumes":
    from stackward.app.probes import memory_of
    from stackward.facts.bringing_up import find_server
    from stackward.facts.named import find_node
    from stackward.facts.volumes import read_volumes_of, read_volumes_on
    from stackward.model.unread import Unread

    known = memory_of(settings_here())(world.cloud.identity().id)
    remembered = {} if isinstance(known, Unread) else known
    if node is None:
        return read_volumes_of(world, find_server(world, server), remembered)
    host = find_node(world, world.nova.services(), node, remembered).service.host
    return read_volumes_on(world, host, remembered)


def _ended(found: "AttachedVolumes") -> ExitCode:
    from stackward.policy.attached_volumes import disagreements, is_known

    is_well = not found.unread and all(
        is_known(one) and not disagreements(one, found.servers.get(one.server))
        for one in found.rows
    )
    return ExitCode.DONE if is_well else ExitCode.DEGRADED
