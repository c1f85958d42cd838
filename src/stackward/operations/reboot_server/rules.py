"""Whether a server may be rebooted, and what is lost by it: its own rules, next to their words.

They hold for Nova 28 (2023.2) and later, and were read in 31.0 (2025.1). What is not known to be
safe blocks: a second guest of one server would write over the disks of the first.
"""

from collections.abc import Callable, Iterator

from stackward.model.run import RunState
from stackward.model.server import IN_DOWN_CELL, Server
from stackward.model.stalled_move import Guest
from stackward.model.unread import Unread
from stackward.operations.reboot_server.facts import RebootFacts
from stackward.plan import Verdict
from stackward.policy.compute import judge_lock
from stackward.policy.maintenance import HELD
from stackward.policy.rule import Rule
from stackward.ports.libvirt import cure_of
from stackward.requests.reboot_server import RebootRequest

# --- the server, as Nova has it -----------------------------------------------------------------

CELL_DOWN = Rule(
    "reboot/cell-down",
    "is in a cell that is down: Nova does not know its state",
    "repair that cell (`nova-manage cell_v2 list_cells` names its database and its message queue), "
    "then plan again",
    "Nova answers with a few fields and the status UNKNOWN while the cell's database is away.",
)
NOWHERE = Rule(
    "reboot/nowhere",
    "is {status}, and on no node",
    "see `openstack server show {id}`: one that is SHELVED_OFFLOADED comes back with "
    "`openstack server unshelve {id}`; one that was never built has the reason in its fault",
    "Without a node there is no guest.",
)
BUSY = Rule(
    "reboot/busy",
    "Nova is at work on it ({task})",
    "wait until that is done, then plan again; if it never is, `openstack server event list {id}` "
    "shows who asked for it, and `openstack compute service list` whether its nova-compute is up",
    "Nova accepts a soft reboot only of a server that it does not work on. It accepts a hard one "
    "also during another reboot: find out first who started that.",
)
STOPPED = Rule(
    "reboot/stopped",
    "is SHUTOFF: Nova refuses a soft reboot, and a hard one would start it",
    "ask its owner whether it should run; then `openstack server start {id}`",
    "The person who stopped it wants it off.",
)
KEEPS_MEMORY = Rule(
    "reboot/keeps-memory",
    "is {status}, and its memory is kept",
    "`openstack server {verb} {id}`, then plan again; or ask its owner whether its memory may be "
    "lost, and pass `--hard`",
    "nova 31.0 compute/vm_states.py, ALLOW_SOFT_REBOOT: only ACTIVE.",
)
MEMORY_LOST = Rule(
    "reboot/memory-lost",
    "is {status}: its memory will be lost by the reboot, and the server will run afterwards",
    "ask its owner first; or `openstack server {verb} {id}` instead",
    "nova 31.0 compute/manager.py, _reboot_instance: it is ACTIVE after any reboot.",
)
IN_ERROR = Rule(
    "reboot/in-error",
    "is in ERROR: {fault}",
    "see `openstack server show {id}` for the fault, and repair its cause; then pass `--hard`: "
    "Nova accepts no other reboot of it",
    "nova 31.0 compute/vm_states.py, ALLOW_SOFT_REBOOT: only ACTIVE.",
)
OUT_OF_ERROR = Rule(
    "reboot/out-of-error",
    "is in ERROR: {fault}; Nova sets it to ACTIVE if its guest starts, even with another fault",
    "repair the cause first, otherwise the fault comes back",
    "nova 31.0 compute/vm_states.py, ALLOW_HARD_REBOOT has ERROR: a hard reboot ends it.",
)
WRONG_STATUS = Rule(
    "reboot/wrong-status",
    "is in {status}: Nova reboots no such server",
    "{remedy}; then plan again",
    "nova 31.0 compute/vm_states.py, ALLOW_HARD_REBOOT: active, stopped, paused, suspended, error. "
    "What is not known to be among them blocks.",
)

# --- its node -----------------------------------------------------------------------------------

