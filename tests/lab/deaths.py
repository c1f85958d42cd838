"""Workers that die, or are frozen, at named points of a run: see killed_drain.py."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from lab.drains import Drains, Going

SCRIPT = str(Path(__file__).with_name("killed_drain.py"))
# What a move can die of. What is lost at one is done again; so the next takes another server.
LIVE = (("intended", "unread"), ("answered",))
COLD = ("verify-resize", "confirm-unread")


def kill(drains: Drains, what: str, point: str) -> int:
    """Carry out a plan or a run until that point; return how the worker ended."""
    return drains.start([sys.executable, SCRIPT, what, point]).ended().code


def kill_in_turn(drains: Drains, plan: Path, points: Sequence[str]) -> dict[str, int]:
    """Carry out a plan until the first point, then resume its run until each of the others."""
    first, *others = points
    deaths = {first: kill(drains, str(plan), first)}
    return deaths | {point: kill(drains, drains.run["ID"], point) for point in others}


def writes_of(kind: str, *requests: str) -> tuple[str, ...]:
    """Return the points before each write of a step and before each of its requests, in order."""
    sent = (f"before {request}" for request in requests)
    return (
        f"before intend {kind}",
        *sent,
        f"before answered {kind}",
        f"before settle {kind}",
    )


def is_frozen(going: Going) -> bool:
    """Say whether a process is stopped by a signal."""
    stat = Path(f"/proc/{going.process.pid}/stat").read_text()
    return stat.rpartition(")")[2].split()[0] == "T"


def is_moving(drains: Drains, servers: Iterable[str]) -> bool:
    """Say whether any of the servers is being migrated."""
    return any(drains.lab.server(each).task_state == "migrating" for each in servers)
