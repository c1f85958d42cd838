"""Cancel a run: nothing more is begun, and nothing is left half-way."""

from datetime import datetime

from stackward.model.run import Run
from stackward.plan import Kinds
from stackward.ports.journal import Journal
from stackward.status.half_way import left_half_way


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
