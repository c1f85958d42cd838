"""Where a server of a dead node may go, and which disk Nova will give it there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stackward.model.node import ComputeNode
from stackward.model.placement import Candidate
from stackward.model.server import Server
from stackward.model.unread import Unread
from stackward.operations.evacuate_compute_node import rules
from stackward.operations.evacuate_compute_node.copies import ended
from stackward.operations.evacuate_compute_node.facts import Leaving, OtherNode
from stackward.operations.evacuate_compute_node.old_copy import seen_on, why_doubted
from stackward.plan import Blocked, Verdict
from stackward.requests.evacuate_compute_node import EvacuateRequest
from stackward.status.evacuated import Promised
from stackward.wording import in_size, in_utc


@dataclass(frozen=True, slots=True)
class Lacking:
    """Why a node cannot take a server with its disk, by the rule that says so."""

    rule: str  # its name, without the subject
    why: str


def places_of(
    server: Server, facts: Leaving, asked: EvacuateRequest, candidates: Sequence[Candidate]
) -> tuple[list[Verdict], dict[str, Promised]]:
    """Return the nodes that may take it, each with its disk there; or what blocks all of them."""
    unfit: dict[str, str] = {}
    disks: dict[str, Promised | Lacking] = {}
    for each in candidates:
        host = each.host or each.name
        other = facts.others.get(host)
        if (why := _why_not(other, facts.node)) is not None or other is None:
            unfit[host] = why or "Nova has no such compute node"
        else:
            disks[host] = disk_on(server, other, facts)
    if not disks:
        why = "; ".join(f"`{host}`: {said}" for host, said in sorted(unfit.items()))
        way = "make it answer, or bring another node into service"
        return [rules.NO_TARGET.blocks(server.label, server.id, why=why, way=way)], {}
    # A guest that is ended first holds the lock until then; before the request it is asked again.
    is_held = any(ended(server, facts, asked))
    if not is_held and (locked := _locked(server, facts, disks)) is not None:
        return [locked], {}
    for best in (Promised.OWN, Promised.VOLUMES):
        found: dict[str, Promised] = {host: best for host, one in disks.items() if one is best}
        if found and best is Promised.OWN:
            return _with_own(server, facts, asked, found)
        if found:
            return [*_needless(server, asked)], found
    return _without_disk(server, facts, asked, disks)


def _without_disk(
    server: Server,
    facts: Leaving,
    asked: EvacuateRequest,
    disks: Mapping[str, Promised | Lacking],
) -> tuple[list[Verdict], dict[str, Promised]]:
    """Judge a server whose disk no node sees: it is given up, or it stays."""
    blank = {host: one for host, one in disks.items() if isinstance(one, Promised)}
    if server.id in asked.accept_data_loss and blank:
        seen = _seen(server, facts)
        return [rules.DATA_LOST.warns(server.label, server.id, seen=seen)], blank
    lacking = [(host, one) for host, one in disks.items() if isinstance(one, Lacking)]
    named = {"disk-broken": rules.DISK_BROKEN, "disk-unread": rules.DISK_UNREAD}
    # Where somebody sees a part of it, that is said first: giving it up is the last way.
    for host, one in lacking:
        return [named[one.rule].blocks(server.label, server.id, where=host, why=one.why)], {}
    return [rules.LOCAL_DISK.blocks(server.label, server.id, seen=_seen(server, facts))], {}


def _locked(
    server: Server, facts: Leaving, disks: Mapping[str, Promised | Lacking]
) -> Blocked | None:
    """Refuse a server whose disk somebody has open, once its own node cannot be the one."""
    if not facts.is_off:
        return None
    for host in disks:
        seen = seen_on(server, facts.others[host])
        if seen.locked:
            return rules.LOCKED.blocks(
                server.label, server.id, where=host, disks=", ".join(seen.locked)
            )
    return None


def locked_disks(facts: Leaving) -> Iterator[tuple[str, str]]:
    """Return each server of the node whose disk somebody has open, with the node that sees it."""
    for server in facts.node.servers:
        for host, other in facts.others.items():
            if seen_on(server, other).locked:
                yield server.label, host


def _with_own(
    server: Server, facts: Leaving, asked: EvacuateRequest, found: Mapping[str, Promised]
) -> tuple[list[Verdict], dict[str, Promised]]:
    """Return those of the nodes that see its disk where it is known not to be an old copy."""
    doubted = {host: why for host in found if (why := why_doubted(server, host, facts))}
    known = {host: one for host, one in found.items() if host not in doubted}
    if known:
        return [*_needless(server, asked)], known
    host, why = min(doubted.items())
    said = {"where": host, "path": seen_on(server, facts.others[host]).path, "why": why}
    if server.id in asked.accept_data_loss:
        return [rules.COPY_TAKEN.warns(server.label, server.id, **said)], {**found}
    seen = _seen(server, facts)
    return [rules.DISK_APART.blocks(server.label, server.id, seen=seen, **said)], {}


def _needless(server: Server, asked: EvacuateRequest) -> Iterator[Blocked]:
    if server.id in asked.accept_data_loss:
        yield rules.UNNEEDED.blocks(
            server.label, server.id, flag="--accept-data-loss", why="it keeps its disks"
        )


def _why_not(  # noqa: PLR0911  # one a reason
    other: OtherNode | None, node: ComputeNode
) -> str | None:
    """Say why another node may take no server at all."""
    if other is None:
        return "Nova has no such compute node"
    if other.has_domains != node.hypervisor.has_domains:
        return "its hypervisor is of another kind"
    if not other.is_up:
        return "its nova-compute is down"
    if isinstance(other.domains, Unread):
        return f"its guests cannot be read ({other.domains.why})"
    if not other.has_domains:
        return None
    if isinstance(other.running_as, Unread):
        return f"how nova-compute runs there cannot be read ({other.running_as.why})"
    if other.running_as is None or other.running_as.outside:
        words = other.running_as.outside[0].words if other.running_as else "nowhere"
        return f"its nova-compute runs {words}: which disk it used could not be proved"
    return None


def disk_on(  # noqa: PLR0911  # one a case
    server: Server, other: OtherNode, facts: Leaving
) -> Promised | Lacking:
    """Say which disk Nova will give the server there; after nova 31.0, `instance_on_disk`."""
    flavor = server.flavor
    if not other.has_domains:
        return Promised.VOLUMES  # nothing of it is real
    if not (server.has_image or flavor.ephemeral_gib or flavor.swap_mib):
        return Promised.VOLUMES
    if isinstance(other.disks, Unread):
        return Lacking("disk-unread", other.disks.why)
    seen = other.disks.get(server.id)
    if seen is None or seen.unread:
        return Lacking("disk-unread", seen.unread or "it was not asked" if seen else "not asked")
    if seen.path is None:
        return _in_ceph(server, other, facts)
    if seen.is_writable is None:
        return Lacking("disk-unread", f"whether nova may write to {seen.path} is not known")
    if not seen.is_writable:
        return Lacking("disk-broken", f"nova may not write to {seen.path}")
    if why := seen.lacks(with_root=server.has_image):
        return Lacking("disk-broken", why)
    return Promised.OWN


def _in_ceph(server: Server, other: OtherNode, facts: Leaving) -> Promised | Lacking:
    domains = () if isinstance(other.domains, Unread) else other.domains
    is_ceph = any(
        f"/{each.server}_disk" in (disk.path or "") and not (disk.path or "").startswith("/")
        for each in domains
        for disk in each.disks
    )
    if not is_ceph:
        return Promised.BLANK
    last = facts.last_seen.get(server.id)
    if last and last.paths and not any(path.startswith("/") for path in last.paths):
        return Promised.OWN
    return Lacking("disk-broken", "disks there are in Ceph, and its own was not seen there")


def _seen(server: Server, facts: Leaving) -> str:
    last = facts.last_seen.get(server.id)
    flavor = server.flavor
    most = flavor.disk_gib + flavor.ephemeral_gib
    if last is None:
        return f"up to {most} GiB; no look has seen how much, nor when it was written last"
    return f"{in_size(last.size_bytes)}, as seen at {in_utc(last.at)}"
