"""`stackward node`: the machines of the cloud."""

import os
from pathlib import Path
from typing import Annotated

import typer

from stackward.cli.show import ColumnOption, FormOption, show
from stackward.cli.subjects import example, subject
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


@app.callback()
def node() -> None:
    """Hold the group together: typer would make a single command the group itself."""


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
