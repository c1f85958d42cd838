"""Whether a node may be drained at all, and what taking it away will do."""

from collections.abc import Collection, Iterator

from stackward.model.claim import Claim, read_claim
from stackward.model.maintenance import ReturningNode
from stackward.model.node import ComputeNode
from stackward.model.run import RunState
from stackward.model.unread import Hindrance, Unread
from stackward.model.values import Json
from stackward.plan import Blocked, Verdict
from stackward.policy.rule import Worry
from stackward.ports.libvirt import INSTALL_VIRSH, NO_VIRSH, SEE_LIBVIRT
from stackward.ports.login import way_to
from stackward.status.stuck import RECORD_ONLY, Stuck, find_stuck
from stackward.wording import in_utc

NODE_DOWN = Worry(
    "node-down",
    "its nova-compute is down, although the machine answers",
    "repair nova-compute there (`systemctl status nova-compute`), then plan again",
    "A drain needs the node's nova-compute: it sends the servers away.",
)
NODE_DEAD = Worry(
    "node-dead",
    "its nova-compute is down and the machine cannot be asked ({why})",
    "{way}; if it is dead, fence it and evacuate its servers; else repair it, then plan again",
    "Servers of a node that may be dead are never moved without a fence: two copies could run.",
)
FORCED_DOWN = Worry(
    "forced-down",
    "its service was forced down",
    "`openstack compute service set --up {host} nova-compute`, once it is certain what runs there",
    "Somebody told Nova that the node is fenced: its servers may be running elsewhere already.",
)
CLAIMED = Worry(
    "claimed",
    "it is disabled already: {text}",
    "settle it with whoever disabled it, then "
    "`openstack compute service set --enable {host} nova-compute` and plan again",
    "The reason of a disabled service is its owner's claim; another's claim is never taken over.",
)
RUN_UNFINISHED = Worry(
    "run-unfinished",
    "run `{run}` of {operator} has it, and is {state}",
    "`stackward run resume {run}` carries that run on",
    "A node is one run's at a time, and that one can still end what it began.",
)
RUN_GOES_ON = Worry(
    "run-goes-on",
    "run `{run}` of {operator} has it, and goes on",
    "`stackward run watch {run}` follows it to its end; then plan again",
    "A node is one run's at a time.",
)
CAME_BACK = Worry(
    "came-back",
    "is on `{node}`, which run `{run}` of {operator} on {machine} took out of service",
    "see there that the run is over (`stackward run show {run}`); then "
    "`stackward node return {node}` and drain it again; or pass `--leave-behind {id}`",
    "A node in maintenance is expected to be empty; whoever put a server there must know of it.",
)
IDENTITY_REMEMBERED = Worry(
    "identity-remembered",
    "it does not answer; it is taken for Nova's `{host}` by what it called itself at {at}",
    "make sure that it is that machine: its console shows the host name; then give it Nova's name "
    "or `host_ip` in the inventory",
    "What a node said while it lived may be out of date: the machine may have been replaced.",
)
DOMAINS_UNREAD = Worry(
    "domains-unread",
    "its guests cannot be read: {why}",
    f"{SEE_LIBVIRT}; then plan again",
    "What libvirt runs is compared with what Nova believes before anything is moved.",
)
DOMAINS_UNREACHED = Worry(
    "domains-unreached",
    "Nova hears from it, but its guests cannot be read: {why}",
    "{way}; then plan again",
    "What libvirt runs is compared with what Nova believes before anything is moved.",
)
VIRSH_MISSING = Worry(
    "virsh-missing",
    f"its guests cannot be read: {NO_VIRSH}",
    f"{INSTALL_VIRSH}; then plan again",
    "What libvirt runs is compared with what Nova believes before anything is moved. It is asked "
    "with `virsh --readonly`, which needs no rights.",
)
STRAY_DOMAIN = Worry(
    "stray-domain",
    "libvirt has the guest {domain} ({state}), which is not a server of this node",
    "look first whose it is and where else it runs (`openstack server show {server}`, "
    "`virsh list --uuid` there); only one that Nova does not know, or of which the server's own "
    "node runs another, is shut down with `virsh shutdown {domain}`, and where it does not obey "
    "ended with `virsh destroy {domain}`; then plan again",
    "Moving the servers would not move it, and a power-off would end it.",
)
INCOMING = Worry(
    "incoming-migration",
    "migration {migration} of server {server} is on its way here ({status})",
    "wait until it has ended, then plan again; one that never will is named by a plan five minutes "
    "later",
    "It would arrive in the middle of the drain.",
)
STUCK_MIGRATION = Worry(
    "stuck-migration",
    "migration {migration} of server {server} is `{status}`, but that server is not migrating",
    "plan again in five minutes: what goes on will have ended, and what does not is named then, "
    "if libvirt on both nodes answers",
    "Either it is about to end, or it is the trace of a lost message.",
)
STUCK = Worry(
    "stuck",
    "is stuck ({state}): {reason}",
    "{remedy}; then plan again",
    "A move that nobody works on never ends by itself; see the stuck states.",
)
STALE_RECORD = Worry(
    "stale-record",
    "{server}: {reason}",
    "",
    "Nova has no call that closes it, and nothing of Nova acts on it; libvirt has no job.",
)
AWAITS_CONFIRMATION = Worry(
    "awaits-confirmation",
    "{server} was resized away from here and is not confirmed",
    "ask its owner whether it works: `openstack server resize confirm {server_id}` removes what is "
    "here, `openstack server resize revert {server_id}` brings it back; then plan again",
    "Confirming needs this node's nova-compute, and its old disk is still here.",
)
NOT_A_UNIT = Worry(
    "not-a-unit",
    "nova-compute cannot be kept off: {what}",
    "pass `--keep-service`; once the node is empty, stop nova-compute by what manages it there",
    "A drain stops and masks the unit nova-compute.service. systemd also masks a unit that does "
    "not exist, and what runs outside it goes on.",
)
KEEPING_OFF_UNSEEN = Worry(
    "keeping-off-unseen",
    "whether its nova-compute can be kept off could not be read: {why}",
    "see `ps` and `systemctl status nova-compute` there; or pass `--keep-service`",
    "Off is proved by its processes: those in containers are seen by no unit.",
)
HAS_ROLE = Worry(
    "has-role",
    "it is also: {role}; {effect}",
    "{remedy}",
    "Moving the servers away does not move what else the machine does.",
)
INSTANCE_HA = Worry(
    "instance-ha",
    "the instance-HA service could not be asked about it, and may evacuate a node that goes down "
    "on purpose: {why}",
    "tell it: `openstack segment host update --on_maintenance True SEGMENT {host}` "
    "(`openstack segment list` has its SEGMENT)",
    "Robots that restart servers fight planned work.",
)
FOREIGN_ALLOCATION = Worry(
    "foreign-allocation",
    "placement keeps {amount} there for {consumer}, which is neither a server of it nor a move",
    "see `nova-manage placement audit`; twice, some minutes apart",
    "The node would not be empty in the books, and the final proof would say so.",
)


