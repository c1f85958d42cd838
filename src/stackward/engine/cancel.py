"""Cancel a run: nothing more is begun, and nothing is left half-way."""

from collections.abc import Callable, Sequence
from datetime import datetime

from stackward.engine.move import is_half_way
from stackward.model.run import Attempt, Run
from stackward.plan import Kinds, from_json, with_caught_up
from stackward.ports.journal import Journal


def ask_cancel(
    run_id: str, by: str, at: datetime, journal: Journal, kinds: Kinds
) -> tuple[Run, tuple[str, ...]]:
    """Ask to cancel a run; return it as it stands then, and what is half-way in it.

    A run that nobody carries out is over by that, unless something is in flight or half-way: a
    server that awaits its confirmation, say. Whoever resumes it ends that, and begins no more.
    """
    found = journal.run(run_id)
    left = left_half_way(journal, found, kinds)
    run = journal.ask_cancel(found.id, by, at, lambda made: bool(left(made)))
    return run, left(journal.attempts(run.id))


def left_half_way(
    journal: Journal, run: Run, kinds: Kinds
) -> Callable[[Sequence[Attempt]], tuple[str, ...]]:
    """Return what names, by its attempts, the things half-way in a run: it does not end so."""
    plan = with_caught_up(from_json(run.plan, kinds), journal.events(run.id), kinds)

    def left(made: Sequence[Attempt]) -> tuple[str, ...]:
        last = {attempt.step: attempt for attempt in made}
        return tuple(move.thing for stage, move in plan.moves() if is_half_way(stage, move, last))

    return left
