"""All that a journal holds, run by run: read as it is, of any version, and never changed.

Everything is read in one transaction, so that what is compared is of one moment.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft

from stackward.adapters.store.database import reader_of, shown
from stackward.adapters.store.listing import VERSION, too_new
from stackward.adapters.store.rows import to_attempt, to_event, to_run
from stackward.adapters.store.statements import observed, refuse_unless_one
from stackward.adapters.store.trouble import one_line
from stackward.errors import Refused, Unreachable
from stackward.model.history import History, Hold
from stackward.model.observation import Observation
from stackward.model.run import UNDONE, RunState

_VERSION = "journal_version"


@contextmanager
def open_histories(url: str, only: str | None = None) -> Iterator[Iterator[History]]:
    """Open a journal to read what it holds of each run, or of the one whose id begins so.

    Refuses what is no journal, or is of a newer version.
    """
    with _reading(url) as connection:
        _refuse_unknown(connection, shown(url))
        yield histories(connection, only)


def observations_of(url: str, cloud: str, subject: str) -> Sequence[Observation]:
    """Return what was last seen of a subject on the nodes of a cloud, by node and source.

    A database without such a table remembers nothing: it is new, or of an older version.
    """
    with _reading(url) as connection:
        if not inspect(connection).has_table("observations"):
            return []
        return observed(connection, cloud, subject)


def is_of_older_version(url: str) -> bool:
    """Say whether it is a journal that the next planning brings up to date."""
    with _reading(url) as connection:
        return inspect(connection).has_table(_VERSION) and _version_of(connection) < VERSION


@contextmanager
def _reading(url: str) -> Iterator[Connection]:
    engine, place = reader_of(url), shown(url)
    try:
        with engine.connect() as connection:
            yield connection
    except (DatabaseError, NoConnectionLeft) as error:
        raise Unreachable(
            f"the database of runs in `{place}` cannot be read",
            says=one_line(error),
            hint="see that it is there, can be read, and is a database",
        ) from error
    finally:
        engine.dispose()


def _refuse_unknown(connection: Connection, place: str) -> None:
    if not inspect(connection).has_table(_VERSION):
        raise Refused(
            f"`{place}` is not a database of runs of Stackward",
            hint="name the database of your runs: STACKWARD_DATABASE or STACKWARD_STATE_DIR",
        )
    version = _version_of(connection)
    if version > VERSION:
        raise too_new(place, version, VERSION)


def _version_of(connection: Connection) -> int:
    asked = text(f"SELECT version FROM {_VERSION}")  # noqa: S608  # a constant
    return int(connection.execute(asked).scalar_one_or_none() or 0)


def histories(connection: Connection, only: str | None = None) -> Iterator[History]:
    """Return what the journal holds of each run, the oldest first, or of one only."""
    rows = connection.execute(text("SELECT id, state FROM runs ORDER BY id")).all()
    with _damage_named("the state of a run"):
        states = {run_id: RunState(state) for run_id, state in rows}
    holds = tuple(_hold(row) for row in _rows(connection, "SELECT * FROM holds"))
    workers: frozenset[str] = frozenset()
    if inspect(connection).has_table("workers"):
        workers = frozenset(connection.execute(text("SELECT name FROM workers")).scalars())
    wanted = states if only is None else [found_by(only, states)]
    for run_id in wanted:
        with _damage_named(f"run `{run_id}`"):
            history = _history(connection, run_id, holds, workers, states)
        yield history


@contextmanager
def _damage_named(what: str) -> Iterator[None]:
    """Say in which part of the journal a row is that no version of ours has written so."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Unreachable(
            f"the database of runs is damaged: {what} cannot be read",
            says=f"{type(error).__name__}: {error}",
            stands="nothing was changed",
            hint="keep a copy of the database; `stackward run list` names the other runs, and "
            "`stackward run check ID` checks one of them",
        ) from error


def found_by(beginning: str, ids: Iterable[str]) -> str:
    """Return the one id that begins so."""
    found = [run_id for run_id in ids if run_id.startswith(beginning.upper())]
    refuse_unless_one(beginning, found)
    return found[0]


def _history(
    connection: Connection,
    run_id: str,
    holds: tuple[Hold, ...],
    workers: frozenset[str],
    states: Mapping[str, RunState],
) -> History:
    [row] = _rows(connection, "SELECT * FROM runs WHERE id = :id", run_id)
    attempts = _rows(
        connection, "SELECT * FROM attempts WHERE run_id = :id ORDER BY step, number", run_id
    )
    told = _rows(connection, "SELECT * FROM events WHERE run_id = :id ORDER BY number", run_id)
    events = tuple(to_event(event) for event in told)
    undoers = [event.thing for event in events if event.what == UNDONE]
    return History(
        run=to_run({**row, "undone_by": undoers[-1] if undoers else None}),
        attempts=tuple(to_attempt(attempt) for attempt in attempts),
        events=events,
        holds=holds,
        workers=workers,
        states=states,
    )


def _hold(row: Mapping[str, Any]) -> Hold:
    return Hold(node=row["node"], run=row["run_id"], cloud=row.get("cloud") or None)


def _rows(connection: Connection, statement: str, run_id: str = "") -> list[dict[str, Any]]:
    asked = {"id": run_id} if run_id else {}
    return [dict(row) for row in connection.execute(text(statement), asked).mappings()]
