"""The engine for a command: one object, by which runs are approved and carried out."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from platform import node
from typing import Any

from stackward.adapters.clock import SystemClock
from stackward.app.journal import open_journal
from stackward.engine import Brakes, approve, ask_cancel
from stackward.engine.cancel import give_up
from stackward.engine.in_chain import New, approve_more, what_is_new
from stackward.errors import BadInput
from stackward.kinds import KINDS, read_plan
from stackward.model.run import Approval, Run, RunState, Turn
from stackward.model.worker import was_heard
from stackward.plan import Plan
from stackward.ports.clock import Clock
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.settings import Settings
from stackward.status import run as status
from stackward.status.turn import refuse_out_of_turn, seen_at
from stackward.status.visits import comes_again


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What may be asked of runs: on one journal, from this machine, by its clock."""

    journal: Journal
    machine: str
    clock: Clock

    def approve(
        self,
        plan: Plan[Any],
        approval: Approval,
        *,
        for_workers: bool = False,
        turn: Turn | None = None,
    ) -> Run:
        """Make a run of a plan, for this process or for the workers, which may have to wait."""
        return approve(
            plan, approval, self.journal, kinds=KINDS, for_workers=for_workers, turn=turn
        )

    def seen(self, run: Run) -> Run:
        """Return a run in its state of now; the journal may not show yet that its turn is over."""
        return seen_at(run, self.clock.now())

    def state_of(self, run: Run) -> RunState:
        """Return its state; one whose worker has died is stopped, although the journal differs."""
        return status.state_now(run, self.machine, self.clock.now())

    def is_without_workers(self, run: Run) -> bool:
        """Say whether no worker of the run's cloud was heard of lately, as far as clocks agree.

        A worker that a timer starts again and again counts too.
        """
        now = self.clock.now()
        is_there = any(
            was_heard(each.beat_at, now) and each.may_take(run) for each in self.journal.workers()
        )
        return not (is_there or comes_again(self.journal, run, now))

    def to_resume(self, run_id: str, *, take_over: bool) -> Run:
        """Return the run to resume, or refuse it; neither cloud nor nodes are asked.

        A run that a process carries out is refused, unless it is taken over.
        """
        run = self.journal.run(run_id)
        status.refuse_if_over(run)
        refuse_out_of_turn(run, self.clock.now())
        if not take_over:
            self._refuse_a_living_worker(run)
        read_plan(run.plan)
        return run

    def queue(self, run_id: str, by: str, *, take_over: bool, turn: Turn | None = None) -> Run:
        """Leave a run that was approved before to the workers; with a turn they wait for it."""
        run = self.journal.run(run_id)
        asked = json.loads(run.plan).get("request", {}).get("kind")
        _refuse_to_wait(KINDS.requests.get(asked), run.title)
        if not take_over:
            self._refuse_a_living_worker(run)
        return self.journal.queue(run.id, by, self.clock.now(), turn=turn)

    def what_is_new(self, run: Run, world: World) -> Iterator[New]:
        """Return what a stopped chain could not begin, as far as it needs another approval."""
        if run.is_chain and run.state is RunState.STOPPED:
            # Imported here: a command that only shows or watches a run loads nothing that would
            # plan it again.
            from stackward.operations import operations_in_run  # noqa: PLC0415

            yield from what_is_new(run, self.journal, operations_in_run(self.journal), KINDS, world)

    def approve_more(self, run: Run, new: New, approval: Approval) -> None:
        """Approve what is new in a run of a stopped chain."""
        approve_more(run, new, approval, self.journal)

    def cancel(self, run_id: str, by: str) -> tuple[Run, tuple[str, ...]]:
        """Ask to cancel a run; return the run after that, and what is partly done in it."""
        return ask_cancel(run_id, by, self.clock.now(), self.journal, KINDS)

    def give_up(self, run_id: str, by: str, why: str) -> Run:
        """Cancel a stopped run whose end nobody can see, for the reason that a person gives."""
        if not why.strip():
            raise BadInput("`--give-up` needs a reason", hint="it is kept with the run")
        return give_up(run_id, by, why.strip(), self.machine, self.journal, KINDS, self.clock)

    def carry_out(
        self,
        run: Run,
        world: World,
        brakes: Brakes,
        meanwhile: Callable[[], None],
        *,
        take_over: bool,
    ) -> Run:
        """Carry a run out, from its beginning or from its stop, unless somebody else does."""
        if not take_over:
            self._refuse_a_living_worker(run)
        # Imported here: a run is followed and cancelled without what plans it again.
        from stackward.app.carrying import carry_on, worker_context  # noqa: PLC0415

        context = worker_context(world, self.journal)
        return carry_on(run.id, context, brakes, meanwhile, seen=run.epoch)

    def _refuse_a_living_worker(self, run: Run) -> None:
        status.refuse_a_living_worker(run, self.machine, self.clock.now())


def refuse_to_wait(plan: Plan[Any]) -> None:
    """Raise BadInput for a plan that depends on what is true now, and may not be true later."""
    _refuse_to_wait(type(plan.request), plan.title)


def _refuse_to_wait(request: type[Any] | None, title: str) -> None:
    if getattr(request, "is_of_now", False):
        raise BadInput(
            f"{title}: what it rests on is of now, it cannot wait for a worker or a time",
            stands="nothing was changed",
            hint="leave `--queue`, `--at` and `--window` out",
        )


@contextmanager
def open_engine(settings: Settings, brakes: Brakes | None = None) -> Iterator[Engine]:
    """Open the memory of runs, and the engine on it."""
    with open_journal(settings, brakes) as journal:
        yield Engine(journal=journal, machine=node(), clock=SystemClock())
