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


MIN_AGE_S = 86_400.0
"""How long a thing must be left before it is removed: a day, in which a machine is repaired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """One thing that is left."""

    kind: OrphanKind
    id: str
    name: str
    hosts: tuple[str, ...] = ()  # where it is, as the cloud calls them
    owner: str | None = None  # the id of its project; None: not known
    since: datetime | None = None  # since when it is an orphan, at the latest; None: not known
    says: str
    way: str  # what removes it
    server: str | None = None  # the id of the server that it names, which is gone

    @property
    def named(self) -> str:
        """Return what a person calls it by: KIND/ID."""
        return f"{self.kind.value}/{self.id}"

    @property
    def word(self) -> str:
        """Return what a plan calls it by: its kind, its id, and its server or its host.

        A volume may be left of two servers, and is two things then.
        """
        about = self.server or next(iter(self.hosts), "")
        return " ".join(filter(None, (self.kind.value, self.id, about)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a plan has of a thing that is left: its word, read."""

    kind: OrphanKind
    id: str
    about: str  # its server or its host; empty: neither is known

    @property
    def named(self) -> str:
        """Return what a person calls it by: KIND/ID."""
        return f"{self.kind.value}/{self.id}"


def read_word(word: str) -> Word:
    """Read `Orphan.word`."""
    kind, id_, *about = word.split(" ")
    return Word(kind=OrphanKind(kind), id=id_, about=" ".join(about))


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphans:
    """All that was found, the largest danger first."""

    at: datetime
    found: tuple[Orphan, ...]
    unread: tuple[tuple[str, str], ...] = ()  # what could not be read, and why
