"""Whether a node may return to service, and what is warned of.

What nova-compute does to old copies as it starts is not undone by anybody: it is asked for first.
"""

from collections.abc import Iterator

from stackward.model.evacuation import OpenEvacuation
from stackward.model.maintenance import DROP_IN, MAINTENANCE, Marks, ReturningNode
from stackward.model.unread import Unread
from stackward.plan import Verdict
from stackward.policy.evacuations import judge_lives_on_source
from stackward.policy.maintenance import HELD, NODE_SILENT, claimed_elsewhere
from stackward.policy.node import judge_identity
from stackward.policy.rule import Rule
from stackward.ports.login import way_to
from stackward.wording import count_of

NOTHING_TO_RETURN = Rule(
    "nothing-to-return",
    "is in service: it is enabled, and nothing on it keeps its nova-compute stopped",
    "there is nothing to do; `stackward node drain {thing}` takes it out",
    "A return undoes a drain, and this node is not out of service.",
)
FOREIGN_CLAIM = Rule(
    "foreign-claim",
    "is disabled, and not by Stackward: {text}",
    "ask the person who disabled it, then "
    "`openstack compute service set --enable {host} nova-compute`",
    "The disabled reason is a claim. Stackward never takes over the claim of somebody else.",
)
RUNS_ALTHOUGH_OFF = Rule(
    "runs-although-off",
    "its nova-compute runs {what}, although the drain of the node has stopped it",
    "find out who started it; the return continues with it",
    "Somebody started it in spite of the drain: servers may have been put there since.",
)
SECOND_COMPUTE = Rule(
    "second-compute",
    "its nova-compute runs {what}; the return would start a second one as the unit "
    "`nova-compute.service`",
    "if the unit should not run there, remove what keeps it stopped (`systemctl unmask "
    "nova-compute`, {marks}), and keep it from starting at the next boot (`systemctl disable "
    "nova-compute`); otherwise stop the other one; then plan again",
    "Two nova-computes of one host would both carry out its requests.",
)
PROCESSES_UNSEEN = Rule(
    "processes-unseen",
    "a nova-compute may already run there outside its unit; this could not be read: {why}",
    "see `ps -ef` there as root; approve only if no container and no other unit runs one",
    "The return starts the unit; two nova-computes of one host would both carry out its requests.",
)
NO_UNIT_TO_START = Rule(
    "no-unit-to-start",
    "no nova-compute runs there, and systemd has no unit `nova-compute.service` to start",
    "start it with what manages it there, such as a container engine, then plan again",
    "A return starts only that unit.",
)
HA_UNSEEN = Rule(
    "ha-unseen",
    "the instance-HA service may still have the node in maintenance; it could not be asked: {why}",
    "find the segment of `{host}`: `openstack segment list`, then `openstack segment host list "
    "SEGMENT`; if it shows `{host}` in maintenance, `openstack segment host update "
    "--on_maintenance False SEGMENT {host}` ends that",
    "It would then not restart the servers of this node if the node fails.",
)
NO_PORT = Rule(
    "no-port",
    "its acceptance server will boot without a port: networking will not be proved",
    "name a network with `--network`",
    "Stackward makes a port only in a network that you name.",
)

# --- after an evacuation ------------------------------------------------------------------------

