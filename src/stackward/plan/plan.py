"""A plan: what will be done, in which order, what blocks it, what will be proved.

It is a value: complete, comparable, stored. Nothing in it changes the world; the engine does that.
Generic values have no slots: CPython 3.11 could not make `Move[World](...)` of a frozen one.
"""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Generic, Protocol

from stackward.model.values import Json
from stackward.plan.check import Check
from stackward.plan.path import Part, path_of_move, path_of_step
from stackward.plan.step import Step
from stackward.ports.world import W


@dataclass(frozen=True, slots=True)
class Blocked:
    """A verdict that refuses approval: the thing, the reason, the remedy."""

    thing: str  # its name, for people
    reason: str
    remedy: str
    thing_id: str = ""  # what it is found by where names are not unique
    worry: str = ""  # the stable name of the rule; `reason` may hold numbers that change

    @property
    def key(self) -> tuple[str, str]:
        """Return what makes two verdicts the same verdict."""
        return (self.thing_id or self.thing, self.worry or self.reason)


@dataclass(frozen=True, slots=True)
class Warned:
    """A verdict that is approved along with the plan: what is lost, or will be noticed."""

    thing: str
    reason: str
    remedy: str = ""
    thing_id: str = ""
    worry: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Return what makes two verdicts the same verdict."""
        return (self.thing_id or self.thing, self.worry or self.reason)


Verdict = Blocked | Warned

ASKED_BY = "asked by"
"""The fact of a plan that says who had it made."""


class Request(Protocol):
    """What the operator asked for: a frozen dataclass, stored, so that it can be planned again."""

    kind: ClassVar[str]


@dataclass(frozen=True, kw_only=True)
class Move(Generic[W]):
    """The ordered steps for one thing: each starts when the one before it is proved done.

    When `slow_after_s` seconds have passed since the move began, the steps of `on_slow` are started
    next to the step under way. That does not end the step: only what the world shows ends it. If
    the world then shows that the first step was given up, the steps of `instead` are carried out in
    place of `steps`. When a step fails otherwise, the steps of `on_failed` take back what the move
    left behind, and the run ends as failed.
    """

    thing: str
    how: str  # the kind of move, which is a decision: "live", "cold"
    steps: tuple[Step[W], ...]
    thing_id: str = ""
    on_slow: tuple[Step[W], ...] = ()
    slow_after_s: float | None = None
    instead: tuple[Step[W], ...] = ()
    on_failed: tuple[Step[W], ...] = ()
    expects: Mapping[str, Json] = field(default_factory=dict)  # shown, never compared
    record: str = ""  # by what right it is moved, if the journal must have that as it begins

    @property
    def key(self) -> str:
        """Return what the move is known by within its stage."""
        return self.thing_id or self.thing

    def __post_init__(self) -> None:
        if self.instead and not self.on_slow:
            message = f"`{self.thing}`: without `on_slow` nothing can be carried out instead"
            raise ValueError(message)

    def way(self, path: str, begun: Container[str]) -> tuple[tuple[str, Step[W]], ...]:
        """Return the steps of the part that the move follows, each with its path in the journal.

        `begun` holds the paths of all steps that were ever started.
        """
        is_other = self.instead and path_of_step(path, 0, Part.INSTEAD) in begun
        return tuple(self.steps_at(path, Part.INSTEAD if is_other else Part.STEPS))

    def steps_at(self, path: str, *parts: Part) -> Iterator[tuple[str, Step[W]]]:
        """Return the steps of these parts of the move, each with its path; of none: all steps."""
        steps = {
            Part.STEPS: self.steps,
            Part.SLOW: self.on_slow,
            Part.INSTEAD: self.instead,
            Part.FAILED: self.on_failed,
        }
        for part in parts or steps:
            for place, step in enumerate(steps[part]):
                yield path_of_step(path, place, part), step


@dataclass(frozen=True, kw_only=True)
class Stage(Generic[W]):
    """Moves that may go on at the same time; the next stage waits for all of them.

    A stage that catches up has no moves in the plan. When its turn comes, the request is planned
    again. What is new since then is moved under the same approval, if nothing blocks or warns of
    it.
    """

    name: str
    moves: tuple[Move[W], ...]
    at_once: int = 1  # so many moves
    needs: tuple[Check[W], ...] = ()  # asked just before the stage; a finding stops the run
    goes_on: bool = False  # begin further moves of this stage although one has failed
    catches_up: bool = False
    # A thing whose move fails here is set aside: the later stages go on without it, and only then
    # the run stops. None: the plan was stored before this was decided; it is carried out as False.
    sets_aside: bool | None = False

    def path_of(self, move: Move[W]) -> str:
        """Return what a move of this stage is called in the journal."""
        return path_of_move(self.name, move.key)


@dataclass(frozen=True, kw_only=True)
class Plan(Generic[W]):
    """The whole answer to a request, before anything is touched."""

    title: str  # "drain `compute-07`"
    request: Request
    holds: tuple[str, ...] = ()  # the nodes that a run of it needs for itself
    decisions: Mapping[str, str] = field(default_factory=dict)  # compared: cordon, room
    facts: Mapping[str, Json] = field(default_factory=dict)  # shown, never compared
    notices: tuple[str, ...] = ()  # what users will notice, line by line; never compared
    blockers: tuple[Blocked, ...] = ()
    warnings: tuple[Warned, ...] = ()
    stages: tuple[Stage[W], ...] = ()
    verify: tuple[Check[W], ...] = ()
    undoes: str | None = None  # the run whose doing it takes back

    def __post_init__(self) -> None:
        names = [stage.name for stage in self.stages]
        if len(set(names)) < len(names):
            message = f"two stages of one name: {names}"
            raise ValueError(message)
        for stage in self.stages:
            keys = [move.key for move in stage.moves]
            if len(set(keys)) < len(keys):
                message = f"two moves of one thing in stage {stage.name}: {keys}"
                raise ValueError(message)

    def moves(self) -> Iterator[tuple[Stage[W], Move[W]]]:
        """Return every move with its stage, in order."""
        for stage in self.stages:
            for move in stage.moves:
                yield stage, move
