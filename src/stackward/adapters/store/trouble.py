"""What it means that the database did not do what was asked of it."""

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft

from stackward.masking import masked

# PostgreSQL's SQLSTATE, by its beginning: what is over once the server is back, has another
# primary, or has ended the other transaction. 25006: it is a standby for the moment.
_PASSES = ("08", "57P", "53", "40001", "40P01", "55P03", "25P03", "25006")
_UNIQUE = "23505"


def passes(error: SQLAlchemyError) -> bool:
    """Say whether the same may work a moment later; on SQLite, it has waited already."""
    if isinstance(error, NoConnectionLeft):
        return True
    if not isinstance(error, DBAPIError) or not _is_of_postgres(error):
        return False
    state: str | None = getattr(error.orig, "sqlstate", None)
    if state is None:  # no server has spoken: there was no connection, or it broke
        return error.connection_invalidated or type(error.orig).__name__ == "OperationalError"
    return state.startswith(_PASSES)


def is_taken(error: SQLAlchemyError) -> bool:
    """Say whether somebody else has written the same key since we looked."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == _UNIQUE


def one_line(error: SQLAlchemyError) -> str:
    """Return the database's own words; never the statement, which has the values to write."""
    words = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    return masked("; ".join(line.strip() for line in words.splitlines() if line.strip()))


def _is_of_postgres(error: DBAPIError) -> bool:
    return type(error.orig).__module__.startswith("psycopg")
