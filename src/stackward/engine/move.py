"""Carry out one move: its steps in order, and the steps that are declared for a slow move.

A move that was given up because it was slow goes another way, also step by step. The journal alone
says whether it was given up, so every worker that resumes it decides the same.
"""

from collections.abc import Callable, Generator, Iterator
from typing import Any

from stackward.engine.lasting import TakenAway
from stackward.engine.ledger import Ledger
from stackward.engine.step import StepContext, carry_out_step
from stackward.errors import StackwardError, StepFailed, Superseded
from stackward.model.run import Said, Settled
from stackward.plan import GIVEN_UP, Blocked, Move, Part, Stage, Standing, Waiting
from stackward.plan.path import part_of, path_of_step

ON_RECORD = "on record"
_ASKED_FOR = {None, Settled.DONE, Settled.MOOT}  # a requested step for a slow move has one of these


def is_finished(stage: Stage[Any], move: Move[Any], context: StepContext) -> bool:
    """Say whether each step of the move was proved done, on the way that it has taken."""
    way = move.way(stage.path_of(move), context.ledger.last)
    return all(context.ledger.is_done(at) for at, _ in way)


def is_given_up(move: Move[Any], path: str, ledger: Ledger) -> bool:
    """Say whether the first step was given up after the steps for a slow move were requested."""
    first = ledger.last.get(path_of_step(path, 0))
    if first is None or not first.saw.get(GIVEN_UP) or not move.instead:
        return False
    slow = [ledger.last.get(at) for at, _ in move.steps_at(path, Part.SLOW)]
    # A step from before the last start of the first step was for an earlier start.
    return all(
        each and each.settled in _ASKED_FOR and each.intended_at >= first.intended_at
        for each in slow
    )


def carry_out_move(
    stage: Stage[Any], move: Move[Any], context: StepContext, judge: Callable[[], Blocked | None]
) -> Iterator[Standing]:
    """Bring each step to done, one after the other."""
    path = stage.path_of(move)
    if context.ledger.has_begun(path, Part.FAILED):
        # An earlier worker died while it took this move back: the move is taken back to the end.
        try:
            yield from _take_back(move, path, context, _why_it_failed(move, path, context))
        except TakenBack:
            yield from _look_to_the_end(move, path, context)
            raise
    if move.record and not context.ledger.has_begun(path):
        context.ledger.tell(ON_RECORD, thing=move.thing, step=path, reason=move.record)
    if is_given_up(move, path, context.ledger):
        settle_slow(path, context.ledger)  # an earlier worker may have died just before it did
    else:
        is_done = yield from _as_planned(move, path, context, judge)
        if is_done:
            return
    yield from _instead(move, path, context, judge)


def _as_planned(
    move: Move[Any], path: str, context: StepContext, judge: Callable[[], Blocked | None]
) -> Generator[Standing, None, bool]:
    """Carry out the steps; return False if the move was given up because it was slow."""
    slow = _Slow(move, path, context)
    try:
        first = _first_that_starts(move)
        for place, step in enumerate(move.steps):
            while place and context.rests():
                yield Standing.TODO
            # Later, the state of the thing is one that we made: it is judged at the start only.
            again = judge if place <= first else _no_objection
            at = path_of_step(path, place)
            for standing in carry_out_step(step, at, move.thing, context, again):
                if standing is Standing.UNDERWAY:
                    slow.advance()
                yield standing
    except Superseded:
        raise
    except StackwardError as error:
        slow.close()
        if is_given_up(move, path, context.ledger):
            context.ledger.tell(
                "was given up and goes another way",
                thing=move.thing,
                step=path,
                reason=error.message,
            )
            return False
        if move.on_failed and not isinstance(error, TakenAway):  # by which nothing was started
            yield from _take_back(move, path, context, error)
        raise
    slow.close()
    return True


def _first_that_starts(move: Move[Any]) -> int:
    """Return the place of the first step that changes anything: those before it only wait."""
    starts = (not (isinstance(step, Waiting) and step.only_waits) for step in move.steps)
    return next((place for place, is_start in enumerate(starts) if is_start), 0)


