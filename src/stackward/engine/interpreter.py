"""Carry out a run: its stages in order, each stage's moves together, then the verification.

It may die at any line, and any process can resume it. What is settled is in the journal. What is in
flight is settled by looking. A worker that lost the epoch starts nothing more.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Generic

from typing_extensions import TypeVar

from stackward.engine.aside import aside
from stackward.engine.beside import is_bounded, next_to_begin
from stackward.engine.brakes import Brakes
from stackward.engine.children import ChildRuns
from stackward.engine.lasting import TAKEN_AWAY, Lost, TakenAway, is_done_again, lost_steps
from stackward.engine.ledger import Ledger
from stackward.engine.move import TakenBack, carry_out_move, is_finished, settle_slow
from stackward.engine.pace import Pace
from stackward.engine.step import NO_ANSWER, StepContext, repeat_step, said_of
from stackward.engine.ticks import Moving, tick
from stackward.engine.verify import Proof, ask, prove
from stackward.errors import Locked, Refused, StackwardError, StepFailed, Superseded
from stackward.model.cloud import CloudIdentity
from stackward.model.health import Unwell
from stackward.model.run import Run, RunState, Said
from stackward.plan import (
    CAUGHT_UP,
    Blocked,
    Json,
    Kinds,
    Move,
    OperationInRun,
    Part,
    Plan,
    Stage,
    Step,
    Traced,
    cloud_of,
    differences,
    dump_move,
    from_json,
    is_chain,
    of_cloud,
    refuse_another,
    with_caught_up,
)
from stackward.ports.children import Children
from stackward.ports.clock import Clock
from stackward.ports.journal import Journal
from stackward.ports.world import Timed, World
from stackward.status.half_way import is_half_way
from stackward.wording import in_utc

STILL_OPEN = (
    "how a step ended was not seen: `run resume` looks again; "
    "if nobody can ever see it, `run cancel --give-up WHY` ends the run"
)

W_here = TypeVar("W_here", bound=Timed, default=World)
Read = TypeVar("Read")


def _as_it_is(world: W_here) -> W_here:
    return world


@dataclass(frozen=True, kw_only=True)
class WorkerContext(Generic[W_here]):
    """What a worker carries out runs with."""

    journal: Journal
    operations: Mapping[str, OperationInRun[W_here]]  # by the kind of their requests
    kinds: Kinds  # that a stored plan may hold
    clock: Clock
    worker: str
    world_of: Callable[[Run], W_here]
    cloud: CloudIdentity | None = None  # where all of it is done; None: there is only one
    # Why the cloud is not well, apart from these nodes; None: nothing here looks at it as a whole.
    looks: Callable[[W_here, Collection[str]], Sequence[Unwell]] | None = None
    with_children: Callable[[W_here, Children], W_here] = lambda world, _: world
    poll: Callable[[W_here], W_here] = field(
        default=_as_it_is
    )  # a world that answers from one poll
    pace: Pace = field(default_factory=Pace)


def carry_out(
    run_id: str, context: WorkerContext[Any], brakes: Brakes, *, seen: int | None = None
) -> Run:
    """Carry out a run to its end, or to the point where it must stop; return its last state.

    Raises `Superseded` when another worker takes it over, `Locked` if its epoch is not the one at
    which it was `seen`.
    """
    # First: a run that this version does not understand, or a run of another cloud, is not taken.
    found = context.journal.run(run_id)
    _refuse_another_cloud(found, from_json(found.plan, context.kinds), context)
    run = context.journal.take_up(run_id, context.worker, context.clock.now(), seen=seen)
    return carry_out_taken(run, context, brakes)


def carry_out_taken(run: Run, context: WorkerContext[Any], brakes: Brakes) -> Run:
    """Carry out a run that this process has taken already, as above."""
    events = context.journal.events(run.id)
    plan = with_caught_up(from_json(run.plan, context.kinds), events, context.kinds)
    is_known = _refuse_another_cloud(run, plan, context)
    ledger = Ledger.opened(context.journal, run, context.clock)
    if context.cloud is not None and is_known:
        plan = of_cloud(plan, context.cloud)  # one of an older version calls it by its former name
    elif context.cloud is not None and ledger.last:
        reason = f"it goes on in `{context.cloud.name}`; an older version did not write down where"
        ledger.tell("its cloud cannot be compared", reason=reason)
    if not is_chain(plan):
        return _Interpreter(plan, ledger, context, brakes).carry_out()
    children = ChildRuns(run, plan, context, brakes, carry_out_taken)
    try:
        return _Interpreter(plan, ledger, context, brakes, children).carry_out()
    finally:
        children.close()


def _refuse_another_cloud(run: Run, plan: Plan[Any], context: WorkerContext[Any]) -> bool:
    """Refuse a run of another cloud; say whether its plan names its cloud."""
    if context.cloud is None:
        return False
    return refuse_another(f"run `{run.id}`, {run.title},", cloud_of(plan), context.cloud)


class _Stopped(Exception):
    """The run ends here, in this state."""

    def __init__(self, state: RunState, said: Said) -> None:
        super().__init__(said.reason)
        self.state, self.said = state, said


class _Interpreter:
    """One worker's time with one run."""

    def __init__(
        self,
        plan: Plan[Any],
        ledger: Ledger,
        context: WorkerContext[Any],
        brakes: Brakes,
        children: ChildRuns | None = None,
    ) -> None:
        self._plan, self._ledger, self._worker, self._brakes = plan, ledger, context, brakes
        self._run, self._pace = ledger.run, context.pace
        self._operation = context.operations[plan.request.kind]
        self._is_chain, self._children = children is not None, children
        world = context.world_of(self._run)
        world = context.with_children(world, children) if children else world
        self._polled = world
        self._context = StepContext(
            ledger=ledger,
            pace=context.pace,
            world=world,
            shared=lambda: self._polled,
            rests=lambda: self._is_chain and (self._is_to_stop or self._against is not None),
        )
        self._cancelled_by = self._run.cancel_asked_by
        self._against: StackwardError | None = None  # the error that blocks every new start
        # What failed while the later stages go on without it, and the end of the run that follows.
        self._set_aside: set[str] = set()
        self._ends_by: _Stopped | None = None

    def carry_out(self) -> Run:
        try:
            if not self._ledger.last:
                self._plan_again()
            self._settle_what_is_over()
            self._do_again()
            self._carry_out_stages()
            state, said = self._verify()
        except _Stopped as stopped:
            state, said = stopped.state, stopped.said
        except Superseded:
            raise
        except StackwardError as error:
            state, said = RunState.STOPPED, _said(error)
        if state.is_over and self._ledger.has_open:
            # If it were over, nobody could look at it again, and its node would be free for others.
            state = RunState.STOPPED
            said = replace(said, details=(*said.details, STILL_OPEN))
        return self._worker.journal.end(
            self._run.id, self._run.epoch, state, self._worker.clock.now(), said
        )

    # --- is the plan still what would be decided? -----------------------------------------------

    def _plan_again(self) -> None:
        if self._is_window_over:
            raise self._out_of_window("nothing was started")
        try:
            fresh = self._fresh_plan()
        except Refused as error:
            raise _Stopped(RunState.REFUSED, _said(error)) from error
        found = differences(self._plan, fresh)
        if found.against:
            reason = "the plan is stale: a plan made now would be different"
            raise _Stopped(RunState.REFUSED, Said(reason=reason, details=found.against))
        for line in found.told:
            self._ledger.tell("planned again", reason=line)
        gone = {
            at: step
            for stage, move in self._plan.moves()
            if (stage.name, move.key) in found.gone
            for at, step in move.steps_at(stage.path_of(move), Part.STEPS)
        }
        traces = self._aside(lambda: {path: self._traced(step) for path, step in gone.items()})
        for path, traced in traces.items():
            self._ledger.found_done(path, {"gone": True, **traced})

    def _fresh_plan(self) -> Plan[Any]:
        """Plan again; on a large cloud that takes minutes, so the run goes on to beat."""
        return self._aside(
            lambda: self._operation.plan(self._context.world, self._plan.request, self._run.id)
        )

    def _aside(self, read: Callable[[], Read]) -> Read:
        """Read what may take long, and beat in the meantime."""
        return aside(read, self._pace.beat_s, lambda: self._beat([]))

    def _traced(self, step: Step[Any]) -> Mapping[str, Json]:
        try:
            return step.trace(self._context.world) if isinstance(step, Traced) else {}
        except NO_ANSWER:
            return {}  # it needs no answer to be left alone

    def _settle_what_is_over(self) -> None:
        """Settle what an earlier worker that died left open next to a move that is done."""
        for stage, move in self._plan.moves():
            if is_finished(stage, move, self._context):
                settle_slow(stage.path_of(move), self._ledger)

    def _do_again(self) -> None:
        """Do again what others have undone, if the run stopped for that and was resumed.

        If that is not possible, nothing more is started; moves in progress still go on to their
        end.
        """
        try:
            events = self._worker.journal.events(self._run.id)
            for lost in [] if self._is_to_stop else self._lost():
                if is_done_again(lost, events):  # if not, the run stops before its next start
                    self._repeat(lost)
        except Superseded:
            raise
        except StackwardError as error:
            self._against = error

    def _repeat(self, lost: Lost) -> None:
        """Do one step again, aside: its request may take long, and the run goes on to beat."""
        steps = repeat_step(lost.step, lost.path, lost.thing, self._context)
        again = Moving(Move(thing=lost.thing, how="", steps=()), lost.path, steps)
        while True:
            tick([again], self._pace.straggler_s, _raise_what_ended)
            if again.is_settled:
                return
            self._beat([again])
            if self._is_to_stop and again.thread is None:
                return  # it is in progress, and its stage brings it to its end
            self._worker.clock.wait(self._pace.poll_s)

    def _stop_for(self, error: TakenAway) -> StackwardError:
        """Start nothing more; say once why."""
        if self._against is None:
            self._against = error
            lost = error.lost
            self._ledger.tell(TAKEN_AWAY, thing=lost.thing, step=lost.path, reason=lost.look.reason)
        return self._against

    def _lost(self) -> list[Lost]:
        """Look at what must last; wait for a world that does not answer."""
        until = self._worker.clock.monotonic() + self._pace.patience_s
        while True:
            try:
                return self._aside(
                    lambda: list(lost_steps(self._plan, self._ledger, self._context.world))
                )
            except NO_ANSWER:
                if self._worker.clock.monotonic() >= until:
                    raise
            self._beat([])
            self._worker.clock.wait(self._pace.poll_s)

    def _judge(self, move: Move[Any]) -> Blocked | None:
        for lost in lost_steps(self._plan, self._ledger, self._context.world):
            raise TakenAway(lost)
        return self._operation.judge(self._context.world, self._plan.request, move)

    def _caught_up(self, stage: Stage[Any]) -> Stage[Any]:
        """Return the stage with what is new since the plan was approved."""
        if stage.moves or self._has_begun_after(stage):  # an earlier worker caught up
            return stage
        self._beat([])
        self._require(stage)
        if self._is_to_stop:
            return stage
        fresh = self._fresh_plan()
        known = {move.key for _, move in self._plan.moves()}
        new = tuple(move for _, move in fresh.moves() if move.key not in known)
        keys = {move.key for move in new}
        objections = [f"`{each.thing}` {each.reason} ({each.remedy})" for each in fresh.blockers]
        objections += [
            f"`{each.thing}` {each.reason}"
            for each in fresh.warnings
            if (each.thing_id or each.thing) in keys
        ]
        if objections:
            raise StepFailed(
                f"stage `{stage.name}` was not begun: what is new needs an approval of its own",
                details=objections,
            )
        if new:
            moves: list[Json] = [dump_move(move) for move in new]
            self._ledger.tell(CAUGHT_UP, step=stage.name, moves=moves)
        return replace(stage, moves=new)

    def _has_begun_after(self, stage: Stage[Any]) -> bool:
        """Say whether a later stage has started: what that does is no reason against the plan."""
        later = self._plan.stages[self._plan.stages.index(stage) + 1 :]
        moves = [each.path_of(move) for each in later for move in each.moves]
        return any(self._ledger.has_begun(move) for move in moves)

    # --- the stages -----------------------------------------------------------------------------

    def _carry_out_stages(self) -> None:
        """Carry out the stages; once one must stop, only what must go on in the others."""
        stopped: _Stopped | None = None
        for stage in self._plan.stages:
            if self._against and not any(self._must_go_on(stage, move) for move in stage.moves):
                continue
            try:
                self._carry_out_stage(self._caught_up(stage) if stage.catches_up else stage)
            except Superseded:
                raise
            except StackwardError as error:
                self._against = self._against or error
                stopped = _and_then(stopped, _Stopped(RunState.STOPPED, _said(error)))
            except _Stopped as error:
                if self._brakes.is_leaving:
                    raise
                self._against = self._against or StepFailed(str(error))
                stopped = _and_then(stopped, error)
        if self._ends_by:
            raise _beside(self._ends_by, stopped) if stopped else self._ends_by
        if stopped:
            raise stopped
        if self._against:
            raise self._stopped(self._against, [])

    # --- one stage ------------------------------------------------------------------------------

    def _carry_out_stage(self, stage: Stage[Any]) -> None:
        left = self._left(stage)
        # Moves in progress come first, under all conditions: the world works on them.
        left.sort(key=lambda move: not self._must_go_on(stage, move))
        waiting, moving = deque(left), list[Moving]()
        failed: list[Moving] = []
        if left:
            self._beat([])
            self._require_or_stop(stage, left)
        looked_at = self._worker.clock.monotonic()
        while True:
            if begun := self._begin(stage, waiting, moving, failed):
                self._advance(begun, moving, failed)
                looked_at = self._worker.clock.monotonic()
                continue
            if not moving:
                break
            self._beat(moving)
            self._rest(looked_at)
            looked_at = self._worker.clock.monotonic()
            self._poll()
            self._advance(moving, moving, failed)
        if self._is_chain and failed:
            self._beat([])  # a cancellation since then may be why none was started
        self._account_for(stage, failed)

    def _begin(
        self,
        stage: Stage[Any],
        waiting: deque[Move[Any]],
        moving: list[Moving],
        failed: list[Moving],
    ) -> list[Moving]:
        """Begin as many moves as may go on at once; return them."""
        begun = []
        while waiting and len(moving) < stage.at_once:
            move = self._next(stage, waiting, moving, failed)
            if move is None:
                break
            waiting.remove(move)
            steps = carry_out_move(stage, move, self._context, partial(self._judge, move))
            begun.append(Moving(move, stage.path_of(move), steps))
            moving.append(begun[-1])
        return begun

    def _next(
        self,
        stage: Stage[Any],
        waiting: deque[Move[Any]],
        moving: list[Moving],
        failed: list[Moving],
    ) -> Move[Any] | None:
        """Return the move that starts next; None: none may start now."""
        if self._must_go_on(stage, waiting[0]):
            return waiting[0]
        if not self._may_begin(stage, failed):
            return None
        if self._children is None or not is_bounded(stage.moves):
            return waiting[0]
        items = self._children.begun_items()
        begun = [
            each
            for each in stage.moves
            if each.thing in items and not is_finished(stage, each, self._context)
        ]
        return next_to_begin(waiting, (each.move for each in moving), begun)

    def _left(self, stage: Stage[Any]) -> list[Move[Any]]:
        """Return the moves of a stage that are not done, without those of what is set aside."""
        return [
            move
            for move in stage.moves
            if not is_finished(stage, move, self._context)
            and (move.key not in self._set_aside or self._must_go_on(stage, move))
        ]

    def _must_go_on(self, stage: Stage[Any], move: Move[Any]) -> bool:
        is_under_way = bool(self._ledger.in_flight(stage.path_of(move)))
        return is_under_way or is_half_way(stage, move, self._ledger.last)

    def _may_begin(self, stage: Stage[Any], failed: list[Moving]) -> bool:
        if self._is_to_stop or self._against:
            return False
        if self._is_chain:  # a node that others have is passed over
            return all(isinstance(each.failed, Locked) for each in failed)
        return stage.goes_on or not failed

    @property
    def _is_to_stop(self) -> bool:
        return self._brakes.is_stopping or bool(self._cancelled_by) or self._is_window_over

    @property
    def _is_window_over(self) -> bool:
        """Say whether the approval covers no further start; moves in progress go on."""
        until = self._run.turn.until if self._run.turn else None
        return until is not None and until <= self._worker.clock.now()

    def _out_of_window(self, left: str) -> "_Stopped":
        """Return the end of a run whose window is over: one that has started can be resumed."""
        until = self._run.turn.until if self._run.turn else None
        when = f" at {in_utc(until)}" if until else ""
        state = RunState.STOPPED if self._ledger.last else RunState.NOT_BEGUN
        return _Stopped(state, Said(reason=f"its window ended{when}: {left}"))

    @property
    def _interrupted(self) -> RunState:
        return RunState.QUEUED if self._brakes.leaves_to_others else RunState.STOPPED

    def _advance(self, some: list[Moving], moving: list[Moving], failed: list[Moving]) -> None:
        wait_s = self._pace.planning_s if self._is_chain else self._pace.straggler_s
        tick(some, wait_s, self._sort_out)
        for each in [each for each in moving if each.is_settled]:
            moving.remove(each)
            if each.failed and each.failed is not self._against:
                failed.append(each)
        if self._is_chain and self._brakes.is_stopping and self._brakes.leaves_to_others:
            # The runs that it has started go on without us, or are left to other workers as well.
            raise _Stopped(self._interrupted, Said(reason="left to other workers"))
        if self._is_to_stop:
            # Do not wait for a move that only waits itself, and has asked for nothing.
            moving[:] = [each for each in moving if self._is_awaited(each)]

    def _is_awaited(self, each: Moving) -> bool:
        if self._is_chain:  # between two runs of an item it can be left
            return each.thread is not None or bool(self._ledger.in_flight(each.path))
        return self._ledger.has_asked(each.path)

    def _sort_out(self, each: Moving) -> None:
        """Decide what follows when a move has ended by an error."""
        error, each.ended = each.ended, None
        match error:
            case None:
                pass
            case Superseded():
                raise error
            case TakenAway():
                each.failed = self._stop_for(error)
            case StackwardError():
                each.failed = error
                self._ledger.tell(
                    "failed", thing=each.move.thing, step=each.path, reason=error.message
                )
            case Exception():
                each.failed = StepFailed(
                    f"this is a defect of Stackward: {type(error).__name__}: {error}"
                )
                self._ledger.tell(
                    "defect", thing=each.move.thing, step=each.path, reason=repr(error)
                )
            case _:
                raise error

    def _account_for(self, stage: Stage[Any], failed: list[Moving]) -> None:
        """Go on to the next stage only when every move of this one is proved done."""
        if self._against:
            raise self._stopped(self._against, failed)
        if failed:
            first, *others = (each.failed for each in failed if each.failed)
            is_settled = all(isinstance(each.failed, TakenBack) for each in failed)
            state = RunState.CANCELLED if self._cancelled_by else RunState.STOPPED
            what = _with_others(first, others)
            ended = _Stopped(RunState.FAILED if is_settled else state, what)
            if not stage.sets_aside or self._is_to_stop:
                raise ended
            self._set_aside |= {each.move.key for each in failed}
            self._ends_by = _beside(self._ends_by, ended) if self._ends_by else ended
        left = self._left(stage)
        if not left:
            return
        if self._cancelled_by:
            raise _Stopped(RunState.CANCELLED, Said(reason=f"cancelled by {self._cancelled_by}"))
        if self._is_window_over:
            raise self._out_of_window(f"{len(left)} not begun in stage `{stage.name}`")
        said = f"interrupted: {len(left)} not begun in stage `{stage.name}`"
        raise _Stopped(self._interrupted, Said(reason=said))

    def _stopped(self, against: StackwardError, failed: list[Moving]) -> _Stopped:
        """Return the end of a run that may start nothing more."""
        return _Stopped(
            RunState.CANCELLED if self._cancelled_by else RunState.STOPPED,
            _with_others(against, [each.failed for each in failed if each.failed]),
        )

    def _require_or_stop(self, stage: Stage[Any], left: list[Move[Any]]) -> None:
        """Ask what must be true; where it is not, moves in progress still go on to their end."""
        if self._against:
            return  # nothing starts
        try:
            self._require(stage)
        except Superseded:
            raise
        except StackwardError as error:
            if not any(self._must_go_on(stage, move) for move in left):
                raise
            self._against = error

    def _require(self, stage: Stage[Any]) -> None:
        """Ask what must be true before the stage begins, and what must still be true."""
        for lost in self._lost():
            raise self._stop_for(TakenAway(lost))
        for check in stage.needs:
            answer = ask(check, self._context, self._pace.patience_s, lambda: self._beat([]))
            if self._is_to_stop:
                return  # nothing of the stage starts
            if not answer.holds:
                raise StepFailed(
                    f"stage `{stage.name}` was not begun: {answer.text}", hint=answer.remedy
                )

    # --- the tick -------------------------------------------------------------------------------

    def _beat(self, moving: list[Moving]) -> None:
        """Say that we live; find out whether somebody asked to cancel, or has taken over."""
        if self._brakes.is_leaving:
            names = [f"`{each.move.thing}` is under way" for each in moving]
            why = [self._against.message] if self._against else []
            reason = "interrupted, without waiting for what is under way"
            raise _Stopped(self._interrupted, Said(reason=reason, details=(*names, *why)))
        asked_by = self._worker.journal.beat(
            self._run.id, self._run.epoch, self._worker.clock.now(), dict(self._ledger.seen)
        )
        self._cancelled_by = self._cancelled_by or asked_by

    def _rest(self, looked_at: float) -> None:
        """Wait for the next look; a chain waits only until one of its runs has ended.

        The looks have a fixed interval; but after a slow answer of the cloud there is a pause
        before the next one.
        """
        left_s = self._pace.poll_s - (self._worker.clock.monotonic() - looked_at)
        rest_s = max(left_s, self._pace.poll_s / 2)
        if self._children is not None:
            self._children.rest(rest_s)
        else:
            self._worker.clock.wait(rest_s)

    def _poll(self) -> None:
        if self._is_chain:
            return  # its runs look at the world; it looks at them
        try:
            self._polled = self._aside(lambda: self._worker.poll(self._context.world))
        except NO_ANSWER:
            # Each look asks for itself then, and says what it could not see.
            self._polled = self._context.world

    # --- the end --------------------------------------------------------------------------------

    def _verify(self) -> tuple[RunState, Said]:
        """Prove the end; nothing overrides that."""
        proofs = prove(self._plan.verify, self._context, beat=lambda: self._beat([]))
        for proof in proofs:
            read = {"read": proof.read} if proof.read else {}
            self._ledger.tell(proof.what, reason=proof.text, **read)
        details = tuple(line for proof in proofs if not proof.holds for line in proof.lines)
        if any(proof.what == Proof.FOUND for proof in proofs):
            said = Said(reason="all steps ran, but verification failed", details=details)
            return RunState.FAILED, said
        if details:
            said = Said(reason="all steps ran, but the result could not be proved", details=details)
            return RunState.UNVERIFIED, said
        return RunState.SUCCEEDED, Said()


def _raise_what_ended(each: Moving) -> None:
    if each.ended is not None:
        raise each.ended


def _and_then(first: _Stopped | None, later: _Stopped) -> _Stopped:
    """Return the first of two ends of a run, with what else the later one says."""
    if first is None:
        return later
    new = [line for line in later.said.details if line not in first.said.details]
    return _Stopped(first.state, replace(first.said, details=(*first.said.details, *new)))


def _beside(first: _Stopped, later: _Stopped) -> _Stopped:
    """Return the first of two ends that are independent of each other, and the later one."""
    told = dict.fromkeys((*first.said.details, later.said.reason or "", *later.said.details))
    state = later.state if later.state is RunState.CANCELLED else first.state
    return _Stopped(state, replace(first.said, details=tuple(filter(None, told))))


def _with_others(first: StackwardError, others: Iterable[StackwardError]) -> Said:
    said = _said(first)
    return replace(said, details=(*said.details, *(other.message for other in others)))


def _said(error: StackwardError) -> Said:
    said = said_of(error)
    return replace(said, details=(*said.details, f"remedy: {error.hint}")) if error.hint else said
