"""The runs of a chain: planned and begun in their turn, and carried on when their worker has died.

A chain of the workers queues its runs for them. A chain of an operator's own process carries them
out in threads of that process: when it dies, whoever resumes the chain goes on with its runs.
"""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from platform import node
from threading import Lock
from typing import TYPE_CHECKING, Any

from stackward.engine.approval import BegunBy, approve
from stackward.engine.brakes import Brakes
from stackward.errors import BadInput, Refused, StepFailed
from stackward.model.run import Approval, Run, RunState, Turn
from stackward.plan import ASKED_BY, Plan, load_request
from stackward.status.run import has_living_worker

if TYPE_CHECKING:  # it carries chains out, too
    from stackward.engine.interpreter import WorkerContext

_MOST = 50  # runs of a chain that one process carries out at a time


class ChildRuns:
    """The runs of one chain, as the worker sees them that has it."""

    def __init__(
        self,
        chain: Run,
        approved: Plan[Any],
        context: "WorkerContext[Any]",
        brakes: Brakes,
        carry_out: Callable[[Run, "WorkerContext[Any]", Brakes], Run],
    ) -> None:
        """Take a chain that was taken up; `carry_out` carries out a run that was taken up."""
        # What was approved for a server is, wherever the chain itself has moved it since.
        self._approved_warnings = {each.key for each in approved.warnings}
        asked_by = approved.facts.get(ASKED_BY)
        self._asked_by = {ASKED_BY: asked_by} if asked_by else {}
        self._chain, self._context, self._brakes = chain, context, brakes
        self._journal, self._clock = context.journal, context.clock
        self._carry_out = carry_out
        self._world = context.world_of(chain)
        self._going: dict[str, Future[Run]] = {}
        self._pool = ThreadPoolExecutor(_MOST, thread_name_prefix="chain")
        self._lock = Lock()  # the items of a chain are begun side by side

    def close(self) -> None:
        """Wait for the runs that this process carries out."""
        self._pool.shutdown()

    def newest(self, item: str, /) -> Run | None:
        """Return the last run that was begun for an item; None: there is none yet."""
        return self._journal.child(self._chain.id, item)

    def see_to(self, run: Run, /) -> None:
        """Have a run carried on that nobody carries out, as when its worker has died."""
        if (mine := self._going.get(run.id)) is not None:
            if mine.done() and (error := mine.exception()) is not None:
                raise error
            return  # it goes on, or has ended since it was looked at
        if has_living_worker(run, node(), self._clock.now()):
            return
        if self._chain.for_workers and run.for_workers:
            return  # they see by themselves which of them have died
        with suppress(Refused):  # somebody else was quicker, or has brought it to its end
            self._go_on(run)

    def begin(self, item: str, asked: Mapping[str, Any], decisions: Mapping[str, str], /) -> None:
        """Plan a run of the item from fresh facts and begin it; or go on with one that stopped."""
        last = self.newest(item)
        if last is not None and last.state is RunState.STOPPED:
            self._go_on(last)
            return
        try:
            request = load_request(asked, self._context.kinds)
            plan = self._context.operations[request.kind].plan(self._world, request, None)
        except (BadInput, Refused) as error:
            raise error.as_kind(StepFailed, error.message) from error
        # An earlier run of the same item may itself have changed what was decided by then.
        before = decisions if last is None else {}
        _refuse_more(plan, self._approved_warnings, before)
        plan = replace(plan, facts={**plan.facts, **self._asked_by})
        with self._lock:
            run = self._approved(plan, item)
            if not self._chain.for_workers:
                self._go_on(run)

    def _approved(self, plan: Plan[Any], item: str) -> Run:
        now, chain = self._clock.now(), self._chain
        newest = self._journal.child(chain.id)
        begun_by = BegunBy(
            chain=chain.id,
            item=item,
            epoch=chain.epoch,
            after=newest.id if newest else chain.id,
        )
        return approve(
            plan,
            Approval(by=chain.approval.by, at=now, how=f"chain {chain.id}"),
            self._journal,
            kinds=self._context.kinds,
            for_workers=chain.for_workers,
            turn=self._turn(),
            begun_by=begun_by,
        )

    def _turn(self) -> Turn | None:
        """Return until when its runs may start anything: as long as the chain itself."""
        turn = self._chain.turn
        if turn is None or turn.until is None:
            return None
        return Turn(at=turn.at, by=None, until=turn.until, asked=turn.asked)

    def _go_on(self, run: Run) -> None:
        """Have a run carried out: by the workers, or by a thread of this process."""
        now = self._clock.now()
        if self._chain.for_workers:
            by = self._chain.approval.by
            self._journal.queue(run.id, by, now, turn=self._turn())
            return
        taken = self._journal.take_up(run.id, self._context.worker, now, seen=run.epoch)
        self._going[run.id] = self._pool.submit(self._carry_out, taken, self._context, self._brakes)


def _refuse_more(
    plan: Plan[Any], approved: Collection[tuple[str, str]], before: Mapping[str, str]
) -> None:
    """Refuse what was not approved: a blocker, a new warning, another decision.

    A server that is new and moves without a warning is no more than was approved.
    """
    against = [f"`{each.thing}` {each.reason} ({each.remedy})" for each in plan.blockers]
    against += [
        f"`{each.thing}` has a new warning: {each.reason}"
        for each in plan.warnings
        if each.key not in approved
    ]
    against += [
        f"{name}: was {was}, is {now}"
        for name, was in before.items()
        if (now := plan.decisions.get(name, "not said")) != was
    ]
    if against:
        raise StepFailed(
            f"{plan.title}: not begun: what is new needs an approval of its own",
            details=against,
            stands="nothing of it was changed",
            hint="plan the nodes that are left again: that asks for the approval",
        )
