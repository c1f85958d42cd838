"""How an operator calls the moves and steps of a run; the journal calls them by their paths.

Names of servers are not unique: those that repeat in a run are followed by their id.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from stackward.model.run import Event, Run
from stackward.plan import Move, Plan, Step
from stackward.plan.outline import outline_of
from stackward.plan.path import last_of, move_of, stage_of


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a run's moves, and what its steps do in words, by their paths."""

    moves: Mapping[str, str] = field(default_factory=dict)
    steps: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_plan(cls, plan: Plan[Any]) -> Self:
        """Return the names in a plan that this version understands."""
        moves = [(stage.path_of(move), move) for stage, move in plan.moves()]
        names = cls._told_apart((path, move.thing, move.thing_id) for path, move in moves)
        steps = {
            at: _in_words(step, move, names[path])
            for path, move in moves
            for at, step in move.steps_at(path)
        }
        return cls(names, steps)

    @classmethod
    def of_run(cls, run: Run, plan: Plan[Any] | None, events: Sequence[Event]) -> Self:
        """Return the names in a run; `plan` is None where this version does not understand it.

        Then what a step does is not known, but what it is for.
        """
        if plan is not None:
            return cls.of_plan(plan)
        outline = outline_of(run.plan)
        for event in events if outline else ():
            outline = outline and outline.with_caught_up(event)
        moves = [move for _, each in (outline.stages if outline else ()) for move in each]
        return cls(cls._told_apart((each.path, each.thing, each.thing_id) for each in moves))

    @staticmethod
    def _told_apart(moves: Iterable[tuple[str, str, str]]) -> dict[str, str]:
        """Return the name of each move by its path: its thing, with the id where that repeats."""
        known = list(moves)
        count = Counter(thing for thing, _ in {(thing, of) for _, thing, of in known})
        return {
            path: f"`{thing}` ({of})" if count[thing] > 1 and of else f"`{thing}`"
            for path, thing, of in known
        }

    def of_move(self, step: str) -> str:
        """Return what the move of a step is for, as a cell of a table has it."""
        return self.moves.get(move_of(step), step).replace("`", "")

    def of_step(self, path: str) -> str:
        """Say what a step does; where that is not known, what it is for."""
        if path in self.steps:
            return self.steps[path]
        name = self.moves.get(move_of(path))
        return f"{stage_of(path)} {name}, step {last_of(path)}" if name else path

    def of_event(self, event: Event) -> str:
        """Say what an event is about: a step, a move, a thing or a stage; empty: the run."""
        if event.step in self.moves:
            return self.moves[event.step]
        if event.step in self.steps or move_of(event.step) in self.moves:
            return self.of_step(event.step)
        return f"`{event.thing}`" if event.thing else event.step


def steps_of(plan: Plan[Any]) -> Iterator[tuple[str, tuple[Move[Any], Step[Any]]]]:
    """Return each step with what the journal calls it."""
    for stage, move in plan.moves():
        for path, step in move.steps_at(stage.path_of(move)):
            yield path, (move, step)


def _in_words(step: Step[Any], move: Move[Any], name: str) -> str:
    plain = f"`{move.thing}`"
    if name == plain:
        return step.summary
    said = step.summary
    return said.replace(plain, name, 1) if plain in said else f"{said}: {name}"
