"""What a command needs from outside: its settings, its cloud and nodes, the journal."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from stackward.cli import Chosen
from stackward.cli.options import InventoryChoice, Reader

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from stackward.app.engine import Engine
    from stackward.engine import Brakes
    from stackward.model.identity import Itself
    from stackward.model.inventory import Inventory
    from stackward.ports.journal import Journal
    from stackward.ports.world import World
    from stackward.settings import Settings


def settings_here() -> "Settings":
    """Read the settings of the user who runs the command."""
    from stackward.settings import read_settings

    return read_settings(os.environ, is_root=os.geteuid() == 0)


def inventory_here(context: typer.Context, choice: InventoryChoice) -> "Inventory":
    """Read the inventory that was chosen, as was chosen; what is odd about it is shown once."""
    from stackward.app.inventory import read_inventory
    from stackward.report.inventory import warnings_of

    chosen = context.find_object(Chosen) or Chosen()
    settings = settings_here()
    reader = choice.inventory_reader
    known = read_inventory(
        choice.inventory or settings.inventory,
        settings.inventory_reader,
        by_ansible=None if reader is None else reader is Reader.ANSIBLE,
    )
    for line in warnings_of(known):
        if line not in chosen.said:
            sys.stderr.write(f"warning: {line}\n")
            chosen.said.add(line)
    return known


@contextmanager
def open_world(context: typer.Context, choice: InventoryChoice) -> Iterator["World"]:
    """Connect to the cloud that was chosen, and to the nodes of the inventory."""
    chosen = context.find_object(Chosen) or Chosen()
    known = inventory_here(context, choice)
    with (chosen.open_world or _connect)(known, chosen.os_cloud) as world:
        yield world


def _connect(known: "Inventory", os_cloud: str | None) -> "AbstractContextManager[World]":
    from stackward.app.world import open_world as connected

    return connected(known, os_cloud, settings_here())


def remembered_in(world: "World") -> "Mapping[str, Itself]":
    """Return what nodes of its cloud once said of themselves; an unread journal fails nothing."""
    from stackward.app.probes import memory_of
    from stackward.model.unread import Unread

    known = memory_of(settings_here())(world.cloud.identity().id)
    return {} if isinstance(known, Unread) else known


@contextmanager
def open_journal() -> Iterator["Journal"]:
    """Open the memory of runs."""
    from stackward.app.journal import open_journal as opened

    with opened(settings_here()) as journal:
        yield journal


@contextmanager
def open_engine(brakes: "Brakes | None" = None) -> Iterator["Engine"]:
    """Open the memory of runs, and the engine on it."""
    from stackward.app.engine import open_engine as opened

    with opened(settings_here(), brakes) as engine:
        yield engine
