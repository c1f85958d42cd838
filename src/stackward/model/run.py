"""A run: one execution of an approved plan, as the journal remembers it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from random import Random

from stackward.errors import ExitCode
from stackward.model.values import Json, Mark


class RunState(StrEnum):
    """The state of a run. The words are stored."""

    QUEUED = "queued"  # approved, or left by a worker: nobody carries it out now
    RUNNING = "running"
    STOPPED = "stopped"  # stopped between two changes: it can be resumed
    SUCCEEDED = "succeeded"  # done and proved
    FAILED = "failed"  # verification failed, or a failed move was taken back
    UNVERIFIED = "unverified"  # all was carried out, and it could not be proved
    CANCELLED = "cancelled"
    REFUSED = "refused"  # the plan no longer held when its turn came: nothing was changed
    NOT_BEGUN = "not begun"  # its turn has passed: nothing was changed

    @property
    def is_over(self) -> bool:
        """Say whether nothing can follow."""
        return self not in {RunState.QUEUED, RunState.RUNNING, RunState.STOPPED}

    @property
    def keeps_others_from_undoing(self) -> bool:
        """Say whether a run in this state, which undoes another, leaves nothing to a second one."""
        return not self.is_over or self is RunState.SUCCEEDED

    @property
    def exit_code(self) -> ExitCode:
        """Return what a command that waited for the run ends with."""
        return _EXIT_CODES[self]


_EXIT_CODES = {
    RunState.QUEUED: ExitCode.DONE,
    RunState.RUNNING: ExitCode.DONE,
    RunState.STOPPED: ExitCode.STOPPED,
    RunState.SUCCEEDED: ExitCode.DONE,
    RunState.FAILED: ExitCode.FAILED,
    RunState.UNVERIFIED: ExitCode.UNVERIFIED,
    RunState.CANCELLED: ExitCode.STOPPED,
    RunState.REFUSED: ExitCode.BLOCKED,
    RunState.NOT_BEGUN: ExitCode.BLOCKED,
}


class Settled(StrEnum):
    """How an attempt ended. The words are stored."""

    DONE = "done"
    FAILED = "failed"
    FOREIGN = "foreign"  # somebody else acted on the same thing
    UNSENT = "unsent"  # the service could not be reached: nothing was asked
    LOST = "lost"  # its answer was lost, and no sign of it was ever seen
    MOOT = "moot"  # no longer needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What ended an attempt or a run, for the operator: our words, then the service's."""

    reason: str | None = None
    service: str | None = None
    says: str | None = None
    request_id: str | None = None
    details: tuple[str, ...] = ()  # one line per thing


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Who approved the plan, when and how ("prompt", "--yes")."""

    by: str
    at: datetime
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """When a run may begin, and until when it may start anything; for a run of the workers."""

    at: datetime  # not before
    by: datetime | None  # then it is *not begun*; None: it has started in its turn
    until: datetime | None = None  # from then on it starts nothing more
    asked: str = ""  # as the operator wrote it, with the zone: "--window 01:00-05:00@UTC"

    def is_open(self, now: datetime) -> bool:
        """Say whether something may be started in it now."""
        return self.at <= now and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One execution of an approved plan."""

    id: str
    title: str
    plan: str  # as it was approved
    approval: Approval
    cloud: str | None = None  # by its id; None: an older version did not write it down
    holds: tuple[str, ...] = ()  # the nodes of that cloud that it needs for itself
    state: RunState = RunState.QUEUED
    epoch: int = 0  # raised by every worker that takes it up
    worker: str | None = None  # the last one that took it up
    beat_at: datetime | None = None  # when that worker was last heard of
    began_at: datetime | None = None
    ended_at: datetime | None = None
    ending: Said = field(default_factory=Said)
    cancel_asked_by: str | None = None
    progress: Mapping[str, Json] = field(default_factory=dict)  # by step, as last seen
    for_workers: bool = False  # True: any worker may take it; False: it is its operator's own
    deaths: int = 0  # of workers that carried it out, since it was given to them
    undone_by: str | None = None  # the run that was last approved to undo it
    turn: Turn | None = None  # None: it may begin at any time
    chain: str | None = None  # the chain that began it
    item: str = ""  # of that chain: what it is known by there
    part: int = 0  # of that item: how many runs of it come before
    passes_on: bool = False  # another run of the item follows: the chain has its nodes until then
    comes_to: tuple[str, ...] = ()  # of a chain: the nodes that its runs will take, each in turn

    @property
    def is_chain(self) -> bool:
        """Say whether it does nothing itself, but begins other runs in their turn."""
        return bool(self.comes_to)

    def is_in(self, cloud: str) -> bool:
        """Say whether it may be in this cloud: one that does not say may be in any."""
        return self.cloud in {None, cloud}

    @property
    def awaits_its_turn(self) -> bool:
        """Say whether it is queued for a time, and has started nothing since."""
        has_one = self.turn is not None and self.turn.by is not None
        return has_one and self.state is RunState.QUEUED

    def is_early(self, now: datetime) -> bool:
        """Say whether its turn is still to come."""
        return self.turn is not None and self.awaits_its_turn and now < self.turn.at

    def is_late(self, now: datetime) -> bool:
        """Say whether its turn has passed, and it was not begun."""
        by = self.turn.by if self.turn and self.awaits_its_turn else None
        return by is not None and by <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One start of a step: intended, then perhaps answered, then settled by a look."""

    step: str  # its path: `plan/path.py` has the grammar
    number: int  # from 1
    epoch: int
    mark: Mark | None  # None: it was found done already
    intended_at: datetime
    answered_at: datetime | None = None
    settled_at: datetime | None = None
    settled: Settled | None = None
    said: Said = field(default_factory=Said)
    saw: Mapping[str, Json] = field(default_factory=dict)  # the evidence

    @property
    def is_in_flight(self) -> bool:
        """Say whether the world may still work on it."""
        return self.settled is None


def last_attempts(attempts: Iterable[Attempt]) -> dict[str, Attempt]:
    """Return the last attempt at each step, by its path.

    By number: the clocks of two workers need not agree on which came last.
    """
    return {one.step: one for one in sorted(attempts, key=lambda one: one.number)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of what happened; such lines are only ever added."""

    at: datetime
    epoch: int
    what: str
    number: int = 0  # given by the journal
    thing: str = ""
    step: str = ""
    says: Mapping[str, Json] = field(default_factory=dict)


LAPSED = "its turn passed"  # an event of a run that was not begun in its turn
UNDONE = "undone"  # an event of a run: its thing is the run that undoes it
BEGUN = "begun"  # an event of a chain: one of its runs was approved by it
APPROVED_MORE = "approved more"  # an event of a chain: what is new in the plan of one of its runs
ENDED = "ended"  # an event of a chain: one of its runs has come to an end, or stopped

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U to be misread


def new_run_id(now: datetime, chance: Random, *, after: str | None = None) -> str:
    """Return a short id that sorts by time: ten characters of milliseconds, four random ones.

    It sorts after the id that is given, also if another clock made that one.
    """
    at = int(now.timestamp() * 1000)
    if after is not None:
        number = 0
        for letter in after:
            number = number << 5 | _ALPHABET.index(letter)
        at = max(at, (number >> 20) + 1)
    number = at << 20 | chance.getrandbits(20)
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(65, -5, -5))