KNOWN_BY = "known by what it said of itself at"


def judge_identity(node: ComputeNode | ReturningNode) -> Iterator[Verdict]:
    """Say by what old word a node is known that cannot be asked now."""
    if node.identified_at:
        at = in_utc(node.identified_at)
        yield IDENTITY_REMEMBERED.warns(node.name, host=node.host, at=at)


def identity_told(node: ComputeNode | ReturningNode) -> dict[str, Json]:
    """Return the fact of a plan that says so: one that is blocked shows facts, and no warning."""
    if node.identified_at is None:
        return {}
    return {KNOWN_BY: node.identified_at.isoformat(timespec="seconds")}


def judge_service(node: ComputeNode) -> Iterator[Verdict]:
    """Ask whether the node is alive and nobody else's."""
    service = node.service
    yield from judge_identity(node)
    if node.is_in_maintenance:
        return  # its service is kept off; what it runs nevertheless is for the proofs to find
    if service.is_forced_down:
        yield FORCED_DOWN.blocks(node.name, host=node.host)
    else:
        yield from _judge_life(node)
    if claim := node.claim:
        goes_on = node.claiming_run is RunState.RUNNING
        worry = RUN_GOES_ON if goes_on else RUN_UNFINISHED
        yield worry.blocks(
            node.name, run=claim.run, operator=claim.operator, state=node.claiming_run
        )
    elif not service.is_enabled and read_claim(service.disabled_reason) is None:
        text = service.disabled_reason or "without a reason"
        yield CLAIMED.blocks(node.name, host=node.host, text=text)


