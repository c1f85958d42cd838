"""Whether a node that is back works, and what is not known of who ran: rules of a recovery alone.

Nothing is started on a node of which a part is broken: its guests would run without their network,
or without their disks.
"""

from collections.abc import Iterator

from stackward.model.evacuation import OpenEvacuation
from stackward.model.unread import Unread
from stackward.operations.recover_compute_node.facts import RecoveryFacts
from stackward.plan import Blocked, Verdict
from stackward.policy.evacuations import judge_lives_on_source
from stackward.policy.maintenance import HELD
from stackward.policy.rule import Rule
from stackward.ports.libvirt import SEE_LIBVIRT, cure_of
from stackward.ports.login import way_to
from stackward.requests.recover_compute_node import RecoverRequest

_CLOCK_S = 30.0  # more than this, and times of the node cannot be compared with Nova's

# --- the node -----------------------------------------------------------------------------------

NODE_DOWN = Rule(
    "recover/node-down",
    "its nova-compute is down",
    "if the machine is booting, wait until it is up; if its boot gate keeps nova-compute stopped, "
    "or servers were evacuated from it, `stackward node return {host} --dry-run` shows what that "
    "start destroys; if it does not come up, repair nova-compute there (`systemctl status "
    "nova-compute`), or fence and evacuate the node if it is dead; then plan again",
    "nova-compute starts the guests, and removes the guests and disks of evacuated servers.",
)
FORCED_DOWN = Rule(
    "recover/forced-down",
    "its service was forced down",
    "`openstack compute service set --up {host} nova-compute`, once it is certain what runs there",
    "The mark means that the node is fenced: its servers may already run elsewhere.",
)
RPC_SILENT = Rule(
    "recover/rpc-silent",
    "its nova-compute does not answer over RPC: {why}",
    "`stackward node check {host}` shows what is broken; repair it, then plan again",
    "It would accept no request, and each server would be busy for that time.",
)
LIBVIRT_SILENT = Rule(
    "recover/libvirt-silent",
    "libvirt there cannot be asked: {why}",
    "{way}; then plan again",
    "libvirt starts the guests, and shows whether they run.",
)
NO_LIBVIRT = Rule(
    "recover/no-libvirt",
    "its hypervisor is `{kind}`: nothing shows there whether a guest runs",
    "start each server that should run yourself, with `openstack server start`",
    "libvirt shows which servers ran before, and proves each start.",
)
AGENT_DEAD = Rule(
    "recover/agent-dead",
    "its network agent ({kind}) is not alive",
    "see its log there, and start it; `openstack network agent list --host {host}` says when it is "
    "alive; then plan again",
    "A guest that starts without it has no network.",
)
AGENTS_UNREAD = Rule(
    "recover/agents-unread",
    "whether its network agent is alive cannot be read: {why}",
    "make Neutron answer (`stackward cloud check`), then plan again",
    "A guest that starts without it has no network.",
)
STORAGE_MISSING = Rule(
    "recover/storage-missing",
    "has no directory on its node: the storage of instances may not be mounted there",
    "see `findmnt` and `ls /var/lib/nova/instances` there, and mount it; if its disks are lost, "
    "pass `--leave-off {id}`",
    "At a start Nova creates a missing directory again, without its files.",
)
STORAGE_UNREAD = Rule(
    "recover/storage-unread",
    "the directories of its instances cannot be read: {why}",
    "see `ls /var/lib/nova/instances` there: the login must be able to list it; then plan again",
    "A server whose disks are not there must not be started.",
)
CLOCK_OFF = Rule(
    "recover/clock-off",
    "its clock is {by} s away from ours",
    "set it (`chronyc tracking` there shows its time source), then plan again",
    "Stackward compares times of the node with times of Nova to find out which servers ran.",
)
CLOCK_UNREAD = Rule(
    "recover/clock-unread",
    "its clock cannot be read: {why}",
    "see why `date` does not answer there, then plan again",
    "Stackward compares times of the node with times of Nova to find out which servers ran.",
)
BOOT_UNREAD = Rule(
    "recover/boot-unread",
    "the time of its last boot cannot be read: {why}",
    "{way}; then plan again",
    "The time of the boot separates events before the loss from events after it.",
)
EVACUATED = Rule(
    "recover/evacuated",
    "an evacuation of server {server} from it is not over (record {record}, {status})",
    "`stackward node return {host} --dry-run` shows whether its living disk is safe from the next "
    "start of nova-compute there; that return ends the record, and destroys the guest and disk "
    "that are left here; then plan again",
    "nova 31.0 compute/manager.py, _destroy_evacuated_instances: the source ends the record.",
)

# --- who ran ------------------------------------------------------------------------------------