def _instead(
    move: Move[Any], path: str, context: StepContext, judge: Callable[[], Blocked | None]
) -> Iterator[Standing]:
    """Carry out the steps that were declared in place of a slow move."""
    for place, step in enumerate(move.instead):
        again = judge if place == 0 else _no_objection
        try:
            at = path_of_step(path, place, Part.INSTEAD)
            yield from carry_out_step(step, at, move.thing, context, again)
        except Superseded:
            raise
        except StackwardError as error:
            done = [f"done before: {each.summary}; undo: {each.undo}" for each in move.instead]
            error.details = (*error.details, *done[:place])
            raise


class TakenBack(StepFailed):
    """The move failed, and the steps for that case are done: nothing is left to resume."""


def _take_back(
    move: Move[Any], path: str, context: StepContext, error: StackwardError
) -> Iterator[Standing]:
    """Carry out what was declared for a failed move, then raise why it failed."""
    context.ledger.tell("takes back", thing=move.thing, step=path, reason=error.message)
    try:
        for at, step in move.steps_at(path, Part.FAILED):
            yield from carry_out_step(step, at, move.thing, context, _no_objection)
    except Superseded:
        raise
    except StackwardError as second:
        second.message = f"{error.message}; taking it back: {second.message}"
        raise
    since = (f"since then: {step.summary}" for step in move.on_failed)
    raise error.as_kind(TakenBack, error.message, details=[*error.details, *since])


def _look_to_the_end(move: Move[Any], path: str, context: StepContext) -> Iterator[Standing]:
    """Look at what no earlier worker saw the end of; in no case start it again."""
    is_over = Blocked(move.thing, "was taken back", "plan again")
    for at, step in move.steps_at(path, Part.STEPS):
        last = context.ledger.last.get(at)
        if last is None or not last.is_in_flight:
            continue
        try:
            yield from carry_out_step(step, at, move.thing, context, lambda: is_over)
        except Superseded:
            raise
        except StackwardError as error:
            context.ledger.tell("looked again", thing=move.thing, step=at, reason=error.message)


def _why_it_failed(move: Move[Any], path: str, context: StepContext) -> StepFailed:
    """Return the error that an earlier worker met, as it wrote it down."""
    for at, step in move.steps_at(path, Part.STEPS):
        attempt = context.ledger.last.get(at)
        if attempt and attempt.settled in {Settled.FAILED, Settled.FOREIGN, Settled.LOST}:
            said = attempt.said
            return StepFailed(
                f"{step.summary}: {said.reason}",
                service=said.service,
                says=said.says,
                request_id=said.request_id,
            )
    return StepFailed(f"`{move.thing}` could not be brought on")


def _no_objection() -> None:
    return None


def settle_slow(path: str, ledger: Ledger) -> None:
    """Settle what was started for a slow move: when the move is over, it has no purpose."""
    for attempt in ledger.in_flight(path):
        if part_of(attempt.step) is Part.SLOW:
            ledger.settle(attempt, Settled.MOOT, Said(reason="the move is over"))


class _Slow:
    """The steps declared for a move that takes long: started during the move, never settling it."""

    def __init__(self, move: Move[Any], path: str, context: StepContext) -> None:
        self._move, self._path, self._context = move, path, context
        self._ledger = context.ledger
        now = self._ledger.clock.now()
        # A move that an earlier worker started has been in progress since then.
        began = [attempt.intended_at for attempt in self._ledger.in_flight(path)]
        self._began = min([now, *began])
        self._going: Iterator[Standing] | None = None
        self._is_over = False

    def advance(self) -> None:
        """Start what was declared, once the time has come; then go on with it."""
        if self._move.slow_after_s is None or self._is_over:
            return
        if self._going is None:
            passed = (self._ledger.clock.now() - self._began).total_seconds()
            if passed < self._move.slow_after_s:
                return
            self._tell("is slow", after_s=round(passed))
            self._going = self._steps()
        try:
            next(self._going)
        except StopIteration:
            self._is_over = True
        except Superseded:
            raise
        except StackwardError as error:
            # The move itself goes on in the world: its own looks report how it ends.
            self._is_over = True
            self._tell("help for the slow failed", reason=error.message, says=error.says)

    def _steps(self) -> Iterator[Standing]:
        for at, step in self._move.steps_at(self._path, Part.SLOW):
            yield from carry_out_step(
                step,
                at,
                self._move.thing,
                self._context,
                _no_objection,
                since=self._began,
            )

    def close(self) -> None:
        """Settle what was started for the slow."""
        settle_slow(self._path, self._ledger)

    def _tell(self, what: str, **says: str | float | None) -> None:
        self._ledger.tell(what, thing=self._move.thing, step=self._path, **says)