def _judge_life(node: ComputeNode) -> Iterator[Blocked]:
    """Tell a machine that may be dead from one that answers, and whose guests are not read."""
    unread = node.domains if isinstance(node.domains, Unread) else None
    if not node.service.is_up and unread and unread.may_be_dead:
        yield NODE_DEAD.blocks(node.name, why=unread.why, way=way_to(unread))
        return
    if not node.service.is_up:
        yield NODE_DOWN.blocks(node.name)
    if unread and unread.may_be_dead:
        yield DOMAINS_UNREACHED.blocks(node.name, why=unread.why, way=way_to(unread))
    elif unread:
        lacks = unread.by is Hindrance.LACKING
        worry = VIRSH_MISSING if lacks else DOMAINS_UNREAD
        yield worry.blocks(node.name, why=unread.why)


def judge_returned(node: ComputeNode, claim: Claim, expected: Collection[str]) -> Iterator[Verdict]:
    """Name the servers that are on a node in maintenance, but for those expected there."""
    for server in node.servers:
        if server.id not in expected:
            yield CAME_BACK.blocks(
                server.label,
                server.id,
                node=node.name,
                run=claim.run,
                operator=claim.operator,
                machine=claim.machine,
            )


def judge_guests(node: ComputeNode) -> Iterator[Verdict]:
    """Look for guests that Nova does not place here."""
    if isinstance(node.domains, Unread):
        return
    known = {server.id for server in node.servers}
    known |= {server.id for server, _ in node.resizing_away}
    known |= {migration.server for migration in node.migrations}
    for domain in node.domains:
        if domain.server not in known:
            yield STRAY_DOMAIN.blocks(
                node.name, domain=domain.name, state=domain.state, server=domain.server
            )


def judge_migrations(node: ComputeNode) -> Iterator[Verdict]:
    """Look for moves that are under way, or that look so."""
    busy = {server.id for server in node.servers if server.task_state is not None}
    for migration in node.migrations:
        words = {
            "migration": str(migration.id),
            "server": migration.server,
            "status": migration.status,
        }
        standstill = node.standstills.get(migration.server)
        stuck = find_stuck(standstill) if standstill and migration.server not in busy else None
        if stuck:
            yield _judge_stuck(node, migration.server, stuck)
        elif migration.source != node.host:
            yield INCOMING.blocks(node.name, "", **words)
        elif migration.server not in busy:
            yield STUCK_MIGRATION.blocks(node.name, "", **words)
    for server, _ in node.resizing_away:
        yield AWAITS_CONFIRMATION.blocks(node.name, server=server.label, server_id=server.id)


def _judge_stuck(node: ComputeNode, server: str, stuck: Stuck) -> Verdict:
    if stuck.state is RECORD_ONLY:
        return STALE_RECORD.warns(node.name, "", server=server, reason=stuck.reason)
    return STUCK.blocks(
        server, server, state=stuck.state.name, reason=stuck.reason, remedy=stuck.remedy
    )


def judge_keeping_off(node: ComputeNode) -> Iterator[Verdict]:
    """Ask whether stopping the unit nova-compute.service will stop nova-compute, and be seen to."""
    running = node.running_as
    if running is None or not node.service.is_up:
        return  # a node that is down is blocked for that
    if isinstance(running, Unread):
        yield KEEPING_OFF_UNSEEN.warns(node.name, why=running.why)
    elif elsewhere := running.outside:
        yield NOT_A_UNIT.blocks(node.name, what=f"its nova-compute is run {elsewhere[0].words}")
    elif running.unit_load == "not-found":
        yield NOT_A_UNIT.blocks(node.name, what="systemd there has no unit `nova-compute.service`")
    elif not running.processes:
        why = "no process of it was found there, although Nova hears from it"
        yield KEEPING_OFF_UNSEEN.warns(node.name, why=why)


def judge_surroundings(node: ComputeNode) -> Iterator[Verdict]:
    """Tell what else hangs on the machine."""
    for role in node.roles:
        yield HAS_ROLE.warns(node.name, role=role.name, effect=role.effect, remedy=role.remedy)
    if isinstance(node.guarded, Unread):
        yield INSTANCE_HA.warns(node.name, host=node.host, why=node.guarded.why)
    known = {server.id for server in node.servers}
    known |= {server.id for server, _ in node.resizing_away}
    known |= {migration.uuid for _, migration in node.resizing_away}
    known |= {each for move in node.migrations for each in (move.uuid, move.server)}
    for consumer, resources in sorted(node.provider.allocations.items()):
        if consumer not in known:
            amount = ", ".join(f"{much} {what}" for what, much in sorted(resources.items()))
            yield FOREIGN_ALLOCATION.warns(node.name, consumer=consumer, amount=amount)