NOT_KNOWN = Rule(
    "recover/not-known",
    "will be left off: whether it ran is not known: {because}",
    "ask its owner; then plan again with `--start {id}` or `--leave-off {id}`",
    "A server that was off before must not be started; one witness alone may be wrong.",
)
TASK_LEFT = Rule(
    "recover/task-left",
    "Nova calls it busy ({task}) since {since}, before its node booted",
    "look first whether anything still works on it, and once more after some minutes: `openstack "
    "server event list {id}` shows who asked for it, and `openstack server migration list --server "
    "{id}` whether it moves; if not, "
    "`openstack server set --auto-approve --state active {id}`, then `stackward server reboot {id} "
    "--hard`, then plan again; or pass `--leave-off {id}`",
    "nova 31.0 compute/manager.py: _init_instance ends only some tasks as nova-compute starts, and "
    "_sync_power_states passes over a server that has one.",
)
NO_GUEST = Rule(
    "recover/no-guest",
    "Nova calls it ACTIVE, but libvirt there has no such guest: a hard reboot creates it again",
    "look first for it on the other nodes (`virsh --readonly list --all --uuid`): a second guest "
    "would write to its disks; or pass `--leave-off {id}`",
    "A start is refused for a server that Nova has as running.",
)
LOSES_ATTACHMENT = Rule(
    "recover/loses-attachment",
    "Nova calls it ACTIVE, libvirt there has no such guest, and the hard reboot that creates it "
    "again deletes attachment {deleted}, which only Nova or only Cinder has",
    "see `stackward server reboot {id} --hard --dry-run`, which says more of it: that command "
    "deletes what its `--delete-attachment` names; pass `--leave-off {id}` here",
    "nova 31.0 compute/manager.py, _delete_dangling_bdms: a deleted attachment does not come back.",
)
ATTACHMENTS_UNREAD = Rule(
    "recover/attachments-unread",
    "libvirt there has no such guest, and which attachments a hard reboot would delete cannot be "
    "read: {why}",
    "make Cinder answer (`stackward cloud check`), then plan again; or pass `--leave-off {id}`",
    "nova 31.0 compute/manager.py, _delete_dangling_bdms: it deletes what only one of the two has.",
)
UNKNOWN_ID = Rule(
    "recover/unknown-id",
    "`{flag} {given}` names no server that is on the node",
    "give the id of a server of the node (`openstack server list --all-projects --host {host}`), "
    "or leave the flag out",
    "An id that matches nothing must be a mistake.",
)
BOTH_WAYS = Rule(
    "recover/both-ways",
    "is named by `--start` and by `--leave-off`",
    "leave one of the two out",
    "One of them must be a mistake.",
)
NO_UNDO = Rule(
    "recover/no-undo",
    "cannot be undone: this run has started servers, and Stackward does not know which of them "
    "should be off",
    "stop each server that should be off, with `openstack server stop`",
    "The owner of a running server decides whether to stop it.",
)


def judge_node(facts: RecoveryFacts) -> Iterator[Verdict]:
    """Ask whether each part of the node works that a guest needs."""
    for holder in facts.holders:
        yield HELD.blocks(facts.host, run=holder.run, title=holder.title, state=holder.state)
    if facts.service.is_forced_down:
        yield FORCED_DOWN.blocks(facts.name, host=facts.host)
    elif facts.is_coming_up:
        pass  # the run waits for it
    elif not facts.service.is_up:
        yield NODE_DOWN.blocks(facts.name, host=facts.host)
    elif facts.is_answering is not True:
        answer = facts.is_answering
        why = answer.why if isinstance(answer, Unread) else "Nova had no answer of it"
        yield RPC_SILENT.blocks(facts.name, host=facts.host, why=why)
    if not facts.hypervisor.has_domains:
        yield NO_LIBVIRT.blocks(facts.name, kind=facts.hypervisor.kind)
        return
    yield from _judge_machine(facts)
    living = {one.id: one for one in facts.servers}
    for one in facts.evacuations:
        if server := living.get(one.server):
            here = OpenEvacuation(record=one, server=server)
            yield from judge_lives_on_source([here], starts_compute=True)
            continue
        yield EVACUATED.blocks(
            facts.name, host=facts.host, server=one.server, record=one.id, status=one.status
        )


def _judge_machine(facts: RecoveryFacts) -> Iterator[Blocked]:
    domains = facts.domains
    if isinstance(domains, Unread):
        yield LIBVIRT_SILENT.blocks(facts.name, why=domains.why, way=cure_of(domains))
        if domains.may_be_dead:
            return
    elif isinstance(facts.booted, Unread):
        booted = facts.booted
        way = way_to(booted) if booted.by else SEE_LIBVIRT
        yield BOOT_UNREAD.blocks(facts.name, why=booted.why, way=way)
    if isinstance(facts.directories, Unread):
        yield STORAGE_UNREAD.blocks(facts.name, why=facts.directories.why)
    if isinstance(facts.ahead_s, Unread):
        yield CLOCK_UNREAD.blocks(facts.name, why=facts.ahead_s.why)
    elif abs(facts.ahead_s) > _CLOCK_S:
        yield CLOCK_OFF.blocks(facts.name, by=round(abs(facts.ahead_s)))
    if isinstance(facts.agents, Unread):
        yield AGENTS_UNREAD.blocks(facts.name, why=facts.agents.why)
        return
    for agent in facts.agents:
        if not agent.is_alive:
            yield AGENT_DEAD.blocks(facts.name, kind=agent.kind, host=facts.host)


def judge_flags(facts: RecoveryFacts, asked: RecoverRequest) -> Iterator[Blocked]:
    """Ask whether each id that was given is that of a server of the node."""
    if facts.is_of_one:
        return  # the others are not among the facts
    known = {each.id for each in facts.servers}
    flags = {"--only": asked.only, "--start": asked.start, "--leave-off": asked.leave_off}
    for flag, given in flags.items():
        for each in given:
            if each not in known:
                yield UNKNOWN_ID.blocks(facts.name, flag=flag, given=each, host=facts.host)
    for server in facts.servers:
        if server.id in asked.start and server.id in asked.leave_off:
            yield BOTH_WAYS.blocks(server.label, server.id)
