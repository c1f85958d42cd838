"""Read what witnesses do not agree on: twice for a plan, once more while it is carried out."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

from stackward.errors import StackwardError
from stackward.facts.domains import why_none_may_end
from stackward.facts.left_behind import (
    EarlierLook,
    LeftBehind,
    read_deletion,
    read_earlier_look,
)
from stackward.facts.observed import NAMES, remembered_in
from stackward.facts.testimony import read_testimony
from stackward.health.agreement import Agreement, reconcile
from stackward.health.disagreements import BY_NAME, TWICE, find_cases
from stackward.health.orphans import find_orphans, read_what_is_left
from stackward.model.disagreement import Case
from stackward.model.identity import Itself, spelled_as
from stackward.model.orphan import Orphan, OrphanKind, Orphans, read_word
from stackward.model.placement import Account
from stackward.model.server import ServerAction
from stackward.model.service import NOVA_COMPUTE
from stackward.model.testimony import CloudTestimony, HostTestimony
from stackward.model.unread import Unread, or_unread
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.reconcile_cloud import ReconcileRequest

ORPHAN, DOUBLE = "allocation-orphan", "allocation-double"
ONE_SIDED = "attachment-one-sided"
LEFT = "binding-left"
DELETED = "domain-of-deleted"
ELSEWHERE = "domain-elsewhere"
KILLS = (TWICE, ELSEWHERE, DELETED)  # whose repair ends a guest
NO_KIND = frozenset({"unknown", None})  # made by a client that speaks placement below 1.38


@dataclass(frozen=True, kw_only=True)
class ReconcileFacts:
    """What two looks have seen, and what placement has of each consumer that is repaired."""

    found: Agreement
    accounts: Mapping[str, Account | Unread | None] = field(default_factory=dict)  # by consumer
    strangers: frozenset[str] = frozenset()  # of these: no record of Nova says that it was a server
    roots: Mapping[str, str] | Unread = field(default_factory=dict)  # of nested providers
    # For servers with a guest to end: the deletion; None: Nova knows of none.
    deletions: Mapping[str, ServerAction | Unread | None] = field(default_factory=dict)
    may_end: Mapping[str, Unread] = field(default_factory=dict)  # by host: why no guest of it
    # Where things are removed that are left of servers and nodes:
    orphans: Orphans | None = None
    left: LeftBehind | None = None
    differing: frozenset[str] = frozenset()  # ids of what was not so at the first look
    trees: Mapping[str, "Tree | Unread"] = field(default_factory=dict)  # by service

    @cached_property
    def hosts_of_nova(self) -> frozenset[str]:
        """Return all names that Nova has for hosts: an agent may call its own by the other form."""
        testimony = self.found.testimony
        return frozenset(
            {
                *(one.host for one in (self.left.services if self.left else ())),
                *(one.host for one in testimony.servers.values() if one.host),
                *(each for one in testimony.records for each in (one.source, one.target) if each),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The providers of a host at placement, and which consumers hold anything of them."""

    providers: tuple[str, ...] = ()
    consumers: tuple[str, ...] = ()
    is_found: bool = True  # False: it may have others, which nothing here names


def read_reconcile(
    world: World,
    journal: Journal,
    asked: ReconcileRequest,
    run_id: str | None,  # noqa: ARG001  # no claim of a run is in the way
) -> ReconcileFacts:
    """Return the cases of the classes that are asked for.

    A plan names the cases that two looks have seen. Once it does, one more look is enough: it must
    see them still.
    """
    cloud = world.cloud.identity().id
    remembered = remembered_in(journal.observations(cloud, NAMES))
    earlier = read_earlier_look(world) if asked.remove and asked.orphans is None else None
    found = (
        _looked_again(world, remembered, asked, (*asked.cases, *_cases_of(asked)))
        if asked.cases is not None
        else reconcile(
            world,
            wait_s=asked.wait_s,
            host=asked.host,
            remembered=remembered,
            always_twice=bool(asked.remove),
        )
    )
    classes = {*asked.classes, *([ORPHAN] if asked.remove else [])}
    wanted = [one for one in found.cases if one.name in classes]
    holding = [one for one in wanted if one.name in {ORPHAN, DOUBLE}]
    account_of = world.placement.account_of
    accounts = {one.thing_id: or_unread(partial(account_of, one.thing_id)) for one in holding}
    orphans = {one.thing_id for one in holding if one.name == ORPHAN}
    strangers = frozenset(
        each
        for each, account in accounts.items()
        if each in orphans
        and isinstance(account, Account)
        and account.kind in NO_KIND
        and not _was_a_server(world, each)
    )
    facts = ReconcileFacts(
        found=found,
        accounts=accounts,
        strangers=strangers,
        roots=or_unread(world.placement.provider_roots)
        if any(one.name == DOUBLE for one in holding)
        else {},
        deletions={
            one.thing_id: read_deletion(world, one.thing_id)
            for one in wanted
            if one.name == DELETED
        },
        may_end=dict(_refusing(world, found.testimony, asked)),
    )
    return _with_orphans(world, facts, remembered, earlier, asked) if asked.remove else facts


def _cases_of(asked: ReconcileRequest) -> Iterator[str]:
    """Return the words of the cases that are about what is left: allocations and volumes."""
    for one in map(read_word, asked.orphans or ()):
        if one.kind is OrphanKind.ALLOCATION:
            yield f"{ORPHAN} {one.id}"
        if one.kind is OrphanKind.VOLUME:
            yield " ".join(filter(None, (ONE_SIDED, one.id, one.about)))


