"""Lists of Nova that several plans share: read once for all of them."""

from collections.abc import Callable
from typing import Any, cast

from stackward.ports.nova import Nova

_LISTS = frozenset({"services", "hypervisors", "known_hypervisors", "aggregates", "flavors"})


class _Once:
    """Nova, as it was when each of its lists was first read."""

    def __init__(self, nova: Nova) -> None:
        self._nova = nova
        self._known: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # any answer of Nova
        asked = getattr(self._nova, name)
        return self._read(name, asked) if name in _LISTS else asked

    def _read(self, name: str, asked: Callable[[], Any]) -> Callable[[], Any]:
        def read() -> Any:  # noqa: ANN401  # same
            if name not in self._known:
                self._known[name] = asked()
            return self._known[name]

        return read


def read_once(nova: Nova) -> Nova:
    """Return Nova with lists that are read once, for as long as that is asked for."""
    return cast("Nova", _Once(nova))
