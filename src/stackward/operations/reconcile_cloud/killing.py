"""Which guests a repair ends: those that were named, and only where another is proved to run.

The guest that is left must be where Nova has its server, and all other witnesses have it there too.
A server that Nova does not have must be known to have been deleted. What is unread ends nothing.
"""

from collections.abc import Iterator

from stackward.health.disagreements import TWICE, Index
from stackward.model.disagreement import Case
from stackward.model.domain import Domain
from stackward.model.evacuation import on_their_source
from stackward.model.server import Server
from stackward.model.testimony import CloudTestimony, HostTestimony, Source
from stackward.model.unread import Unread
from stackward.operations.reconcile_cloud.facts import DELETED, KILLS, ReconcileFacts, names_guest
from stackward.operations.reconcile_cloud.rules import (
    MAY_NOT_END,
    NO_SUCH_GUEST,
    NOT_DELETED,
    NOT_NAMED,
    NOT_PROVED_TO_RUN,
    OWN_GUEST,
    UNREAD,
    WITNESSES_DIFFER,
)
from stackward.plan import Blocked, Warned
from stackward.requests.reconcile_cloud import ReconcileRequest

_RUNS = "running"
_ALL = "all nodes"


def ended_hosts(
    testimony: CloudTestimony, case: Case, asked: ReconcileRequest
) -> tuple[HostTestimony, ...]:
    """Return the nodes whose guest of a case is named to be ended."""
    places = case.hosts if case.name == TWICE else (case.place,)
    return tuple(
        one
        for one in testimony.hosts
        if one.host in places and names_guest(asked, one, case.thing_id)
    )


def ended_by(asked: ReconcileRequest, testimony: CloudTestimony) -> Iterator[tuple[str, str]]:
    """Return each guest that is named, as its server and its host; also one that is gone by now."""
    for given in asked.kill_domain:
        node, _, server = given.rpartition("/")
        for one in testimony.hosts:
            if node in {one.host, one.node}:
                yield server, one.host


def guest_on(one: HostTestimony, server: str) -> Domain | None:
    """Return the guest of a server on a node."""
    domains = one.domains if isinstance(one.domains, tuple) else ()
    return next((each for each in domains if each.server == server), None)


def judge_named(facts: ReconcileFacts, asked: ReconcileRequest) -> Iterator[Blocked]:
    """Ask of each guest that is named whether it is one of a case."""
    testimony = facts.found.testimony
    known = {
        given
        for case in facts.found.cases
        if case.name in asked.classes and case.name in KILLS
        for one in ended_hosts(testimony, case, asked)
        for given in (f"{one.host}/{case.thing_id}", f"{one.node}/{case.thing_id}")
    }
    for given in asked.kill_domain:
        if given not in known:
            yield NO_SUCH_GUEST.blocks(given, given, given=given)


def judge_kill(facts: ReconcileFacts, asked: ReconcileRequest, case: Case) -> Warned | None:
    """Say why the guests of a case that are named are not ended; None where they may be."""
    index = Index(facts.found.testimony)
    named = ended_hosts(index.testimony, case, asked)
    if not named:
        where = next(iter(_elsewhere(index, case)), case.place or "NODE")
        return NOT_NAMED.warns(case.thing, case.thing_id, where=where)
    if (unread := _unread(index)) is not None:
        return UNREAD.warns(case.thing, case.thing_id, who=unread[0], host=unread[1])
    for one in named:
        if (why := facts.may_end.get(one.host)) is not None:
            return MAY_NOT_END.warns(case.thing, case.thing_id, where=one.host, why=why.why)
    hosts = [one.host for one in named]
    if case.name == DELETED:
        return _judge_deleted(facts, case, ", ".join(hosts))
    return _judge_living(index, case, hosts)


def _judge_living(index: Index, case: Case, hosts: list[str]) -> Warned | None:
    """Say why the guest that would be left is not known to be the living one."""
    server, where = index.testimony.servers.get(case.thing_id), ", ".join(hosts)
    if server is not None and server.host in hosts:
        return OWN_GUEST.warns(case.thing, case.thing_id, where=server.host)
    if (says := _not_running(index, server)) is not None:
        return NOT_PROVED_TO_RUN.warns(case.thing, case.thing_id, where=where, says=says)
    if server is not None and (says := next(_differing(index, server), None)) is not None:
        return WITNESSES_DIFFER.warns(case.thing, case.thing_id, where=where, says=says)
    return None


def _elsewhere(index: Index, case: Case) -> Iterator[str]:
    """Return the nodes of a case on which Nova does not have the server."""
    server = index.testimony.servers.get(case.thing_id)
    own = server.host if server else None
    yield from (host for host in case.hosts if host != own)


def _unread(index: Index) -> tuple[str, str] | None:
    """Return a witness that could not be read, and where: it may know of another guest."""
    if not index.testimony.is_whole:
        return Source.NOVA.value, _ALL
    found = index.testimony.unread()
    return next(((who.value, host or _ALL) for who, host, _ in found), None)


def _judge_deleted(facts: ReconcileFacts, case: Case, where: str) -> Warned | None:
    said = facts.deletions.get(case.thing_id)
    if isinstance(said, Unread):
        says = f"Nova's action log cannot be read: {said.why}"
    elif not said:
        says = "Nova's action log has no deletion of it that succeeded"
    else:
        return None
    return NOT_DELETED.warns(case.thing, case.thing_id, where=where, says=says)


def _not_running(index: Index, server: Server | None) -> str | None:
    """Say why the guest where Nova has its server is not known to be the living one."""
    if server is None:
        return "Nova has no such server"
    if server.host is None:
        return f"Nova has it as {server.status}, on no node"
    domain = index.domain_of(server)
    if domain is None:
        return f"libvirt of `{server.host}` has no guest of it"
    if domain.state != _RUNS or server.status != "ACTIVE":
        return f"on `{server.host}` it is {server.status} to Nova, and its guest is {domain.state}"
    return None


def _differing(index: Index, server: Server) -> Iterator[str]:
    """Say which witness does not have it where Nova has it, or that a move of it is open."""
    own = server.host or ""
    if not index.is_settled(server):
        yield "a move of it is open, or Nova is at work on it"
    if any(
        one.record.server == server.id
        for one in on_their_source(index.testimony.records, index.testimony.servers)
    ):
        yield f"its evacuation from `{own}` is open, so nova-compute there destroys it as it starts"
    if own not in index.holders.get(server.id, ()):
        yield f"it holds no allocations on `{own}`"
    yield from _bound_elsewhere(index, server, own)
    yield from _attached_elsewhere(index, server, own)


def _bound_elsewhere(index: Index, server: Server, own: str) -> Iterator[str]:
    for one in index.testimony.hosts:
        for port in one.ports if isinstance(one.ports, tuple) else ():
            if port.server == server.id and port.host != own:
                yield f"Neutron has its port {port.id} bound on `{port.host or 'no host'}`"


def _attached_elsewhere(index: Index, server: Server, own: str) -> Iterator[str]:
    attached = index.attached.get(server.id, {})
    for volume, host in attached.items():
        if host not in {own, None}:
            yield f"Cinder has its volume {volume} attached on `{host}`"
    if index.volumes is not None:
        for volume in sorted({*server.volume_ids} - attached.keys()):
            yield f"Cinder does not have its volume {volume} attached to it"
