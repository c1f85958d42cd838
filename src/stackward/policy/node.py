"""Whether a node may be drained at all, and what taking it away will do."""

from collections.abc import Collection, Iterator

from stackward.model.claim import Claim, read_claim
from stackward.model.maintenance import ReturningNode
from stackward.model.node import ComputeNode
from stackward.model.run import RunState
from stackward.model.unread import Hindrance, Unread
from stackward.model.values import Json
from stackward.plan import Blocked, Verdict
from stackward.policy import worries
from stackward.ports.login import way_to
from stackward.status.stuck import RECORD_ONLY, Stuck, find_stuck
from stackward.wording import in_utc

KNOWN_BY = "known by what it said of itself at"


def judge_identity(node: ComputeNode | ReturningNode) -> Iterator[Verdict]:
    """Say by what old word a node is known that cannot be asked now."""
    if node.identified_at:
        at = in_utc(node.identified_at)
        yield worries.IDENTITY_REMEMBERED.warns(node.name, host=node.host, at=at)


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
        yield worries.FORCED_DOWN.blocks(node.name, host=node.host)
    else:
        yield from _judge_life(node)
    if claim := node.claim:
        goes_on = node.claiming_run is RunState.RUNNING
        worry = worries.RUN_GOES_ON if goes_on else worries.RUN_UNFINISHED
        yield worry.blocks(
            node.name, run=claim.run, operator=claim.operator, state=node.claiming_run
        )
    elif not service.is_enabled and read_claim(service.disabled_reason) is None:
        text = service.disabled_reason or "without a reason"
        yield worries.CLAIMED.blocks(node.name, host=node.host, text=text)


def _judge_life(node: ComputeNode) -> Iterator[Blocked]:
    """Tell a machine that may be dead from one that answers, and whose guests are not read."""
    unread = node.domains if isinstance(node.domains, Unread) else None
    if not node.service.is_up and unread and unread.may_be_dead:
        yield worries.NODE_DEAD.blocks(node.name, why=unread.why, way=way_to(unread))
        return
    if not node.service.is_up:
        yield worries.NODE_DOWN.blocks(node.name)
    if unread and unread.may_be_dead:
        yield worries.DOMAINS_UNREACHED.blocks(node.name, why=unread.why, way=way_to(unread))
    elif unread:
        lacks = unread.by is Hindrance.LACKING
        worry = worries.VIRSH_MISSING if lacks else worries.DOMAINS_UNREAD
        yield worry.blocks(node.name, why=unread.why)


def judge_returned(node: ComputeNode, claim: Claim, expected: Collection[str]) -> Iterator[Verdict]:
    """Name the servers that are on a node in maintenance, but for those expected there."""
    for server in node.servers:
        if server.id not in expected:
            yield worries.CAME_BACK.blocks(
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
            yield worries.STRAY_DOMAIN.blocks(
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
            yield worries.INCOMING.blocks(node.name, "", **words)
        elif migration.server not in busy:
            yield worries.STUCK_MIGRATION.blocks(node.name, "", **words)
    for server, _ in node.resizing_away:
        yield worries.AWAITS_CONFIRMATION.blocks(
            node.name, server=server.label, server_id=server.id
        )


def _judge_stuck(node: ComputeNode, server: str, stuck: Stuck) -> Verdict:
    if stuck.state is RECORD_ONLY:
        return worries.STALE_RECORD.warns(node.name, "", server=server, reason=stuck.reason)
    return worries.STUCK.blocks(
        server, server, state=stuck.state.name, reason=stuck.reason, remedy=stuck.remedy
    )


def judge_keeping_off(node: ComputeNode) -> Iterator[Verdict]:
    """Ask whether stopping the unit nova-compute.service will stop nova-compute, and be seen to."""
    running = node.running_as
    if running is None or not node.service.is_up:
        return  # a node that is down is blocked for that
    if isinstance(running, Unread):
        yield worries.KEEPING_OFF_UNSEEN.warns(node.name, why=running.why)
    elif elsewhere := running.outside:
        yield worries.NOT_A_UNIT.blocks(
            node.name, what=f"its nova-compute is run {elsewhere[0].words}"
        )
    elif running.unit_load == "not-found":
        yield worries.NOT_A_UNIT.blocks(
            node.name, what="systemd there has no unit `nova-compute.service`"
        )
    elif not running.processes:
        why = "no process of it was found there, although Nova hears from it"
        yield worries.KEEPING_OFF_UNSEEN.warns(node.name, why=why)


def judge_surroundings(node: ComputeNode) -> Iterator[Verdict]:
    """Tell what else hangs on the machine."""
    for role in node.roles:
        yield worries.HAS_ROLE.warns(
            node.name, role=role.name, effect=role.effect, remedy=role.remedy
        )
    if isinstance(node.guarded, Unread):
        yield worries.INSTANCE_HA.warns(node.name, host=node.host, why=node.guarded.why)
    known = {server.id for server in node.servers}
    known |= {server.id for server, _ in node.resizing_away}
    known |= {migration.uuid for _, migration in node.resizing_away}
    known |= {each for move in node.migrations for each in (move.uuid, move.server)}
    for consumer, resources in sorted(node.provider.allocations.items()):
        if consumer not in known:
            amount = ", ".join(f"{much} {what}" for what, much in sorted(resources.items()))
            yield worries.FOREIGN_ALLOCATION.warns(node.name, consumer=consumer, amount=amount)
