"""Kill whoever carries an operation out, at every write and every change that it makes.

`killed(operation)` lives it through once and counts its points: one before and one after each
write to the journal and each change of the world. At each of them the worker dies, and another
takes the run up; or the run is given up, and all is asked for anew. Things must stand at the end
as if nobody had died.

What is left by a death is what there is at that point, and nothing that the dead process does
later. Where a world can be copied, its copies are made while it is lived through once: what comes
before a death is not lived through again for each. Elsewhere the worker dies of a `Crash`, in a
fresh world each time.
"""

import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import Any, Generic, Protocol, TypeVar

from stackward.adapters.store.journal import SqlJournal
from stackward.model.run import Run
from stackward.ports.journal import Journal

READS = frozenset(
    {
        "run",
        "child",
        "children",
        "count_ended",
        "runs",
        "queued",
        "waiting",
        "workers",
        "attempts",
        "attempts_of",
        "events",
        "observations",
    }
)
BEATS = frozenset({"beat", "show_life"})  # nobody who takes a run up reads what they wrote
WRITES = frozenset(name for name in vars(Journal) if not name.startswith("_")) - READS - BEATS


class Crash(BaseException):
    """The process dies here, as far as the code under test can tell."""


@dataclass
class Fate:
    """Says at which point of its life a worker dies: by its number, from 1, or by its name."""

    dies_at: int | str = 0
    how: int = 0  # a signal for the process itself; 0: a Crash
    points: list[str] = field(default_factory=list)  # that were lived through, by name
    is_dead: bool = False  # a thread of the same process does not outlive it
    witness: Callable[[], object] = lambda: None  # called at each point
    # Held while anything is read or changed, where a witness copies it: else it copies a half.
    lock: AbstractContextManager[object] = field(default_factory=nullcontext)

    def point(self, what: str) -> None:
        """Live through a point, or die there."""
        if self.is_dead:
            raise Crash
        self.points.append(what)
        self.witness()
        if self.dies_at in {len(self.points), what}:
            if self.how:
                # This thread itself, or it lives on until another one takes note of the signal.
                signal.pthread_kill(threading.get_ident(), self.how)
                time.sleep(0.05)  # noqa: TID251  # the other threads stop a moment later
            else:
                self.is_dead = True
                raise Crash

    @contextmanager
    def around(self, what: str) -> Iterator[None]:
        """Live through the point before a change, and the one after it where it was made."""
        with self.lock:
            self.point(f"before {what}")
            yield
            self.point(f"after {what}")


class DyingJournal:
    """A journal whose worker may die before and after each write."""

    def __init__(self, journal: SqlJournal, fate: Fate) -> None:
        self._journal, self._fate = journal, fate

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever a journal has
        real = getattr(self._journal, name)
        if name not in WRITES:
            return real

        def write(*given: Any, **named: Any) -> Any:  # noqa: ANN401  # same
            with self._fate.around(" ".join([name, *_named(given)])):
                return real(*given, **named)

        return write


def _named(given: tuple[object, ...]) -> list[str]:
    """Return what a write is about, of what the journal is given."""
    known = (getattr(each, "step", "") or getattr(each, "what", "") for each in given)
    steps = [each for each in given[1:] if isinstance(each, str)]
    return [each for each in (*steps, *known) if each][:1]


class Life(Protocol):
    """A world in which a run is carried out; it can be left, and be seen to again."""

    @property
    def journal(self) -> SqlJournal:
        """Return where its runs are remembered."""
        ...

    def carry_out(self, run: Run, fate: Fate, /) -> Run:
        """Carry the run out as a worker with this fate."""
        ...

    def close(self) -> None:
        """Leave it."""
        ...


L = TypeVar("L", bound=Life)


def taken_up(life: Life, run: Run) -> Run:
    """Let another worker take up a run whose worker has died."""
    return run if run.state.is_over else life.carry_out(run, Fate())


@dataclass(frozen=True, kw_only=True)
class Operation(Generic[L]):
    """What is killed: how it is begun in an empty folder, and how things must stand at its end."""

    begin: Callable[[Path], tuple[L, Run]]  # the run is approved, and nobody has taken it up
    stands: Callable[[L, Run], object]  # given the run as it ended
    ends: object
    then: Callable[[L, Run], Run] = taken_up  # what follows a death, or the end; returns a run
    # Copies what there is now to an empty folder, and returns how that is gone on with.
    left: Callable[[L, Path], Callable[[], L]] | None = None

    def lived(
        self, place: Path, fate: Fate, witness: Callable[[L, Run], object] | None = None
    ) -> object:
        """Return how things stand once the run was carried out, by another if its worker died."""
        place.mkdir()
        life, run = self.begin(place)
        if witness is not None:
            fate.witness = lambda: witness(life, run)
        try:
            try:
                ended = life.carry_out(run, fate)
            except Crash:
                ended = self.then(life, life.journal.run(run.id))
            else:
                ended = self.then(life, ended) if ended.state.is_over else ended
            return self.stands(life, ended)
        finally:
            life.close()

    def followed(self, life: L, run: Run) -> object:
        """Return how things stand once another has seen to a run whose worker has died."""
        try:
            return self.stands(life, self.then(life, life.journal.run(run.id)))
        finally:
            life.close()


def killed(operation: Operation[Any], place: Path, *, every: int = 1, first: int = 1) -> list[str]:
    """Kill an operation at each of its points, or at every second or third; return them.

    Between the point after a write and the one before the next nothing is written: every second
    point is each write, if not each state of the world in which it may be left.
    """
    whole, left = Fate(), operation.left
    copies: dict[int, Callable[[], object]] = {}

    def copy(life: Life, run: Run) -> None:
        number = len(whole.points)
        if left is not None and number >= first and (number - first) % every == 0:
            there = place / str(number)
            there.mkdir()
            opened = left(life, there)
            copies[number] = lambda: operation.followed(opened(), run)

    if left is not None:
        whole.lock = RLock()
    assert operation.lived(place / "whole", whole, copy) == operation.ends
    assert whole.points, "nothing was written, and nothing was changed"
    wrong = []
    for number in range(first, len(whole.points) + 1, every):
        fate = Fate(number)
        try:
            if left is not None:
                fate.points = whole.points[:number]
                found = copies[number]()
            else:
                found = operation.lived(place / str(number), fate)
        except BaseException as error:
            error.add_note(f"its first worker died at {number}, {fate.points[-1:]}")
            raise
        # Of moves that go on together either may be the first: a point is known by its number.
        if len(fate.points) < number:
            wrong.append(f"{number}, {whole.points[number - 1]}: it was never reached")
        elif found != operation.ends:
            wrong.append(f"{number}, {fate.points[number - 1]}: {found}")
    assert not wrong, f"it must end with {operation.ends}; killed at\n" + "\n".join(wrong)
    return whole.points


def copied(journal: Path, to: Path) -> None:
    """Copy what has been committed to a journal in SQLite, also while others write."""
    with closing(sqlite3.connect(journal)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
