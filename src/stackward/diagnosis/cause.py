"""What is found: causes, the first the likeliest; what followed from them; what is not known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from stackward.diagnosis.code_places import CodePlace
from stackward.logs.event import Event
from stackward.model.health import State
from stackward.model.sureness import Sureness


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One step of a chain, from what the user has noticed down to the cause."""

    component: str
    node: str | None
    at: datetime
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAs:
    """What words of the evidence are known to mean, and what ends it."""

    signature: str  # its name
    means: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A finding of a look at the cloud, as evidence."""

    finding: str  # its name in the reference
    says: str
    signs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A component that seems to be broken, where in its code, and by what that is known."""

    component: str
    node: str | None  # None: no log of that component was read
    place: CodePlace | None
    exception: str | None
    at: datetime
    sureness: Sureness
    says: str  # in one sentence
    because: tuple[str, ...]  # each step of the reasoning
    raises: str  # what would make it surer
    chain: tuple[Link, ...]
    evidence: tuple[Event, ...]
    known_as: KnownAs | None = None
    accuses: str | None = None  # a component, which its evidence accuses
    until: datetime | None = None  # of its last sign in the logs
    # A look found it broken, or found that it works; None: no look shows it.
    is_now: bool | None = None
    seen: tuple[Seen, ...] = ()  # by that look
    ends_it: str | None = None  # the remedy of its finding

    @property
    def remedy(self) -> str | None:
        """Return what ends it, where that is known."""
        return self.ends_it or (self.known_as.remedy if self.known_as else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """Errors that are no cause, and why."""

    component: str
    nodes: tuple[str, ...]
    count: int
    first: datetime
    says: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookTold:
    """What a look at the cloud has shown, in addition to the logs."""

    at: datetime
    took_s: float
    state: State
    is_blind: bool  # nothing was reached
    answered: tuple[str, ...]  # components that proved that they work
    not_proved: tuple[str, ...]  # nothing is known against these, and nothing for them
    not_seen: tuple[str, ...]  # what could not be looked at, in sentences


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All that was found."""

    causes: Sequence[Cause]
    noticed: Sequence[Link]  # what a user saw
    consequences: Sequence[Aside]
    ruled_out: Sequence[Aside]
    well: Sequence[str]  # components whose logs were read, and have nothing grave
    unknown: Sequence[str]
    is_grave: bool  # an error was logged that was not there before
    events: int  # that were looked at
    look: LookTold | None = None  # None: the cloud was not looked at