NODE_DOWN = Rule(
    "reboot/node-down",
    "the nova-compute of its node is down",
    "see `stackward node check {host}`; repair nova-compute there, then plan again",
    "The request would wait in its queue, with the server busy, until nova-compute runs again.",
)
FORCED_DOWN = Rule(
    "reboot/forced-down",
    "the service of its node was forced down",
    "`openstack compute service set --up {host} nova-compute`, once it is certain what runs there",
    "The mark means that the node is fenced: the server may already run elsewhere.",
)
NODE_CLAIMED = Rule(
    "reboot/node-claimed",
    "run `{run}` of {operator} on {machine} takes its node out of service, and {stands}",
    "`stackward run show {run}` on {machine} shows its state; once it has ended, plan again",
    "It may move the server now, or switch the node off next.",
)
NODE_OUT = Rule(
    "reboot/node-out",
    "is out of service ({text}). The reboot does not move the server: it will run there again",
    "ask the person who disabled the node whether it will be switched off soon",
    "A reboot moves no server, so it does not need the scheduler.",
)

# --- its guest, as libvirt has it ---------------------------------------------------------------

GUEST_UNREAD = Rule(
    "reboot/guest-unread",
    "the state of its guest on `{host}` cannot be read: {why}",
    "{way}; then plan again",
    "Only libvirt shows that the guest booted again: Nova's answer does not prove a reboot.",
)
GUEST_ELSEWHERE = Rule(
    "reboot/guest-elsewhere",
    "a guest of it is {state} on `{where}`, and none runs on its node `{host}`",
    "never start or reboot the server now: a second guest would write to its disks; "
    "`stackward node drain {host} --reason look --dry-run` shows the remedy",
    "A live migration was ended by libvirt and not by Nova.",
)
GUEST_UNSEEN = Rule(
    "reboot/guest-unseen",
    "its guest does not run on its node, and another node that may have it cannot be read: {why}",
    "{way}; then plan again",
    "A migration may have left it there, running: a second start would run it twice.",
)
NO_GUEST = Rule(
    "reboot/no-guest",
    "libvirt on its node has no such guest, {nor}",
    "look first for it on the other nodes (`virsh --readonly list --all --uuid`); if none has it, "
    "pass `--hard`: that creates the guest again",
    "A soft reboot needs a guest that can be asked to shut down.",
)
MADE_ANEW = Rule(
    "reboot/made-anew",
    "libvirt on its node has no such guest, {nor}: it will be created again",
    "look first for it on the other nodes (`virsh --readonly list --all --uuid`): a second guest "
    "would write to its disks",
    "nova 31.0 virt/libvirt/driver.py, _hard_reboot: the guest is defined and started again.",
)
GUEST_BUSY = Rule(
    "reboot/guest-busy",
    "libvirt is at work on its guest, but Nova does not know of it",
    "see `virsh domjobinfo {id}` on its node: wait until it says `None`, then plan "
    "again; if it never does, see libvirt's log there",
    "A dump, a backup or a move of it would be cut off.",
)
GUEST_DISAGREES = Rule(
    "reboot/guest-disagrees",
    "Nova calls it {status}, but its guest is {state}",
    "look first why (`virsh domstate --reason {id}` on its node: a full disk pauses guests); then "
    "pass `--hard`",
    "Nova would wait for such a guest to shut down, and in the end reset it.",
)
GUEST_DISAGREED = Rule(
    "reboot/guest-disagreed",
    "Nova calls it {status}, but its guest is {state}",
    "look first why, because the hard reboot does not repair the cause (`virsh domstate --reason "
    "{id}` on its node): if a disk is full, the guest will be paused again",
    "After a hard reboot the two agree.",
)

# --- its volumes --------------------------------------------------------------------------------

ONLY_NOVA = Rule(
    "reboot/only-nova",
    "Nova has volume {volume} attached to it, but Cinder has no such attachment: the reboot "
    "deletes Nova's record, and the server comes back without that volume",
    "look first whether the guest has it (`virsh dumpxml {id}` on its node names it in "
    "`<serial>`); to keep it, see `nova-manage volume_attachment show {id} {volume}` and "
    "`nova-manage volume_attachment refresh`; to give it up, pass `--delete-attachment {volume}`",
    "nova 31.0 compute/manager.py, _delete_dangling_bdms, at each reboot since 2023.2.",
)
ONLY_CINDER = Rule(
    "reboot/only-cinder",
    "Cinder has attachment {attachment} of volume {volume} to it, but Nova does not know it: the "
    "reboot deletes it",
    "see `openstack volume show {volume}`; if another server writes to that volume, nothing is "
    "lost: pass `--delete-attachment {attachment}`",
    "nova 31.0 compute/manager.py, _delete_dangling_bdms, at each reboot since 2023.2.",
)
NOT_DELETED = Rule(
    "reboot/not-deleted",
    "`--delete-attachment {given}` names nothing that Nova would delete",
    "leave the flag out, or give what the plan names: the attachment that only Cinder has, or the "
    "volume that only Nova has",
    "An id that matches nothing must be a mistake.",
)
VOLUMES_UNREAD = Rule(
    "reboot/volumes-unread",
    "has volumes, and Cinder could not be asked for their attachments: {why}",
    "make Cinder answer (`stackward cloud check`), then plan again",
    "Nova deletes attachments that only one of the two has, and starts no guest without its "
    "volumes.",
)
ATTACHMENTS_UNREAD = Rule(
    "reboot/attachments-unread",
    "Cinder may have attachments to it that Nova does not know, and the reboot would delete them; "
    "they could not be read: {why}",
    "make Cinder answer (`stackward cloud check`), then plan again",
    "nova 31.0 compute/manager.py, _delete_dangling_bdms, at each reboot since 2023.2.",
)

