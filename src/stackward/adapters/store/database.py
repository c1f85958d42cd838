"""Open the database of the journal: a SQLite file, or PostgreSQL."""

import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft

from stackward.adapters.store.holder import is_locked, locked
from stackward.adapters.store.listing import FILE
from stackward.adapters.store.tables import ONLY_READS, bring_up_to_date
from stackward.adapters.store.trouble import one_line
from stackward.errors import BadInput, Unreachable

BUSY_TIMEOUT_S = 30  # another writer holds the file for milliseconds; a slow disk may take longer

_FORMS = "write it as postgresql://USER@HOST/NAME or sqlite:////PLACE/journal.sqlite"
_SECRETS = ("password", "sslpassword")  # libpq takes them after the `?` too
_POSTGRES = {"postgres", "postgresql"}  # libpq knows both names

# Session settings on PostgreSQL, in milliseconds. A worker that is frozen within a transaction
# keeps its locks no longer than the first. A session that waits for a lock says so after the
# second.
_IDLE_IN_TRANSACTION = 10_000
_LOCK_TIMEOUT = 30_000

# For libpq: a peer whose machine lost its power is noticed in half a minute, not in two hours.
_CONNECTING: dict[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    "application_name": "stackward",
}


def url_of(state_dir: Path) -> str:
    """Return the URL of the usual database: one file in the state directory."""
    return URL.create("sqlite", database=str(state_dir / FILE)).render_as_string()


def file_of(url: str) -> Path | None:
    """Return the file of a database in SQLite; None for one that has a server."""
    parsed = _parsed(url)
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None


def has_password(url: str) -> bool:
    """Say whether there is a password in the URL, at any of its places."""
    parsed = _parsed(url)
    return bool(parsed.password) or any(secret in parsed.query for secret in _SECRETS)


def shown(url: str) -> str:
    """Return the place for people: a file's path, or a URL without what is secret."""
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        return parsed.database or ""
    query = {name: value for name, value in parsed.query.items() if name not in _SECRETS}
    bare = URL.create(
        parsed.get_backend_name(),
        username=parsed.username,
        host=parsed.host,
        port=parsed.port,
        database=parsed.database,
        query=query,
    )
    return bare.render_as_string(hide_password=True)


def open_database(url: str) -> Engine:
    """Open a database and bring its tables up to date."""
    engine = engine_of(url)
    place = shown(url)
    try:
        bring_up_to_date(engine, place)
    except (DatabaseError, NoConnectionLeft) as error:
        engine.dispose()
        if is_locked(error):
            raise locked(Path(place), error) from error
        raise Unreachable(
            f"the database of runs in `{place}` cannot be opened",
            says=one_line(error),
            stands="nothing was changed",
            hint=_remedy(_parsed(url)),
        ) from error
    except BaseException:
        engine.dispose()
        raise
    return engine


def engine_of(url: str) -> Engine:
    """Return the way to a database, with any content; nothing is asked of it yet."""
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, Path(parsed.database or ""))
    return _postgres(parsed)


def reader_of(url: str) -> Engine:
    """Return the way to a database that is only read, at one moment; it is not made, nor migrated.

    A transaction there sees nothing of what others commit during it.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() != "sqlite":
        reading = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        return _postgres(parsed).execution_options(**reading)
    place = f"{Path(parsed.database or '').as_uri()}?mode=ro"
    engine = create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(place, uri=True, timeout=BUSY_TIMEOUT_S)
    )
    event.listen(engine, "connect", _begin_by_ourselves)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def _begin_by_ourselves(connection: Any, _: object) -> None:  # noqa: ANN401  # the driver's own connection
    connection.isolation_level = None


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
        kind = parsed.get_backend_name()
    except (ArgumentError, SQLAlchemyError, ValueError):
        # Not chained: the parser's own words may have a part that was meant as a password.
        raise BadInput("the URL of the database cannot be understood", hint=_FORMS) from None
    if kind in _POSTGRES:
        return parsed.set(drivername="postgresql+psycopg")
    if kind != "sqlite":
        raise BadInput(f"Stackward keeps no runs in a database of the kind `{kind}`", hint=_FORMS)
    if not Path(parsed.database or "").is_absolute():
        raise BadInput("the file of the database is not an absolute path", hint=_FORMS)
    if "?" in url:
        # Without this, `/a?b` would be the file `/a`: another one than was meant.
        raise BadInput(
            "the URL of a database in a file takes no options after a `?`",
            hint="in the path of a file, write `?` as %3F and `%` as %25",
        )
    return parsed


def _remedy(parsed: URL) -> str:
    if parsed.get_backend_name() == "sqlite":
        return "see that it exists, can be written, and is a database"
    return (
        "see that it is up, that the database exists and is this role's own; "
        "a password belongs into ~/.pgpass or the file that PGPASSFILE names"
    )


def _postgres(parsed: URL) -> Engine:
    connecting = {name: value for name, value in _CONNECTING.items() if name not in parsed.query}
    engine = create_engine(
        parsed,
        isolation_level="READ COMMITTED",  # what the journal's locks are written for
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=45,  # several runs at once, each with its moves
        # Statements prepared on a server do not work with connection poolers.
        connect_args={**connecting, "prepare_threshold": None},
    )
    event.listen(engine, "connect", _prepare_session)
    return engine


def _prepare_session(connection: Any, _: object) -> None:  # noqa: ANN401  # the driver's own connection
    connection.execute(f"SET idle_in_transaction_session_timeout = {_IDLE_IN_TRANSACTION}")
    connection.execute(f"SET lock_timeout = {_LOCK_TIMEOUT}")
    connection.commit()  # the pool rolls back what is not


def _sqlite(parsed: URL, path: Path) -> Engine:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The journal shows who runs what where: it is the operator's alone.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise Unreachable(
            f"the database of runs `{path}` cannot be written",
            says=error.strerror,
            stands="nothing was changed",
            hint="set STACKWARD_STATE_DIR to a directory that can be written",
        ) from error
    engine = create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_S})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin_to_write)
    return engine


def _prepare(connection: Any, _: object) -> None:  # noqa: ANN401  # the driver's own connection
    # The driver must not begin transactions by itself: SQLAlchemy's `begin` below does so.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000}")
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL: an intent that was written is there also after a power cut; otherwise a start is
    # repeated.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_to_write(connection: Connection) -> None:
    # IMMEDIATE: two writers wait for each other here. At their first write SQLite would refuse one
    # of them at once.
    reads = connection.get_execution_options().get(ONLY_READS)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
