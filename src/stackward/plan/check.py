"""A check: one statement that should be true, asked before and after.

Where it is true, the answer says what was read. Verification cannot be overridden: what is not
proved is not done.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

from stackward.ports.world import W_contra


@dataclass(frozen=True, slots=True)
class Holds:
    """The statement is true, by what was read."""

    read: str  # for a person who must account for it: "Nova lists 0 servers there"


@dataclass(frozen=True, slots=True)
class Refuted:
    """The statement is not true: what is so instead, and what to do."""

    thing: str
    reason: str
    remedy: str
    passes: bool = False  # by itself, in a while: worth waiting for


@dataclass(frozen=True, slots=True)
class Unverified:
    """What would prove it could not be read."""

    thing: str
    reason: str
    remedy: str
    passes: bool = False  # what did not answer in time may do so in a while: worth asking again


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """The statement has no meaning here, such as domains on a hypervisor that has none."""

    thing: str
    reason: str


CheckResult = Holds | Refuted | Unverified | NotApplicable


class Check(Protocol[W_contra]):
    """One question, named for the statement that should be true: `NoServersOn`, `IsCordoned`."""

    kind: ClassVar[str]

    @property
    def summary(self) -> str:
        """Say the statement: "no servers are on `compute-07`"."""
        ...

    def ask(self, world: W_contra, /) -> CheckResult:
        """Return what was read where it is true, else what was found, or why nothing was read."""
        ...
