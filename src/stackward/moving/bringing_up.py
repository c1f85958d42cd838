"""How servers are brought up where they are, in any operation: judged, and in waves. Pure.

A wave is a stage: the next begins once each of its servers is proved to run, or set aside.
"""

from collections.abc import Iterator, Sequence

from stackward.checks.server import AllRun
from stackward.model.bringing_up import ServerToBringUp
from stackward.model.server import IN_DOWN_CELL
from stackward.model.unread import Unread
from stackward.plan import Columns, Json, Move, Stage, Verdict
from stackward.policy.compute import judge_lock
from stackward.policy.rule import Rule
from stackward.policy.waves import Tags, judge_wave, waves_of
from stackward.ports.libvirt import cure_of
from stackward.ports.world import World
from stackward.steps import bringing_up
from stackward.steps.bringing_up import BringUpServer

START, HARD_REBOOT = "start", "hard reboot"

NOWHERE = Rule(
    "start/nowhere",
    "is {status}, and on no node",
    "see `openstack server show {id}`: one that is SHELVED_OFFLOADED comes back with "
    "`openstack server unshelve {id}`; one that was never built has the reason in its fault",
    "Without a node there is nothing to start.",
)
BUSY = Rule(
    "start/busy",
    "Nova is at work on it ({task})",
    "wait until that is done, then plan again; if it never is, `openstack server event list {id}` "
    "shows who asked for it, and `openstack compute service list` whether its nova-compute is up",
    "Nova refuses to start a server while it works on it.",
)
IN_ERROR = Rule(
    "start/in-error",
    "is in ERROR: {fault}",
    "repair the cause; then `stackward server reboot {id} --hard` brings it out of ERROR",
    "nova 31.0 compute/api.py, start: only STOPPED.",
)
WRONG_STATUS = Rule(
    "start/wrong-status",
    "is {status}: Nova starts no such server",
    "{remedy}; then plan again",
    "nova 31.0 compute/api.py, start: only STOPPED.",
)
GUEST_UNREAD = Rule(
    "start/guest-unread",
    "how its guest is on its node cannot be read: {why}",
    "{way}; then plan again",
    "A guest that runs already would be cut off; one that runs elsewhere would run twice.",
)
GUEST_UNSEEN = Rule(
    "start/guest-unseen",
    "whether another node has its guest could not be read: {why}",
    "make `ssh` to that node work as the inventory says, then plan again",
    "It may run where a migration left it: what is started then runs twice.",
)
GUEST_ELSEWHERE = Rule(
    "start/guest-elsewhere",
    "libvirt has its guest {state} on `{where}`, which is not its node",
    "never start the server now: a second guest would write to its disks; "
    "`stackward node drain {host} --reason look --dry-run` says how that is settled",
    "It is the trace of a migration that libvirt ended and Nova did not.",
)
GUEST_RUNS = Rule(
    "start/guest-runs",
    "Nova calls it {status}, but its guest is {state} on its node",
    "wait 10 minutes: Nova ends such a guest by itself; where it does not, see nova-compute's log "
    "there; then plan again",
    "nova 31.0 compute/manager.py, _sync_instance_power_state: what runs of a stopped server is "
    "stopped. A start would cut it off in the middle.",
)
EVACUATED = Rule(
    "start/evacuated",
    "an evacuation of it from `{source}` is not over (record {record}, {status})",
    "see `openstack server migration list --server {id}`: the record ends as nova-compute on "
    "`{source}` starts; then plan again",
    "nova 31.0 compute/manager.py, _destroy_evacuated_instances: the source destroys its guest and "
    "disks by that record.",
)

_WAY_OUT = {
    "PAUSED": "ask its owner, then `openstack server unpause {id}`",
    "SUSPENDED": "ask its owner, then `openstack server resume {id}`",
    "RESCUE": "ask its owner, then `openstack server unrescue {id}`",
    "VERIFY_RESIZE": "ask its owner whether it works, then confirm or revert its resize with "
    "`openstack server resize`",
    "SHELVED": "ask its owner, and bring it back: `openstack server unshelve {id}`",
    "SOFT_DELETED": "ask its owner: `openstack server restore {id}` brings it back",
    "BUILD": "see what builds it",
    "ACTIVE": "if it runs, there is nothing to do; if its guest is off, wait until Nova says so, "
    "then plan again",
    "UNKNOWN": "repair its cell, which is down (`nova-manage cell_v2 list_cells`)",
}


