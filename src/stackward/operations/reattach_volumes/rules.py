"""Whether the volumes of a server may be repaired: its own rules, each next to its words.

They hold for Nova 28 (2023.2) and later, and were read in nova 31.0 and cinder 26.0 (2025.1). What
is not known blocks.
"""

from collections.abc import Iterator
from datetime import datetime

from stackward.model.attached_volume import AttachedVolume
from stackward.model.domain import OFF
from stackward.model.server import IN_DOWN_CELL, Server
from stackward.model.testimony import Source
from stackward.model.unread import Unread
from stackward.model.utc_time import utc_time_or_none
from stackward.model.volume import device_name, device_order
from stackward.model.witness import Sign
from stackward.operations.reattach_volumes.acts import Act, Chosen, Why
from stackward.operations.reattach_volumes.facts import ReattachFacts
from stackward.plan import Verdict
from stackward.policy.compute import judge_lock
from stackward.policy.maintenance import HELD
from stackward.policy.rule import Rule
from stackward.requests.reattach_volumes import ReattachRequest

DETACH_S = 180.0  # Nova asks a guest 8 times, every 20 s (nova 31.0 conf/compute.py), and ends then

# --- the server ---------------------------------------------------------------------------------

CELL_DOWN = Rule(
    "reattach/cell-down",
    "is in a cell that is down: Nova does not know its state",
    "repair that cell (`nova-manage cell_v2 list_cells` names its database and its message queue), "
    "then plan again",
    "Nova answers with a few fields and the status UNKNOWN while the cell's database is away.",
)
NOWHERE = Rule(
    "reattach/nowhere",
    "is {status}, and on no node",
    "`openstack server unshelve {id}` brings back one that is SHELVED_OFFLOADED; then plan again",
    "Without a node there is no guest. A server that is shelved keeps its volumes reserved.",
)
BUSY = Rule(
    "reattach/busy",
    "Nova is at work on it ({task})",
    "wait until that is done, then plan again; if it never is, `openstack server event list {id}` "
    "shows who asked for it, and `openstack compute service list` whether its nova-compute is up",
    "What Nova does at this moment may attach or detach its volumes.",
)
WRONG_STATUS = Rule(
    "reattach/wrong-status",
    "is {status}: its volumes are changed only while it is ACTIVE or SHUTOFF",
    "bring it to ACTIVE (`openstack server show {id}`), then plan again",
    "In the other states Nova refuses a part of what may be needed.",
)
NODE_DOWN = Rule(
    "reattach/node-down",
    "the nova-compute of its node is down",
    "see `stackward node check {host}`; repair nova-compute there, then plan again",
    "Nova refuses a detach while the host is down; all else would wait in its queue.",
)
FORCED_DOWN = Rule(
    "reattach/forced-down",
    "the service of its node was forced down",
    "`openstack compute service set --up {host} nova-compute`, once it is certain what runs there",
    "Somebody has fenced the node: the server may be running elsewhere already.",
)
UNREAD = Rule(
    "reattach/unread",
    "what {who} has of its volumes is not known: {why}",
    "make it answer (`stackward cloud check`), then plan again",
    "A witness that cannot be read says neither yes nor no.",
)
NO_GUEST = Rule(
    "reattach/no-guest",
    "Nova calls it ACTIVE, but its guest on `{host}` is {state}",
    "`stackward server triage {id}` says why and what to do; once the guest runs again, plan again",
    "A guest that does not run here may run elsewhere: a reboot would start a second one.",
)
OFF_NOW = Rule(
    "reattach/off",
    "is SHUTOFF, and the repair of volume {volume} would start it: {act}",
    "ask its owner whether it may run; if so, `openstack server start {id}`, then plan again",
    "A hard reboot would start a server that its owner has stopped.",
)

# --- a volume -----------------------------------------------------------------------------------

