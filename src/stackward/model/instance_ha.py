"""A host that is restarted elsewhere by an instance-HA service, such as Masakari."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HaHost:
    """A host that an instance-HA service looks after: it restarts its servers elsewhere."""

    id: str
    segment: str
    host: str
    is_in_maintenance: bool = False  # the service leaves it alone
