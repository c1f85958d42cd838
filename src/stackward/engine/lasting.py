"""What must last as long as the run: a step such as a cordon is looked at again after it was done.

It is looked at before each stage and each move. Once others have taken it away, nothing more is
started; what is under way goes on to its end. A run that is resumed after it has said so does the
step again: whoever resumes it has read that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from stackward.engine.ledger import Ledger
from stackward.errors import StepFailed
from stackward.model.run import Event
from stackward.plan import Lasting, Look, Plan

TAKEN_AWAY = "taken away"  # the event that says so


@dataclass(frozen=True, slots=True)
class Lost:
    """A lasting step that others have taken away since this run has done it."""

    thing: str
    path: str
    step: Any  # a step that lasts
    look: Look


class TakenAway(StepFailed):
    """What the whole run rests on is not so any more, and not by its doing."""

    def __init__(self, lost: Lost) -> None:
        super().__init__(
            f"nothing more was started: `{lost.thing}` {lost.look.reason}", hint=lost.look.remedy
        )
        self.lost = lost


def lost_steps(plan: Plan[Any], ledger: Ledger, world: Any) -> Iterator[Lost]:  # noqa: ANN401  # as the steps need it
    """Look again at each lasting step that this run has done; return those that are lost."""
    for stage, move in plan.moves():
        for path, step in move.way(f"{stage.name}/{move.key}", ledger.last):
            if not (isinstance(step, Lasting) and ledger.is_done(path)):
                continue
            if (look := step.lost(world)) is not None:
                yield Lost(move.thing, path, step, look)


def is_told(lost: Lost, ledger: Ledger, events: Sequence[Event]) -> bool:
    """Say whether the run has said since the step was done that it was taken away."""
    done = ledger.last[lost.path]
    return any(
        each.what == TAKEN_AWAY and each.step == lost.path and each.at >= done.intended_at
        for each in events
    )
