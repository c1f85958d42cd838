"""What a run has left half-way: nothing ends so, and somebody has to carry it on."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stackward.model.run import Attempt, Run, Settled, last_attempts
from stackward.plan import BeginsRun, Kinds, Move, Stage, from_json, with_caught_up
from stackward.ports.journal import Journal


def is_half_way(stage: Stage[Any], move: Move[Any], last: Mapping[str, Attempt]) -> bool:
    """Say whether a step of it is done and the next was not tried: it is not left like that.

    `last` has the last attempt at each step. Between two runs of a chain nothing is half-way.
    """
    if any(isinstance(step, BeginsRun) for step in move.steps):
        return False
    attempts = [last.get(at) for at, _ in move.way(stage.path_of(move), last)]
    done = [each is not None and each.settled is Settled.DONE for each in attempts].count(True)
    return 0 < done < len(attempts) and attempts[done] is None


def left_half_way(
    journal: Journal, run: Run, kinds: Kinds
) -> Callable[[Sequence[Attempt]], tuple[str, ...]]:
    """Return what names, by its attempts, the things half-way in a run: it does not end so."""
    plan = with_caught_up(from_json(run.plan, kinds), journal.events(run.id), kinds)

    def left(made: Sequence[Attempt]) -> tuple[str, ...]:
        last = last_attempts(made)
        return tuple(move.thing for stage, move in plan.moves() if is_half_way(stage, move, last))

    return left
