"""The form of a signature: what is seen, where, and what it means. One file for each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

_NONE: Mapping[str, str] = MappingProxyType({})


class Place(StrEnum):
    """Where a signature is looked for."""

    LOG = "log"  # an event of a component's log; its exceptions and further lines too
    FAULT = "fault"  # what Nova keeps of a failure: a server's fault, a failed action
    DOMAIN_LOG = "domain-log"  # libvirt's log of the domain, in which QEMU writes
    DISK = "disk"  # what `qemu-img info` says of a disk
    CONSOLE = "console"  # what the guest has written to its console
    FACT = "fact"  # what was looked at; the facts are declared in `conditions.py`


class Kind(StrEnum):
    """What a signature is about."""

    CAUSE = "cause"
    CONSEQUENCE = "consequence"  # something else has led to it


class Scope(StrEnum):
    """Whose matter it is."""

    SERVER = "server"
    NODE = "node"  # all servers of the node suffer from it
    GUEST = "guest"  # the owner's: the cloud did its part


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """One way in which a signature shows."""

    places: tuple[Place, ...]
    words: str = ""  # each line that matches has them, to the letter
    form: str | None = None  # a regular expression; None: the words are enough
    fact: str | None = None  # the condition, where the place is `fact`
    components: tuple[str, ...] = ()  # of a log: only of these; none: of any
    sample: str = ""  # a real line; of a fact: none
    is_final: bool = False  # of a console: a guest that has written it goes no further


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What is known to show by certain words or a fact, and what it means."""

    name: str
    means: str  # one sentence; parts of what was seen are in braces
    kind: Kind
    scope: Scope
    component: str  # whose it is, as the anatomy calls it; `guest` for what is in a guest
    remedy: str  # what ends it; `{server}` and `{node}` become their names
    source: str  # which sources, or which fault of the lab, have shown it
    traits: tuple[Trait, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A line, or a fact, in which signatures are looked for."""

    place: Place
    text: str
    component: str = ""
    node: str = ""
    file: str = ""
    line: int | None = None
    offset: int | None = None  # in bytes, where lines are not counted
    at: datetime | None = None
    fact: str | None = None
    parts: Mapping[str, str] = field(default_factory=lambda: _NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A signature that was found, and where."""

    signature: Signature
    trait: Trait
    seen: Seen
    parts: Mapping[str, str]

    @property
    def means(self) -> str:
        """Say what it means, with what was seen filled in."""
        return self.signature.means.format_map(self.parts)
