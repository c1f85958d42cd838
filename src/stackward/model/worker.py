"""A worker: a process that takes up the runs that are queued for it and its like."""

from dataclasses import dataclass
from datetime import datetime

from typing_extensions import override

from stackward.model.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A worker as the journal knows it."""

    name: str
    life: str  # names this one life of it: who takes the name later has another
    machine: str
    pid: int
    since: datetime
    cloud: str | None = None  # the one whose runs it takes up; None: an older version, or any
    beats: int = 0  # raised as long as it lives; others compare this, so clocks need not agree
    beat_at: datetime | None = None  # by its own clock: for people

    def may_take(self, run: Run) -> bool:
        """Say whether the run may be one of its cloud."""
        return self.cloud is None or run.is_in(self.cloud)

    @override
    def __str__(self) -> str:
        return f"`{self.name}` (process {self.pid} on `{self.machine}`)"
