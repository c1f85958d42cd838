"""Moves that will never end: what it means that nothing happens in one.

Nova loses an order if a process dies between a message and its work. That leaves a state that
nobody will change. The rules hold for nova 31.0 (2025.1) and cite its source. A move that they do
not name may still go on: the run waits for it.

The first question is where the guest runs: that decides what is safe, not Nova's record.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from stackward.model.migration import IN_PROGRESS, Migration
from stackward.model.server import Server
from stackward.model.stalled_move import CONDUCTOR, MOVING, Place, StalledMove
from stackward.model.unread import Unread
from stackward.model.utc_time import utc_time
from stackward.ports.libvirt import cure_of

# A call between two services of Nova ends 60 s after the other has died (`rpc_response_timeout`,
# which also watches the longer calls of a move). A restart of RabbitMQ was seen to hide living
# services for 76 s. A service that is silent for much longer is dead, or its message is lost.
DEAD_AFTER_S = 180.0
LOST_AFTER_S = 300.0

_RUNNING, _OFF = 1, 4  # nova/objects/fields.py InstancePowerState

_NEEDS_CONDUCTOR = {"accepted"}
_NEEDS_SOURCE = {"queued", "preparing", "running", "migrating", "confirming"}
_NEEDS_TARGET = {"pre-migrating", "post-migrating"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckState:
    """One kind of state that never ends; `{...}` is filled in where it is found."""

    name: str
    reason: str
    remedy: str
    why: str
    lets_go: bool = False  # resetting Nova's word on the server is a way out


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """A state that never ends, found."""

    state: StuckState
    reason: str
    remedy: str


_RESTART = (
    "restart nova-compute on `{source}` (`systemctl restart nova-compute`): "
    "it lets the server go as it starts"
)

WAITS_FOR_CONDUCTOR = StuckState(
    name="waits-for-conductor",
    reason="no nova-conductor is up to take its request",
    remedy="start nova-conductor: it carries out the request that waits in its queue, or refuses "
    "it if nova-compute on `{source}` has not reported to it yet; resume the run once "
    "nova-compute is up and the server has no task: the run then asks for a refused move again",
    why="nova 31.0 conductor/manager.py: the record of a move is made by the conductor; a request "
    "stays in RabbitMQ until one takes it. nova-compute reports through the conductor: "
    "conductor/tasks/live_migrate.py, _check_host_is_up, refuses the request (record `error`) "
    "where it is taken before the first report.",
)
CONDUCTOR_DIED = StuckState(
    name="conductor-died",
    reason="its migration {id} is `{status}`, and no nova-conductor is up to continue it",
    remedy=f"start nova-conductor, which does not continue it; then {_RESTART}",
    why="nova 31.0 conductor/tasks/live_migrate.py: between `accepted` and `queued` a move lives "
    "in the memory of one conductor only.",
    lets_go=True,
)
NODE_DIED = StuckState(
    name="node-died",
    reason="its migration {id} is `{status}`, and nova-compute on `{dead}` is down",
    remedy="start nova-compute on `{dead}`: when it starts, it ends the move or continues it",
    why="nova 31.0 compute/manager.py: from `queued` on the source drives a live migration, and "
    "each end of a cold one its own part.",
)
NO_RECORD = StuckState(
    name="no-record",
    reason="Nova calls it `{task}`, and has no record of a move that goes on: the request was lost",
    remedy=_RESTART,
    why="nova 31.0 compute/api.py sets the task before it casts to the conductor; a cast that is "
    "lost leaves the task behind.",
    lets_go=True,
)
ORDER_LOST = StuckState(
    name="order-lost",
    reason="its migration {id} is `{status}`, and nobody works on it: the request was lost",
    remedy=_RESTART,
    why="nova 31.0: `accepted` is left by a cast to the source, `queued` by a place in the "
    "source's own queue, `running` only while libvirt has a job for it.",
    lets_go=True,
)
CONFIRM_LOST = StuckState(
    name="confirm-lost",
    reason="its migration {id} is `confirming`, and nobody works on it: the request was lost",
    remedy="nothing in Nova confirms it any more: let it go, see what `{source}` keeps of it "
    "(its directory `{server}_resize`, allocations of {uuid}: `nova-manage placement audit`); "
    "then cancel this run and drain the node again",
    why="nova 31.0 compute/api.py, confirm_resize: the record says `confirming` before the cast to "
    "the source; a second confirmation wants `finished` and is refused.",
    lets_go=True,
)
NOT_MOVED = StuckState(
    name="completed-not-moved",
    reason="its migration {id} is `completed`, but Nova still has the server on `{source}`",
    remedy="nothing has moved: its guest is on `{source}`; plan again: the plan lists the inactive "
    "bindings of its ports that it removes before it moves the server",
    why="seen in the field: the last step of a live migration fails after the record is closed. "
    "Nova's task state may stay behind with it.",
    lets_go=True,
)
MOVED_UNRECORDED = StuckState(
    name="moved-unrecorded",
    reason="its guest has moved, but Nova still has the server on `{home}`, {record}",
    remedy="the one for a guest that is on the other node, or on both",
    why="libvirt ends a live migration by itself; if nova-compute dies during it, Nova never "
    "learns of the end.",
)
RECORD_ONLY = StuckState(
    name="record-only",
    reason="migration {id} is `{status}`, but the server is not moving and libvirt has no job",
    remedy="there is nothing to do: the record is left over from a move that was lost",
    why="nova 31.0 has no call that closes such a record, and nothing of Nova acts on it.",
)

# What is safe where the guest is not where Nova has the server, or that is not known. None of these
# starts, reboots or resets anything: each leads to a plan that knows more.
NEVER = "never start, reboot or reset the server: a second guest would write to its disks"
REMEDIES = {
    Place.AWAY: "its guest is on `{away}`: " + NEVER + "; when its owner agrees, shut the guest "
    "down there (`virsh shutdown {server}` on `{away}`; `virsh destroy {server}` ends one that "
    "does not obey), remove its definition (`virsh undefine --keep-nvram {server}`) and bring "
    "back the data that it has written to that node's own disks",
    Place.BOTH: "guests of it are on `{home}` and on `{away}`: " + NEVER + "; find out which one "
    "its users reach, and shut down the other (`virsh shutdown {server}` there; `virsh destroy "
    "{server}` ends one that does not obey)",
    Place.NOWHERE: "its guest is on no node that was asked: look for it on all others "
    "(`virsh list --uuid`) before anything is started; if it runs nowhere, "
    "`openstack server set --auto-approve --state active {server}`, then "
    "`openstack server reboot --hard {server}`",
    Place.UNREAD: "make libvirt answer first, on both nodes (`virsh --readonly list`), because the "
    "safe remedy depends on where its guest runs: {cure}",
}
# A restart or a shutdown now would end what libvirt does: two guests of it are the rule then.
AT_WORK = (
    "libvirt works on it: change nothing, and look again when its job has ended (`virsh domjobinfo "
    "{server}` on `{home}`); if it never ends, `virsh domjobabort {server}` there ends it "
    "and leaves the guest where it is"
)
# Nova's is the only word there is then.
UNASKED = (
    "the hypervisor has no libvirt that could be asked: look first, with its own tools, that the "
    "guest is on `{home}` and that nothing works on it; then: "
)
_SAFE_ANYWHERE = {WAITS_FOR_CONDUCTOR, RECORD_ONLY}  # they touch no guest

ALL = tuple(each for each in list(globals().values()) if isinstance(each, StuckState))


def find_stuck(move: StalledMove) -> Stuck | None:
    """Say why a move will never end; None where it may go on."""
    state = _state_of(move)
    if state is None:
        return None
    words = _words(move)
    reason = f"{state.reason.format(**words)} ({_guests(move)})"
    return Stuck(state=state, reason=reason, remedy=_remedy(state, move).format(**words))


def record_of(server: Server, records: Sequence[Migration]) -> Migration | None:
    """Return the record, newest first, of the move that a server is said to be in.

    A record that has ended is of an earlier move, unless it is *completed* and the server is still
    where it was.
    """
    newest = next(iter(records), None)
    if newest is None or newest.status in IN_PROGRESS:
        return newest
    has_stayed = newest.source == server.host != newest.target
    return newest if newest.status == "completed" and has_stayed else None


def _remedy(state: StuckState, move: StalledMove) -> str:
    if move.has_job and state not in _SAFE_ANYWHERE:
        return AT_WORK
    if move.place is Place.UNASKED:
        return (UNASKED if state.lets_go else "") + state.remedy
    if move.place is Place.HOME:
        return state.remedy + ("".join(_letting_go(move)) if state.lets_go else "")
    if state in _SAFE_ANYWHERE and not move.away:
        return state.remedy
    return REMEDIES[move.place]


def quiet_s(server: Server, migration: Migration | None, now: datetime) -> float:
    """Return for how many seconds Nova has written nothing of a move; 0 where that is unknown."""
    written = [server.updated]
    if migration is not None:
        written += [migration.updated, migration.created]
    times = [utc_time(each) for each in written if each]
    return max(0.0, (now - max(times)).total_seconds()) if times else 0.0


def _state_of(move: StalledMove) -> StuckState | None:
    migration = move.migration
    is_moving = move.server.task_state in MOVING
    if migration is not None and migration.status == "completed":
        return NOT_MOVED if _has_stayed(move, is_moving=is_moving) else None
    if is_moving and move.quiet_s >= LOST_AFTER_S and move.place in {Place.AWAY, Place.BOTH}:
        return None if move.has_job else MOVED_UNRECORDED
    if migration is None:
        return _without_record(move) if is_moving else None
    state = _unfinished(move, migration, is_moving=is_moving)
    return MOVED_UNRECORDED if state and move.away and not move.has_job else state


def _has_stayed(move: StalledMove, *, is_moving: bool) -> bool:
    """Say whether Nova has closed the record and will not move the server any more."""
    if move.server.host != move.source:
        return False
    # With its `task_state` still set, Nova may be just about to write the new host.
    return move.server.task_state is None or (is_moving and move.quiet_s >= DEAD_AFTER_S)


def _unfinished(move: StalledMove, migration: Migration, *, is_moving: bool) -> StuckState | None:
    if move.is_followed and not is_moving and move.has_job is False:
        return RECORD_ONLY  # however lately its server has moved
    if move.quiet_s < DEAD_AFTER_S:
        return None
    if dead := _dead(move, migration):
        return CONDUCTOR_DIED if dead == CONDUCTOR else NODE_DIED
    if move.quiet_s < LOST_AFTER_S:
        return None
    return _lost(move, migration, is_moving=is_moving)


def _without_record(move: StalledMove) -> StuckState | None:
    if CONDUCTOR in move.dead:
        return WAITS_FOR_CONDUCTOR if move.quiet_s >= DEAD_AFTER_S else None
    if not move.is_conductor_known:
        return None  # its order may wait in a queue
    return NO_RECORD if move.quiet_s >= LOST_AFTER_S else None


def _dead(move: StalledMove, migration: Migration) -> str | None:
    """Return who of those is dead that must act now."""
    if migration.status in _NEEDS_CONDUCTOR:
        needed: str | None = CONDUCTOR
    elif migration.status in _NEEDS_SOURCE:
        needed = move.source
    else:
        needed = migration.target if migration.status in _NEEDS_TARGET else None
    return needed if needed in move.dead else None


def _lost(move: StalledMove, migration: Migration, *, is_moving: bool) -> StuckState | None:
    match migration.status:
        case "confirming":
            return CONFIRM_LOST
        case _ if not is_moving:  # somebody, or a nova-compute that started, has let it go
            return RECORD_ONLY if move.has_job is False else None
        case "accepted":  # a conductor may have it, of which nothing is known
            return ORDER_LOST if move.is_conductor_known else None
        case "queued":
            return None if move.is_queue_moving else ORDER_LOST
        case "running":
            return ORDER_LOST if move.has_job is False else None
        case _:
            return None  # what prepares or copies may take its time


def _words(move: StalledMove) -> dict[str, object]:
    migration = move.migration
    return {
        "server": move.server.id,
        "task": move.server.task_state,
        "source": move.source,
        "id": migration.id if migration else None,
        "uuid": migration.uuid if migration else None,
        "status": migration.status if migration else None,
        "target": migration.target if migration else None,
        "dead": (_dead(move, migration) if migration else None) or "",
        "home": move.home,
        "away": move.away.node if move.away else None,
        "cure": cure_of(move.guests) if isinstance(move.guests, Unread) else "",
        "record": f"and its migration {migration.id} is `{migration.status}`"
        if migration
        else "and has no record of a move",
    }


def _guests(move: StalledMove) -> str:
    if isinstance(move.guests, Unread):
        return f"libvirt could not be asked: {move.guests.why}"
    if not move.guests:
        return "its hypervisor has no libvirt to be asked"
    said = "; ".join(guest.words for guest in move.guests)
    return f"its guest is {said}" if said else "no node's libvirt knows of it"


def _letting_go(move: StalledMove) -> Iterator[str]:
    """Offer to reset Nova's word: only if libvirt was seen to have no job, and it will be true.

    Nova sets `active` for a server of any state. A server that is off is then stopped, which
    changes only the word. For a paused server the word would be wrong.
    """
    server = move.server
    if server.task_state is None and move.migration and move.migration.status == "completed":
        return  # Nova has let it go already
    if move.has_job is not False or server.vm_state not in {"active", "stopped", "resized"}:
        return
    if server.power_state not in {_RUNNING, _OFF}:
        return
    yield (
        "; or, as libvirt has no job for it there, "
        "`openstack server set --auto-approve --state active {server}`"
    )
    if server.power_state == _OFF:
        yield " and `openstack server stop {server}`, for it is off"
