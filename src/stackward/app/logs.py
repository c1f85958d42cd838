"""Where logs are read: on the nodes of a cloud, or among files that were collected."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stackward.adapters.clock import SystemClock
from stackward.adapters.collected import open_collected
from stackward.adapters.ssh import Ssh
from stackward.adapters.together import Threads
from stackward.facts.node_logs import NodeLogs
from stackward.model.inventory import Inventory
from stackward.ports.clock import Clock
from stackward.ports.log_source import LogSource
from stackward.ports.together import Together


@contextmanager
def open_logs_in(given: Path, zone: str | None) -> Iterator[tuple[LogSource, Together]]:
    """Open collected logs, and what reads those of several nodes side by side."""
    with open_collected(given, zone) as source:
        yield source, Threads()


@contextmanager
def open_logs_of(known: Inventory) -> Iterator[tuple[LogSource, Together]]:
    """Open the logs of the nodes of an inventory; nothing is asked of them yet."""
    with open_live_logs_of(known) as (source, threads, _):
        yield source, threads


@contextmanager
def open_live_logs_of(known: Inventory) -> Iterator[tuple[NodeLogs, Threads, Clock]]:
    """Open the logs of the nodes of an inventory, to read them or to follow them."""
    shell, clock = Ssh(known), SystemClock()
    names = tuple(one.name for one in known.nodes if one.left_out is None)
    try:
        yield NodeLogs(shell, clock, names), Threads(), clock
    finally:
        shell.close()