OLD_COPIES = Rule(
    "return/old-copies",
    "when its nova-compute starts, it destroys the old guests and disks of {count} that were "
    "evacuated: {names}",
    "check first that each runs on the node that the plan names, with its data; copy what you "
    "need from the old disks; then pass `--discard-old-disks`",
    "nova 31.0 compute/manager.py, _destroy_evacuated_instances. Nothing brings them back.",
)
OLD_COPIES_DISCARDED = Rule(
    "return/old-copies-discarded",
    "the old copies there of {count} that were evacuated will be destroyed permanently: {names}",
    "",
    "Nova does this when its nova-compute starts. Nothing brings them back.",
)
NEEDLESS_DISCARD = Rule(
    "return/needless-discard",
    "`--discard-old-disks` was given, and it is not needed: {why}",
    "leave that flag out",
    "A flag that is not needed may be meant for another node.",
)
STILL_HERE = Rule(
    "return/still-here",
    "Nova still has it on `{host}`, and its evacuation from there is not over (record {record}, "
    "{status}): when nova-compute starts there, it destroys the server, with its disks",
    "`stackward node evacuate {host} --only {id}`, while the node has no power",
    "nova 31.0 compute/manager.py, _destroy_evacuated_instances: it reads only the record, and "
    "never checks where the server is.",
)
EVACUATIONS_UNREAD = Rule(
    "return/evacuations-unread",
    "the records of its evacuations cannot be read: {why}",
    "see that Nova answers (`stackward cloud check`), then plan again",
    "They decide which guests and disks its nova-compute destroys.",
)
DISK_UNREAD = Rule(
    "return/disk-unread",
    "whether `{asks}` sees its directory cannot be read: {why}",
    "make `{asks}` answer (`stackward node check {asks}`); or stop its nova-compute (`systemctl "
    "stop nova-compute` there; its guests keep running) until the node has returned; then plan "
    "again",
    "If it does not, nova-compute takes the disk for an old one, and deletes it: on shared storage "
    "that is the disk of the living server.",
)
DISK_UNSEEN = Rule(
    "return/disk-unseen",
    "`{asks}`, where it was evacuated to, does not see its directory: on shared storage the node "
    "that returns would delete the disk of the living server",
    "mount the storage of instances on `{asks}`, then plan again; or stop nova-compute on `{asks}` "
    "(`systemctl stop nova-compute`; its guests keep running), plan again, and start it only after "
    "the return has ended: until then Nova keeps the disk",
    "nova 31.0 compute/manager.py, _is_instance_storage_shared: it asks the destination of the "
    "record, even if the server is on another node now.",
)
DEVICE_UNREAD = Rule(
    "return/device-unread",
    "it does not answer, and its device cannot be read: {why}",
    "{way}; or switch the node on yourself; then plan again",
    "The first step depends on whether it has power.",
)
BY_HAND = Rule(
    "return/by-hand",
    "nothing in the inventory switches its power: somebody must switch it on when the run asks for "
    "it",
    "switch it on within {minutes} minutes of that, or set `--boot-timeout`; not earlier: its "
    "nova-compute may start by itself, which destroys old copies",
    "The plan first checks that every living disk is safe from that start.",
)
CALLED_UP = Rule(
    "return/forced-down",
    "its service is forced down; the run starts nova-compute, closes its evacuations, and then "
    "lifts that",
    "do not start nova-compute there yourself",
    "Until then Nova sends it no requests.",
)


def judge_return(node: ReturningNode, over: str | None = None) -> Iterator[Verdict]:
    """Ask whether the node is out of service, by us, and can be reached.

    `over` is a run whose claim may be lifted although the journal here does not know that run.
    """
    service = node.service
    yield from judge_identity(node)
    if service.is_forced_down:
        yield CALLED_UP.warns(node.name)
    if isinstance(node.marks, Unread):
        yield from _judge_silence(node, node.marks)
    elif isinstance(node.gate, Unread):
        yield NODE_SILENT.blocks(node.name, why=node.gate.why, way=way_to(node.gate))
    elif not _is_out(node):
        yield NOTHING_TO_RETURN.blocks(node.name)
    yield from _judge_processes(node)
    if not service.is_enabled and node.claim is None:
        text = service.disabled_reason or "without a reason"
        yield FOREIGN_CLAIM.blocks(node.name, host=node.host, text=text)
    if node.claim and not node.is_claim_known and node.claim.run != over:
        yield claimed_elsewhere(node.claim, node.name)
    for holder in node.holders:
        yield HELD.blocks(node.name, run=holder.run, title=holder.title, state=holder.state)


