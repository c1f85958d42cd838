"""One cache of compiled statements for all databases that the tests of a process open.

SQLAlchemy keeps what it has compiled by engine. A test opens a journal of its own, and would have
each statement compiled again: that takes longer than to execute it.
"""

from typing import Any

from sqlalchemy import Connection, Engine, event
from typing_extensions import override


class Compiled(dict[tuple[Any, ...], Any]):
    """Statements by what they say and in which dialect, not by whose engine's that is."""

    @override
    def get(self, key: tuple[Any, ...], default: Any = None, /) -> Any:
        return super().get(_of_all(key), default)

    @override
    def __setitem__(self, key: tuple[Any, ...], compiled: Any, /) -> None:
        super().__setitem__(_of_all(key), compiled)


def _of_all(key: tuple[Any, ...]) -> tuple[Any, ...]:
    dialect, *statement = key
    return (dialect.name, dialect.driver, *statement)


_compiled = Compiled()


def share() -> None:
    """Share the cache from now on."""
    event.listen(Engine, "engine_connect", _take)


def _take(connection: Connection) -> None:
    connection.execution_options(compiled_cache=_compiled)
