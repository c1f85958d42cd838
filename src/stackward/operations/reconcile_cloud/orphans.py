"""What of the things that are left is removed: those that were named, and that nothing speaks for.

Volumes keep their data: what is removed of one is Cinder's attachment to a server that is gone. The
guests of such servers are ended by `--kill-domain` alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from stackward.facts.left_behind import LeftBehind
from stackward.model.claim import read_claim
from stackward.model.evacuation import is_open_evacuation
from stackward.model.identity import spelled_as
from stackward.model.orphan import Orphan, OrphanKind, Word, read_word
from stackward.model.service import BY_ITSELF, NOVA_COMPUTE, ComputeService
from stackward.model.testimony import Source
from stackward.model.unread import Unread
from stackward.operations.reconcile_cloud.facts import ORPHAN, ReconcileFacts
from stackward.operations.reconcile_cloud.judging import guests_of, judge_case
from stackward.operations.reconcile_cloud.rules import (
    AGE_UNKNOWN,
    API_UNREAD,
    CHANGED,
    CLAIMED,
    DISABLED,
    GONE_NODE_FIRST,
    GUEST_FIRST,
    KIND_UNREAD,
    NAME_ALONE,
    NO_PROVIDER,
    NO_SUCH_ORPHAN,
    NODE_EVACUATED,
    NODE_HAS_MOVE,
    NODE_HAS_SERVERS,
    NODE_HOLDS,
    NODE_LIVES,
    NOT_ALL_NAMED,
    ONLY_BY_ID,
    PORT_GOES,
    SERVICE_GOES,
    TOO_YOUNG,
    UNREAD,
)
from stackward.plan import Blocked, Warned
from stackward.requests.reconcile_cloud import ReconcileRequest
from stackward.wording import count_of, in_utc, near_to, perhaps

_CELL_DOWN = "a cell is down: what Nova has there is neither left nor gone"
_HOUR_S = 3600
_DONE = "done"  # of an evacuation: its server is elsewhere, and its source has not settled it


def chosen(facts: ReconcileFacts, asked: ReconcileRequest) -> tuple[Orphan, ...]:
    """Return what is left of that which was named; of a plan, what it names."""
    found = facts.orphans.found if facts.orphans else ()
    if asked.orphans is not None:
        return tuple(one for one in found if one.word in asked.orphans)
    return tuple(one for one in found if {one.kind.value, one.named} & {*asked.remove})


def judge_given(
    facts: ReconcileFacts, asked: ReconcileRequest, *, is_new: bool
) -> Iterator[Blocked]:
    """Refuse what was named by its id and is not left, with the reason; and what is not known.

    Of what a plan names, what is gone by now is well, and what lives again is refused.
    """
    unread = dict(_unread_kinds(facts))
    kinds = {given.partition("/")[0] for given in asked.remove}
    if not facts.found.testimony.is_whole:
        unread = dict.fromkeys(kinds, Unread(_CELL_DOWN))
    for kind in sorted(kinds & unread.keys()):
        yield KIND_UNREAD.blocks(f"each {kind}", kind, why=unread[kind].why)
    found = facts.orphans.found if facts.orphans else ()
    known = {one.named for one in found}
    for given in asked.remove if is_new else ():
        kind, _, id_ = given.partition("/")
        if id_ and kind not in unread and given not in known:
            says = _why_not_left(facts, OrphanKind(kind), id_)
            yield NO_SUCH_ORPHAN.blocks(given, given, given=given, says=says)
    for word in () if is_new else asked.orphans or ():
        one = read_word(word)
        if one.named not in known and (lives := _lives_again(facts, one)) is not None:
            yield NO_SUCH_ORPHAN.blocks(one.named, one.id, given=one.named, says=lives)


def _unread_kinds(facts: ReconcileFacts) -> Iterator[tuple[str, Unread]]:
    if (left := facts.left) is None:
        return
    lists = {
        OrphanKind.PORT: left.ports,
        OrphanKind.AGENT: left.agents,
        OrphanKind.VOLUME: facts.found.testimony.volumes,
    }
    yield from ((kind.value, told) for kind, told in lists.items() if isinstance(told, Unread))


def judge_orphan(facts: ReconcileFacts, asked: ReconcileRequest, orphan: Orphan) -> Warned | None:
    """Say why it is left alone; None where it may be removed."""
    if orphan.kind in {OrphanKind.SERVICE, OrphanKind.AGENT} and (
        claimed := _of_claims(facts, orphan, orphan.hosts[0])
    ):
        return claimed
    if orphan.id in facts.differing:
        return CHANGED.warns(orphan.name, orphan.id)
    if (why := _of_age(facts, asked, orphan)) is not None:
        return why
    match orphan.kind:
        case OrphanKind.ALLOCATION:
            case = next(
                one for one in facts.found.cases if (one.name, one.thing_id) == (ORPHAN, orphan.id)
            )
            facts = _without_gone_nodes(facts, orphan)
            return _of_gone_nodes(facts, orphan) or judge_case(facts, case)
        case OrphanKind.PORT | OrphanKind.VOLUME:
            return _only_by_id(asked, orphan) or _of_guests(facts, orphan)
        case _:
            return _of_node(facts, asked, orphan) or _of_reasons(facts, asked, orphan)


def _of_age(facts: ReconcileFacts, asked: ReconcileRequest, orphan: Orphan) -> Warned | None:
    if orphan.since is None:
        if orphan.named in asked.remove:
            return None
        return AGE_UNKNOWN.warns(orphan.name, orphan.id, named=orphan.named)
    if facts.found.testimony.at - orphan.since >= timedelta(seconds=asked.min_age_s):
        return None
    hours = f"{asked.min_age_s / _HOUR_S:g}"
    return TOO_YOUNG.warns(orphan.name, orphan.id, since=in_utc(orphan.since), hours=hours)


def _only_by_id(asked: ReconcileRequest, orphan: Orphan) -> Warned | None:
    if orphan.named in asked.remove:
        return None
    if orphan.kind is OrphanKind.VOLUME:
        says = "a volume is set free only where its id is given; its data stays"
    elif orphan.name != orphan.id:
        says = f"somebody has given the port its name, `{orphan.name}`"
    else:
        return None
    owner = orphan.owner or "not known"
    return ONLY_BY_ID.warns(orphan.name, orphan.id, says=says, owner=owner, named=orphan.named)


def _of_guests(facts: ReconcileFacts, orphan: Orphan) -> Warned | None:
    """Say which guest of its server there may be."""
    testimony = facts.found.testimony
    if (why := _of_gone_nodes(facts, orphan)) is not None:
        return why
    unread = next((one for one in testimony.hosts if isinstance(one.domains, Unread)), None)
    if unread is not None:
        who = Source.LIBVIRT.value
        return UNREAD.warns(orphan.name, orphan.id, who=who, host=unread.host)
    if where := guests_of(testimony, orphan.server or ""):
        says = f"libvirt of {', '.join(f'`{one}`' for one in where)} has a guest of its server"
        return GUEST_FIRST.warns(orphan.name, orphan.id, says=says)
    if orphan.kind is OrphanKind.VOLUME and isinstance(testimony.attachments, Unread):
        return API_UNREAD.warns(orphan.name, orphan.id, who=Source.CINDER.value)
    return None


def _without_gone_nodes(facts: ReconcileFacts, orphan: Orphan) -> ReconcileFacts:
    """Leave out the guests of gone nodes, where a consumer holds something of one.

    The service of such a node waits for its removal; the guests of all others are looked at.
    """
    gone, testimony = _gone_nodes(facts), facts.found.testimony
    if not {*gone} & {*orphan.hosts} or _living_strangers(facts):
        return facts
    hosts = tuple(one for one in testimony.hosts if one.host not in gone)
    return replace(facts, found=replace(facts.found, testimony=replace(testimony, hosts=hosts)))


def _gone_nodes(facts: ReconcileFacts) -> list[str]:
    """Return the hosts whose guests cannot be read, and that the inventory does not name."""
    return [
        one.host
        for one in facts.found.testimony.hosts
        if facts.left and isinstance(one.domains, Unread) and one.host in facts.left.strangers
    ]


def _of_gone_nodes(facts: ReconcileFacts, orphan: Orphan) -> Warned | None:
    services = {one.host: one.id for one in _services(facts) if one.binary == NOVA_COMPUTE}
    for host in _gone_nodes(facts):
        if host in services:
            told = {"host": host, "service": services[host]}
            return GONE_NODE_FIRST.warns(orphan.name, orphan.id, **told)
    return None


def _of_node(facts: ReconcileFacts, asked: ReconcileRequest, orphan: Orphan) -> Warned | None:
    """Say what still needs the record of a service or an agent, or that its node lives."""
    [host] = orphan.hosts
    return (
        _of_servers(facts, orphan, host)
        or _of_life(facts, orphan, host)
        or _of_providers(facts, asked, orphan)
    )


def _of_servers(facts: ReconcileFacts, orphan: Orphan, host: str) -> Warned | None:
    """Say which servers or moves the node has."""
    testimony = facts.found.testimony
    own = spelled_as(host, facts.hosts_of_nova)
    if there := [one for one in testimony.servers.values() if one.host in own]:
        count = count_of(len(there), "server")
        return NODE_HAS_SERVERS.warns(orphan.name, orphan.id, count=count, host=host)
    records = [one for one in testimony.records if own & {one.source, one.target}]
    evacuated = [one for one in records if is_open_evacuation(one) and one.status == _DONE]
    if record := next((one for one in records if one not in evacuated), None):
        return NODE_HAS_MOVE.warns(orphan.name, orphan.id, record=record.id, host=host)
    if evacuated and orphan.kind is OrphanKind.SERVICE:
        number = evacuated[0].id
        return NODE_EVACUATED.warns(orphan.name, orphan.id, record=number, host=host)
    return None


def _of_life(facts: ReconcileFacts, orphan: Orphan, host: str) -> Warned | None:
    """Say by what the node may live: only an inventory of all that live says who is gone."""
    agents = facts.left.agents if facts.left else ()
    if isinstance(agents, Unread):
        return API_UNREAD.warns(orphan.name, orphan.id, who=Source.NEUTRON.value)
    own = spelled_as(host, (one.host for one in agents if one.is_alive))
    if alive := [one for one in agents if one.host in own and one.is_alive]:
        return NODE_LIVES.warns(orphan.name, orphan.id, agent=alive[0].kind, host=host)
    if unnamed := _living_strangers(facts):
        hosts = ", ".join(f"`{one}`" for one in unnamed)
        return NOT_ALL_NAMED.warns(orphan.name, orphan.id, hosts=hosts)
    return None


def _of_claims(facts: ReconcileFacts, orphan: Orphan, host: str) -> Warned | None:
    """Say which run has the node: its claim is the record of a service itself."""
    own = spelled_as(host, facts.hosts_of_nova)
    for one in _services(facts):
        if one.host in own and (claim := read_claim(one.disabled_reason)) is not None:
            told = {"host": host, "claim": one.disabled_reason, "run": claim.run}
            return CLAIMED.warns(orphan.name, orphan.id, **told)
    return None


def _is_of(facts: ReconcileFacts, service: str, host: str) -> bool:
    """Say whether a nova-compute is that of an agent's host; of two alike it may be either's."""
    agents = facts.left.agents if facts.left else ()
    names = () if isinstance(agents, Unread) else {one.host for one in agents}
    return service == host or spelled_as(service, {*names, host}) - {service} == {host}


def _of_reasons(facts: ReconcileFacts, asked: ReconcileRequest, orphan: Orphan) -> Warned | None:
    """Say why a person has taken the node out of service, or whether it is known at all."""
    if orphan.named in asked.remove:
        return None
    [host] = orphan.hosts
    own = spelled_as(host, facts.hosts_of_nova)
    services = [one for one in _services(facts) if one.host in own]
    if not any(one.binary == NOVA_COMPUTE and _is_of(facts, one.host, host) for one in services):
        return NAME_ALONE.warns(orphan.name, orphan.id, host=host, named=orphan.named)
    for one in services:
        reason = one.disabled_reason or ""
        if reason and not reason.startswith(BY_ITSELF):
            told = {"host": one.host, "said": reason, "named": orphan.named}
            return DISABLED.warns(orphan.name, orphan.id, **told)
    return None


def _living_strangers(facts: ReconcileFacts) -> list[str]:
    """Return the hosts of living nova-computes that the inventory does not name."""
    lives = {one.host for one in _services(facts) if one.binary == NOVA_COMPUTE and one.is_up}
    return sorted(lives & facts.left.strangers) if facts.left else []


def _services(facts: ReconcileFacts) -> tuple[ComputeService, ...]:
    return facts.left.services if facts.left else ()


def _of_providers(facts: ReconcileFacts, asked: ReconcileRequest, orphan: Orphan) -> Warned | None:
    """Say who holds allocations of the node of a nova-compute, or that nobody knows."""
    if (orphan.kind, orphan.name) != (OrphanKind.SERVICE, NOVA_COMPUTE):
        return None
    tree = facts.trees.get(orphan.id, Unread("it was not asked"))
    if isinstance(tree, Unread):
        return API_UNREAD.warns(orphan.name, orphan.id, who=Source.PLACEMENT.value)
    if not tree.is_found and orphan.named not in asked.remove:
        told = {"host": orphan.hosts[0], "named": orphan.named}
        return NO_PROVIDER.warns(orphan.name, orphan.id, **told)
    if not tree.consumers:
        return None
    count = count_of(len(tree.consumers), "consumer holds", "consumers hold")
    return NODE_HOLDS.warns(orphan.name, orphan.id, count=count, consumer=tree.consumers[0])


def warnings_of_removal(removed: Sequence[Orphan]) -> Iterator[Warned]:
    """Name what is lost: that is approved with the plan."""
    for one in removed:
        if one.kind is OrphanKind.PORT:
            yield PORT_GOES.warns(one.name, one.id)
        if (one.kind, one.name) == (OrphanKind.SERVICE, NOVA_COMPUTE):
            yield SERVICE_GOES.warns(one.name, one.id, host=one.hosts[0])


# --- why something is not left --------------------------------------------------------------------


def _why_not_left(facts: ReconcileFacts, kind: OrphanKind, id_: str) -> str:
    left = facts.left
    says = None if left is None else _OF_KIND[kind](facts, left, id_)
    if says is not None:
        return says
    known = {one.id: one for one in _of_one_kind(facts, kind)}
    by_name = [one.named for one in known.values() if one.name == id_]
    near = by_name or [known[each].named for each in near_to(id_, known)]
    return f"no {kind.value} has this id" + (f", {perhaps(near)}" if near else "")


def _lives_again(facts: ReconcileFacts, one: Word) -> str | None:
    """Say why it is not left any more; None where it is gone. A volume stays when it is free."""
    if one.kind is OrphanKind.VOLUME:
        is_there = one.about in facts.found.testimony.servers
        return f"Nova has the server {one.about}" if is_there else None
    return None if facts.left is None else _OF_KIND[one.kind](facts, facts.left, one.id)


def _of_one_kind(facts: ReconcileFacts, kind: OrphanKind) -> Iterator[Orphan]:
    found = facts.orphans.found if facts.orphans else ()
    yield from (one for one in found if one.kind is kind)


def _living_port(_: ReconcileFacts, left: LeftBehind, id_: str) -> str | None:
    return f"Nova has its server {left.living[id_]}" if id_ in left.living else None


def _living_volume(facts: ReconcileFacts, _: LeftBehind, id_: str) -> str | None:
    volumes = facts.found.testimony.volumes
    volume = volumes.get(id_) if isinstance(volumes, Mapping) else None
    if volume is None:
        return None
    return f"Cinder has it `{volume.status}`, and attached to no server that is gone"


def _living_consumer(facts: ReconcileFacts, _: LeftBehind, id_: str) -> str | None:
    testimony = facts.found.testimony
    if id_ in testimony.servers:
        return f"Nova has the server {testimony.servers[id_].label}"
    record = next((one for one in testimony.records if id_ in {one.uuid, one.server}), None)
    return f"it is of the move {record.id}, whose record is open" if record else None


def _living_service(_: ReconcileFacts, left: LeftBehind, id_: str) -> str | None:
    one = next((each for each in left.services if each.id == id_), None)
    if one is None:
        return None
    return f"{one.binary} is up" if one.is_up else _of_host(left, one.host)


def _living_agent(_: ReconcileFacts, left: LeftBehind, id_: str) -> str | None:
    agents = () if isinstance(left.agents, Unread) else left.agents
    one = next((each for each in agents if each.id == id_), None)
    if one is None:
        return None
    return f"the {one.kind} is alive" if one.is_alive else _of_host(left, one.host)


def _of_host(left: LeftBehind, host: str) -> str:
    if host in left.nodes:
        return f"the inventory names its node, `{left.nodes[host]}`"
    if host not in left.strangers:
        return f"which node of the inventory `{host}` is, is in doubt"
    return f"another service of Nova on `{host}` is up, or its cell is down"


_OF_KIND = {
    OrphanKind.PORT: _living_port,
    OrphanKind.VOLUME: _living_volume,
    OrphanKind.ALLOCATION: _living_consumer,
    OrphanKind.SERVICE: _living_service,
    OrphanKind.AGENT: _living_agent,
}