def _with_orphans(
    world: World,
    facts: ReconcileFacts,
    remembered: Mapping[str, Itself],
    earlier: EarlierLook | None,
    asked: ReconcileRequest,
) -> ReconcileFacts:
    """Add what is left of servers and nodes that are gone; of a plan, what it names."""
    named = None if asked.orphans is None else {read_word(one).id for one in asked.orphans}
    left = read_what_is_left(world, facts.found, remembered, named)
    orphans = find_orphans(facts.found, left)
    # A list may have missed a server: that of a port has been asked for by its id.
    there = {
        server
        for server in {one.server for one in orphans.found if one.kind is OrphanKind.VOLUME}
        if server is not None and world.nova.server(server) is not None
    }
    orphans = replace(orphans, found=tuple(one for one in orphans.found if one.server not in there))
    services = [
        one
        for one in orphans.found
        if (one.kind, one.name) == (OrphanKind.SERVICE, NOVA_COMPUTE)
        and (named is None or one.id in named)
    ]
    return replace(
        facts,
        orphans=orphans,
        left=left,
        differing=earlier.differs(left) if earlier else frozenset(),
        trees=_trees(world, services) if services else {},
    )


def _trees(world: World, services: Sequence[Orphan]) -> Mapping[str, Tree | Unread]:
    """Read the providers of the hosts of some nova-computes: the lists of all are asked for once.

    Nova does not list the hypervisor of a host that is mapped to no cell: it is found by its name,
    which may be the whole one. Where nothing has that name, its provider may have another; but a
    nova-compute that never reported has none (nova 31.0 service.py makes it before it reports).
    """
    lists = or_unread(
        lambda: (
            {one.id: one.host for one in world.nova.hypervisors()},
            world.placement.provider_names(),
            world.placement.provider_roots(),
        )
    )
    if isinstance(lists, Unread):
        return {one.id: lists for one in services}
    listed, names, roots = lists
    found: dict[str, Tree | Unread] = {}
    for service in services:
        [host] = service.hosts
        own = {
            one
            for one, name in names.items()
            if (listed[one] == host if one in listed else spelled_as(host, [name]))
        }
        if own or host in listed.values() or service.since is None:
            found[service.id] = or_unread(partial(_tree, world, [*own], roots))
        else:
            found[service.id] = Tree(is_found=False)
    return found


def _tree(world: World, own: Collection[str], roots: Mapping[str, str]) -> Tree:
    """Read what is held of providers and of their parts: a GPU is a provider of its own."""
    providers = [one for one, root in roots.items() if root in own]
    held = (world.placement.allocations_on(one) for one in providers)
    consumers = dict.fromkeys(consumer for each in held for consumer in each)
    return Tree(providers=tuple(sorted(providers)), consumers=tuple(consumers))


def _refusing(
    world: World, testimony: CloudTestimony, asked: ReconcileRequest
) -> Iterator[tuple[str, Unread]]:
    """Return the hosts with a guest to end, on which libvirt does not allow that to this login."""
    named = {each.rpartition("/")[0] for each in asked.kill_domain}
    for one in testimony.hosts:
        if one.node is None or not named & {one.host, one.node}:
            continue
        if (why_not := why_none_may_end(world.shell, one.node)) is not None:
            yield one.host, why_not


def _was_a_server(world: World, consumer: str) -> bool:
    """Say whether Nova is known to have acted for it: it keeps that of a deleted server too."""
    try:
        return bool(world.nova.actions_of(consumer))
    except StackwardError:
        return False


def _looked_again(
    world: World,
    remembered: Mapping[str, Itself],
    asked: ReconcileRequest,
    words: tuple[str, ...],
) -> Agreement:
    testimony = read_testimony(world, remembered)
    found = (_as_planned(testimony, one, asked, words) for one in find_cases(testimony))
    cases = [one for one in found if one.word in words]
    # A list may have missed a server: one that is said to be none is asked for by its id.
    there = {
        one.thing_id
        for one in cases
        if BY_NAME[one.name].needs_absence and world.nova.server(one.thing_id) is not None
    }
    return Agreement(
        testimony=testimony, cases=tuple(one for one in cases if one.thing_id not in there)
    )


def _as_planned(
    testimony: CloudTestimony, case: Case, asked: ReconcileRequest, words: tuple[str, ...]
) -> Case:
    """Return a case under the name that the plan has for it.

    To end one of two guests that run takes two commands. After the first, its power is off, and it
    is a guest elsewhere until the second removes its definition. A run that was killed in between
    resumes there.
    """
    planned = replace(case, name=TWICE, place="")
    if case.name != ELSEWHERE or planned.word not in words:
        return case
    is_off = any(
        (one.host, guest.server, guest.state) == (case.place, case.thing_id, "shut off")
        for one in testimony.hosts
        if names_guest(asked, one, case.thing_id) and isinstance(one.domains, tuple)
        for guest in one.domains
    )
    return planned if is_off else case


def names_guest(asked: ReconcileRequest, one: HostTestimony, server: str) -> bool:
    """Say whether the request names the guest of a server on a host to be ended."""
    return not {f"{one.host}/{server}", f"{one.node}/{server}"}.isdisjoint(asked.kill_domain)
