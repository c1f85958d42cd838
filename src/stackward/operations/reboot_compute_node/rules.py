"""The blockers and warnings of the reboot of a node with its servers on it."""

from collections.abc import Iterator

from stackward.model.server import Server
from stackward.model.unread import Unread
from stackward.model.who_ran import Listed, Torn
from stackward.model.wish import Wish
from stackward.operations.reboot_compute_node.facts import RebootFacts
from stackward.plan import Blocked, Verdict
from stackward.policy.compute import judge_lock
from stackward.policy.evacuations import judge_lives_on_source
from stackward.policy.maintenance import HELD
from stackward.policy.node import DOMAINS_UNREACHED, judge_service
from stackward.policy.on_node import judge_guests, judge_migrations, judge_surroundings
from stackward.policy.rule import Rule
from stackward.policy.waves import judge_wave
from stackward.policy.wishes import wish_of, wish_written
from stackward.ports.libvirt import SEE_LIBVIRT
from stackward.ports.login import way_to
from stackward.requests.reboot_compute_node import RebootNodeRequest
from stackward.status.listed import is_on
from stackward.wording import count_of

OWN_MACHINE = Rule(
    "boot/own-machine",
    "Stackward runs there: the reboot would end it in the middle",
    "run the command on another machine",
    "Nobody would start its servers again.",
)
NO_LIBVIRT = Rule(
    "boot/no-libvirt",
    "its hypervisor is `{kind}`: nothing shows there whether a guest runs",
    "make sure that its servers are off, reboot it by hand, and start them again yourself",
    "Only libvirt proves that no guest is cut off, and that each runs again.",
)
NOT_A_UNIT = Rule(
    "boot/not-a-unit",
    "its nova-compute is not run by the unit nova-compute.service: {what}",
    "make sure that its servers are off, reboot it by hand, and start them again yourself",
    "Its unit shows whether nova-compute is back after the boot.",
)
PROCESSES_UNREAD = Rule(
    "boot/processes-unread",
    "how its nova-compute runs could not be read: {why}",
    "find out why this login cannot read them (`ps -ef` and `systemctl status nova-compute` on the "
    "node); then plan again",
    "A container is started by another unit after the boot.",
)
BOOT_UNREAD = Rule(
    "boot/boot-unread",
    "the time of its last boot cannot be read: {why}",
    "{way}; then plan again",
    "Only a later boot than this one proves the reboot.",
)
LEFT_OFF = Rule(
    "boot/left-off",
    "an earlier reboot of its node, run {run}, has stopped it, and nobody has started it since",
    "`stackward node recover {host}` starts it, then plan again; if it should stay off, make "
    "a stop of yours the last one that Nova has on record: `openstack server start {id}`, and once "
    "it runs `openstack server stop {id}`; then plan again",
    "The list of that run has it as running; the list of a new run would have it as off.",
)
LIST_TORN = Rule(
    "boot/list-torn",
    "the list of running servers that an earlier reboot has left on the node is damaged: {why}",
    "look for servers that the earlier reboot has left off, before you approve: no list shows them",
    "A new list replaces it. It does not show which servers that reboot has left off.",
)
LIST_UNREAD = Rule(
    "boot/list-unread",
    "the list of running servers that a reboot writes there cannot be read: {why}",
    "see `ls -l /var/lib/stackward/who-ran` there: everybody must be able to read it; then plan "
    "again",
    "The list shows which servers must be started again.",
)
NOT_DRAINED = Rule(
    "boot/not-drained",
    "should be empty and out of service by now, but {what}",
    "find out who has put it into service again; then plan again",
    "This reboot needs a node on which no server runs.",
)
APART = Rule(
    "boot/apart",
    "`{one}` here and server {other} on `{node}` are in the anti-affinity group `{group}`: both "
    "would be off at the same time, because run {run} reboots `{node}`",
    "`stackward run show {run}` shows its state; once it has ended (resume it if it has stopped), "
    "plan again; resume a chain",
    "The members of an anti-affinity group must not all be down at the same time.",
)
APART_LEFT_OFF = Rule(
    "boot/apart-left-off",
    "`{one}` here and server {other} on `{node}` are of the group `{group}`, which keeps them "
    "apart; run {run}, which is {state}, has stopped {other}, and it is still off",
    "`stackward node recover {node}` starts it (`stackward node return {node}` comes first where "
    "that node is out of service); then plan again",
    "An anti-affinity group is kept apart so that no one node takes more than one of it down.",
)
APART_UNSEEN = Rule(
    "boot/apart-unseen",
    "`{one}` here is of the group `{group}`, which keeps its members apart; the cell of {members} "
    "is down, and run {run}, which is not over or has left servers off, may have them off on "
    "`{node}`",
    "see `nova-manage cell_v2 list_cells`, and make the cell's database answer; or bring that run "
    "to its end (`stackward run show {run}` says how far it is); then plan again",
    "Where a member runs is not known while its cell is down.",
)
DOMAIN_UNREAD = Rule(
    "boot/domain-unread",
    "its failure domain is not known: {why}",
    "write its `failure_domain` into the inventory as a plain value, or pass `--at-once 1`",
    "Nodes that are down at the same time must be in one failure domain.",
)
IN_MAINTENANCE = Rule(
    "boot/in-maintenance",
    "run `{run}` of {operator} has taken it out of service",
    "reboot it by hand, then `stackward node return {node}`; or return it first, and plan again",
    "A reboot in place starts and ends with a node that is in service.",
)
MEMORY_LOST = Rule(
    "boot/memory-lost",
    "is {status}: a reboot of its node ends its guest, and this state would be lost",
    "{remedy}; then plan again",
    "Only running servers are started again; the memory of a guest is lost.",
)
BUSY = Rule(
    "boot/busy",
    "Nova is at work on it ({task})",
    "wait until that is done, then plan again; if it never is, `openstack server event list {id}` "
    "shows who asked for it, and `openstack compute service list` whether its nova-compute is up",
    "Nova refuses to stop a server while it works on it.",
)
DIFFERS = Rule(
    "boot/differs",
    "Nova calls it {status}, but libvirt there has its guest {state}",
    "wait 10 minutes, because Nova corrects most such states by itself; then plan again; if they "
    "still differ, `stackward node check {host}` shows what is wrong",
    "Both must agree on whether it should run again.",
)
WISH_STANDS = Rule(
    "boot/wish",
    "its owner wrote `stackward:maintenance={wish}`: user {user}, project {project}",
    "ask them (`openstack user show {user}`), then pass `--consent {id}=REFERENCE`, where "
    "REFERENCE is the ticket or mail with their answer",
    "It would be off for the time of the reboot.",
)
WISH_UNCLEAR = Rule(
    "boot/wish-unknown",
    "its owner has written an unknown wish: `{written}`; known wishes: {known}",
    "ask its owner to correct it "
    "(`openstack server set --property stackward:maintenance=ask {id}`), then plan again",
    "`stackward:maintenance` in its metadata: a wish that is not understood is not ignored.",
)
CONSENTED = Rule(
    "boot/consented",
    "will be off while its node reboots, although its owner wrote `{wish}`; the owner has agreed: "
    "{reference}",
    "",
    "`--consent` was given; its reference is kept with the plan and the run.",
)
UNKNOWN_CONSENT = Rule(
    "boot/unknown-consent",
    "`--consent {given}=...` names no running server there whose owner wishes to be asked",
    "give the id of such a server (its blocker names it), or leave the flag out",
    "A consent that nobody needs must be a mistake: it may be meant for another server.",
)
DOWNTIME = Rule(
    "boot/downtime",
    "{count} there, and `--in-place` was given: Stackward will stop what runs before the reboot, "
    "and start it again afterwards",
    "",
    "`--in-place` was given.",
)
NO_UNDO = Rule(
    "boot/no-undo",
    "has rebooted `{node}`, or was about to: a boot cannot be undone",
    "if the node is not in service, `stackward node return {node}`; then `stackward node recover "
    "{node}` starts the servers that ran before, by the list that the run has written there",
    "The servers that ran before run again in the end; nothing else was changed.",
)