RECENT = Rule(
    "reattach/recent",
    "volume {volume}: Cinder wrote to it {age} s ago, and something may still go on with it",
    "plan again once that was {limit} s ago",
    "Nova asks a guest 8 times, every 20 s, to let a volume go; only then is a detach over.",
)
MULTIATTACH = Rule(
    "reattach/multiattach",
    "volume {volume} may be attached to several servers at a time",
    "see `openstack volume show {volume}`, and settle each server by hand",
    "The state of such a volume does not show which attachment belongs to which guest.",
)
ENCRYPTED = Rule(
    "reattach/encrypted",
    "volume {volume} is encrypted",
    "look first whether Barbican has its key; then, by hand: `openstack server remove volume` and "
    "`openstack server add volume`",
    "An attach needs the key too: where that is gone, the volume would be lost to the guest.",
)
OTHER_PROJECT = Rule(
    "reattach/other-project",
    "volume {volume} belongs to project {project}, but the server to another",
    "see both by `openstack volume show {volume}` and `openstack server show {id}`, and ask their "
    "owners",
    "Nova attaches only volumes of the server's own project.",
)
ROOT = Rule(
    "reattach/root",
    "volume {volume} is its root disk ({device}), and its repair would be: {act}",
    "settle it by hand, with the server stopped: `nova-manage volume_attachment refresh {id} "
    "{volume} CONNECTOR`",
    "Nova detaches no root volume, and a hard reboot may delete its record.",
)
GUEST_HAS_IT = Rule(
    "reattach/guest-has-it",
    "volume {volume}: its guest has it, but Nova does not",
    "look first in the guest whether it is mounted, and unmount it; then take the disk {device} "
    "out of the domain on its node, live and in its definition; then plan again",
    "What the guest may write to is given free for no other server.",
)
NOT_ATTACHED = Rule(
    "reattach/not-attached",
    "volume {volume}: no witness has it attached",
    "to attach it: `openstack server add volume {id} {volume}`",
    "There is nothing to repair.",
)
OTHER_SERVER = Rule(
    "reattach/other-server",
    "volume {volume}: Cinder has it attached to another server, and Nova has it for both",
    "find out which of them writes to it (`openstack volume show {volume}`), and detach it from "
    "the other by Nova",
    "Two guests that write to one volume destroy it.",
)
NO_VOLUME = Rule(
    "reattach/no-volume",
    "volume {volume}: Cinder has no such volume",
    "where it was deleted by mistake, it has to come back from a backup of Cinder's database",
    "Nova has a record of it, and nothing to attach.",
)
NO_ACT = Rule(
    "reattach/no-act",
    "volume {volume} is `{status}` to Cinder, and nothing of the API leads out of that safely",
    "the reference of volume states has what to do for `{status}`",
    "`os-reset_status` only changes the word: Stackward never asks for it.",
)
UNKNOWN_RECORD = Rule(
    "reattach/unknown-record",
    "volume {volume}: Cinder has several attachments of it, and this Nova does not say which it "
    "uses",
    "look first into Nova's database (`attachment_id` of `block_device_mapping`); then delete the "
    "other by `openstack volume attachment delete`",
    "Nova shows it from microversion 2.89 on.",
)
ALSO_LOST = Rule(
    "reattach/also-lost",
    "volume {volume} was not named, and the hard reboot would change its attachment too",
    "name it too: `stackward volume reattach {id} {volume} ...`, or name none",
    "Nova deletes what only itself or only Cinder has, at each reboot since 2023.2.",
)
DEVICE_MOVES = Rule(
    "reattach/device-moves",
    "volume {volume} is {device}, and would become {now}",
    "attach a volume that becomes {now}, then plan again; or ask its owner, then detach and attach "
    "it by hand",
    "libvirt takes the first device that is free, and ignores the one that is asked for.",
)
NO_DEVICE = Rule(
    "reattach/no-device",
    "volume {volume} has no device to Nova, so that it cannot be proved that it keeps it",
    "ask its owner, then detach and attach it by hand",
    "Nova chooses the device as it attaches.",
)
NO_CONSOLE = Rule(
    "reattach/no-console",
    "whether its guest is at a login prompt is not known: {why}",
    "see by other means that its guest is up, then pass `--ready none`",
    "A guest that has not booted lets no disk go, and misses one that comes.",
)

# --- what is lost -------------------------------------------------------------------------------

REBOOTS = Rule(
    "reattach/reboots",
    "will be switched off hard, without a shutdown, and started again, for volume {volumes}",
    "agree on a time with its owner first",
    "Nova writes the definition of its guest again by its records.",
)
LOSES_DISK = Rule(
    "reattach/loses-disk",
    "its guest will lose {volumes} for a while, and get it back",
    "in the guest, unmount what is on it first",
    "Nova asks the guest to let a disk go, and it may be in use.",
)
NOT_WAITED = Rule(
    "reattach/not-waited",
    "that its guest is at a login prompt is not waited for",
    "see by other means that its guest is up",
    "A guest that has not booted lets no disk go, and misses one that comes.",
)
NO_UNDO = Rule(
    "reattach/no-undo",
    "is a repair, which nothing takes back: what it removed was of no use",
    "there is nothing to do; `stackward volume list` shows whether all agree now",
    "What was attached is attached again, as the same device.",
)

