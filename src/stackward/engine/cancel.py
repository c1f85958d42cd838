"""Cancel a run: nothing more is begun, and nothing is left half-way unless a person says so."""

from datetime import datetime

from stackward.engine.ledger import Ledger
from stackward.errors import Refused
from stackward.model.run import Run, RunState, Said, Settled
from stackward.plan import Kinds
from stackward.ports.clock import Clock
from stackward.ports.journal import Journal
from stackward.status.half_way import left_half_way
from stackward.status.run import refuse_a_living_worker, worker_here


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


def give_up(  # noqa: PLR0913, PLR0917  # who, why, where and when
    run_id: str, by: str, why: str, machine: str, journal: Journal, kinds: Kinds, clock: Clock
) -> Run:
    """Cancel a run although nobody can see how what it started has ended; return it, over.

    For what is in flight on a machine that has died: the run would hold its node for ever. A person
    says so, and why; both are kept. What is in flight is settled as lost.

    Raises Refused while somebody carries the run out, or may at any moment: those can still see it.
    """
    found = journal.run(run_id)
    refuse_a_living_worker(found, machine, clock.now())
    if found.state is RunState.QUEUED:
        raise Refused(
            f"run `{found.id}` waits for a worker, who will look at what is under way",
            hint=f"`stackward run cancel {found.id}`; give up only on what stays unseen",
        )
    run, left = ask_cancel(found.id, by, clock.now(), journal, kinds)
    if run.state.is_over:
        return run
    run = journal.take_up(run.id, worker_here(machine), clock.now())
    ledger = Ledger.opened(journal, run, clock)
    said = Said(reason=f"given up by {by}: {why}")
    for attempt in [one for one in ledger.last.values() if one.is_in_flight]:
        ledger.settle(attempt, Settled.LOST, said)
    unfinished = tuple(f"`{thing}` is left unfinished" for thing in left)
    return journal.end(
        run.id,
        run.epoch,
        RunState.CANCELLED,
        clock.now(),
        Said(reason=said.reason, details=unfinished),
    )
