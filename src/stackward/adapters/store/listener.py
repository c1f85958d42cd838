"""Hear from PostgreSQL when a run is queued: LISTEN, on a connection of its own.

A connection may accept LISTEN and never report anything. That is so behind a pooler that has
another session for each transaction, or with a server that is not the primary any more. So the
listener calls itself, by way of the connections that queue runs, and counts as hearing only while
it hears its own calls.
"""

import itertools
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import psycopg
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from stackward.adapters.store.statements import QUEUED
from stackward.adapters.store.trouble import one_line
from stackward.adapters.wakeup import SocketWakeup
from stackward.masking import masked

if TYPE_CHECKING:
    from psycopg import Connection

# A listener sends nothing, so a server that ends idle sessions would end this one again and again.
# It is set by this query because PostgreSQL before 14 has no such setting.
_STAY = b"SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'"
_CLOSING_S = 2.0  # for the thread; it may hang in a server that does not answer, and is a daemon


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Seconds, all of them: how the listener makes sure that it hears."""

    every_s: float = 10.0  # between two calls
    heard_s: float = 5.0  # a call that was not heard by then is lost
    again_s: float = 60.0  # before a way to the server that never reported anything is tried again
    pauses_s: tuple[float, float] = (0.1, 2.0)  # the first and the longest between two connections


class _Deaf(Exception):
    """A call was sent, and was not heard."""


class Listener:
    """Calls `wake` when a run was queued, and when it begins to hear or stops hearing."""

    def __init__(
        self,
        engine: Engine,
        me: str,
        wake: Callable[[], None],
        say: Callable[[str], None],
        calls: Calls | None = None,
    ) -> None:
        """Begin to listen, in a thread; `me` is a name that no other listener has."""
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._own = f"stackward_{me}"
        self._numbers, self._called = itertools.count(), ""
        self._wake, self._say, self._calls = wake, say, calls or Calls()
        self._hears = self._has_lost = self._is_closed = False
        self._interrupt = SocketWakeup()
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)
        self._thread.start()

    @property
    def hears(self) -> bool:
        """Say whether it hears by now what is queued; if not, waiting workers must look often."""
        return self._hears

    def close(self) -> None:
        """Listen no more."""
        self._is_closed = True
        self._interrupt.wake()
        self._thread.join(_CLOSING_S)
        if not self._thread.is_alive():
            self._interrupt.close()

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:  # noqa: BLE001  # a defect of ours: it is reported below
            self._hears = False
            self._wake()  # waiting processes must look from now on
            what = masked(" ".join(f"{type(error).__name__}: {error}".split()))
            self._say(
                f"is no longer notified of queued runs, so it looks every second. "
                f"This is a defect of Stackward: {what}"
            )
        finally:
            self._hears = False

    def _work(self) -> None:
        pause, longest = self._calls.pauses_s
        while not self._is_closed:
            try:
                with closing(self._connected()) as connection:
                    self._listen(connection)
            except (SQLAlchemyError, psycopg.Error, OSError, _Deaf) as error:
                if self._hears:
                    pause = self._calls.pauses_s[0]
                    self._lose(error)
                elif isinstance(error, _Deaf):
                    pause = self._calls.again_s
                    self._explain()
                elif not self._has_lost and not self._is_closed:
                    self._lose(error)  # it could not even begin
                self._interrupt.wait(0.0 if self._is_closed else pause)
                pause = min(2 * pause, longest)

    def _connected(self) -> "Connection[Any]":
        found = self._engine.raw_connection()
        connection = cast("Connection[Any]", found.driver_connection)
        found.detach()  # it is ours from now on: the pool makes another one if it needs one
        return connection

    def _listen(self, connection: "Connection[Any]") -> None:
        connection.autocommit = True
        connection.execute(_STAY)
        for channel in (QUEUED, self._own):
            connection.execute(f'LISTEN "{channel}"'.encode())
        called, is_heard = self._call(), False
        while not self._is_closed:
            due = called + (self._calls.every_s if is_heard else self._calls.heard_s)
            self._interrupt.wait(due - time.monotonic(), connection.fileno())
            for told in connection.notifies(timeout=0):
                # Another call may come late, with the first words on another connection.
                is_heard = is_heard or (told.channel, told.payload) == (self._own, self._called)
                if told.channel == QUEUED:
                    self._wake()
            if is_heard and not self._hears:
                self._begin_to_hear()
            if time.monotonic() >= due:
                if not is_heard:
                    # A pooler gives the session to others. It is sent without waiting for an
                    # answer: a dead connection gives none.
                    with suppress(psycopg.Error):
                        connection.pgconn.send_query(b"UNLISTEN *")
                    raise _Deaf
                called, is_heard = self._call(), False

    def _call(self) -> float:
        self._called = str(next(self._numbers))
        with self._engine.connect() as connection:
            connection.execute(select(func.pg_notify(self._own, self._called)))
        return time.monotonic()

    def _begin_to_hear(self) -> None:
        self._hears = True
        self._wake()  # what was queued just before was reported to nobody
        if self._has_lost:
            self._has_lost = False
            self._say("is notified of queued runs again")

    def _lose(self, error: Exception) -> None:
        self._hears, self._has_lost = False, True
        self._wake()
        why = "a call of its own was not heard"
        if isinstance(error, SQLAlchemyError):
            why = one_line(error)
        elif not isinstance(error, _Deaf):
            why = masked(" ".join(str(error).split()))
        self._say(f"is not notified of queued runs, and looks more often until it is: {why}")

    def _explain(self) -> None:
        if not self._has_lost:
            self._has_lost = True
            self._say(
                "is not notified of queued runs, so it looks every second. LISTEN needs a "
                "direct connection to PostgreSQL, or a pooler that keeps a session for each client "
                "(PgBouncer in transaction mode does not)"
            )