# --- its definition -----------------------------------------------------------------------------

UEFI_RESET = Rule(
    "reboot/uefi-reset",
    "boots by UEFI: its boot entries and all other UEFI variables will be reset",
    "check first, in the guest, that it boots by the usual path of its disk (`efibootmgr`): a "
    "guest that needs its own boot entry does not boot afterwards",
    "nova 31.0 virt/libvirt/guest.py, delete_configuration: VIR_DOMAIN_UNDEFINE_NVRAM.",
)

# --- afterwards ---------------------------------------------------------------------------------

NO_UNDO = Rule(
    "reboot/no-undo",
    "was a reboot, which cannot be undone: the memory of the guest is gone",
    "nothing needs to be done: the server is on the same node, with the same disks",
    "Nova keeps nothing of the guest that was ended.",
)

_RESUMED = {"PAUSED": "unpause", "SUSPENDED": "resume"}
_WAY_OUT = {
    "RESCUE": "`openstack server unrescue {id}`",
    "VERIFY_RESIZE": "ask its owner whether it works: `openstack server resize confirm {id}` "
    "removes what it was resized from, `openstack server resize revert {id}` brings it back",
    "SHELVED": "ask its owner, and have it back: `openstack server unshelve {id}`",
    "SOFT_DELETED": "ask its owner: `openstack server restore {id}` brings it back",
    "BUILD": "wait until it is ACTIVE",
}
_ELSE = "bring it to ACTIVE (`openstack server show {id}`)"
_RUNS = {"running", "idle"}


def judge_reboot(facts: RebootFacts, asked: RebootRequest) -> Iterator[Verdict]:
    """Find all that blocks a reboot, or is lost by it."""
    server = facts.server
    if server.status == IN_DOWN_CELL:
        yield CELL_DOWN.blocks(server.label, server.id)
        return
    if server.host is None:
        yield NOWHERE.blocks(server.label, server.id, status=server.status)
        return
    yield from _judge_state(server, asked)
    yield from judge_lock(server)
    yield from _judge_node(facts, server.host)
    yield from _judge_guest(facts, server.host, asked)
    yield from _judge_volumes(facts, asked)
    if asked.is_hard and facts.is_uefi:
        yield UEFI_RESET.warns(server.label, server.id)


def _judge_state(server: Server, asked: RebootRequest) -> Iterator[Verdict]:
    said = {"status": server.status, "fault": server.fault or "Nova says no more"}
    if server.task_state is not None:
        # Its status is that of the work, and has no remedy of its own.
        yield BUSY.blocks(server.label, server.id, task=server.task_state)
        return
    match server.status, server.vm_state:
        case "ACTIVE", "active":
            return
        case "SHUTOFF", _:
            yield STOPPED.blocks(server.label, server.id)
        case "PAUSED" | "SUSPENDED" as status, _:
            said["verb"] = _RESUMED[status]
            yield (
                MEMORY_LOST.warns(server.label, server.id, **said)
                if asked.is_hard
                else KEEPS_MEMORY.blocks(server.label, server.id, **said)
            )
        case "ERROR", _:
            yield (
                OUT_OF_ERROR.warns(server.label, server.id, **said)
                if asked.is_hard
                else IN_ERROR.blocks(server.label, server.id, **said)
            )
        case status, _:
            remedy = _WAY_OUT.get(status, _ELSE).format(id=server.id)
            yield WRONG_STATUS.blocks(server.label, server.id, status=status, remedy=remedy)


