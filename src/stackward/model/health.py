"""How a cloud is, by component: what a look at it comes to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """How a component is."""

    OK = "ok"
    DEGRADED = "degraded"  # it works, but not all of it is well
    BROKEN = "broken"  # it does not work
    UNKNOWN = "unknown"  # it could not be looked at

    @property
    def rank(self) -> int:
        """Return its place among the states, the worst first."""
        return _WORST_FIRST.index(self)


_WORST_FIRST = [State.BROKEN, State.DEGRADED, State.UNKNOWN, State.OK]


def worst(states: Sequence[State]) -> State:
    """Return the worst of some states; all is well where there is none."""
    return min(states, key=lambda state: state.rank, default=State.OK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is not well: what is so, by which signs, and what to do."""

    rule: str  # its name in the reference
    state: State  # of the component where it was found
    component: str
    node: str | None  # None: the cloud as a whole
    reason: str
    remedy: str
    evidence: tuple[str, ...] = ()
    under: str | None = None  # the broken component that explains it

    @property
    def where(self) -> str:
        """Name what it is about."""
        return f"{self.component} on {self.node}" if self.node else self.component


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that is so on purpose, or that could not be known: told, and no finding."""

    where: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentHealth:
    """One component."""

    name: str
    state: State
    nodes: tuple[str, ...]  # on which it runs, as far as was seen
    proof: str  # what shows that it works
    took_s: float | None = None  # its functional probe
    under: str | None = None  # where all of its findings are explained by another component's
    findings: tuple[Finding, ...] = ()  # those that are explained elsewhere too


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """One look at a cloud, or at one of its nodes, judged."""

    read_at: datetime
    took_s: float
    state: State
    components: tuple[ComponentHealth, ...]  # the worst first
    token_s: float | None = None  # how long a fresh token took
    unknown: tuple[Note, ...] = ()  # what cannot be known here, such as what a container shares
    notes: tuple[Note, ...] = ()  # what is so on purpose
    only: str | None = None  # the node, where only one was looked at

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return all findings, those first that nothing else explains."""
        found = [finding for component in self.components for finding in component.findings]
        return tuple(sorted(found, key=lambda finding: finding.under is not None))
