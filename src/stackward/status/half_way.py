"""What a run has left unfinished: nothing ends like that, and somebody has to go on with it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stackward.model.run import Attempt, Run, Settled, last_attempts
from stackward.plan import BeginsRun, Kinds, Move, Stage, from_json, with_caught_up
from stackward.ports.journal import Journal


def is_half_way(stage: Stage[Any], move: Move[Any], last: Mapping[str, Attempt]) -> bool:
    """Say whether a step of it is done and the next was not tried: it may not be left like that.

    `last` has the last attempt at each step. Between two runs of a chain nothing is unfinished.
    """
    if any(isinstance(step, BeginsRun) for step in move.steps):
        return False
    attempts = [last.get(at) for at, _ in move.way(stage.path_of(move), last)]
    done = [each is not None and each.settled is Settled.DONE for each in attempts].count(True)
    return 0 < done < len(attempts) and attempts[done] is None


def left_half_way(
    journal: Journal, run: Run, kinds: Kinds
) -> Callable[[Sequence[Attempt]], tuple[str, ...]]:
    """Return a function that finds, by its attempts, the unfinished things that block its end."""
    plan = with_caught_up(from_json(run.plan, kinds), journal.events(run.id), kinds)

    def left(made: Sequence[Attempt]) -> tuple[str, ...]:
        last = last_attempts(made)
        return tuple(move.thing for stage, move in plan.moves() if is_half_way(stage, move, last))

    return left
