"""What else is on a node before it is emptied or rebooted: guests, moves, other roles."""

from collections.abc import Iterator

from stackward.model.node import ComputeNode
from stackward.model.unread import Unread
from stackward.plan import Verdict
from stackward.policy.node import STUCK
from stackward.policy.rule import Rule
from stackward.status.stuck import RECORD_ONLY, Stuck, find_stuck

STRAY_DOMAIN = Rule(
    "stray-domain",
    "libvirt has the guest {domain} ({state}), which is not a server of this node",
    "look first whose it is and where else it runs (`openstack server show {server}`, "
    "`virsh list --uuid` there); shut it down only if Nova does not know it, or if the server's "
    "own node runs another guest of it: `virsh shutdown {domain}`, and if it does not obey "
    "`virsh destroy {domain}`; then plan again",
    "Moving the servers would not move it, and a power-off would end it.",
)
INCOMING = Rule(
    "incoming-migration",
    "migration {migration} of server {server} is on its way here ({status})",
    "wait until it has ended, then plan again; if it never ends, a plan five minutes later names "
    "the cause",
    "It would arrive in the middle of the drain.",
)
STUCK_MIGRATION = Rule(
    "stuck-migration",
    "migration {migration} of server {server} is `{status}`, but that server is not migrating",
    "plan again in five minutes: it will have ended by then, or the plan names the cause, if "
    "libvirt on both nodes answers",
    "Either it is about to end, or a message was lost.",
)
STALE_RECORD = Rule(
    "stale-record",
    "{server}: {reason}",
    "",
    "Nova has no call that closes this record, and nothing in Nova acts on it; libvirt has no job.",
)
AWAITS_CONFIRMATION = Rule(
    "awaits-confirmation",
    "{server} was resized away from here and is not confirmed",
    "ask its owner whether it works: `openstack server resize confirm {server_id}` removes what is "
    "here, `openstack server resize revert {server_id}` brings it back; then plan again",
    "The confirmation needs this node's nova-compute, and its old disk is still here.",
)
HAS_ROLE = Rule(
    "has-role",
    "it is also: {role}; {effect}",
    "{remedy}",
    "A drain moves only servers: the other services of the machine stay on it.",
)
INSTANCE_HA = Rule(
    "instance-ha",
    "the instance-HA service could not be asked about it, and may evacuate a node that goes down "
    "on purpose: {why}",
    "set its maintenance yourself: `openstack segment host update --on_maintenance True SEGMENT "
    "{host}` (`openstack segment list` has its SEGMENT)",
    "A service that restarts servers by itself works against planned maintenance.",
)
FOREIGN_ALLOCATION = Rule(
    "foreign-allocation",
    "placement keeps {amount} there for {consumer}, which is neither a server of it nor a move",
    "run `nova-manage placement audit` twice, some minutes apart",
    "For placement the node would not be empty, and the final proof would say so.",
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
        stalled = node.stalled_moves.get(migration.server)
        stuck = find_stuck(stalled) if stalled and migration.server not in busy else None
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


def judge_surroundings(node: ComputeNode) -> Iterator[Verdict]:
    """Report what else depends on the machine."""
    for role in node.roles:
        yield HAS_ROLE.warns(node.name, role=role.name, effect=role.effect, remedy=role.remedy)
    if isinstance(node.ha_hosts, Unread):
        yield INSTANCE_HA.warns(node.name, host=node.host, why=node.ha_hosts.why)
    for consumer in foreign_consumers(node):
        resources = sorted(node.provider.allocations[consumer].items())
        amount = ", ".join(f"{much} {what}" for what, much in resources)
        yield FOREIGN_ALLOCATION.warns(node.name, consumer=consumer, amount=amount)


def foreign_consumers(node: ComputeNode) -> tuple[str, ...]:
    """Return who holds allocations there and is neither a server of the node nor a move."""
    known = {server.id for server in node.servers}
    known |= {server.id for server, _ in node.resizing_away}
    known |= {migration.uuid for _, migration in node.resizing_away}
    known |= {each for move in node.migrations for each in (move.uuid, move.server)}
    return tuple(sorted(set(node.provider.allocations) - known))
