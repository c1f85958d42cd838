"""Carry out one step: start it only where its state is todo, then look until it is settled.

Each `yield` is a wait for the next tick, with the state of the step at the last look. Nothing here
waits by itself, so that many moves share one tick, and one poll of the world.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from stackward.engine.ledger import Ledger
from stackward.engine.pace import Pace
from stackward.errors import (
    Refused,
    StackwardError,
    StepFailed,
    Uncertain,
    Unreachable,
)
from stackward.model.run import Attempt, Said, Settled
from stackward.plan import Blocked, Examined, Look, Prompt, Standing, Step
from stackward.ports.haste import starting
from stackward.wording import count_of

NO_ANSWER = (Unreachable, Uncertain)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepContext:
    """What one needs to carry out the steps of a run."""

    ledger: Ledger
    pace: Pace
    world: Any  # the world itself
    shared: Callable[[], Any]  # the world as polled for this tick: one list serves all moves
    rests: Callable[[], bool] = lambda: False  # between two steps of a move it goes no further


def carry_out_step(  # noqa: PLR0913  # which step, with what, and what may block it
    step: Step[Any],
    path: str,
    thing: str,
    context: StepContext,
    judge: Callable[[], Blocked | None],
    *,
    since: datetime | None = None,
) -> Iterator[Standing]:
    """Bring one step to done, or raise why it cannot be; done before `since` does not count."""
    if not context.ledger.is_done(path, since):
        yield from _StepRunner(step, path, thing, context, judge).carry_out()


def repeat_step(step: Step[Any], path: str, thing: str, context: StepContext) -> Iterator[Standing]:
    """Bring a step to done again that was done before, and is not done now."""
    yield from _StepRunner(step, path, thing, context, lambda: None).carry_out()


class _StepRunner:
    """One step on its way."""

    def __init__(
        self,
        step: Step[Any],
        path: str,
        thing: str,
        context: StepContext,
        judge: Callable[[], Blocked | None],
    ) -> None:
        self._step, self._path, self._thing = step, path, thing
        self._context, self._ledger, self._pace = context, context.ledger, context.pace
        self._judge = judge
        self._starts = 0
        self._unsure: Uncertain | None = None  # how the last start was answered, if not by a yes
        self._waiting_since: float | None = None  # for a world that does not answer
        self._rests_until = 0.0  # a service asks to be left alone until then
        self._intended = 0.0  # when the last intent was written down, or found to hold still
        # Since when this process waits for a sign of the attempt. The times in the journal may be
        # those of another machine. Its clock may be an hour behind ours, or ahead.
        self._waits_since = context.ledger.clock.monotonic()
        self._quiet = _Quiet(context.ledger.clock.monotonic)
        # What an earlier worker left in flight is settled by a look, with its mark. What it left
        # failed gets a new attempt.
        earlier = self._ledger.last.get(path)
        self._attempt = earlier if earlier and earlier.is_in_flight else None
        self._is_new = self._attempt is None

    def carry_out(self) -> Iterator[Standing]:
        world = self._context.world  # the first look is at the world itself, not at a poll of it
        while True:
            try:
                standing = self._advance(world)
            except NO_ANSWER as error:
                standing = self._endure(error)
            if standing is Standing.DONE:
                return
            yield standing
            world = self._context.shared()

    def _advance(self, world: Any) -> Standing:  # noqa: ANN401  # any world that the steps need
        if self._is_new:
            self._is_new = False
            return self._start()
        look = self._step.look(world, self._attempt.mark if self._attempt else None)
        return self._todo() if look.standing is Standing.TODO else self._take(self._examined(look))

    def _take(self, look: Look) -> Standing:
        """Write down the state of the step, unless it is todo."""
        self._note(look)
        is_bounded = look.standing is Standing.UNKNOWN or look.is_over
        if not is_bounded:
            self._waiting_since = None
        match look.standing:
            case Standing.DONE:
                self._settle_done(look)
            case Standing.FAILED | Standing.FOREIGN:
                self._fail(look)
            case Standing.UNKNOWN:
                self._endure(_in_words(look, self._step.summary))
            case Standing.UNDERWAY if look.is_over:
                self._wait_for_proof(look)
            case _:
                pass
        return look.standing

    def _examined(self, look: Look) -> Look:
        """Look closer where nothing has changed for long: it may never end.

        What was found holds until the next closer look: an unclear look is not awaited without end.
        """
        if look.standing is not Standing.UNDERWAY or look.is_over:
            return look
        is_due, quiet_s = self._quiet.is_due(look, self._pace.quiet_s)
        if not isinstance(self._step, Examined):
            return look
        if is_due:
            mark = self._attempt.mark if self._attempt else None
            self._quiet.found = self._step.examine(self._context.world, mark, quiet_s)
            if self._quiet.found is None:
                self._ledger.tell(
                    "nothing happens", thing=self._thing, step=self._path, for_s=round(quiet_s)
                )
        return self._quiet.found or look

    def _todo(self) -> Standing:
        """Start it, unless an earlier start may still show itself."""
        attempt, now = self._attempt, self._ledger.clock.monotonic()
        if attempt is None:
            return Standing.TODO if now < self._rests_until else self._start()
        waited_s = now - self._waits_since
        if attempt.answered_at is not None:
            if waited_s >= self._pace.accepted_s:
                reason = f"{self._step.summary}: it was accepted, and no sign of it was ever seen"
                self._ledger.settle(attempt, Settled.LOST, Said(reason=reason))
                raise StepFailed(reason, hint="look into the service's own log")
        elif waited_s >= self._pace.grace_s:
            unseen = replace(self._answer, reason="no sign of it was seen")
            self._ledger.settle(attempt, Settled.LOST, unseen)
            self._attempt = None
            return self._start()
        return Standing.TODO

    def _start(self) -> Standing:
        """Start the step, written down before and after."""
        world = self._context.world
        # The mark first: then anything that others begin after it is newer than the mark.
        mark = self._step.mark(world)
        look = self._step.look(world, None)
        if look.standing is not Standing.TODO:
            return self._take(look)
        if blocked := self._judge():
            # The judgement may take long. If others have done the step by its end, it needs no
            # start.
            look = self._step.look(world, None)
            if look.standing is Standing.DONE:
                return self._take(look)
            raise StepFailed(
                f"{self._step.summary}: `{blocked.thing}` {blocked.reason}",
                stands="it was not started",
                hint=blocked.remedy,
            )
        if self._starts >= self._pace.starts:
            raise StepFailed(
                f"{self._step.summary}: started {count_of(self._starts, 'time')}, "
                "and no sign of it was seen",
                service=self._answer.service,
                says=self._answer.says,
                request_id=self._answer.request_id,
            )
        self._starts += 1
        self._intended = self._waits_since = self._ledger.clock.monotonic()
        self._attempt = self._ledger.intend(self._path, mark)
        self._confirm()
        return self._send(self._attempt)

    def _confirm(self) -> None:
        """Make sure that nobody has taken over, if some time has passed since the intent."""
        if self._ledger.clock.monotonic() - self._intended > self._pace.late_s:
            # This worker was frozen, or the store was, or an API took its time.
            self._ledger.tell("late", thing=self._thing, step=self._path)
            self._intended = self._ledger.clock.monotonic()

    def _send(self, attempt: Attempt) -> Standing:
        try:
            with starting(self._confirm):
                request = self._step.start(self._context.world)
        except Uncertain as error:
            # It may have taken effect: only a look can show that. The attempt stays unanswered.
            self._unsure = error
            self._ledger.tell(
                "answer lost",
                thing=self._thing,
                step=self._path,
                reason=error.message,
                says=error.says,
                request=error.request_id,
            )
        except Unreachable as error:
            self._ledger.settle(attempt, Settled.UNSENT, said_of(error))
            self._attempt = None
            self._starts -= 1  # nothing was sent: patience bounds this, not the number of starts
            rest_s = min(error.after_s or 0.0, self._pace.rest_s)
            self._rests_until = self._ledger.clock.monotonic() + rest_s
            return self._endure(error)
        except (StepFailed, Refused) as error:
            self._ledger.settle(attempt, Settled.FAILED, said_of(error))
            raise
        else:
            self._waiting_since = None
            self._attempt = self._ledger.answered(attempt, request)
            self._waits_since = self._ledger.clock.monotonic()
            return self._seen_at_once(self._attempt)
        return Standing.UNDERWAY

    @property
    def _answer(self) -> Said:
        """Return the answer to a start that may have had no effect: a conflict has words."""
        return said_of(self._unsure) if self._unsure else Said()

    def _seen_at_once(self, attempt: Attempt) -> Standing:
        """Look at once where an answer means the effect; if it is not there yet, wait as usual."""
        if isinstance(self._step, Prompt) and self._step.is_prompt:
            look = self._step.look(self._context.world, attempt.mark)
            if look.standing is Standing.DONE:
                return self._take(look)
        return Standing.UNDERWAY

    def _settle_done(self, look: Look) -> None:
        if self._attempt is None:
            self._ledger.found_done(self._path, look.saw)
        else:
            self._ledger.settle(self._attempt, Settled.DONE, said_by(look), look.saw)

    def _fail(self, look: Look) -> None:
        if self._attempt is not None:
            is_foreign = look.standing is Standing.FOREIGN
            how = Settled.FOREIGN if is_foreign else Settled.FAILED
            self._ledger.settle(self._attempt, how, said_by(look), look.saw)
        raise _in_words(look, self._step.summary)

    def _endure(self, error: StackwardError) -> Standing:
        """Wait for a world that does not answer, but not without end; that settles nothing."""
        now = self._ledger.clock.monotonic()
        why = error.message.removeprefix(f"{self._step.summary}: ")  # which is said already
        if self._waiting_since is None:
            self._waiting_since = now
            self._ledger.tell(
                "waiting", thing=self._thing, step=self._path, reason=why, says=error.says
            )
        if now - self._waiting_since >= self._pace.patience_s:
            raise error.as_kind(
                StepFailed,
                f"{self._step.summary}: its state could not be read for "
                f"{self._pace.patience_s:.0f} s: {why}",
            )
        return Standing.UNKNOWN

    def _wait_for_proof(self, look: Look) -> None:
        """Wait for what should become true by itself, for a limited time: then it has failed."""
        now = self._ledger.clock.monotonic()
        if self._waiting_since is None:
            self._waiting_since = now
            self._ledger.tell(
                "waiting", thing=self._thing, step=self._path, reason=look.reason or ""
            )
        if now - self._waiting_since >= self._pace.patience_s:
            self._fail(look)

    def _note(self, look: Look) -> None:
        """Keep for the next beat what it writes down for those who watch."""
        if look.standing is Standing.DONE:
            self._ledger.seen.pop(self._path, None)
            return
        progress = look.progress
        self._ledger.seen[self._path] = {
            "standing": look.standing.value,
            "fraction": progress.fraction if progress else None,
            "remaining_bytes": progress.remaining_bytes if progress else None,
            "reason": look.reason,
        }


class _Quiet:
    """For how long all looks at a step have been the same."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._last: Look | None = None
        self.found: Look | None = None  # by the last closer look, while nothing changes
        self._since = self._examined_at = monotonic()

    def is_due(self, look: Look, every_s: float) -> tuple[bool, float]:
        """Say whether it is time to look closer (again), and for how long nothing has changed."""
        now = self._monotonic()
        if look != self._last:
            self._last, self._since, self._examined_at = look, now, now
            self.found = None
        is_due = now - self._examined_at >= every_s
        if is_due:
            self._examined_at = now
        return is_due, now - self._since


def said_by(look: Look) -> Said:
    """Return what a look says, for the journal."""
    return Said(
        reason=look.reason, service=look.service, says=look.says, request_id=look.request_id
    )


def said_of(error: StackwardError) -> Said:
    """Return what an error says, for the journal."""
    return Said(
        reason=error.message,
        service=error.service,
        says=error.says,
        request_id=error.request_id,
        details=error.details,
    )


def _in_words(look: Look, summary: str) -> StepFailed:
    return StepFailed(
        f"{summary}: {look.reason}" if look.reason else f"{summary}: {look.standing}",
        service=look.service,
        says=look.says,
        request_id=look.request_id,
        hint=look.remedy,
    )
