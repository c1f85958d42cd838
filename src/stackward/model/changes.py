"""What was changed on a node lately."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """One change: a file that was written, a package that was installed, a boot."""

    at: datetime  # the measured offset of the node's clock taken off
    what: str  # a path, or the name of a package; empty: the node itself
    says: str  # "was written", "was upgraded, 3:31.0.0-7,", "was booted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What was changed on a node since a time."""

    node: str
    files: tuple[Changed, ...] = ()
    packages: tuple[Changed, ...] | None = None  # None: not known
    unread: tuple[str, ...] = ()  # what may not be read: nothing is known of it
    booted: Changed | None = None