_BY_WHY = {
    Why.GUEST_HAS_IT: GUEST_HAS_IT,
    Why.NOBODY: NOT_ATTACHED,
    Why.OTHERS: OTHER_SERVER,
    Why.GONE: NO_VOLUME,
    Why.STATE: NO_ACT,
    Why.UNKNOWN_RECORD: UNKNOWN_RECORD,
}
_REBOOTS = frozenset({Act.REBOOT, Act.ATTACH})
_ATTACHES = frozenset({Act.REATTACH, Act.ATTACH})


def judge_server(facts: ReattachFacts) -> Iterator[Verdict]:
    """Ask all that keeps its volumes from being judged at all."""
    server = facts.server
    if server.status == IN_DOWN_CELL:
        yield CELL_DOWN.blocks(server.label, server.id)
        return
    if server.host is None:
        yield NOWHERE.blocks(server.label, server.id, status=server.status)
        return
    if server.task_state is not None:
        yield BUSY.blocks(server.label, server.id, task=server.task_state)
    elif server.status not in {"ACTIVE", "SHUTOFF"}:
        yield WRONG_STATUS.blocks(server.label, server.id, status=server.status)
    yield from judge_lock(server)
    yield from _judge_node(facts, server.host)
    yield from _judge_witnesses(facts)


def _judge_node(facts: ReattachFacts, host: str) -> Iterator[Verdict]:
    service = facts.service
    if service is not None and service.is_forced_down:
        yield FORCED_DOWN.blocks(host, host=host)
    elif service is None or not service.is_up:
        yield NODE_DOWN.blocks(host, host=host)
    for holder in facts.holders:
        yield HELD.blocks(host, run=holder.run, title=holder.title, state=holder.state)


def _judge_witnesses(facts: ReattachFacts) -> Iterator[Verdict]:
    server = facts.server
    unread = dict.fromkeys((who, one.why) for who, _, one in facts.look.unread)
    if not unread:
        # Its guest may have disks that could not be read, though libvirt was.
        rows = (one for one in facts.look.rows if one.libvirt and one.guest not in OFF)
        unread = dict.fromkeys(
            (Source.LIBVIRT, one.libvirt.why)
            for one in rows
            if one.libvirt and one.libvirt.has is Sign.UNKNOWN
        )
    for who, why in unread:
        yield UNREAD.blocks(server.label, server.id, who=who.value, why=why)


def judge_volumes(
    facts: ReattachFacts, asked: ReattachRequest, chosen: tuple[Chosen, ...]
) -> Iterator[Verdict]:
    """Find what blocks each volume, and what is lost."""
    for one in chosen:
        yield from _judge_volume(facts, one)
    mended = [one for one in chosen if one.is_mended]
    reboots = [one for one in mended if one.main in _REBOOTS]
    attaches = [one for one in mended if one.main in _ATTACHES]
    if reboots:
        yield from _judge_reboot(facts, chosen, reboots)
    yield from _judge_devices(facts, attaches)
    if attaches:
        yield from _judge_ready(facts, asked, attaches)


def _judge_volume(facts: ReattachFacts, one: Chosen) -> Iterator[Verdict]:
    server, known = facts.server, one.row.of_cinder
    said = {"volume": one.volume, "id": server.id}
    label = server.label
    if one.why is not None:
        status = known.status if known else "gone"
        device = one.row.libvirt.device if one.row.libvirt else None
        words = {"volume": one.volume, "status": status, "device": device or "DEVICE"}
        yield _BY_WHY[one.why].blocks(label, server.id, **words)
        return
    if not one.is_mended or known is None:
        return
    if known.is_multiattach:
        yield MULTIATTACH.blocks(label, server.id, volume=one.volume)
    if known.is_encrypted and one.main in _ATTACHES:
        yield ENCRYPTED.blocks(label, server.id, volume=one.volume)
    if known.project and server.project and known.project != server.project:
        yield OTHER_PROJECT.blocks(label, server.id, volume=one.volume, project=known.project)
    age = _age_s(known.updated, facts.look.at)
    if not facts.in_run and age is not None and age < DETACH_S:
        limit = f"{DETACH_S:.0f}"
        yield RECENT.blocks(label, server.id, volume=one.volume, age=f"{age:.0f}", limit=limit)
    if one.main in _ATTACHES and _is_root(one, server):
        device = one.device or "no device"
        yield ROOT.blocks(
            label, server.id, volume=said["volume"], device=device, act=one.main.value
        )
    if server.status == "SHUTOFF" and one.main in _REBOOTS:
        yield OFF_NOW.blocks(label, server.id, volume=one.volume, act=one.main.value)


