"""Open the database of the journal."""

import os
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError

from stackward.adapters.store.listing import FILE
from stackward.adapters.store.tables import ONLY_READS, bring_up_to_date
from stackward.errors import BadInput, Unreachable

BUSY_TIMEOUT_S = 30  # another writer holds the file for milliseconds; a slow disk may take longer


def url_of(state_dir: Path) -> str:
    """Return the URL of the usual database: one file in the state directory."""
    return f"sqlite:///{state_dir / FILE}"


def open_database(url: str) -> Engine:
    """Open a database and bring its tables up to date."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise BadInput(
            "the URL of the database cannot be understood",
            hint="write it as sqlite:////PLACE/journal.sqlite or postgresql://USER@HOST/NAME",
        ) from error
    match parsed.get_backend_name():
        case "sqlite":
            engine = _open_sqlite(url, Path(parsed.database or ""))
        case "postgresql":
            engine = create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
        case other:
            raise BadInput(
                f"there is no journal in a database of the kind `{other}`",
                hint="use sqlite:// or postgresql://",
            )
    place = parsed.render_as_string(hide_password=True)
    try:
        bring_up_to_date(engine, place)
    except DatabaseError as error:
        raise Unreachable(
            f"the journal in `{place}` cannot be opened",
            says=str(error.orig),
            stands="nothing was changed",
            hint="see that it exists, can be written, and is a database",
        ) from error
    return engine


def _open_sqlite(url: str, path: Path) -> Engine:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The journal tells who runs what where: it is the operator's alone.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise Unreachable(
            f"the journal `{path}` cannot be written",
            says=error.strerror,
            stands="nothing was changed",
            hint="set STACKWARD_STATE_DIR to a directory that can be written",
        ) from error
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin_to_write)
    return engine


def _prepare(connection: Any, _: object) -> None:  # noqa: ANN401  # the driver's own connection
    # The driver must not begin transactions by itself: SQLAlchemy's `begin` below does.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000}")
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL: an intent that was written is there after a power cut too, else a start is repeated.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_to_write(connection: Connection) -> None:
    # IMMEDIATE: two writers wait for each other here, not at their first write, where SQLite
    # would refuse one of them at once.
    reads = connection.get_execution_options().get(ONLY_READS)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
