"""Whether the disk that a node sees of a server is the one that its dead node had, or an old copy.

Nova takes whatever directory is there. A move leaves a whole old disk where its end was lost; so
does a nova-compute that was kept off while its node came back. Nobody writes to such a copy after
the server has left: so it is older than the server's coming to the node that died.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from stackward.model.disk_seen import DiskSeen
from stackward.model.server import Server
from stackward.model.unread import Unread
from stackward.operations.evacuate_compute_node.facts import Leaving, OtherNode
from stackward.policy.compute import NETWORK_FILESYSTEMS
from stackward.wording import in_utc

_CLOCKS = timedelta(seconds=60)  # by as much the clocks of two nodes may differ
_CAME = {"completed", "confirmed", "done", "finished"}


def why_doubted(server: Server, host: str, facts: Leaving) -> str | None:
    """Say why the disk that a node sees may be an old copy; None where it is known to be none."""
    seen = seen_on(server, facts.others[host])
    if seen.path is None:
        return None  # in Ceph: there is one
    if seen.storage and _is_shared(server, host, facts, seen.storage):
        return None
    came = came_at(server, facts)
    if came is None:
        return f"when the server came to `{facts.node.host}` is not known"
    if seen.written is None:
        return "when it was written last is not known"
    if seen.written > came + _CLOCKS:
        return None
    return (
        f"it was written last at {in_utc(seen.written)}, and the server came to "
        f"`{facts.node.host}` at {in_utc(came)}"
    )


def seen_on(server: Server, other: OtherNode) -> DiskSeen:
    """Return what a node sees of the disks of a server; nothing, where it was not read."""
    none = DiskSeen()
    return none if isinstance(other.disks, Unread) else other.disks.get(server.id, none)


def _is_shared(server: Server, host: str, facts: Leaving, storage: str) -> bool:
    """Say whether the dead node had its disk there too, or another node sees the same one."""
    if storage.partition(" ")[0] not in NETWORK_FILESYSTEMS:
        return False
    last = facts.last_seen.get(server.id)
    if last is not None and storage in last.storages:
        return True
    others = (one for name, one in facts.others.items() if name != host)
    return any(
        there.path is not None and there.storage == storage
        for there in (seen_on(server, one) for one in others)
    )


def came_at(server: Server, facts: Leaving) -> datetime | None:
    """Return when the server came to the dead node at the latest, by Nova."""
    return max(_comings(server, facts), default=None)


def _comings(server: Server, facts: Leaving) -> Iterator[datetime]:
    for one in facts.records.get(server.id, ()):
        if one.target == facts.node.host and one.status in _CAME:
            yield from _time(one.updated or one.created)
    yield from _time(server.launched)


def _time(said: str | None) -> Iterator[datetime]:
    """Read a time of Nova, which tells UTC without saying so."""
    if said:
        yield datetime.fromisoformat(said.removesuffix("Z")).replace(tzinfo=UTC)
