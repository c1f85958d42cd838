"""The journal as one worker of one run sees it: bound to its epoch, with times of its clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from stackward.model.run import Attempt, Event, Run, Said, Settled, last_attempts
from stackward.model.values import Json, Mark
from stackward.plan.path import Part, is_of, part_of
from stackward.ports.clock import Clock
from stackward.ports.journal import Journal


@dataclass(slots=True)
class Ledger:
    """What this worker writes down, and the last attempt at each step."""

    journal: Journal
    run: Run
    clock: Clock
    last: dict[str, Attempt] = field(default_factory=dict)
    seen: dict[str, Json] = field(default_factory=dict)  # progress, written with the next beat

    @classmethod
    def opened(cls, journal: Journal, run: Run, clock: Clock) -> "Ledger":
        """Return the ledger of a run, with what earlier workers attempted."""
        return cls(journal, run, clock, last_attempts(journal.attempts(run.id)))

    @property
    def has_open(self) -> bool:
        """Say whether an attempt at any step is not settled."""
        return any(one.is_in_flight for one in list(self.last.values()))

    def in_flight(self, move: str) -> list[Attempt]:
        """Return the attempts that are not settled, of the steps of a move by its path."""
        return [
            one for path, one in list(self.last.items()) if is_of(path, move) and one.is_in_flight
        ]

    def has_begun(self, move: str, part: Part | None = None) -> bool:
        """Say whether any step of a move, or of that part of it, was ever attempted."""
        return any(is_of(path, move) and part in {None, part_of(path)} for path in list(self.last))

    def has_asked(self, move: str) -> bool:
        """Say whether any step of a move was requested from the world, or may have been."""
        return any(
            is_of(path, move) and one.settled is not Settled.UNSENT
            for path, one in list(self.last.items())
        )

    def is_done(self, path: str, since: datetime | None = None) -> bool:
        """Say whether a step was proved done, by an attempt that is not older than `since`."""
        last = self.last.get(path)
        is_old = last is not None and since is not None and last.intended_at < since
        return last is not None and last.settled is Settled.DONE and not is_old

    def intend(self, path: str, mark: Mark) -> Attempt:
        """Write down that a step is about to start."""
        made = self.journal.intend(self.run.id, self.run.epoch, path, mark, self.clock.now())
        self.last[path] = made
        return made

    def answered(self, attempt: Attempt, request: str | None) -> Attempt:
        """Write down that the world accepted the request, and by which id the service knows it."""
        asked = replace(attempt, said=replace(attempt.said, request_id=request))
        made = self.journal.answered(self.run.id, self.run.epoch, asked, self.clock.now())
        self.last[made.step] = made
        return made

    def settle(
        self,
        attempt: Attempt,
        how: Settled,
        said: Said | None = None,
        saw: Mapping[str, Json] | None = None,
    ) -> None:
        """Write down how an attempt ended; the id of its request stays with it."""
        said = said or Said()
        said = replace(said, request_id=said.request_id or attempt.said.request_id)
        self.last[attempt.step] = self.journal.settle(
            self.run.id,
            self.run.epoch,
            attempt,
            how,
            self.clock.now(),
            said=said,
            saw=saw or {},
        )
        self.seen.pop(attempt.step, None)

    def found_done(self, path: str, saw: Mapping[str, Json]) -> None:
        """Write down that a step was done without us."""
        self.last[path] = self.journal.found_done(
            self.run.id, self.run.epoch, path, self.clock.now(), saw
        )

    def tell(self, what: str, *, thing: str = "", step: str = "", **says: Json) -> None:
        """Add a line to what happened."""
        said = {name: value for name, value in says.items() if value}
        event = Event(
            at=self.clock.now(),
            epoch=self.run.epoch,
            what=what,
            thing=thing,
            step=step,
            says=said,
        )
        self.journal.tell(self.run.id, event)
