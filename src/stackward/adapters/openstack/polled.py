"""A Nova that answers from one poll what all moves of a tick ask alike."""

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from stackward.model.migration import Migration
from stackward.ports.clock import Clock
from stackward.ports.nova import Nova

if TYPE_CHECKING:
    from stackward.ports.world import World

BYTES_EVERY_S = 10.0  # a figure for people; asked of each migration by itself

_Known = dict[tuple[str, int], tuple[float, int | None]]


class Poller:
    """Makes the world of each tick; between ticks it only remembers the figures for people."""

    def __init__(self) -> None:
        self._bytes: _Known = {}

    def __call__(self, world: "World") -> "World":
        """Return the world whose lists are read once, when they are first asked for."""
        polled = _Polled(world.nova, world.clock, self._bytes)
        return replace(world, nova=cast("Nova", polled))


class _Polled:
    """The Nova of one tick; its moves ask from threads of their own."""

    def __init__(self, nova: Nova, clock: Clock, known: _Known) -> None:
        self._nova, self._clock, self._known = nova, clock, known
        self._lock = threading.Lock()
        self._newest: dict[str, tuple[Migration, ...]] = {}

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # all else is asked of Nova itself
        return getattr(self._nova, name)

    def newest_migrations(self, host: str, /) -> tuple[Migration, ...]:
        with self._lock:
            if host not in self._newest:
                self._newest[host] = self._nova.newest_migrations(host)
            return self._newest[host]

    def remaining_bytes(self, server: str, migration: int, /) -> int | None:
        now = self._clock.monotonic()
        asked_at, figure = self._known.get((server, migration), (None, None))
        if asked_at is None or now - asked_at >= BYTES_EVERY_S:
            figure = self._nova.remaining_bytes(server, migration)
            self._known[server, migration] = (now, figure)
        return figure