def _judge_reboot(
    facts: ReattachFacts, chosen: tuple[Chosen, ...], reboots: list[Chosen]
) -> Iterator[Verdict]:
    server = facts.server
    guest = next((one.row.guest for one in chosen), None)
    has_domains = any(one.row.libvirt is not None for one in chosen)
    if server.status == "ACTIVE" and has_domains and guest not in {"running", "blocked"}:
        yield NO_GUEST.blocks(server.label, server.id, host=server.host, state=guest or "not there")
    named = {one.volume for one in chosen}
    for row in facts.look.rows:
        if row.volume not in named and _is_dangling(row):
            yield ALSO_LOST.blocks(server.label, server.id, volume=row.volume)
    volumes = ", ".join(one.volume for one in reboots)
    yield REBOOTS.warns(server.label, server.id, volumes=volumes)


def _is_dangling(row: AttachedVolume) -> bool:
    """Say whether Nova deletes a record of it at a reboot: its own, or one of Cinder's."""
    own = row.of_nova.id if row.of_nova else None
    ids = [one.id for one in row.attachments]
    if row.of_nova is None:
        return bool(ids)
    return len(ids) != 1 or own not in {None, *ids}


def _judge_devices(facts: ReattachFacts, attaches: list[Chosen]) -> Iterator[Verdict]:
    """Ask whether each gets its device again: the first that is free, in their order."""
    server = facts.server
    free = {device_name(one.device) for one in attaches if one.device}
    free |= {one.row.libvirt.device or "" for one in attaches if one.row.libvirt}
    taken = {*facts.look.devices} | {
        device_name(row.of_nova.device)
        for row in facts.look.rows
        if row.of_nova and row.of_nova.device
    }
    taken = (taken | {device_name(server.root_device or "vda")}) - free
    for one in in_order(attaches):
        if one.device is None:
            yield NO_DEVICE.blocks(server.label, server.id, volume=one.volume)
            continue
        wanted = device_name(one.device)
        now = next(each for each in _devices(wanted) if each not in taken)
        taken.add(now)
        if now != wanted:
            yield DEVICE_MOVES.blocks(
                server.label, server.id, volume=one.volume, device=wanted, now=now
            )


def in_order(attaches: list[Chosen]) -> list[Chosen]:
    """Return them by their devices: vdb, vdc, ..., vdaa."""
    return sorted(attaches, key=lambda one: (device_order(one.device), one.volume))


def _devices(like: str) -> Iterator[str]:
    """Return the devices of one kind in the order in which they are taken: vda to vdz, vdaa, ..."""
    kind, letters = like[:2], "abcdefghijklmnopqrstuvwxyz"
    yield from (f"{kind}{one}" for one in letters)
    yield from (f"{kind}{one}{two}" for one in letters for two in letters)


def _judge_ready(
    facts: ReattachFacts, asked: ReattachRequest, attaches: list[Chosen]
) -> Iterator[Verdict]:
    server = facts.server
    taken = ", ".join(one.volume for one in attaches if one.main is Act.REATTACH)
    if taken:
        yield LOSES_DISK.warns(server.label, server.id, volumes=taken)
    if server.status != "ACTIVE":
        return
    if not asked.waits_for_prompt:
        yield NOT_WAITED.warns(server.label, server.id)
    elif facts.console is None or isinstance(facts.console, Unread):
        why = facts.console.why if isinstance(facts.console, Unread) else "it has no console"
        yield NO_CONSOLE.blocks(server.label, server.id, why=why)


def _is_root(one: Chosen, server: Server) -> bool:
    """Say whether it is, or may be, the root disk."""
    if server.root_device is None:
        return not server.has_image
    return device_name(one.device) == device_name(server.root_device)


def _age_s(updated: str | None, at: datetime) -> float | None:
    written = utc_time_or_none(updated) if updated else None
    return (at - written).total_seconds() if written else None
