"""Cancel a run: nothing more is begun, and nothing is left half-way."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from stackward.engine.move import is_half_way
from stackward.model.run import Attempt, Run
from stackward.plan import Kinds, Plan, from_json, with_caught_up
from stackward.ports.journal import Journal


def ask_cancel(
    run_id: str, by: str, at: datetime, journal: Journal, kinds: Kinds
) -> tuple[Run, tuple[str, ...]]:
    """Ask to cancel a run; return it as it stands then, and what is half-way in it.

    A run that nobody carries out is over by that, unless something is in flight or half-way: a
    server that awaits its confirmation, say. Whoever resumes it ends that, and begins no more.
    """
    found = journal.run(run_id)
    plan = with_caught_up(from_json(found.plan, kinds), journal.events(found.id), kinds)
    run = journal.ask_cancel(found.id, by, at, lambda made: bool(left_half_way(plan, made)))
    return run, left_half_way(plan, journal.attempts(run.id))


def left_half_way(plan: Plan[Any], made: Sequence[Attempt]) -> tuple[str, ...]:
    """Return the things whose move is half-way: a run does not end like that."""
    last = {attempt.step: attempt for attempt in made}
    return tuple(move.thing for stage, move in plan.moves() if is_half_way(stage, move, last))
