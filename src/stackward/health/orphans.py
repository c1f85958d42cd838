"""What is left of servers and nodes that are gone: found in what was read.

A node that is switched off looks like one that is gone. So only what the inventory does not name
counts as gone.
"""

from collections.abc import Container, Iterator, Mapping
from datetime import datetime

from stackward.facts.left_behind import LeftBehind, read_left_behind
from stackward.health.agreement import Agreement
from stackward.model.disagreement import Case
from stackward.model.identity import Itself, spelled_as
from stackward.model.orphan import Orphan, OrphanKind, Orphans
from stackward.model.placement import Account
from stackward.model.server import ServerAction
from stackward.model.unread import Unread
from stackward.model.utc_time import utc_time_or_none
from stackward.ports.world import World

GUEST, ALLOCATION, VOLUME = "domain-of-deleted", "allocation-orphan", "attachment-one-sided"
_REPAIR = "stackward cloud reconcile --repair"
_REMOVE = "stackward cloud reconcile --orphans --remove"


def cases_of_orphans(found: Agreement) -> tuple[Case, ...]:
    """Return the disagreements that are about what is left: two looks have seen each."""
    return tuple(
        one
        for one in found.cases
        if one.name in {GUEST, ALLOCATION}
        or (one.name == VOLUME and one.server not in found.testimony.servers)
    )


def read_what_is_left(
    world: World,
    found: Agreement,
    remembered: Mapping[str, Itself],
    only: Container[str] | None = None,
) -> LeftBehind:
    """Read what the cases do not say of it.

    With `only`, only ports with these ids are looked for.
    """
    cases = cases_of_orphans(found)
    return read_left_behind(
        world,
        found.testimony,
        remembered,
        consumers=[one.thing_id for one in cases if one.name == ALLOCATION],
        servers=[one.server for one in cases if one.server],
        only=only,
    )


def find_orphans(found: Agreement, left: LeftBehind) -> Orphans:
    """Return all that is left, and what could not be read."""
    testimony = found.testimony
    unread = [(f"{who.value} of {host or 'all'}", why.why) for who, host, why in testimony.unread()]
    if not testimony.is_whole:
        unread.append(("Nova", "a cell is down: what Nova has there is not known"))
    asked = (("the ports of Neutron", left.ports), ("the agents of Neutron", left.agents))
    unread += [(what, told.why) for what, told in asked if isinstance(told, Unread)]
    return Orphans(
        at=testimony.at,
        found=(
            *(_of_case(one, found, left) for one in cases_of_orphans(found)),
            *_ports(left),
            *_services(left),
            *_agents(left),
        ),
        unread=tuple(unread),
    )


def _of_case(case: Case, found: Agreement, left: LeftBehind) -> Orphan:
    kind, way = {
        GUEST: (
            OrphanKind.GUEST,
            f"`{_REPAIR} {GUEST} --kill-domain {case.place}/{case.thing_id}`",
        ),
        ALLOCATION: (OrphanKind.ALLOCATION, f"`{_REPAIR} {ALLOCATION}`"),
        VOLUME: (
            OrphanKind.VOLUME,
            f"ask its owner; then `{_REMOVE} volume/{case.thing_id}` removes the attachment alone",
        ),
    }[case.name]
    deletion = left.deletions.get(case.server or "")
    by = deletion.user if isinstance(deletion, ServerAction) else None
    return Orphan(
        kind=kind,
        id=case.thing_id,
        server=case.server,
        name=case.thing,
        hosts=case.hosts,
        owner=_owner(case, found, left),
        since=_at(deletion),
        says=f"{case.says}; deleted by the user {by}" if by else case.says,
        way=way,
    )


def _owner(case: Case, found: Agreement, left: LeftBehind) -> str | None:
    """Return the project of a consumer or of a volume; of a guest nobody but Nova knows it."""
    account, volumes = left.accounts.get(case.thing_id), found.testimony.volumes
    if isinstance(account, Account):
        return account.project or None
    volume = volumes.get(case.thing_id) if isinstance(volumes, Mapping) else None
    return (volume.project or None) if volume else None


def _ports(left: LeftBehind) -> Iterator[Orphan]:
    for one in () if isinstance(left.ports, Unread) else left.ports:
        yield Orphan(
            kind=OrphanKind.PORT,
            id=one.id,
            server=one.server,
            name=one.name or one.id,
            hosts=(one.host,) if one.host else (),
            owner=one.project or None,
            since=_at(left.deletions.get(one.server)),
            says=f"belongs to the server {one.server}, which Nova does not have",
            way=f"ask its owner whether its address is wanted; then `{_REMOVE} port/{one.id}`",
        )


def _services(left: LeftBehind) -> Iterator[Orphan]:
    for one in left.services:
        if not one.is_up and one.host in left.strangers - _up(left):
            yield Orphan(
                kind=OrphanKind.SERVICE,
                id=one.id,
                name=one.binary,
                hosts=(one.host,),
                since=utc_time_or_none(one.updated),
                says=f"{one.binary} is down, and the inventory does not name its node",
                way=f"only if the machine is gone for good: `{_REMOVE} service/{one.id}`",
            )


def _agents(left: LeftBehind) -> Iterator[Orphan]:
    for one in () if isinstance(left.agents, Unread) else left.agents:
        if not one.is_alive and one.host in left.strangers and not spelled_as(one.host, _up(left)):
            yield Orphan(
                kind=OrphanKind.AGENT,
                id=one.id,
                name=one.kind,
                hosts=(one.host,),
                since=utc_time_or_none(one.heard),
                says=f"{one.kind} is not alive, and the inventory does not name its node",
                way=f"only if the machine is gone for good: `{_REMOVE} agent/{one.id}`",
            )


def _up(left: LeftBehind) -> frozenset[str]:
    """Return the hosts of which a service of Nova is up, or is not known: they are not gone."""
    return frozenset(one.host for one in left.services if one.is_up or not one.is_known)


def _at(deletion: ServerAction | Unread | None) -> datetime | None:
    return utc_time_or_none(deletion.started) if isinstance(deletion, ServerAction) else None
