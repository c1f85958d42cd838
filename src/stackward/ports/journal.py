"""What we ask of the place where runs are remembered.

Each call is one transaction. Those that take an epoch compare it with the run's and raise
`Superseded` when another worker has taken the run up since: that is what fences a frozen worker.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from stackward.model.observation import Observation
from stackward.model.run import Attempt, Event, Run, RunState, Said, Settled, Turn
from stackward.model.values import Json, Mark
from stackward.model.worker import Worker


class Journal(Protocol):
    """The memory of runs: what was approved, intended, answered and settled."""

    def add(
        self,
        run: Run,
        /,
        *,
        undoes: str | None = None,
        must_go_on: Callable[[Sequence[Attempt]], bool] = lambda _: False,
        chain_epoch: int | None = None,
    ) -> None:
        """Remember an approved run and take its nodes; raise `Locked` if another run has one.

        A run whose turn comes later takes its nodes when it starts. Two clouds may have nodes of
        the same name: these are two nodes. A run that does not name its cloud takes both. `undoes`
        is the run whose changes it takes back. That run can no longer be resumed, and it names the
        run that undid it. Raises `Refused` if that run goes on, or if another run undoes it
        already. Also if it was stopped, and something of it is under way or, by its attempts, must
        go on. A run of a chain is written into the chain too, at once. Raises `Superseded` if the
        chain now has another worker than that of `chain_epoch`. The run gets what an earlier run of
        its item has passed to the chain.
        """
        ...

    def run(self, run_id: str, /) -> Run:
        """Return the run of an id, or of the beginning of one; `BadInput` if none or several."""
        ...

    def children(self, chain: str, /) -> Sequence[Run]:
        """Return the runs that a chain has started, the oldest first."""
        ...

    def child(self, chain: str, item: str | None = None, part: int | None = None, /) -> Run | None:
        """Return the newest run that a chain has started, of an item, or of a part of that."""
        ...

    def count_ended(self, chain: str, /) -> int:
        """Return how many of the runs of a chain nobody carries out any more."""
        ...

    def runs(self, *, limit: int, cloud: str | None = None) -> Sequence[Run]:
        """Return the latest runs, the newest first; of a cloud, those that may be in it."""
        ...

    def queued(self, cloud: str | None = None, /, *, at: datetime | None = None) -> Sequence[str]:
        """Return the ids of the runs that wait for a worker, the oldest first; or of a cloud.

        With a time, without those whose turn is to come later.
        """
        ...

    def waiting(self, nodes: Sequence[str], cloud: str | None = None, /) -> Sequence[Run]:
        """Return the runs of these nodes that await their turn, the first to come first."""
        ...

    def holders(self, nodes: Sequence[str], cloud: str | None = None, /) -> Sequence[Run]:
        """Return the runs that hold any of these nodes now, the oldest first."""
        ...

    def lapse(self, run_id: str, at: datetime, /) -> Run:
        """End a run whose turn has passed before it began; return it as it is then.

        One that had started in an earlier turn is stopped, and can be resumed.
        """
        ...

    def queue(
        self,
        run_id: str,
        by: str,
        at: datetime,
        /,
        *,
        turn: Turn | None = None,
        chain_epoch: int | None = None,
    ) -> Run:
        """Give a run that nobody carries out to the workers; take its nodes again.

        With a turn it waits for that, and takes its nodes then; without one it goes on at once.
        A chain that goes on with its stopped run says its own epoch: `Superseded` where another
        worker has the chain by now, `Refused` where the chain was cancelled.
        """
        ...

    def take_up(  # noqa: PLR0913 # who, when, and as which user
        self,
        run_id: str,
        worker: str,
        at: datetime,
        /,
        *,
        life: str | None = None,
        seen: int | None = None,
        chain_epoch: int | None = None,
    ) -> Run:
        """Raise the epoch, take the nodes again, set the state to running; return the run.

        A worker gives its `life` and takes what is queued; all others make the run their own.
        `seen` is the epoch at which it was found to be free: `Locked` if somebody was quicker. A
        worker takes no run out of its turn. All others are refused if the run is out of its turn
        and has not started.
        """
        ...

    def enlist(self, worker: Worker, /) -> Worker | None:
        """Take the worker's name; return who has it, if somebody else does."""
        ...

    def workers(self) -> Sequence[Worker]:
        """Return every worker that has not been missed."""
        ...

    def show_life(self, worker: Worker, at: datetime, /) -> None:
        """Say that the worker lives; `Superseded` if it was taken for dead."""
        ...

    def bury(self, seen: Worker, at: datetime, /) -> Sequence[Run]:
        """Queue the runs of a worker that has not beaten since it was seen; return them."""
        ...

    def retire(self, worker: Worker, at: datetime, /) -> Sequence[Run]:
        """Give the name up; what it carries out still is queued for others and returned."""
        ...

    def beat(
        self, run_id: str, epoch: int, at: datetime, progress: Mapping[str, Json], /
    ) -> str | None:
        """Say that the worker is alive; return who asked to cancel the run, if anybody."""
        ...

    def intend(self, run_id: str, epoch: int, step: str, mark: Mark, at: datetime, /) -> Attempt:
        """Write down that a step is about to be started."""
        ...

    def answered(self, run_id: str, epoch: int, attempt: Attempt, at: datetime, /) -> Attempt:
        """Write down that the world has taken the request."""
        ...

    def settle(  # noqa: PLR0913  # one row of the journal
        self,
        run_id: str,
        epoch: int,
        attempt: Attempt,
        how: Settled,
        at: datetime,
        *,
        said: Said,
        saw: Mapping[str, Json],
    ) -> Attempt:
        """Write down how an attempt ended."""
        ...

    def found_done(
        self, run_id: str, epoch: int, step: str, at: datetime, saw: Mapping[str, Json], /
    ) -> Attempt:
        """Write down that a step was done before we started it."""
        ...

    def tell(self, run_id: str, event: Event, /) -> None:
        """Add a line to what happened."""
        ...

    def end(self, run_id: str, epoch: int, state: RunState, at: datetime, said: Said, /) -> Run:
        """End the run, or this part of it; free its nodes unless something is still in flight.

        One that ends as queued is left for another worker, with its nodes. Where another run of
        its item follows in a chain that goes on, its nodes pass to the chain.
        """
        ...

    def ask_cancel(
        self,
        run_id: str,
        by: str,
        at: datetime,
        must_go_on: Callable[[Sequence[Attempt]], bool],
        /,
    ) -> Run:
        """Ask the worker to cancel; a run that has no worker is cancelled here and now.

        Not if anything is in flight, or if `must_go_on` says of its attempts that it may not be
        left as it is: then the worker that resumes it ends it. With a chain, its runs that wait for
        a worker and have started nothing are cancelled too.
        """
        ...

    def approve_more(self, run_id: str, event: Event, /) -> None:
        """Write down that more is approved for a stopped chain, as it was when that was shown.

        Raises `Locked` if somebody has resumed it since.
        """
        ...

    def attempts(self, run_id: str, /) -> Sequence[Attempt]:
        """Return every attempt of a run, in the order in which they were made."""
        ...

    def attempts_of(self, run_ids: Sequence[str], /) -> Mapping[str, Sequence[Attempt]]:
        """Return the same of each of several runs, in one look at the journal."""
        ...

    def events(self, run_id: str, /, *, after: int = 0) -> Sequence[Event]:
        """Return what happened in a run, from the event after that number on."""
        ...

    def observe(self, seen: Sequence[Observation], /) -> None:
        """Keep what was seen, masked: the latest of each cloud, node, subject and source."""
        ...

    def observations(self, cloud: str, subject: str, /) -> Sequence[Observation]:
        """Return what was last seen of a subject on the nodes of a cloud, by node and source."""
        ...
