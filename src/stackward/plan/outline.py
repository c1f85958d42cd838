"""The outline of a stored plan: its steps and their order, not their meaning.

No class of a step is needed for it, so plans of other versions and other operations have one too.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

from stackward.model.run import Event
from stackward.plan.caught_up import CAUGHT_UP
from stackward.plan.path import Part, path_of_move, path_of_step

_STORED = {
    Part.STEPS: "steps",
    Part.SLOW: "on_slow",
    Part.INSTEAD: "instead",
    Part.FAILED: "on_failed",
}


@dataclass(frozen=True)
class MoveOutline:
    """A move by its path in the journal: what it is for, how many steps each part of it has."""

    path: str
    thing: str
    thing_id: str
    counts: Mapping[Part, int]

    def step(self, part: Part, number: int) -> str:
        """Return the path of a step."""
        return path_of_step(self.path, number, part)

    def steps(self, part: Part) -> tuple[str, ...]:
        """Return the paths of the steps of a part, in order."""
        return self._paths[part]

    @cached_property
    def first_instead(self) -> str:
        """Return the path of the first step that goes another way."""
        return self.step(Part.INSTEAD, 0)

    @cached_property
    def _paths(self) -> Mapping[Part, tuple[str, ...]]:
        return {
            part: tuple(self.step(part, number) for number in range(count))
            for part, count in self.counts.items()
        }


@dataclass(frozen=True, slots=True)
class Place:
    """Where a step is in the plan."""

    stage: int
    move: MoveOutline
    part: Part
    number: int


@dataclass(frozen=True)
class Outline:
    """The stages of a plan by name, each with its moves, and how much is proved at the end."""

    stages: tuple[tuple[str, tuple[MoveOutline, ...]], ...]
    checks: int
    set_aside: frozenset[str] = frozenset()  # stages whose failures the later ones go on without

    @cached_property
    def places(self) -> Mapping[str, Place]:
        """Return the place of every step, by its path."""
        return {
            path: Place(at, move, part, number)
            for at, (_, moves) in enumerate(self.stages)
            for move in moves
            for part in Part
            for number, path in enumerate(move.steps(part))
        }

    def with_caught_up(self, event: Event) -> "Outline":
        """Return the outline with what a stage caught up with, by the event that reports it."""
        if event.what != CAUGHT_UP:
            return self
        new = tuple(_move(event.step, each) for each in _list(event.says.get("moves")))
        stages = tuple(
            (name, (*moves, *new) if name == event.step else moves) for name, moves in self.stages
        )
        return replace(self, stages=stages)


@lru_cache(maxsize=8)  # of a run that somebody follows, the same plan is asked about at each look
def outline_of(plan: str) -> Outline | None:
    """Return the outline of a plan as it is stored; None if it is no plan."""
    try:
        stored = json.loads(plan)
        stages = tuple(
            (stage["name"], tuple(_move(stage["name"], move) for move in stage["moves"]))
            for stage in stored["stages"]
        )
        set_aside = frozenset(
            stage["name"] for stage in stored["stages"] if stage.get("sets_aside")
        )
        return Outline(stages, len(stored["verify"]), set_aside)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _move(stage: str, stored: Any) -> MoveOutline:  # noqa: ANN401  # JSON, of any version
    thing, thing_id = stored["thing"], stored.get("thing_id") or ""
    counts = {part: len(stored.get(name, ())) for part, name in _STORED.items()}
    return MoveOutline(path_of_move(stage, thing_id or thing), thing, thing_id, counts)


def _list(stored: object) -> list[Any]:
    return list(stored) if isinstance(stored, list | tuple) else []
