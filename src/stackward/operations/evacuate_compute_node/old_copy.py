"""Whether the disk that a node sees of a server is the one that its dead node had, or an old copy.

Nova takes any directory that is there. A move leaves a whole old disk if its end was lost; so does
a nova-compute that was kept off while its node came back. Nobody writes to such a copy after the
server has left: so it is older than the server's coming to the node that died. A move that failed,
or was taken back, leaves a part of a newer one: nobody writes to that after its record.

What other nodes see proves nothing of the dead one: its disks may have been its own.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import NamedTuple

from stackward.model.disk_seen import DiskSeen
from stackward.model.migration import Migration
from stackward.model.server import Server
from stackward.model.unread import Unread
from stackward.model.utc_time import utc_time_or_none
from stackward.operations.evacuate_compute_node.facts import Leaving, OtherNode
from stackward.policy.compute import NETWORK_FILESYSTEMS
from stackward.wording import in_utc

_CLOCKS = timedelta(seconds=60)  # by as much the clocks of two nodes may differ
_CAME = {"completed", "confirmed", "done", "finished"}
# A source that names its server: `nas:/instances`, `//nas/instances`. What names this node or a
# device (`localhost:/x`, `/dev/sdb`) may be another one on each node.
_NAMES_SERVER = re.compile(r"(?!localhost|127\.|\[::1\])[^/].*:/|//")


class _Since(NamedTuple):
    """A disk that was written later than this is the one that the dead node had."""

    at: datetime
    words: str


def why_doubted(server: Server, host: str, facts: Leaving) -> str | None:
    """Say why the disk that a node sees may be an old copy; None where it is known to be none."""
    seen = seen_on(server, facts.others[host])
    if seen.path is None:
        return None  # in Ceph: there is one
    if _is_shared(server, facts, seen):
        return None
    since = _since(server, host, facts)
    if isinstance(since, str):
        return since
    if seen.written is None:
        return "when it was written last is not known"
    if seen.written > since.at + _CLOCKS:
        return None
    return f"it was written last at {in_utc(seen.written)}, and {since.words} {in_utc(since.at)}"


def seen_on(server: Server, other: OtherNode) -> DiskSeen:
    """Return what a node sees of the disks of a server; nothing, where it was not read."""
    none = DiskSeen()
    return none if isinstance(other.disks, Unread) else other.disks.get(server.id, none)


def _is_shared(server: Server, facts: Leaving, seen: DiskSeen) -> bool:
    """Say whether a look has seen the dead node have this very directory, on network storage."""
    kind, _, source = (seen.storage or "").partition(" ")
    if kind not in NETWORK_FILESYSTEMS or not _NAMES_SERVER.match(source):
        return False
    last = facts.last_seen.get(server.id)
    return (
        last is not None
        and set(last.storages) == {seen.storage}
        and {str(PurePosixPath(one).parent) for one in last.places} == {seen.place}
    )


def _since(server: Server, host: str, facts: Leaving) -> _Since | str:
    """Return after what a disk on a node is no old copy; or what of that is not known."""
    at, here = came_at(server, facts), facts.node.host
    if at is None:
        return f"when the server came to `{here}` is not known"
    found = [_Since(at, f"the server came to `{here}` at")]
    for one in facts.records.get(server.id, ()):
        if host in {one.source, one.target}:
            changed = _changed(one)
            named = f"record {one.id} ({one.kind}, {one.status}), which names `{host}`,"
            if changed is None:
                return f"when its {named} was changed last is not known"
            found.append(_Since(changed, f"its {named} was changed last at"))
    return max(found)


def came_at(server: Server, facts: Leaving) -> datetime | None:
    """Return when the server came to the dead node at the latest, by Nova; None: not known."""
    came = [*_comings(server, facts)]
    known = [one for one in came if one is not None]
    return max(known) if known and len(known) == len(came) else None


def _comings(server: Server, facts: Leaving) -> Iterator[datetime | None]:
    for one in facts.records.get(server.id, ()):
        if one.target == facts.node.host and one.status in _CAME:
            yield _changed(one)
    if server.launched:
        yield utc_time_or_none(server.launched)


def _changed(record: Migration) -> datetime | None:
    return utc_time_or_none(record.updated or record.created)
