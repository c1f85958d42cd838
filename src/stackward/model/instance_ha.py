"""A host that is restarted elsewhere by an instance-HA service, such as Masakari."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HaNotification:
    """What was reported of a host to an instance-HA service, and what the service made of it."""

    id: str
    kind: str  # COMPUTE_HOST, VM, PROCESS
    status: str

    @property
    def is_open(self) -> bool:
        """Say whether it acts on it still, or may; what is not known may."""
        return self.status not in {"finished", "ignored"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HaHost:
    """A host that an instance-HA service looks after: it restarts its servers elsewhere."""

    id: str
    segment: str
    host: str
    is_in_maintenance: bool = False  # the service leaves it alone
