"""A volume, as Cinder has it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A volume attached to a server, as Cinder has it."""

    id: str
    status: str = "in-use"
    migration_status: str | None = None
    name: str = ""
    backend: str | None = None  # `host@backend#pool`
    attached: tuple[tuple[str, str | None], ...] = ()  # (server, host)
