"""What was proved at the end of a run, or without one, and what was found instead."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from stackward.errors import StackwardError
from stackward.model.run import Event, Run, RunState
from stackward.plan import Plan
from stackward.report.text import printable
from stackward.report.times import in_words
from stackward.wording import count_of

WELL = {"proved", "not applicable"}
PROOFS = ("proved", "not applicable", "found otherwise", "unverified")


def proofs_of(run: Run, events: Sequence[Event]) -> list[tuple[str, str]]:
    """Return what was proved at the end, and what was found instead: (which of PROOFS, text)."""
    return [
        (event.what, str(event.says.get("reason", "")))
        for event in events
        if event.epoch == run.epoch and event.what in PROOFS
    ]


def render_proofs(proofs: Sequence[tuple[str, str]], *, is_told: bool = False) -> Iterator[str]:
    """Return the proofs under what came of them; those already shown are only counted."""
    ordered = sorted(proofs, key=lambda each: PROOFS.index(each[0]))
    for what, those in groupby(ordered, key=lambda each: each[0]):
        group = list(those)
        if is_told and what in WELL:
            yield f"{what}: {count_of(len(group), 'check')}, shown above"
            continue
        yield f"{what}:"
        yield from (f"  {printable(in_words(text))}" for _, text in group)


def state_of(proofs: Sequence[tuple[str, str]]) -> RunState:
    """Return what a run of these proofs would end as."""
    came = {what for what, _ in proofs}
    if "found otherwise" in came:
        return RunState.FAILED
    return RunState.UNVERIFIED if "unverified" in came else RunState.SUCCEEDED


def proofs_data(plan: Plan[Any], proofs: Sequence[tuple[str, str]]) -> dict[str, object]:
    """Return proofs that were made without a run, in the form of a run's."""
    state = state_of(proofs)
    return {
        "id": None,
        "title": plan.title,
        "state": state.value,
        "reason": None,
        "ends": plan.decisions.get("ends") if state is RunState.SUCCEEDED else None,
        "approved": None,
        "moves": [],
        "proofs": [{"what": what, "text": text} for what, text in proofs],
    }


def not_proved(plan: Plan[Any], proofs: Sequence[tuple[str, str]]) -> StackwardError | None:
    """Return the error that proofs without a run end with; None: all hold."""
    state = state_of(proofs)
    if state is RunState.SUCCEEDED:
        return None
    error = StackwardError(
        f"{plan.title}: there was nothing to do, but the proof is {state}",
        details=[text for what, text in proofs if what in {"found otherwise", "unverified"}],
        stands="nothing was changed",
    )
    error.exit_code = state.exit_code  # type: ignore[misc]  # as a run of it would end
    return error
