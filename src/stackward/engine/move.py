"""Carry out one move: its steps in order, and what was declared for the case that it is slow."""

from collections.abc import Callable, Iterator
from typing import Any

from stackward.engine.step import Bench, carry_out_step
from stackward.errors import StackwardError, Superseded
from stackward.model.run import Said, Settled
from stackward.plan import Blocked, Move, Stage, Standing


def path_of(stage: Stage[Any], move: Move[Any]) -> str:
    """Return what the move is called in the journal."""
    return f"{stage.name}/{move.key}"


def is_finished(stage: Stage[Any], move: Move[Any], bench: Bench) -> bool:
    """Say whether each step of the move was proved done."""
    path = path_of(stage, move)
    return all(bench.ledger.is_done(f"{path}/{place}") for place in range(len(move.steps)))


def carry_out_move(
    stage: Stage[Any], move: Move[Any], bench: Bench, judge: Callable[[], Blocked | None]
) -> Iterator[Standing]:
    """Bring each step to done, one after the other."""
    path = path_of(stage, move)
    slow = _Slow(move, path, bench)
    try:
        for place, step in enumerate(move.steps):
            # Half-way, the thing is in a state of our own making: it is judged at the outset only.
            again = judge if place == 0 else _no_objection
            for standing in carry_out_step(step, f"{path}/{place}", move.thing, bench, again):
                if standing is Standing.UNDERWAY:
                    slow.advance()
                yield standing
    except Superseded:
        raise
    except StackwardError:
        slow.close()
        raise
    slow.close()


def _no_objection() -> None:
    return None


class _Slow:
    """The steps declared for a move that takes long: started beside it, never settling it."""

    def __init__(self, move: Move[Any], path: str, bench: Bench) -> None:
        self._move, self._path, self._bench = move, path, bench
        self._ledger = bench.ledger
        now = self._ledger.clock.now()
        # A move that an earlier worker began has been under way since then.
        began = [attempt.intended_at for attempt in self._ledger.in_flight(path)]
        self._began = min([now, *began])
        self._going: Iterator[Standing] | None = None
        self._is_over = False

    def advance(self) -> None:
        """Start what was declared, once the time has come; then carry it on."""
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
            # The move itself goes on in the world: what it comes to is for its own looks to say.
            self._is_over = True
            self._tell("help for the slow failed", reason=error.message, says=error.says)

    def _steps(self) -> Iterator[Standing]:
        for place, step in enumerate(self._move.on_slow):
            yield from carry_out_step(
                step, f"{self._path}/slow-{place}", self._move.thing, self._bench, _no_objection
            )

    def close(self) -> None:
        """Settle what was started for the slow: with the move over, it has no meaning left."""
        for attempt in self._ledger.in_flight(self._path):
            if "/slow-" in attempt.step:
                self._ledger.settle(attempt, Settled.MOOT, Said(reason="the move is over"))

    def _tell(self, what: str, **says: str | float | None) -> None:
        self._ledger.tell(what, thing=self._move.thing, step=self._path, **says)
