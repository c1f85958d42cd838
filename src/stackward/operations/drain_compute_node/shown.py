"""What the plan of a drain shows: the facts that it keeps, and its notices."""

from collections.abc import Iterator

from stackward.model.node import ComputeNode
from stackward.moving.leaving_servers import Judged
from stackward.operations.drain_compute_node.undone import Undone
from stackward.plan import Json, Move
from stackward.policy.capacity import in_units
from stackward.policy.compute import Way
from stackward.policy.node import identity_told
from stackward.ports.world import World
from stackward.requests.drain_compute_node import DrainRequest
from stackward.wording import count_of, first_of

_NAMED = 6  # servers of one kind; more are counted


def facts_shown(
    facts: ComputeNode, asked: DrainRequest, judged: list[Judged], moves: tuple[Move[World], ...]
) -> dict[str, Json]:
    """Return the facts that the plan keeps, by the names under which they are stored."""
    return {
        "node": facts.name,
        "host": facts.host,
        **identity_told(facts),
        "zone": facts.zone,
        "read at": facts.read_at.isoformat(timespec="seconds"),
        "hypervisor": facts.hypervisor.kind,
        "servers": len(facts.servers),
        "of other projects": _others(facts, asked),
        "moves": len(moves),
        "blocked": sum(each.is_blocked for each in judged),
        "usage": in_units(facts.provider.usages),
        "roles": [role.name for role in facts.roles],
    }


def taken_over(undone: Undone | None) -> Iterator[str]:
    """Say from which run the node is taken over, and what is missing."""
    if undone:
        run, operator = undone.claim.run, undone.claim.operator
        yield f"taken over from run `{run}` of {operator}, which has left undone: {undone.words}"


def notices(judged: list[Judged], facts: ComputeNode, asked: DrainRequest) -> Iterator[str]:
    """Say what users of the servers will notice."""
    going = [each for each in judged if not each.is_blocked]
    live = [each for each in going if each.way is Way.LIVE]
    running = [each for each in live if each.server.status == "ACTIVE"]
    cold = [each for each in going if each.way is Way.COLD]
    paused = [each.server.label for each in live if each not in running]
    stopping = [each.server.label for each in cold if each.server.status == "ACTIVE"]
    stopped = [each.server.label for each in cold if each.server.status != "ACTIVE"]
    if running:
        yield f"running on while they move, with a short pause at the end: {_servers(len(running))}"
    if paused:
        yield f"paused, and they stay paused: {first_of(paused, _NAMED)}"
    if stopped:
        yield f"off now; nobody should start them while they move: {first_of(stopped, _NAMED)}"
    if stopping:
        yield f"stopped for the time of their move: {', '.join(stopping)}"
    if any(each.server.volume_ids for each in going):
        yield "attached volumes stay attached; they cannot be detached during the move"
    if others := _others(facts, asked):
        yield f"of other projects, and left alone: {_servers(others)}"
    yield f"no new server is placed on `{facts.name}` from the cordon on"


def _others(facts: ComputeNode, asked: DrainRequest) -> int:
    """Count the servers that stay because they are of other projects."""
    here = [
        each for each in facts.servers if asked.projects and each.id not in asked.how.leave_behind
    ]
    return sum(not asked.takes(each) for each in here)


def _servers(count: int) -> str:
    return count_of(count, "server")
