"""What may be asked of an instance-HA service; Masakari is the only one that we know."""

from typing import Protocol

from stackward.model.instance_ha import HaHost, HaNotification


class Masakari(Protocol):
    """An instance-HA service: it restarts the servers of a host that it takes for dead."""

    def ha_hosts(self, host: str, /) -> tuple[HaHost, ...]:
        """Return a host's entries in the instance-HA service; none where there is no service.

        One call for the segments, and one for each of them. Raises StackwardError where two hosts
        there may be it.
        """
        ...

    def notifications_of(self, entry: HaHost, /) -> tuple[HaNotification, ...]:
        """Return what was reported to the service of a host that it looks after."""
        ...

    # --- changing: each asks once, never waits, and returns the request's id, if it has one ---

    def set_ha_host(self, entry: HaHost, /, *, is_in_maintenance: bool) -> str | None:
        """Report to the instance-HA service whether a host is in maintenance."""
        ...
