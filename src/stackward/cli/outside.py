"""What a command needs from outside: its settings, its cloud and nodes, the journal."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from stackward.cli import Chosen

if TYPE_CHECKING:
    from stackward.engine import Brakes
    from stackward.ports.journal import Journal
    from stackward.ports.world import World
    from stackward.settings import Settings


def settings_here() -> "Settings":
    """Read the settings of whoever runs the command."""
    from stackward.settings import read_settings

    return read_settings(os.environ, is_root=os.geteuid() == 0)


@contextmanager
def open_world(context: typer.Context, inventory: Path | None) -> Iterator["World"]:
    """Connect to the cloud that was chosen, and to the nodes of the inventory."""
    from stackward import app

    chosen = context.find_object(Chosen) or Chosen()
    known = app.read_inventory(inventory or settings_here().inventory)
    with (chosen.open_world or app.open_world)(known, chosen.os_cloud) as world:
        yield world


@contextmanager
def open_journal(brakes: "Brakes | None" = None) -> Iterator["Journal"]:
    """Open the memory of runs."""
    from stackward import app

    with app.open_journal(settings_here(), brakes) as journal:
        yield journal
