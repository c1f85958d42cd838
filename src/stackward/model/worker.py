"""A worker: a process that takes the runs that are queued for workers."""

from dataclasses import dataclass
from datetime import datetime

from stackward.model.run import Run
from stackward.overriding import override

# A worker, or any other process that carries out a run, is dead if it shows no sign of life for so
# long. There is no other definition. Both beat several times within it, also while they do other
# work.
SILENT_S = 30.0


def is_dead(silent_s: float, limit_s: float = SILENT_S) -> bool:
    """Say whether a process that has been silent for so long counts as dead."""
    return silent_s >= limit_s


def was_heard(beat_at: datetime | None, now: datetime) -> bool:
    """Say whether a beat is young enough for its sender to live, as far as clocks agree."""
    return beat_at is not None and not is_dead((now - beat_at).total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A worker as the journal knows it."""

    name: str
    life: str  # names this one life of it: who takes the name later has another
    machine: str
    pid: int
    since: datetime
    cloud: str | None = None  # the cloud whose runs it takes; None: an older version, or any
    beats: int = 0  # raised as long as it lives; others compare this, so clocks need not agree
    beat_at: datetime | None = None  # by its own clock: for people

    def may_take(self, run: Run) -> bool:
        """Say whether the run may be one of its cloud."""
        return self.cloud is None or run.is_in(self.cloud)

    @override
    def __str__(self) -> str:
        return f"`{self.name}` (process {self.pid} on `{self.machine}`)"
