"""One living copy: where else a guest of a server may be, and what is known of that.

A guest elsewhere blocks; so does a node that its records name and that cannot be read, unless it is
proved to have no power.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stackward.checks.node_power import IsPoweredOff, NoSignOfLife
from stackward.model.domain import Domain
from stackward.model.migration import Migration
from stackward.model.server import Server
from stackward.model.unread import Unread
from stackward.moving.fencing import proofs_of_death
from stackward.operations.evacuate_compute_node import rules
from stackward.operations.evacuate_compute_node.facts import Leaving, OtherNode
from stackward.operations.evacuate_compute_node.off_too import OffToo
from stackward.plan import Check, Verdict
from stackward.ports.world import World
from stackward.requests.evacuate_compute_node import EvacuateRequest
from stackward.status.evacuated import destinations, telling


def judge_copies(server: Server, facts: Leaving, asked: EvacuateRequest) -> Iterator[Verdict]:
    """Ask where a guest of it is, or may be."""
    for other, domain in _copies(server, facts):
        said = {"where": other.host, "state": domain.state}
        if not is_to_be_ended(other, server, asked):
            yield rules.LIVING_COPY.blocks(server.label, server.id, **said)
        elif other.may_end is not None:
            why = other.may_end.why
            yield rules.MAY_NOT_END.blocks(server.label, server.id, why=why, **said)
        else:
            yield rules.GUEST_ENDED.warns(server.label, server.id, **said)
    for target, record in _destinations(server, facts):
        seen = facts.others.get(target)
        unread = Unread("Nova has no such compute node") if seen is None else seen.domains
        if not isinstance(unread, Unread):
            continue
        by: dict[str, Any] = {
            "record": record.id,
            "kind": record.kind,
            "status": record.status,
            "where": target,
        }
        off = seen.off if seen else None
        if isinstance(off, OffToo):
            yield rules.OFF_TOO.warns(server.label, server.id, how=off.words, **by)
            continue
        why = unread.why if off is None else f"{unread.why}; {off.why}"
        yield rules.COPY_UNREAD.blocks(server.label, server.id, why=why, **by)


def _copies(server: Server, facts: Leaving) -> Iterator[tuple[OtherNode, Domain]]:
    for other in facts.others.values():
        for domain in () if isinstance(other.domains, Unread) else other.domains:
            if domain.server == server.id:
                yield other, domain


def is_to_be_ended(other: OtherNode, server: Server, asked: EvacuateRequest) -> bool:
    """Say whether the guest of a server on a node is named to be ended."""
    return not {f"{other.host}/{server.id}", f"{other.node}/{server.id}"}.isdisjoint(
        asked.kill_domain
    )


def judge_ended(facts: Leaving, asked: EvacuateRequest) -> Iterator[Verdict]:
    """Check that each guest to end is there, and belongs to a server that is brought up."""
    known = {
        name
        for server in facts.node.servers
        if asked.takes(server)
        for other, _ in _copies(server, facts)
        for name in (f"{other.host}/{server.id}", f"{other.node}/{server.id}")
    }
    for given in asked.kill_domain:
        if given not in known:
            yield rules.NO_SUCH_GUEST.blocks(facts.node.name, given, given=given)


def ended(
    server: Server, facts: Leaving, asked: EvacuateRequest
) -> Iterator[tuple[OtherNode, Domain]]:
    """Return the guests of a server that are ended, each with its node."""
    for other, domain in _copies(server, facts):
        if other.node is not None and is_to_be_ended(other, server, asked):
            yield other, domain


def _destinations(server: Server, facts: Leaving) -> Iterator[tuple[str, Migration]]:
    return destinations(telling(facts.records.get(server.id, ())), facts.node.host)


def off_too(server: Server, facts: Leaving) -> Mapping[str, OffToo]:
    """Return the hosts that its records name and that have no power."""
    named = (host for host, _ in _destinations(server, facts))
    others = {host: facts.others[host].off for host in named if host in facts.others}
    return {host: off for host, off in others.items() if isinstance(off, OffToo)}


def nodes_off_too(server: Server, facts: Leaving) -> tuple[tuple[str, str], ...]:
    """Return the same, each with its node in the inventory."""
    return tuple((host, off.fence.name) for host, off in off_too(server, facts).items())


def hosts_off_too(facts: Leaving, servers: Sequence[str]) -> tuple[str, ...]:
    """Return the other dead hosts that the records of these servers name."""
    return tuple(sorted(_all_off_too(facts, servers)))


def _all_off_too(facts: Leaving, servers: Sequence[str]) -> Mapping[str, OffToo]:
    moved = (each for each in facts.node.servers if each.id in servers)
    return {host: off for each in moved for host, off in off_too(each, facts).items()}


def proofs_of_others(facts: Leaving, servers: Sequence[str]) -> Iterator[Check[World]]:
    """Return what proves that each other dead node that matters for these servers is dead."""
    for off in _all_off_too(facts, servers).values():
        if off.run:
            yield IsPoweredOff(node=off.fence.name)
            fence = off.fence
            yield NoSignOfLife(
                node=fence.name, host=fence.host, addresses=fence.addresses, peers=fence.peers
            )
        else:
            yield from proofs_of_death(off.fence, off.whose, None)