def _judge_node(facts: RebootFacts, host: str) -> Iterator[Verdict]:
    service, claim = facts.service, facts.claim
    if service is None or not (service.is_up or service.is_forced_down):
        yield NODE_DOWN.blocks(host, host=host)
    elif service.is_forced_down:
        yield FORCED_DOWN.blocks(host, host=host)
    for holder in facts.holders:
        yield HELD.blocks(host, run=holder.run, title=holder.title, state=holder.state)
    if service is None or service.is_enabled:
        return
    if claim and not facts.holders and not (facts.claiming and facts.claiming.is_over):
        yield NODE_CLAIMED.blocks(
            host,
            run=claim.run,
            operator=claim.operator,
            machine=claim.machine,
            stands=_stands(facts.claiming),
        )
    else:
        yield NODE_OUT.warns(host, text=service.disabled_reason or "without a reason")


def _stands(claiming: RunState | None) -> str:
    return f"is {claiming}" if claiming else "is not known here"


def _judge_guest(facts: RebootFacts, host: str, asked: RebootRequest) -> Iterator[Verdict]:
    server, guest = facts.server, facts.guest
    unread = next((one for one in (guest, facts.boot) if isinstance(one, Unread)), None)
    if unread is not None:
        yield GUEST_UNREAD.blocks(
            server.label, server.id, host=host, why=unread.why, way=cure_of(unread)
        )
        return
    if guest is None or isinstance(guest, Unread):
        return  # its hypervisor has no domains
    if not guest.is_alive and (second := _judge_second(facts, host)) is not None:
        yield second
    elif guest.state is None:
        yield _judge_missing(facts, asked)
    elif guest.has_job:
        yield GUEST_BUSY.blocks(server.label, server.id)
    elif server.status == "ACTIVE" and server.task_state is None and guest.state not in _RUNS:
        said = {"status": server.status, "state": guest.state}
        yield (
            GUEST_DISAGREED.warns(server.label, server.id, **said)
            if asked.is_hard
            else GUEST_DISAGREES.blocks(server.label, server.id, **said)
        )


def _judge_second(facts: RebootFacts, host: str) -> Verdict | None:
    """Refuse to start a guest while another node may have one: both would write to its disks."""
    server, locations = facts.server, facts.guest_locations
    if isinstance(locations, Unread):
        way = cure_of(locations)
        return GUEST_UNSEEN.blocks(server.label, server.id, why=locations.why, way=way)
    # Where its own is missing, one that is off elsewhere may be the only one, with its disk.
    is_missing = isinstance(facts.guest, Guest) and facts.guest.state is None
    found = next((one for one in locations if one.is_alive or (is_missing and one.state)), None)
    if found is None:
        return None
    return GUEST_ELSEWHERE.blocks(
        server.label, server.id, host=host, where=found.node, state=found.state
    )


def _judge_missing(facts: RebootFacts, asked: RebootRequest) -> Verdict:
    server, locations = facts.server, facts.guest_locations
    nodes = "" if isinstance(locations, Unread) else ", ".join(f"`{one.node}`" for one in locations)
    nor = f"nor has {nodes}" if nodes else "and no record says where else it may be"
    if asked.is_hard:
        return MADE_ANEW.warns(server.label, server.id, nor=nor)
    return NO_GUEST.blocks(server.label, server.id, nor=nor)


def _judge_volumes(facts: RebootFacts, asked: RebootRequest) -> Iterator[Verdict]:
    server, found = facts.server, facts.attachments
    if isinstance(found.cinder, Unread):
        why = found.cinder.why
        yield (
            VOLUMES_UNREAD.blocks(server.label, server.id, why=why)
            if server.volume_ids
            else ATTACHMENTS_UNREAD.warns(server.label, server.id, why=why)
        )
        return
    for volume in found.only_nova:
        rule = _verdict(ONLY_NOVA, is_given_up=volume in asked.delete_attachments)
        yield rule(server.label, server.id, volume=volume)
    for attachment, volume in found.only_cinder:
        rule = _verdict(ONLY_CINDER, is_given_up=attachment in asked.delete_attachments)
        yield rule(server.label, server.id, attachment=attachment, volume=volume)
    for given in asked.delete_attachments:
        if given not in found.deleted_by_reboot:
            yield NOT_DELETED.blocks(server.label, server.id, given=given)


def _verdict(rule: Rule, *, is_given_up: bool) -> Callable[..., Verdict]:
    """Return how a rule is said: it blocks, unless what it is about was named to be given up."""
    return rule.warns if is_given_up else rule.blocks