def judge_evacuations(node: ReturningNode, *, is_discard_asked: bool) -> Iterator[Verdict]:
    """Ask what the start of nova-compute there would destroy, and whether that was agreed to."""
    open_ = node.evacuations
    if isinstance(open_, Unread):
        yield EVACUATIONS_UNREAD.blocks(node.name, why=open_.why)
        return
    for one in open_:
        yield from _judge_copy(one, node)
    old = {one.record.server: one.label for one in open_ if not one.is_home}
    words = {"count": count_of(len(old), "server"), "names": ", ".join(sorted(old.values()))}
    if is_discard_asked and not (old and node.is_discard_asked_for):
        why = "no evacuation from it is open"
        if old:
            why = "its boot gate keeps nova-compute stopped, and a fence of ours has cut its power"
        yield NEEDLESS_DISCARD.blocks(node.name, why=why)
    elif old and node.is_discard_asked_for and not is_discard_asked:
        yield OLD_COPIES.blocks(node.name, **words)
    elif old:
        yield OLD_COPIES_DISCARDED.warns(node.name, **words)


def _judge_copy(one: OpenEvacuation, node: ReturningNode) -> Iterator[Verdict]:
    """Ask whether one server is safe from that start."""
    if one.server is None:
        return
    server, record = one.server, one.record
    if one.is_home and not (node.service.is_forced_down or isinstance(node.marks, Unread)):
        yield from judge_lives_on_source([one], starts_compute=True)
    elif one.is_home:
        yield STILL_HERE.blocks(
            server.label, server.id, host=node.host, record=record.id, status=record.status
        )
    elif not one.is_heard or one.disk is None:
        return
    elif isinstance(one.disk, Unread) or one.disk.unread:
        why = one.disk.why if isinstance(one.disk, Unread) else one.disk.unread
        yield DISK_UNREAD.blocks(server.label, server.id, asks=one.asks, why=why)
    elif one.disk.path is None:
        yield DISK_UNSEEN.blocks(server.label, server.id, asks=one.asks)


def _judge_silence(node: ReturningNode, marks: Unread) -> Iterator[Verdict]:
    """Judge a node that does not answer: one without power is switched on first."""
    device = node.device
    if isinstance(device, Unread):
        way = device.hint or "see its device"
        yield DEVICE_UNREAD.blocks(node.name, why=device.why, way=way)
    elif node.is_to_be_switched_on:
        if device is None:
            yield BY_HAND.warns(node.name, minutes=round(node.boot_within_s / 60))
    else:
        yield NODE_SILENT.blocks(node.name, why=marks.why, way=way_to(marks))


def _is_out(node: ReturningNode) -> bool:
    """Say whether the node is out of service, or was not proved to be in it."""
    service = node.service
    is_off = not service.is_enabled or service.is_forced_down or bool(node.evacuations)
    return is_off or _is_kept_off(node) or node.unproved is not None


def _is_kept_off(node: ReturningNode) -> bool:
    """Say whether anything on the node keeps its nova-compute off."""
    return node.is_gate_shut or (isinstance(node.marks, Marks) and node.marks.is_any)


def _judge_processes(node: ReturningNode) -> Iterator[Verdict]:
    """Look for a nova-compute that runs although it had to be kept off."""
    running, marks = node.running_as, node.marks
    if running is None or isinstance(marks, Unread):
        return
    if isinstance(running, Unread):
        yield PROCESSES_UNSEEN.warns(node.name, why=running.why)
        return
    if running.unit_load == "not-found" and not running.processes:
        yield NO_UNIT_TO_START.blocks(node.name)
    if not (marks.is_any and running.processes):
        return
    if elsewhere := running.outside:
        yield SECOND_COMPUTE.blocks(
            node.name, what=elsewhere[0].words, marks=f"`rm -f {MAINTENANCE} {DROP_IN}`"
        )
    else:
        yield RUNS_ALTHOUGH_OFF.warns(node.name, what=running.processes[0].words)


def is_run_elsewhere(node: ReturningNode) -> bool:
    """Say whether something else than the unit runs nova-compute there: it is not for us to start.

    A drain of such a node has left it running.
    """
    running = node.running_as
    if running is None or isinstance(running, Unread):
        return False
    has_marks = not isinstance(node.marks, Unread) and node.marks.is_any
    return bool(running.outside) and not has_marks
