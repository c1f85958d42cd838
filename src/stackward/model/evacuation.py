"""An evacuation that its source has not settled: what nova-compute acts on as it starts there.

nova 31.0 compute/manager.py, `_destroy_evacuated_instances`: nova-compute takes each record in one
of these states whose source is its own host. It destroys the guest that libvirt has there. It also
destroys the guest's disks, unless the destination sees the file that nova-compute puts next to
them. It never looks where the server is. At each start it settles one record of a server.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from stackward.model.disk_seen import DiskSeen
from stackward.model.migration import Migration
from stackward.model.server import Server
from stackward.model.unread import Unread

OLD_COPIES = "open evacuations"  # in the facts of a plan, by which an undo says what is lost
EVACUATION = "evacuation"  # the kind of its record
UNDER_WAY = ("accepted", "pre-migrating")
OPEN = (*UNDER_WAY, "done")
ARRIVED = ("done", "completed")


def is_under_way(record: Migration) -> bool:
    """Say whether a record is of an evacuation that may go on, on its target."""
    return record.kind == EVACUATION and record.status in UNDER_WAY


def is_used_up(record: Migration, records: Sequence[Migration], server: Server | None) -> bool:
    """Say whether an order was carried out under an older record of its server.

    This happens if an order was lost, and then given again. The conductor takes the first record
    that is `accepted`; the record of the second order stays (nova 31.0 conductor/manager.py,
    rebuild_instance). `records` are all records of the server.
    """
    if record.status != "accepted" or server is None or server.task_state is not None:
        return False
    return any(
        one.kind == record.kind == EVACUATION
        and one.id < record.id
        and one.source == record.source
        and one.status in ARRIVED
        and one.target == server.host
        for one in records
    )


def is_open_evacuation(record: Migration) -> bool:
    """Say whether a record is of an evacuation whose source has not settled it."""
    return record.kind == EVACUATION and record.status in OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenEvacuation:
    """A record of a node that returns, and what its nova-compute would find as it acts on it."""

    record: Migration
    server: Server | None  # None: it was deleted
    asks: str | None = None  # the host whose nova-compute is asked whether it sees the directory
    is_heard: bool = True  # that one answers; where it does not, Nova keeps the disk
    # What that host sees of the directory; None: nothing there is a real guest.
    disk: DiskSeen | Unread | None = None

    @property
    def label(self) -> str:
        """Return how the server is called."""
        return self.server.label if self.server else self.record.server

    @property
    def is_home(self) -> bool:
        """Say whether the server has the source as its host: then it is the living one there."""
        return self.server is not None and self.server.host == self.record.source

    @property
    def words(self) -> str:
        """Say what the record is, where its server lives, and what is seen of its disk there."""
        record = f"record {self.record.id} ({self.record.status})"
        if self.server is None:
            return f"`{self.label}`, {record}: it was deleted since"
        lives = f"{self.server.status} on `{self.server.host or 'no host'}`"
        return f"`{self.label}`, {record} to `{self.asks or 'no host'}`: it is {lives}; {self.seen}"

    @property
    def seen(self) -> str:
        """Say what the destination sees of its disks."""
        if not self.is_heard:
            return f"the nova-compute of `{self.asks}` is down, so the disks here are kept"
        if isinstance(self.disk, Unread):
            return f"what `{self.asks}` sees of its disks cannot be read"
        if self.disk is None:
            return "nothing of it is real"
        return f"`{self.asks}` sees {self.disk.path or 'no directory of it'}"


def on_their_source(
    records: Iterable[Migration], servers: Mapping[str, Server]
) -> tuple[OpenEvacuation, ...]:
    """Return the open records whose servers live on their source: its next start destroys them."""
    return tuple(
        OpenEvacuation(record=one, server=server)
        for one in records
        if is_open_evacuation(one)
        and (server := servers.get(one.server)) is not None
        and server.host == one.source
    )


def most_of_one(open_: Iterable[OpenEvacuation]) -> int:
    """Return how many records the server with the most has: so many starts settle all."""
    return max(Counter(one.record.server for one in open_).values(), default=0)
