"""Follow a run through its journal, wherever it is carried out."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from stackward.errors import BadInput

if TYPE_CHECKING:
    from stackward.model.run import Run
    from stackward.ports.clock import Clock
    from stackward.ports.journal import Journal
    from stackward.report.following import Follower


class Following:
    """A run, and how far it has been shown."""

    def __init__(self, journal: "Journal", run_id: str, clock: "Clock", shown: "Follower") -> None:
        self._journal, self._run_id, self._clock, self._shown = journal, run_id, clock, shown
        self._last = 0

    def look(self) -> "Run":
        """Show what is new; return the run as it is."""
        # The state first: what happened up to it is then complete.
        run = self._journal.run(self._run_id)
        news = self._journal.events(run.id, after=self._last)
        self._last = news[-1].number if news else self._last
        self._shown.show(run, news, self._clock.now())
        return run

    def say(self, line: str) -> None:
        """Say something between what is shown."""
        self._shown.say(line)


@contextmanager
def following(journal: "Journal", run: "Run", clock: "Clock", out: TextIO) -> Iterator[Following]:
    """Follow a run on a terminal or in a file."""
    from stackward.kinds import KINDS, read_plan
    from stackward.report.following import Follower, Story
    from stackward.report.names import Names

    try:
        plan = read_plan(run.plan)
    except BadInput:
        plan = None  # of another version: it can be watched all the same
    names = Names.of_run(run, plan, journal.events(run.id)) if plan is None else None
    with Follower(Story(plan, KINDS, names), out) as shown:
        yield Following(journal, run.id, clock, shown)
