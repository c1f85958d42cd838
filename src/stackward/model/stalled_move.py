"""A move in which nothing happens: what is known of it, and where its guest runs."""

from dataclasses import dataclass, field
from enum import StrEnum

from stackward.model.migration import Migration
from stackward.model.server import Server
from stackward.model.unread import Unread

CONDUCTOR = "nova-conductor"

# The tasks of a move (nova/compute/task_states.py).
MOVING = {"migrating", "resize_prep", "resize_migrating", "resize_migrated", "resize_finish"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """What libvirt on one node says of a server."""

    node: str
    state: str | None  # None: it does not have it
    has_job: bool = False
    host: str = field(default="", compare=False)  # as Nova calls the node, where that differs

    @property
    def is_alive(self) -> bool:
        """Say whether it has the server's disks open: it runs, or could be resumed."""
        return self.state not in {None, "shut off", "crashed"}

    @property
    def words(self) -> str:
        """Say it in words."""
        if self.state is None:
            return f"not on `{self.node}`"
        job = ", with a job under way" if self.has_job else ""
        return f"{self.state} on `{self.node}`{job}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StalledMove:
    """A move in which nothing happens, with all that shows why."""

    server: Server
    source: str
    migration: Migration | None  # the newest; None: there is no record
    quiet_s: float  # since anything was seen to change
    dead: frozenset[str] = frozenset()  # `nova-conductor`, or the hosts whose nova-compute is down
    is_conductor_known: bool = True  # False: one may be up, its cell does not answer
    is_queue_moving: bool = False  # its source works on another live migration
    is_followed: bool = False  # by a newer migration of its server: Nova begins none before
    guests: tuple[Guest, ...] | Unread = ()  # on the source, and on the target if there is one

    @property
    def has_job(self) -> bool | None:
        """Say whether libvirt works on it; None where that could not be read."""
        return None if isinstance(self.guests, Unread) else any(one.has_job for one in self.guests)

    @property
    def home(self) -> str:
        """Return the host on which Nova has the server."""
        return self.server.host or self.source

    @property
    def away(self) -> Guest | None:
        """Return the guest that is alive elsewhere than where Nova has the server."""
        if isinstance(self.guests, Unread):
            return None
        return next((one for one in self.guests if one.is_alive and not self._is_home(one)), None)

    @property
    def place(self) -> "Place":
        """Say where the guest is, as seen from where Nova has the server."""
        if isinstance(self.guests, Unread):
            return Place.UNREAD
        at_home = [one for one in self.guests if self._is_home(one) and one.state is not None]
        if self.away:
            return Place.BOTH if any(one.is_alive for one in at_home) else Place.AWAY
        if not self.guests:
            return Place.UNASKED
        return Place.HOME if at_home else Place.NOWHERE

    def _is_home(self, guest: Guest) -> bool:
        return (guest.host or guest.node) == self.home


class Place(StrEnum):
    """Where the guest of a server is that is stuck."""

    HOME = "where Nova has the server"
    AWAY = "on the other node"
    BOTH = "on both nodes"
    NOWHERE = "on no node that was asked"
    UNREAD = "not known"
    UNASKED = "on a hypervisor without libvirt"
