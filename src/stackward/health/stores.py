"""Whether what users have can be kept: stores of images, volumes and instances.

They are judged without a write: by their mounts, by what the kernel reports to their user, and by
their free space.
"""

from collections.abc import Iterator

from stackward.health import symptoms
from stackward.health.gaps import gap_of
from stackward.health.node_health import FILLING, FULL, ROOM_LEFT, used_percent
from stackward.health.presence import Presence
from stackward.model.blind import Blind
from stackward.model.health import Finding, Gap, Kept
from stackward.model.survey import Room, Store, StoresOf, Unseen, VolumeGroup
from stackward.ports.root import declared, line_for, may_write
from stackward.wording import in_size


def judge_stores(here: Presence) -> Iterator[Finding]:
    """Judge the stores of a component on a node; of one that does not run, that has been said."""
    for of in stores_here(here):
        for store in of.stores:
            yield from _judge_store(here, of, store)
        for group in of.groups:
            if isinstance(group, VolumeGroup):
                yield from _judge_group(here, group)


def stores_here(here: Presence) -> Iterator[StoresOf]:
    """Return the stores of a component that runs on a node."""
    if here.runs:
        yield from (of for of in here.survey.stores if of.component == here.component.name)


def _judge_store(here: Presence, of: StoresOf, store: Store) -> Iterator[Finding]:
    name, node = here.component.name, here.node
    words = {"kind": of.kind, "path": store.path, "user": store.user, "mount": store.mount}
    words |= {"settings": of.settings, "log": here.log}
    if not store.is_there:
        yield symptoms.STORE_MISSING.found(name, node, **words)
    elif of.kind == "volumes" and store.mount != store.path:
        yield symptoms.SHARE_NOT_MOUNTED.found(name, node, **words)
    elif isinstance(store.takes_writes, Unseen) and store.takes_writes.kind is Blind.SILENT:
        yield symptoms.STORE_SILENT.found(name, node, **words)
    elif store.is_read_only:
        yield symptoms.STORE_READ_ONLY.found(name, node, **words)
    elif store.takes_writes is False:
        yield symptoms.STORE_NOT_WRITABLE.found(name, node, **words)
    if isinstance(store.room, Room):
        is_of_machine = any(one.mount == store.mount for one in here.survey.filesystems)
        used = _used(store.room)
        left = f"{in_size(store.room.free)} of {in_size(store.room.size)} free"
        left += f", {store.room.inodes_free} inodes" if store.room.inodes else ""
        if used >= FULL:  # put under its machine, where that is full by it
            yield symptoms.STORE_FULL.found(name, node, left=left, **words)
        elif used >= FILLING and not is_of_machine:
            yield symptoms.STORE_FILLING.found(name, node, left=left, percent=used, **words)


def _used(room: Room) -> int:
    """Return how full it is, in percent: of bytes or of inodes, whichever is more."""
    of_bytes = used_percent(room.free, room.size)
    if of_bytes >= FULL and room.free >= ROOM_LEFT:
        of_bytes = FILLING
    return max(of_bytes, used_percent(room.inodes_free, room.inodes))


def _judge_group(here: Presence, group: VolumeGroup) -> Iterator[Finding]:
    how = ""
    if not group.is_there:
        how = "is not there"
    elif group.is_partial:
        how = "has a missing disk"
    elif group.is_read_only:
        how = "is read-only"
    if how:
        yield symptoms.VOLUME_GROUP_ILL.found(
            here.component.name, here.node, group=group.name, how=how
        )


def gaps_of_stores(here: Presence) -> Iterator[Gap]:
    """Name what of its stores was not shown, with the right that shows it."""
    name, survey = here.component.name, here.survey
    for of in stores_here(here):
        if of.unread:
            yield gap_of(survey, f"where {name} has its {of.kind}", of.unread, name)
        for other in of.elsewhere:
            yield Gap(
                kind=Kept.NO_QUESTION,
                component=name,
                where=here.node,
                what=f"the store `{other}` of {name}",
                why="only files, NFS shares and LVM can be looked at without a write",
            )
        for group in of.groups:
            if isinstance(group, Unseen):
                yield gap_of(survey, f"the volume groups of {name}", group, name)
            elif group.is_there:
                yield _gap_of_group(here, group)
        for store in of.stores:
            unseen = store.takes_writes
            if store.is_there and isinstance(unseen, Unseen) and unseen.kind is not Blind.SILENT:
                yield _gap_of_store(here, store, unseen)
            elif isinstance(store.room, Unseen) and store.room.kind is not Blind.SILENT:
                yield gap_of(survey, f"the room of `{store.path}`", store.room, name)


def _gap_of_group(here: Presence, group: VolumeGroup) -> Gap:
    """Say what the free space of a group does not show: a pool for thin volumes takes all of it."""
    left = f"{in_size(group.free)} of {in_size(group.size)} not given away"
    return Gap(
        kind=Kept.NO_QUESTION,
        component=here.component.name,
        where=here.node,
        what=f"the room of the volume group `{group.name}` ({left})",
        why="with thin volumes the room is in a pool inside the group, which is not asked",
    )


def _gap_of_store(here: Presence, store: Store, unseen: Unseen) -> Gap:
    what = f"whether `{store.user}` may write to `{store.path}`"
    words = may_write(store.user, store.path)
    if unseen.kind is Blind.REFUSED and not store.engine and not declared(words):
        return Gap(
            kind=Kept.RIGHTS,
            component=here.component.name,
            where=here.node,
            what=what,
            why="the shipped sudoers file has the usual paths only",
            cure=f"add to the sudoers file there: `{line_for(words)}`",
        )
    return gap_of(here.survey, what, unseen, here.component.name)