_WAY_OUT = {
    "PAUSED": "ask its owner, then `openstack server unpause {id}`",
    "RESCUE": "ask its owner, then `openstack server unrescue {id}`",
    "VERIFY_RESIZE": "ask its owner whether it works, then confirm or revert its resize with "
    "`openstack server resize`",
    "ERROR": "repair the cause; `stackward server reboot {id} --hard` brings it out of ERROR",
}
_NEEDS_CONSENT = {Wish.ASK, Wish.LEAVE, Wish.LIVE}
_OFF = {"stopped", "suspended", "shelved", "shelved_offloaded", "soft-delete"}


def judge_node(facts: RebootFacts, asked: RebootNodeRequest) -> Iterator[Verdict]:
    """Return every verdict on the node itself."""
    node = facts.node
    for holder in facts.holders:
        yield HELD.blocks(node.host, run=holder.run, title=holder.title, state=holder.state)
    if facts.is_own_machine:
        yield OWN_MACHINE.blocks(node.name)
    if node.is_in_maintenance and node.claim is not None:
        claim = node.claim
        yield IN_MAINTENANCE.blocks(
            node.name, node=node.name, run=claim.run, operator=claim.operator
        )
        return
    yield from judge_service(node)
    yield from judge_guests(node)
    yield from judge_migrations(node)
    yield from judge_surroundings(node)
    yield from judge_lives_on_source(node.evacuations, starts_compute=True)
    yield from _judge_machine(facts)
    yield from _judge_list(facts)
    yield from judge_beside(facts, asked)
    asking = {each.id for each in facts.running if wish_of(each) in _NEEDS_CONSENT}
    for consent in asked.consents:
        if consent.server not in asking and node.acting_run is None:
            yield UNKNOWN_CONSENT.blocks(node.name, given=consent.server)
    if count := len(facts.running):
        runs = count_of(count, "server runs", "servers run")
        yield DOWNTIME.warns(node.name, count=runs)


