"""Every write to every journal that a test opens is followed by asking all invariants.

They are asked on the very connection, just before the commit: what breaks one is not committed.
They are pure functions of what a journal holds. So they are not asked again of a run of which it
holds what it held when they were last asked, but for when its worker was last heard of, and how
far it was then: no invariant asks that.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import lru_cache
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


@dataclass
class Held:
    """What a journal holds of a run: its rows, and by what they are compared."""

    run: dict[str, Any]
    of_all: tuple[tuple[Hold, ...], frozenset[str], Mapping[str, RunState]]
    compared: list[object]
    attempts: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def history(self) -> History:
        """Return the same as `stackward.adapters.store.kept` reads: a test compares them."""
        holds, workers, states = self.of_all
        events = [_event(tuple(row.items())) for row in self.events]
        undoers = [event.thing for event in events if event.what == UNDONE]
        attempts = sorted(self.attempts, key=lambda row: (row["step"], row["number"]))
        return History(
            run=to_run({**self.run, "undone_by": undoers[-1] if undoers else None}),
            attempts=tuple(_attempt(tuple(row.items())) for row in attempts),
            events=tuple(events),
            holds=holds,
            workers=workers,
            states=states,
        )


# A row is told once, and asked for after each write that follows.
@lru_cache(maxsize=10_000)
def _event(row: tuple[tuple[str, Any], ...]) -> Event:
    return to_event(dict(row))


@lru_cache(maxsize=10_000)
def _attempt(row: tuple[tuple[str, Any], ...]) -> Attempt:
    return to_attempt(dict(row))


def held_by(connection: Connection) -> dict[str, Held]:
    """Return what an SQLite journal holds, by run: while we write, nobody else does."""
    with closing(connection.connection.cursor()) as cursor:

        def rows(table: str, order: str) -> list[dict[str, Any]]:
            cursor.execute(f"SELECT * FROM {table} ORDER BY {order}")  # noqa: S608  # constants
            names = [each[0] for each in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        tables = {name for (name,) in cursor.fetchall()}
        workers = [row["name"] for row in rows("workers", "name")] if "workers" in tables else []
        of_runs, of_holds = rows("runs", "id"), rows("holds", "rowid")
        states = {row["id"]: RunState(row["state"]) for row in of_runs}
        holds = tuple(
            Hold(node=row["node"], run=row["run_id"], cloud=row.get("cloud") or None)
            for row in of_holds
        )
        of_all = (holds, frozenset(workers), states)
        held = dict[str, Held]()
        for row in of_runs:
            seen = {**row, "progress": "", "beat_at": bool(row["beat_at"])}
            held[row["id"]] = Held(row, of_all, [seen, by_hand, of_holds, workers, states])
        for row in rows("attempts", "rowid"):
            held[row["run_id"]].attempts.append(row)
        for row in rows("events", "number"):
            held[row["run_id"]].events.append(row)
    for each in held.values():
        each.compared += [each.attempts, each.events]
    return held


def _broken_in(of_runs: Iterable[History]) -> Iterator[str]:
    for history in of_runs:
        for each in broken_by(history):
            yield f"{each.run}: {each.invariant.name}: {each.found}"
