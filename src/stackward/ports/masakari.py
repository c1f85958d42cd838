"""What may be asked of an instance-HA service; Masakari is the only one that we know."""

from typing import Protocol

from stackward.model.instance_ha import Guarded


class Masakari(Protocol):
    """An instance-HA service: it restarts the servers of a host that it takes for dead."""

    def guarded(self, host: str, /) -> tuple[Guarded, ...]:
        """Return a host's entries in the instance-HA service; none where there is no service.

        One call for the segments, and one for each of them. Raises StackwardError where two hosts
        there may be it.
        """
        ...

    # --- changing: each asks once, never waits, and returns the request's id, if it has one ---

    def set_guarded(self, entry: Guarded, /, *, is_in_maintenance: bool) -> str | None:
        """Tell the instance-HA service whether a host is in maintenance."""
        ...
