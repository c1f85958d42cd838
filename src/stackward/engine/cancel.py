"""Cancel a run: nothing more starts. Only a person may leave something partly done.

That person says so, and why.
"""

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
    """Ask to cancel a run; return the run after that, and what is partly done in it.

    A run that no process carries out ends at once, unless something is in flight or partly done:
    for example, a server that awaits its confirmation. The worker that resumes such a run ends
    that, and starts nothing more.
    """
    found = journal.run(run_id)
    left = left_half_way(journal, found, kinds)
    run = journal.ask_cancel(found.id, by, at, lambda made: bool(left(made)))
    return run, left(journal.attempts(run.id))


def give_up(  # noqa: PLR0913, PLR0917  # who, why, where and when
    run_id: str, by: str, why: str, machine: str, journal: Journal, kinds: Kinds, clock: Clock
) -> Run:
    """Cancel a run although nobody can see how its last change ended; return it, over.

    For a change that is in flight on a machine that has died: the run would hold its node
    permanently. A person says so, and why; both are kept. What is in flight is settled as lost.

    Raises Refused while a process carries the run out, or may at any moment: it can still see the
    end.
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