def judge_start(one: ServerToBringUp, *, as_node_returns: bool = False) -> Iterator[Verdict]:
    """Find all that blocks bringing a server up.

    When its node returns, Nova may still have it as ACTIVE: then the step waits for Nova.
    """
    server = one.server
    if server.host is None and server.status != IN_DOWN_CELL:
        yield NOWHERE.blocks(server.label, server.id, status=server.status)
        return
    if one.evacuation is not None:
        yield EVACUATED.blocks(
            server.label,
            server.id,
            source=one.evacuation.source,
            record=one.evacuation.id,
            status=one.evacuation.status,
        )
    yield from judge_lock(server)
    yield from _judge_state(one, as_node_returns=as_node_returns)
    yield from _judge_guests(one, as_node_returns=as_node_returns)


def _judge_state(one: ServerToBringUp, *, as_node_returns: bool) -> Iterator[Verdict]:
    server = one.server
    if server.task_state is not None:
        yield BUSY.blocks(server.label, server.id, task=server.task_state)
        return
    match server.status, server.vm_state:
        case "SHUTOFF", "stopped":
            return
        case "ACTIVE", "active" if as_node_returns:
            return
        case "ERROR", _:
            fault = server.fault or "Nova says no more"
            yield IN_ERROR.blocks(server.label, server.id, fault=fault)
        case status, _:
            way = _WAY_OUT.get(status, "bring it to SHUTOFF (`openstack server show {id}`)")
            remedy = way.format(id=server.id)
            yield WRONG_STATUS.blocks(server.label, server.id, status=status, remedy=remedy)


def _judge_guests(one: ServerToBringUp, *, as_node_returns: bool) -> Iterator[Verdict]:
    server, guest = one.server, one.guest
    if isinstance(guest, Unread):
        yield GUEST_UNREAD.blocks(server.label, server.id, why=guest.why, way=cure_of(guest))
    elif guest is not None and guest.is_alive and not as_node_returns:
        yield GUEST_RUNS.blocks(server.label, server.id, status=server.status, state=guest.state)
    if isinstance(one.elsewhere, Unread):
        yield GUEST_UNSEEN.blocks(server.label, server.id, why=one.elsewhere.why)
        return
    if found := next((each for each in one.elsewhere if each.is_alive), None):
        yield GUEST_ELSEWHERE.blocks(
            server.label, server.id, state=found.state, where=found.node, host=server.host
        )


def wave_stages(
    ones: Sequence[ServerToBringUp],
    tags: Tags,
    tiers: Sequence[str],
    *,
    at_once: int,
    within_s: float,
) -> tuple[Stage[World], ...]:
    """Return a stage for each wave, in order; within it so many servers start at once."""
    known = {one.server.id: one for one in ones}
    return tuple(
        Stage(
            name=wave.name,
            moves=tuple(_move(known[server.id], wave.name, within_s) for server in wave.servers),
            at_once=at_once,
            goes_on=True,
        )
        for wave in waves_of([one.server for one in ones], tags, tiers)
    )


def _move(one: ServerToBringUp, wave: str, within_s: float) -> Move[World]:
    server = one.server
    step = BringUpServer(
        server=server.id,
        name=server.label,
        host=server.host or "",
        within_s=within_s,
        known=one.known,
        by=bringing_up.HARD_REBOOT if one.made_anew else bringing_up.START,
    )
    return Move(
        thing=server.label,
        thing_id=server.id,
        how=HARD_REBOOT if one.made_anew else START,
        steps=(step,),
        expects={"host": server.host, "wave": wave},
    )


def judge_order(
    ones: Sequence[ServerToBringUp], tags: Tags, tiers: Sequence[str]
) -> Iterator[Verdict]:
    """Say whose tier or priority cannot be followed."""
    for one in ones:
        yield from judge_wave(one.server, tags, tiers)


def all_run(ones: Sequence[ServerToBringUp]) -> tuple[AllRun, ...]:
    """Return what is proved at the end: on each host, that its servers run."""
    hosts = dict.fromkeys(one.server.host or "" for one in ones)
    return tuple(
        AllRun(
            host=host,
            servers=tuple(one.server.id for one in ones if (one.server.host or "") == host),
        )
        for host in hosts
    )


def _row(move: Move[World]) -> tuple[Json, ...]:
    return (move.thing, move.thing_id, move.how, move.expects.get("wave"), move.expects.get("host"))


STARTS = Columns(
    names=("Server", "ID", "How", "Wave", "On"),
    row=_row,
    outcome=("Server", "ID", "How", "To", "State", "Seconds"),
    gives_way=("ID", "On"),
)