def _judge_machine(facts: RebootFacts) -> Iterator[Verdict]:
    node, booted = facts.node, facts.booted
    if not node.hypervisor.has_domains:
        yield NO_LIBVIRT.blocks(node.name, kind=node.hypervisor.kind)
    if isinstance(node.domains, Unread):
        return  # it is said already that it cannot be asked
    if isinstance(booted, Unread):
        way = way_to(booted) if booted.by else SEE_LIBVIRT
        yield BOOT_UNREAD.blocks(node.name, why=booted.why, way=way)
    running = node.running_as
    if not node.service.is_up or running is None:
        return  # one that is down is blocked for that
    if isinstance(running, Unread):
        yield PROCESSES_UNREAD.blocks(node.name, why=running.why)
    elif elsewhere := running.outside:
        yield NOT_A_UNIT.blocks(node.name, what=f"it runs {elsewhere[0].words}")
    elif running.unit_load == "not-found":
        yield NOT_A_UNIT.blocks(node.name, what="systemd there has no such unit")


def _judge_list(facts: RebootFacts) -> Iterator[Verdict]:
    """Ask what an earlier reboot has left: a new list would hide the servers that it left off."""
    node, listed = facts.node, facts.listed
    if isinstance(listed, Torn):
        yield LIST_TORN.warns(node.name, why=listed.why)
    elif isinstance(listed, Unread) and not listed.may_be_dead:
        yield LIST_UNREAD.blocks(node.name, why=listed.why)
    elif isinstance(listed, Listed):
        for server in facts.left_off:
            yield LEFT_OFF.blocks(server.label, server.id, run=listed.run, host=node.host)


