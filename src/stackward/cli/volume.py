"""`stackward volume`: the volumes of servers."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from stackward.cli.options import Approving, InventoryChoice, Output, Planning, grouped
from stackward.cli.outside import open_world, remembered_in, settings_here
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
    """List volumes of servers as Nova, Cinder and libvirt know them.

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


class Ready(StrEnum):
    """What is waited for before a volume is detached or attached."""

    CONSOLE = "console"
    NONE = "none"


@app.command(
    epilog=example(
        "stackward volume reattach web-1 --dry-run",
        "stackward volume reattach web-1 db-volume logs-volume",
        "stackward volume reattach web-1 --ready none",
    ),
)
@grouped
def reattach(  # noqa: PLR0913  # one for each flag
    context: typer.Context,
    *,
    server: Annotated[
        str, typer.Argument(metavar="SERVER", help="Its name or id, of any project.")
    ],
    volumes: Annotated[
        list[str] | None,
        typer.Argument(metavar="VOLUME", help="Names or ids of volumes; none: all of the server."),
    ] = None,
    ready: Annotated[
        Ready,
        typer.Option(
            "--ready",
            metavar="SIGN",
            help="What to wait for before a detach or attach: console, a login prompt "
            "(STACKWARD_LOGIN_PATTERN), or none.",
        ),
    ] = Ready.CONSOLE,
    planning: Planning,
    approving: Approving,
    choice: InventoryChoice,
    output: Output,
) -> None:
    """Repair how the volumes of a server are attached, and prove it.

    For each volume the least that repairs it is planned: nothing; Cinder releases it; its detach
    is rolled back; an attachment that only Cinder has is removed; a hard reboot; detach and attach.
    A volume that is attached again keeps its device; Cinder's status is never reset. The plan is
    shown first. A repair cannot be undone.
    """
    from stackward.cli.carrying import carry_out
    from stackward.requests.reattach_volumes import ReattachRequest

    asked = ReattachRequest(
        server=server,
        volumes=tuple(dict.fromkeys(volumes or ())),
        waits_for_prompt=ready is Ready.CONSOLE,
        pattern=settings_here().login_pattern,
    )
    carry_out(context, asked, planning=planning, approving=approving, choice=choice, output=output)


def _found(world: "World", node: str | None, server: str) -> "AttachedVolumes":
    from stackward.facts.bringing_up import find_server
    from stackward.facts.named import find_node
    from stackward.facts.volumes import read_volumes_of, read_volumes_on

    remembered = remembered_in(world)
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
