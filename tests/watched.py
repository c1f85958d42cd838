"""Every write to every journal that a test opens is followed by asking all invariants.

They are asked on the very connection, just before the commit: what breaks one is not committed.
They are pure functions of what a journal holds. So they are not asked again of a run of which it
holds what it held when they were last asked, but for when its worker was last heard of, and how
far it was then: no invariant asks that.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

from sqlalchemy import Connection, Engine, event, inspect

from stackward.adapters.store.kept import histories
from stackward.engine.invariants import INVARIANTS, Broken, broken_in
from stackward.model.history import History

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
    held = _held(connection) if connection.dialect.name == "sqlite" else {}
    known: dict[str, object] = asked.setdefault("held", {})
    changed = [run for run in held if known.get(run) != held[run]] if held else [None]
    # In PostgreSQL each statement here sees what others have committed by then: what looks broken
    # because a worker wrote between two of them does not at the next look. What is broken stays.
    lines = list[str]()
    for _ in range(LOOKS):
        lines = list(_broken_in(connection, changed))
        if not lines:
            known.update(held)
            return
    found.extend(lines)
    raise InvariantBroken("\n".join(lines))


def _held(connection: Connection) -> dict[str, object]:
    """Return what an SQLite journal holds, by run: while we write, nobody else does."""
    with closing(connection.connection.cursor()) as cursor:

        def rows(table: str) -> list[dict[str, Any]]:
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608  # a constant
            names = [each[0] for each in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        tables = {name for (name,) in cursor.fetchall()}
        workers = [row["name"] for row in rows("workers")] if "workers" in tables else []
        of_all = [by_hand, rows("holds"), workers]
        of_one: dict[str, list[object]] = {}
        states = []
        for row in rows("runs"):
            row["progress"], row["beat_at"] = "", bool(row["beat_at"])
            states.append((row["id"], row["state"]))
            of_one[row["id"]] = [row, of_all, states]
        for table in ("attempts", "events"):
            for row in rows(table):
                of_one[row["run_id"]].append(row)
    return dict(of_one)


def _broken_in(connection: Connection, runs: Iterable[str | None]) -> Iterator[str]:
    for only in runs:
        for history in histories(connection, only):
            for each in broken_by(history):
                yield f"{each.run}: {each.invariant.name}: {each.found}"
