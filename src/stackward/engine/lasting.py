"""What must last as long as the run: a step such as a cordon is looked at again after it was done.

The engine looks before each stage and each move. When somebody else has undone the step, nothing
more is started; what is in progress goes on to its end. A run that has stopped for that reason does
the step again when it is resumed: the operator who resumes it has read why. A step that must not be
done again says so.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from stackward.engine.ledger import Ledger
from stackward.errors import StepFailed
from stackward.model.run import Event, RunState, Settled
from stackward.plan import Lasting, Lifting, Look, Plan

TAKEN_AWAY = "taken away"  # the event that says so
_DONE = {"found done", f"settled: {Settled.DONE}"}  # the events by which a step is proved done


@dataclass(frozen=True, slots=True)
class Lost:
    """A lasting step that others have undone since this run did it."""

    thing: str
    path: str
    step: Any  # a step that lasts
    look: Look


class TakenAway(StepFailed):
    """The state that the whole run depends on is gone, and the run did not change it."""

    def __init__(self, lost: Lost) -> None:
        super().__init__(
            f"nothing more was started: `{lost.thing}` {lost.look.reason}", hint=lost.look.remedy
        )
        self.lost = lost


def lost_steps(plan: Plan[Any], ledger: Ledger, world: Any) -> Iterator[Lost]:  # noqa: ANN401  # as the steps need it
    """Look again at each lasting step that this run has done; return those that are lost.

    A step that the run itself has started to take back lasts no longer.
    """
    lifted = {*_lifted(plan, ledger)}
    for stage, move in plan.moves():
        for path, step in move.way(stage.path_of(move), ledger.last):
            if not (isinstance(step, Lasting) and ledger.is_done(path)) or step.kind in lifted:
                continue
            if (look := step.lost(world)) is not None:
                yield Lost(move.thing, path, step, look)


def _lifted(plan: Plan[Any], ledger: Ledger) -> Iterator[str]:
    """Return the kinds of lasting steps that the run has started to take back."""
    for stage, move in plan.moves():
        for path, step in move.way(stage.path_of(move), ledger.last):
            if path in ledger.last and isinstance(step, Lifting) and step.lifts:
                yield step.lifts


def is_done_again(lost: Lost, events: Sequence[Event]) -> bool:
    """Say whether it is done again: the run has stopped for it after the step was last done.

    It compares the numbers of the events, because the clocks of two workers may differ. A worker
    that only left the run to the next worker has not stopped it for an operator: so no operator has
    read of it.
    """
    done = _last_of(_DONE, events, lost.path)
    told = _last_of({TAKEN_AWAY}, events, lost.path)
    return lost.look.is_repeated and done < told < _last_of({RunState.STOPPED.value}, events)


def _last_of(what: Collection[str], events: Sequence[Event], step: str = "") -> int:
    return max((one.number for one in events if one.what in what and one.step == step), default=0)
