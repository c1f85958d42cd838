"""What is left of servers and nodes that are gone."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class OrphanKind(StrEnum):
    """What kind of thing is left; the names are stored."""

    GUEST = "guest"
    ALLOCATION = "allocation"
    PORT = "port"
    VOLUME = "volume"
    SERVICE = "service"
    AGENT = "agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """One thing that is left."""

    kind: OrphanKind
    id: str
    name: str
    hosts: tuple[str, ...] = ()  # where it is, as the cloud calls them
    owner: str | None = None  # the id of its project; None: not known
    since: datetime | None = None  # since when it is so, at the latest; None: not known
    says: str
    way: str  # what removes it


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphans:
    """All that was found, the largest danger first."""

    at: datetime
    found: tuple[Orphan, ...]
    unread: tuple[tuple[str, str], ...] = ()  # what could not be read, and why
