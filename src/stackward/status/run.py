"""The state of a run: whether its worker lives, and whether it is over."""

import os
from datetime import datetime

from stackward.errors import Locked, Refused
from stackward.model.run import Attempt, Run, RunState, Settled
from stackward.model.worker import was_heard
from stackward.ports.journal import Journal
from stackward.status.turn import seen_at


def worker_here(machine: str) -> str:
    """Return the name of this process as a worker."""
    return f"{machine}:{os.getpid()}"


def has_living_worker(run: Run, machine: str, now: datetime) -> bool:
    """Say whether a worker other than this process carries the run out, as far as can be seen."""
    if run.state is not RunState.RUNNING or run.worker is None:
        return False
    if run.for_workers:
        return was_heard(run.beat_at, now)
    where, _, pid = run.worker.rpartition(":")
    if where == machine:
        return int(pid) != os.getpid() and exists(int(pid))
    return was_heard(run.beat_at, now)


def state_now(run: Run, machine: str, now: datetime) -> RunState:
    """Return the state of a run; if its worker has died, it is stopped."""
    run = seen_at(run, now)
    # One of the workers resumes a run that was given to them.
    is_own = run.state is RunState.RUNNING and not run.for_workers
    is_orphan = is_own and not has_living_worker(run, machine, now)
    return RunState.STOPPED if is_orphan else run.state


def refuse_a_living_worker(run: Run, machine: str, now: datetime) -> None:
    """Refuse to take a run from a worker that is alive, as far as can be seen from here."""
    if has_living_worker(run, machine, now):
        raise Locked(
            f"run `{run.id}` is being carried out by `{run.worker}`",
            hint=f"`stackward run watch {run.id}` follows it; `stackward run resume {run.id} "
            "--take-over` gives that worker up: it starts nothing more",
        )


def refuse_if_over(run: Run) -> None:
    """Refuse to go on with a run that nothing can follow; all callers say it in these words."""
    if run.state.is_over:
        raise Refused(
            f"run `{run.id}` is over: {run.state}",
            hint="plan again; what is done already is found and left as it is",
        )


def asked_by_run(journal: Journal, run_id: str) -> frozenset[str]:
    """Return the requests that a run has made so far; an answer that was lost is not among them."""
    found = map(request_of, journal.attempts(run_id))
    return frozenset(each for each in found if each)


def request_of(attempt: Attempt) -> str | None:
    """Return the request that an attempt has made; one that others have ended names theirs."""
    return None if attempt.settled is Settled.FOREIGN else attempt.said.request_id


def exists(pid: int) -> bool:
    """Say whether this machine has such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