def judge_server(facts: RebootFacts, server: Server, asked: RebootNodeRequest) -> Iterator[Verdict]:
    """Ask whether a server may be off for a while, and will be as it was."""
    if server.task_state is not None:
        yield BUSY.blocks(server.label, server.id, task=server.task_state)
        return
    if server.vm_state not in {"active", *_OFF}:
        way = _WAY_OUT.get(server.status, "bring it to ACTIVE (`openstack server show {id}`)")
        yield MEMORY_LOST.blocks(
            server.label, server.id, status=server.status, remedy=way.format(id=server.id)
        )
        return
    is_active = server.vm_state == "active"
    is_as_told = is_on(server) == is_active == facts.is_alive(server)
    if not isinstance(facts.node.domains, Unread) and not is_as_told:
        state = facts.state_of(server) or "not at all"
        yield DIFFERS.blocks(
            server.label, server.id, status=server.status, state=state, host=facts.node.host
        )
    if is_on(server):
        yield from judge_lock(server)
        yield from _judge_wish(server, asked)
        yield from judge_wave(server, facts.tags, asked.tiers)


def _judge_wish(server: Server, asked: RebootNodeRequest) -> Iterator[Verdict]:
    wish, consent = wish_of(server), asked.consent_to(server)
    if wish is None and (written := wish_written(server)) is not None:
        known = ", ".join(Wish)
        yield WISH_UNCLEAR.blocks(server.label, server.id, written=written, known=known)
    elif wish in _NEEDS_CONSENT and consent is not None:
        yield CONSENTED.warns(server.label, server.id, wish=wish, reference=consent.reference)
    elif wish in _NEEDS_CONSENT:
        yield WISH_STANDS.blocks(
            server.label, server.id, wish=wish, user=server.user, project=server.project
        )


def judge_drained(facts: RebootFacts, asked: RebootNodeRequest) -> Iterator[Verdict]:
    """Return every verdict on a node that was drained to be rebooted."""
    node = facts.node
    yield from judge_beside(facts, asked)
    if facts.is_own_machine:
        yield OWN_MACHINE.blocks(node.name)
    yield from judge_surroundings(node)
    if isinstance(node.domains, Unread) and node.domains.may_be_dead:
        yield DOMAINS_UNREACHED.blocks(node.name, why=node.domains.why, way=way_to(node.domains))
    elif isinstance(facts.booted, Unread):
        booted = facts.booted
        way = way_to(booted) if booted.by else SEE_LIBVIRT
        yield BOOT_UNREAD.blocks(node.name, why=booted.why, way=way)
    yield from _judge_list(facts)
    if facts.is_foreseen:
        return
    for holder in facts.holders:
        yield HELD.blocks(node.host, run=holder.run, title=holder.title, state=holder.state)
    if node.servers:
        names = ", ".join(each.label for each in node.servers)
        yield NOT_DRAINED.blocks(node.name, what=f"servers are there: {names}")
    elif not node.is_in_maintenance:
        yield NOT_DRAINED.blocks(node.name, what="no run that is over has taken it out of service")


def judge_beside(facts: RebootFacts, asked: RebootNodeRequest) -> Iterator[Blocked]:
    """Ask whether it may be down now, together with what others have down."""
    for each in facts.apart:
        yield (APART_LEFT_OFF if each.ended else APART).blocks(
            facts.node.name,
            one=each.here.label,
            other=each.there,
            node=each.node,
            group=each.here.group.name if each.here.group else "",
            run=each.run,
            **({"state": each.ended} if each.ended else {}),
        )
    for one in facts.unseen:
        if one.run is not None:
            yield APART_UNSEEN.blocks(
                facts.node.name,
                one=one.here.label,
                group=one.here.group.name if one.here.group else "",
                members=count_of(one.count, "member"),
                run=one.run,
                node=one.node,
            )
    if asked.nodes_at_once > 1 and isinstance(facts.domain, Unread):
        yield DOMAIN_UNREAD.blocks(facts.node.name, why=facts.domain.why)


def kept_apart(facts: RebootFacts, other: RebootFacts) -> Iterator[tuple[Server, Server]]:
    """Return servers of two nodes that run, and that a group keeps apart."""
    beside = {each.id: each for each in other.running}
    for server in facts.running:
        if server.group is not None and server.group.keeps_apart:
            for member in server.group.members:
                if member in beside:
                    yield server, beside[member]
