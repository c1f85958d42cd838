"""The runs of a chain: planned and started in their turn, and resumed when their worker has died.

A chain of the workers queues its runs for them. A chain of an operator's own process carries its
runs out in threads of that process. When that process dies, the next one that resumes the chain
goes on with its runs.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import replace
from platform import node
from threading import Lock
from typing import TYPE_CHECKING, Any

from stackward.engine.approval import BegunBy, approve
from stackward.engine.brakes import Brakes
from stackward.engine.in_chain import ApprovedInChain, runs_of_item
from stackward.errors import BadInput, Refused, StepFailed
from stackward.model.health import Unwell
from stackward.model.run import Approval, Event, Run, RunState, Turn
from stackward.plan import ASKED_BY, Plan, load_request
from stackward.ports.children import InItem
from stackward.status.run import has_living_worker
from stackward.wording import count_of

if TYPE_CHECKING:  # it also carries out chains
    from stackward.engine.interpreter import WorkerContext

_LOOK_S = 0.2  # between two looks at whether a run of the workers has ended
# A chain whose run of a node is in one of these states does nothing there: that run did all, or has
# started nothing.
_AWAY_FROM_IT = frozenset({RunState.SUCCEEDED, RunState.REFUSED, RunState.NOT_BEGUN})
_SHOWN = 6  # reasons why a cloud is not well
_MOST = 50  # runs of a chain that one process carries out at a time


_NOT_LOOKED = (
    Unwell(where="the cloud", reason="nothing here looks at it as a whole", is_known=False),
)


def _how_it_is(found: Sequence[Unwell]) -> str:
    first = found[0]
    what = (
        "the cloud is not well" if first.is_known else "it is not known whether the cloud is well"
    )
    return f"{what}: {first.says}"


def _not_started(found: Sequence[Unwell], chain: str, looked: str) -> StepFailed:
    """Return why no further node is started."""
    first = found[0]
    remedy = first.remedy or "`stackward cloud check` says what is wrong"
    way = f"once it is well, `stackward run resume {chain}` continues"
    return StepFailed(
        f"not started: {_how_it_is(found)}",
        details=[*(each.says for each in found[1:_SHOWN]), looked],
        stands="nothing of it was changed",
        hint=f"{remedy}; {way}",
    )


class ChildRuns:
    """The runs of one chain, as its worker sees them."""

    def __init__(
        self,
        chain: Run,
        approved: Plan[Any],
        context: "WorkerContext[Any]",
        brakes: Brakes,
        carry_out: Callable[[Run, "WorkerContext[Any]", Brakes], Run],
    ) -> None:
        """Carry out a chain that this process has taken; `carry_out` carries out a run of it."""
        self._approved_with_it = ApprovedInChain(approved, context.journal.events(chain.id))
        asked_by = approved.facts.get(ASKED_BY)
        self._asked_by = {ASKED_BY: asked_by} if asked_by else {}
        self._chain, self._context, self._brakes = chain, context, brakes
        self._journal, self._clock = context.journal, context.clock
        self._carry_out = carry_out
        self._world = context.world_of(chain)
        self._going: dict[str, Future[Run]] = {}
        self._ended = 0  # of its runs, when it last rested
        self._pool = ThreadPoolExecutor(_MOST, thread_name_prefix="chain")
        self._lock = Lock()  # several items of a chain start at the same time

    def close(self) -> None:
        """Wait for the runs that this process carries out."""
        self._pool.shutdown()

    def rest(self, seconds: float) -> None:
        """Wait for this time, or until one of the runs has ended."""
        # The items of a chain add to it, each in a thread.
        if going := [each for each in tuple(self._going.values()) if not each.done()]:
            wait(going, timeout=seconds, return_when=FIRST_COMPLETED)
            return
        until = self._clock.monotonic() + seconds
        # A run that ended while others were looked at is not waited for either.
        while (ended := self._journal.count_ended(self._chain.id)) == self._ended:
            if (left := until - self._clock.monotonic()) <= 0:
                return
            self._clock.wait(min(_LOOK_S, left))
        self._ended = ended

    def newest(self, place: InItem, /) -> Run | None:
        """Return the last run that was started there; None: there is none yet."""
        return self._journal.child(self._chain.id, place.item, place.part)

    def begun_items(self) -> frozenset[str]:
        """Return the items of which a run was started that may have changed something."""
        nothing = {RunState.REFUSED, RunState.NOT_BEGUN}
        return frozenset(
            run.item for run in self._journal.children(self._chain.id) if run.state not in nothing
        )

    def see_to(self, run: Run, /) -> None:
        """Have a run carried out that nobody carries out, as when its worker has died."""
        if (mine := self._going.get(run.id)) is not None:
            if mine.done() and (error := mine.exception()) is not None:
                raise error
            return  # it goes on, or has ended since it was looked at
        if has_living_worker(run, node(), self._clock.now()):
            return
        if self._chain.for_workers and run.for_workers:
            return  # the workers see by themselves which of them have died
        with suppress(Refused):  # somebody else was quicker, or has carried it to its end
            self._go_on(run)

    def begin(
        self,
        place: InItem,
        asked: Mapping[str, Any],
        decisions: Mapping[str, str],
        /,
        *,
        needs_well: bool = False,
    ) -> None:
        """Plan a run from fresh facts and begin it; or go on with a run that stopped."""
        last = self.newest(place)
        if last is not None and last.state is RunState.STOPPED:
            self._go_on(last, chain_epoch=self._chain.epoch)
            return
        if needs_well and place.part == 0:
            self._refuse_unwell(place)
        try:
            request = load_request(asked, self._context.kinds)
            plan = self._context.operations[request.kind].plan(self._world, request, None)
        except (BadInput, Refused) as error:
            raise error.as_kind(StepFailed, error.message) from error
        self._refuse_more(plan, place, decisions)
        plan = replace(plan, facts={**plan.facts, **self._asked_by})
        with self._lock:
            run = self._approved(plan, place)
            if not self._chain.for_workers:
                self._go_on(run)

    def _refuse_unwell(self, place: InItem) -> None:
        """Refuse to begin with a node while the cloud is not well; wait if that may pass."""
        looks, pace = self._context.looks, self._context.pace
        began, said = self._clock.monotonic(), ""
        for count in itertools.count(1):
            found = looks(self._world, self._hosts_at_work()) if looks else _NOT_LOOKED
            if not found:
                return
            # If something could not be seen, wait as for any world that does not answer.
            is_seen = any(each.is_known for each in found)
            waits_s = pace.verify_s if is_seen else pace.patience_s
            waited_s = self._clock.monotonic() - began
            # One look may take all the time that there is: so there is always a second one.
            is_over = waited_s >= waits_s and count > 1
            if is_over or self._brakes.is_stopping or not looks:
                looked = f"looked at it {count_of(count, 'time')}, for {waited_s:.0f} s"
                raise _not_started(found, self._chain.id, looked)
            if (says := _how_it_is(found)) != said:
                said = says
                self._tell(
                    "waiting",
                    place.item,
                    f"{says}; it is looked at again, for at most {waits_s:.0f} s",
                )
            self._clock.wait(pace.look_again_s)

    def _tell(self, what: str, item: str, reason: str) -> None:
        event = Event(
            at=self._clock.now(),
            epoch=self._chain.epoch,
            what=what,
            thing=item,
            says={"reason": reason},
        )
        self._journal.tell(self._chain.id, event)

    def _hosts_at_work(self) -> frozenset[str]:
        """Return the nodes at which the chain is at work: of items started and not done."""
        newest = {run.item: run for run in self._journal.children(self._chain.id)}
        return frozenset(
            host
            for run in newest.values()
            if run.state not in _AWAY_FROM_IT or run.passes_on
            for host in run.holds
        )

    def _refuse_more(self, plan: Plan[Any], place: InItem, before: Mapping[str, str]) -> None:
        """Refuse what was not approved: a blocker, a new warning, another decision.

        A new server that moves without a warning is covered by the approval.
        """
        blocked = [f"`{each.thing}` {each.reason} ({each.remedy})" for each in plan.blockers]
        own = runs_of_item(self._journal, self._chain.id, place)
        new = self._approved_with_it.new_in(plan, place, before, own)
        if not (blocked or new):
            return
        way = f"`stackward run resume {self._chain.id}` shows the new plan, and asks for it"
        raise StepFailed(
            f"{plan.title}: not begun: what is new needs an approval of its own",
            details=[*blocked, *new],
            stands="nothing of it was changed",
            hint=f"do what the lines above advise; then {way}" if blocked else way,
        )

    def _approved(self, plan: Plan[Any], place: InItem) -> Run:
        now, chain = self._clock.now(), self._chain
        by = self._approved_with_it.by(place) or chain.approval.by
        newest = self._journal.child(chain.id)
        begun_by = BegunBy(
            chain=chain.id,
            place=place,
            epoch=chain.epoch,
            after=newest.id if newest else chain.id,
        )
        return approve(
            plan,
            Approval(by=by, at=now, how=f"chain {chain.id}"),
            self._journal,
            kinds=self._context.kinds,
            for_workers=chain.for_workers,
            turn=self._turn(),
            begun_by=begun_by,
        )

    def _turn(self) -> Turn | None:
        """Return until when its runs may start something: as long as the chain itself."""
        turn = self._chain.turn
        if turn is None or turn.until is None:
            return None
        return Turn(at=turn.at, by=None, until=turn.until, asked=turn.asked)

    def _go_on(self, run: Run, *, chain_epoch: int | None = None) -> None:
        """Have a run carried out: by the workers, or by a thread of this process."""
        now = self._clock.now()
        if self._chain.for_workers:
            by = self._chain.approval.by
            self._journal.queue(run.id, by, now, turn=self._turn(), chain_epoch=chain_epoch)
            return
        taken = self._journal.take_up(
            run.id, self._context.worker, now, seen=run.epoch, chain_epoch=chain_epoch
        )
        self._going[run.id] = self._pool.submit(self._carry_out, taken, self._context, self._brakes)
