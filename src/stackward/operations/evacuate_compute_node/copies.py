"""One living copy: where else a guest of a server may be, and what is known of that.

A guest elsewhere blocks; so does a node that its records name and that cannot be read, unless it is
proved to have no power.
"""

from collections.abc import Iterator, Mapping, Sequence

from stackward.checks.node_power import IsPoweredOff, NoSignOfLife
from stackward.model.server import Server
from stackward.model.unread import Unread
from stackward.moving.fencing import proofs_of_death
from stackward.operations.evacuate_compute_node import rules
from stackward.operations.evacuate_compute_node.facts import Leaving
from stackward.operations.evacuate_compute_node.off_too import OffToo
from stackward.plan import Check, Verdict
from stackward.ports.world import World
from stackward.status.evacuated import destinations


def judge_copies(server: Server, facts: Leaving) -> Iterator[Verdict]:
    """Ask where a guest of it is, or may be."""
    for host, other in facts.others.items():
        if isinstance(other.domains, Unread):
            continue
        for domain in other.domains:
            if domain.server == server.id:
                yield rules.LIVING_COPY.blocks(
                    server.label, server.id, where=host, state=domain.state
                )
    for target, record in destinations(facts.records.get(server.id, ()), facts.node.host):
        seen = facts.others.get(target)
        unread = Unread("Nova has no such compute node") if seen is None else seen.domains
        if not isinstance(unread, Unread):
            continue
        said = {"record": record.id, "kind": record.kind, "status": record.status, "where": target}
        off = seen.off if seen else None
        if isinstance(off, OffToo):
            yield rules.OFF_TOO.warns(server.label, server.id, how=off.words, **said)
            continue
        why = unread.why if off is None else f"{unread.why}; {off.why}"
        yield rules.COPY_UNREAD.blocks(server.label, server.id, why=why, **said)


def off_too(server: Server, facts: Leaving) -> Mapping[str, OffToo]:
    """Return the hosts that its records name and that have no power."""
    named = (host for host, _ in destinations(facts.records.get(server.id, ()), facts.node.host))
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
