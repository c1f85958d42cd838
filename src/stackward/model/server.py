"""A server as Nova has it, with all that decides how it may leave its node.

Words of the APIs (`status`, `task_state`) are kept as they came: a rule decides what it knows, and
what it does not know blocks.
"""

from dataclasses import dataclass
from datetime import datetime

from stackward.model.flavor import Flavor
from stackward.model.network import Port
from stackward.model.volume import Volume

IN_DOWN_CELL = "UNKNOWN"  # the status of a server whose cell's database is away (2.69 and later)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerGroup:
    """Servers that are to stay together or apart."""

    id: str
    name: str
    policy: str
    members: tuple[str, ...]
    max_per_host: int = 1
    elsewhere: tuple[tuple[str, str], ...] = ()  # members on other hosts: (server, host)
    unknown: tuple[str, ...] = ()  # members in a cell that is down

    @property
    def is_hard(self) -> bool:
        """Say whether the scheduler refuses hosts for it; the soft policies only weigh them."""
        return self.policy in {"affinity", "anti-affinity"}

    @property
    def keeps_apart(self) -> bool:
        """Say whether its members must be on different hosts, by a hard policy or a soft one."""
        return "anti-affinity" in self.policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A Nova server with all that decides how it may leave its node."""

    id: str
    name: str
    status: str
    vm_state: str
    task_state: str | None
    power_state: int
    host: str | None  # the name of Nova's service; None where it has no host
    flavor: Flavor
    project: str = ""
    user: str = ""  # who made it
    is_locked: bool = False
    locked_reason: str | None = None
    pinned_zone: str | None = None  # the zone it was asked for; None: any
    is_zone_known: bool = True  # False: Nova is too old to say
    has_image: bool = True  # False: it boots from a volume
    metadata: tuple[tuple[str, str], ...] = ()
    image_properties: tuple[tuple[str, str], ...] | None = ()  # None: Nova is too old to say
    volume_ids: tuple[str, ...] = ()
    root_device: str | None = None  # /dev/vda; None: Nova does not say
    group_id: str | None = None
    volumes: tuple[Volume, ...] = ()
    volumes_unread: str | None = None  # why no volume could be asked for
    ports: tuple[Port, ...] = ()
    group: ServerGroup | None = None
    updated: str | None = None  # when Nova last wrote to it
    launched: str | None = None  # when it was last built: first, resized, unshelved, evacuated
    fault: str | None = None  # why it is in ERROR, in Nova's words

    @property
    def label(self) -> str:
        """Return what the operator reads; names are not unique, so the plan adds the id."""
        return self.name or self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAction:
    """One entry of a server's action log: who asked for what, and how it ended."""

    action: str
    request_id: str
    user: str | None
    started: str
    message: str | None = None  # "Error" where it failed


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionEvent:
    """A part of an action, as Nova carried it out; its times are whole seconds in Nova's clock."""

    name: str  # compute_stop_instance
    started: datetime
    finished: datetime | None = None
