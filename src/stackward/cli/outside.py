"""What a command needs from outside: its settings, its cloud and nodes, the journal."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stackward.cli import Chosen

if TYPE_CHECKING:
    from stackward.engine import Brakes
    from stackward.model.inventory import Inventory
    from stackward.ports.journal import Journal
    from stackward.ports.world import World
    from stackward.settings import Settings


def settings_here() -> "Settings":
    """Read the settings of whoever runs the command."""
    from stackward.settings import read_settings

    return read_settings(os.environ, is_root=os.geteuid() == 0)


class Reader(StrEnum):
    """What reads the inventory."""

    ANSIBLE = "ansible"
    STACKWARD = "stackward"


def _keep_reader(context: typer.Context, reader: Reader | None) -> Reader | None:
    chosen = context.find_object(Chosen)
    if chosen is not None:
        chosen.inventory_reader = reader
    return reader


ReaderOption = Annotated[
    Reader | None,
    typer.Option(
        "--inventory-reader",
        metavar="READER",
        callback=_keep_reader,
        help="What reads the inventory: stackward, or ansible, which runs `ansible-inventory` and "
        "can read folders, scripts and plugins; else STACKWARD_INVENTORY_READER.",
    ),
]


def inventory_here(context: typer.Context, inventory: Path | None) -> "Inventory":
    """Read the inventory that was chosen, as was chosen; what is odd about it is shown once."""
    from stackward import app
    from stackward.report.inventory import warnings_of

    chosen = context.find_object(Chosen) or Chosen()
    settings = settings_here()
    reader = chosen.inventory_reader
    known = app.read_inventory(
        inventory or settings.inventory,
        settings.inventory_reader,
        by_ansible=None if reader is None else reader == Reader.ANSIBLE,
    )
    for line in warnings_of(known):
        if line not in chosen.said:
            sys.stderr.write(f"warning: {line}\n")
            chosen.said.add(line)
    return known


@contextmanager
def open_world(context: typer.Context, inventory: Path | None) -> Iterator["World"]:
    """Connect to the cloud that was chosen, and to the nodes of the inventory."""
    from stackward import app

    chosen = context.find_object(Chosen) or Chosen()
    known = inventory_here(context, inventory)
    with (chosen.open_world or app.open_world)(known, chosen.os_cloud) as world:
        yield world


@contextmanager
def open_journal(brakes: "Brakes | None" = None) -> Iterator["Journal"]:
    """Open the memory of runs."""
    from stackward import app

    with app.open_journal(settings_here(), brakes) as journal:
        yield journal
