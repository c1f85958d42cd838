"""Every write to every journal that a test opens is followed by asking all invariants.

They are asked on the very connection, just before the commit: what breaks one is not committed.
They are pure functions of what a journal holds. So they are not asked again of a run of which it
holds what it held when they were last asked, but for when its worker was last heard of, and how
far it was then: no invariant asks that.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, event, inspect

from stackward.adapters.store.kept import histories
from stackward.adapters.store.rows import to_attempt, to_event, to_run
from stackward.engine.invariants import INVARIANTS, Broken, broken_in
from stackward.model.history import History, Hold
from stackward.model.run import UNDONE, Attempt, Event, RunState

NO_PLAN = "{}"  # of a run in a test that is about the journal alone: no step of it is planned
_OF_THE_JOURNAL = tuple(each for each in INVARIANTS if not each.needs_plan)

LOOKS = 5
found: list[str] = []  # in this process, until a test is told
by_hand = False  # this test writes what a run would, without one: only the journal's own are asked


class InvariantBroken(BaseException):
    """A write broke an invariant; no `except Exception` may take it for anything else."""


def watch() -> None:
    """Ask the invariants before each commit of this process from now on."""
    event.listen(Engine, "commit", _ask)


def broken_by(history: History) -> list[Broken]:
    """Return what is broken; a run without a plan cannot be compared with one."""
    is_alone = by_hand or history.run.plan == NO_PLAN
    return broken_in(history, _OF_THE_JOURNAL if is_alone else INVARIANTS)


def _ask(connection: Connection) -> None:
    asked: dict[str, Any] = connection.engine.__dict__.setdefault("stackward_asked", {})
    if not asked.get("is_journal"):
        asked["is_journal"] = inspect(connection).has_table("events")
        if not asked["is_journal"]:
            return
    held = held_by(connection) if connection.dialect.name == "sqlite" else {}
    known: dict[str, object] = asked.setdefault("held", {})
    compared = {run: each.compared for run, each in held.items()}
    changed = [run for run in held if known.get(run) != compared[run]]
    # In PostgreSQL each statement here sees what others have committed by then: what looks broken
    # because a worker wrote between two of them does not at the next look. What is broken stays.
    lines = list[str]()
    for _ in range(LOOKS):
        of_runs = [held[run].history for run in changed] if held else histories(connection)
        lines = list(_broken_in(of_runs))
        if not lines:
            known.update(compared)
            return
    found.extend(lines)
    raise InvariantBroken("\n".join(lines))


Row = tuple[Any, ...]


@dataclass
class Table:
    """What a table holds: the names of its columns, and its rows in order."""

    names: Row
    rows: list[Row]

    def at(self, name: str) -> int:
        """Return where in a row a column is."""
        return self.names.index(name)

    def of_runs(self) -> dict[str, list[Row]]:
        """Return the rows of each run."""
        found: dict[str, list[Row]] = {}
        at = self.at("run_id")
        for row in self.rows:
            found.setdefault(row[at], []).append(row)
        return found


@dataclass
class Journal:
    """What all runs share."""

    runs: Table
    attempts: Table
    events: Table
    holds: Table
    workers: Row

    @cached_property
    def of_all(self) -> tuple[tuple[Hold, ...], frozenset[str], Mapping[str, RunState]]:
        """Return the holds, the workers, and the states of the runs."""
        holds = (dict(zip(self.holds.names, row, strict=True)) for row in self.holds.rows)
        at, is_in = self.runs.at("id"), self.runs.at("state")
        return (
            tuple(
                Hold(node=row["node"], run=row["run_id"], cloud=row.get("cloud") or None)
                for row in holds
            ),
            frozenset(self.workers),
            {row[at]: RunState(row[is_in]) for row in self.runs.rows},
        )


@dataclass
class Held:
    """What a journal holds of a run: its rows, and by what they are compared."""

    journal: Journal
    run: Row
    attempts: list[Row]
    events: list[Row]
    compared: list[object]

    @property
    def history(self) -> History:
        """Return the same as `stackward.adapters.store.kept` reads: a test compares them."""
        holds, workers, states = self.journal.of_all
        events = [_event(self.journal.events.names, row) for row in self.events]
        undoers = [event.thing for event in events if event.what == UNDONE]
        run = dict(zip(self.journal.runs.names, self.run, strict=True))
        of_attempts = self.journal.attempts
        step, number = of_attempts.at("step"), of_attempts.at("number")
        attempts = sorted(self.attempts, key=lambda row: (row[step], row[number]))
        return History(
            run=to_run({**run, "undone_by": undoers[-1] if undoers else None}),
            attempts=tuple(_attempt(of_attempts.names, row) for row in attempts),
            events=tuple(events),
            holds=holds,
            workers=workers,
            states=states,
        )


# A row is told once, and asked for after each write that follows.
@lru_cache(maxsize=10_000)
def _event(names: Row, row: Row) -> Event:
    return to_event(dict(zip(names, row, strict=True)))


@lru_cache(maxsize=10_000)
def _attempt(names: Row, row: Row) -> Attempt:
    return to_attempt(dict(zip(names, row, strict=True)))


def held_by(connection: Connection) -> dict[str, Held]:
    """Return what an SQLite journal holds, by run: while we write, nobody else does."""
    with closing(connection.connection.cursor()) as cursor:

        def table(name: str, order: str) -> Table:
            cursor.execute(f"SELECT * FROM {name} ORDER BY {order}")  # noqa: S608  # constants
            names = tuple(each[0] for each in cursor.description or ())
            return Table(names, list(cursor.fetchall()))

        cursor.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'workers'")
        workers = table("workers", "name") if cursor.fetchall() else None
        journal = Journal(
            runs=table("runs", "id"),
            attempts=table("attempts", "rowid"),
            events=table("events", "number"),
            holds=table("holds", "rowid"),
            workers=tuple(row[workers.at("name")] for row in workers.rows) if workers else (),
        )
    runs = journal.runs
    run_id, state, beat_at = runs.at("id"), runs.at("state"), runs.at("beat_at")
    progress = runs.at("progress")
    states = [(row[run_id], row[state]) for row in runs.rows]
    attempts, events = journal.attempts.of_runs(), journal.events.of_runs()
    assert attempts.keys() | events.keys() <= {each for each, _ in states}
    held = dict[str, Held]()
    for row in runs.rows:
        seen = list(row)
        seen[progress], seen[beat_at] = "", bool(row[beat_at])
        of_run = attempts.get(row[run_id], []), events.get(row[run_id], [])
        beside = [by_hand, journal.holds.rows, journal.workers, states]
        held[row[run_id]] = Held(journal, row, *of_run, [seen, *beside, *of_run])
    return held


def _broken_in(of_runs: Iterable[History]) -> Iterator[str]:
    for history in of_runs:
        for each in broken_by(history):
            yield f"{each.run}: {each.invariant.name}: {each.found}"
