"""Read what runs of ours have done to a node's power, as their journal has it."""

from collections.abc import Iterator

from stackward.model.power import CUT, SWITCHED_ON
from stackward.model.run import Attempt, RunState, Settled
from stackward.plan.path import stage_of
from stackward.ports.journal import Journal
from stackward.status.power_device import SwitchedOn

_LATEST = 1000  # runs in which those of a node are looked for


def has_cut(journal: Journal, cloud: str, host: str, *, but: str | None) -> bool:
    """Say whether the last fence of a host cut its power itself: it was on before.

    A fence that found it off already does not know who switched it off, or how. `but` is the run
    that asks: what it does itself does not count.
    """
    for run, attempt in _attempts(journal, cloud, host):
        if run == but:
            continue
        stage = stage_of(attempt.step)
        if stage == SWITCHED_ON and attempt.settled is Settled.DONE:
            return False  # it has run since
        if stage == CUT and attempt.settled is Settled.DONE:
            return attempt.mark is not None
    return False


def read_switched_on(journal: Journal, cloud: str, host: str) -> SwitchedOn | None:
    """Return the last power-on of ours by which a host was seen to boot; None where none was."""
    for _, attempt in _attempts(journal, cloud, host):
        is_seen = attempt.settled is Settled.DONE and attempt.mark is not None
        if not is_seen or stage_of(attempt.step) != SWITCHED_ON:
            continue
        device, booted = attempt.saw.get("device"), attempt.saw.get("booted")
        if isinstance(device, str) and isinstance(booted, str):
            return SwitchedOn(device=device, booted=booted)
    return None


def read_fenced(journal: Journal, cloud: str, host: str) -> str | None:
    """Return the run that fenced a host and proved it; None where it was switched on since."""
    states = {run.id: run for run in journal.runs(limit=_LATEST, cloud=cloud)}
    for run, attempt in _attempts(journal, cloud, host):
        stage = stage_of(attempt.step)
        if stage == SWITCHED_ON:
            return None  # it may run since
        if stage == CUT and attempt.settled is Settled.DONE:
            return run if states[run].state is RunState.SUCCEEDED else None
    return None


def _attempts(journal: Journal, cloud: str, host: str) -> Iterator[tuple[str, Attempt]]:
    for run in journal.runs(limit=_LATEST, cloud=cloud):
        if host in run.holds:
            yield from ((run.id, each) for each in reversed(journal.attempts(run.id)))
