"""Workers that die, or are frozen, at named points of a run: see killed_drain.py."""

import sys
from collections.abc import Iterable
from pathlib import Path

from lab.drains import Drains, Going

SCRIPT = str(Path(__file__).with_name("killed_drain.py"))
# What a move can die of. What is lost at one is done again; so the next takes another server.
LIVE = (("intended", "unread"), ("answered",))
COLD = ("verify-resize", "confirm-unread")


def kill(drains: Drains, what: str, point: str) -> int:
    """Carry out a plan or a run until that point; return how the worker ended."""
    return drains.start([sys.executable, SCRIPT, what, point]).ended().code


def is_frozen(going: Going) -> bool:
    """Say whether a process is stopped by a signal."""
    stat = Path(f"/proc/{going.process.pid}/stat").read_text()
    return stat.rpartition(")")[2].split()[0] == "T"


def is_moving(drains: Drains, servers: Iterable[str]) -> bool:
    """Say whether any of the servers is being migrated."""
    return any(drains.lab.server(each).task_state == "migrating" for each in servers)
