"""How a cloud is, by component: what a look at it comes to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """How a component is."""

    OK = "ok"  # during this look it gave an answer, or did work, that needs a running process
    NOT_PROVED = "not proved"  # it looks alive, and nothing that it could be asked would prove it
    DEGRADED = "degraded"  # it works, but not all of it is well
    BROKEN = "broken"  # it does not work
    UNKNOWN = "unknown"  # we were kept from looking

    @property
    def rank(self) -> int:
        """Return its place among the states, the worst first."""
        return _WORST_FIRST.index(self)

    @property
    def is_well(self) -> bool:
        """Say whether nothing is wrong, as far as was asked."""
        return self in {State.OK, State.NOT_PROVED}


_WORST_FIRST = [State.BROKEN, State.DEGRADED, State.UNKNOWN, State.NOT_PROVED, State.OK]


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
    under: str | None = None  # the component, and its node, that explains it
    by: str | None = None  # the rule of the finding there that does
    about: str = ""  # what of its place: a mount, a day of expiry, who should read a queue

    @property
    def where(self) -> str:
        """Name what it is about."""
        return f"{self.component} on {self.node}" if self.node else self.component


class Kept(StrEnum):
    """What keeps a look from showing something."""

    RIGHTS = "rights"  # this login may not see it
    DEADLINE = "deadline"  # there was no way to it, or no time left
    SPARED = "spared"  # it was not asked: a finding already says what prevents it
    OFF = "off"  # it can be asked, but that is switched off here
    NO_QUESTION = "no question"  # nothing can be asked, or nothing here can ask it

    @property
    def is_unknown(self) -> bool:
        """Say whether something prevented the look; False: there was nothing to look at."""
        return self in {Kept.RIGHTS, Kept.DEADLINE, Kept.SPARED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One thing that this look did not show."""

    kind: Kept
    component: str
    where: str  # a node, or what else it is about
    what: str  # "the clock"
    why: str  # said once for all that share it: "is shared with the host"
    cure: str = ""  # the setting or the right that closes it
    is_proof: bool = False  # it would only have proved that the component works

    @property
    def says(self) -> str:
        """Say it in one line."""
        return f"{self.what}: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something to know that is no finding: somebody wants it like that, or it is over."""

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
    loading_s: float = 0.0  # before the look: the client of the APIs, and its settings
    gaps: tuple[Gap, ...] = ()  # what this look did not show
    is_blind: bool = False  # no node and no API was reached at all
    notes: tuple[Note, ...] = ()  # what is so on purpose
    only: str | None = None  # the node, where only one was looked at

    @property
    def unknown(self) -> tuple[Gap, ...]:
        """Return what we were kept from looking at."""
        return tuple(gap for gap in self.gaps if gap.kind.is_unknown)

    @property
    def not_proved(self) -> tuple[Gap, ...]:
        """Return what nothing could be asked of."""
        return tuple(gap for gap in self.gaps if not gap.kind.is_unknown)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return all findings, those first that nothing else explains."""
        found = [finding for component in self.components for finding in component.findings]
        return tuple(sorted(found, key=lambda finding: finding.under is not None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwell:
    """One reason why a cloud, or a node, is not taken for well."""

    where: str  # the component, and its node
    reason: str
    remedy: str = ""
    is_known: bool = True  # False: nobody could see how it is

    @property
    def says(self) -> str:
        """Say it in one line."""
        return f"{self.where}: {self.reason}"
