"""When a run may begin: what it means that its turn is to come, or has passed."""

from dataclasses import replace
from datetime import datetime

from stackward.errors import Refused
from stackward.model.run import Run, RunState, Said, Turn
from stackward.wording import in_utc


def lapsed(run: Run, details: tuple[str, ...] = ()) -> Run:
    """Return a run whose turn has passed in the state that follows, also if that is not stored yet.

    The approval of a run that was not begun lapses; one that had started before is stopped.
    """
    has_begun = run.began_at is not None
    when = f" at {in_utc(run.turn.by)}" if run.turn and run.turn.by else ""
    what = "it did not go on in time" if has_begun else "it was not begun in time"
    reason = f"{what}: its turn passed{when}"
    return replace(
        run,
        state=RunState.STOPPED if has_begun else RunState.NOT_BEGUN,
        ending=Said(reason=reason, details=details),
    )


def seen_at(run: Run, now: datetime) -> Run:
    """Return a run as it is at a time; that its turn has passed may be written down later."""
    return lapsed(run) if run.is_late(now) else run


def refuse_out_of_turn(run: Run, now: datetime) -> None:
    """Refuse to start a run at another time than was approved; one that had started may go on."""
    if run.turn is None or not run.awaits_its_turn or run.began_at is not None:
        return
    if run.is_late(now):
        raise Refused(
            f"run `{run.id}` was not begun in time: its approval has lapsed", hint="plan again"
        )
    if run.is_early(now):
        raise Refused(
            f"run `{run.id}` is approved for a later time: it begins at {in_utc(run.turn.at)}",
            hint=f"`stackward run cancel {run.id}`, then plan again without "
            f"`{run.turn.asked.partition(' ')[0]}`",
        )


def refuse_if_passed(turn: Turn, now: datetime) -> None:
    """Refuse to approve what could not begin any more."""
    if turn.by is not None and turn.by <= now:
        raise Refused(
            f"`{turn.asked}` passed at {in_utc(turn.by)}, before the plan was approved",
            hint="plan again",
        )
