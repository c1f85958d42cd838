"""Whether a case may be repaired, by what all witnesses say of its server."""

from collections.abc import Sequence

from stackward.model.disagreement import Case
from stackward.model.placement import Account
from stackward.model.testimony import CloudTestimony, HostTestimony, Source
from stackward.model.unread import Unread
from stackward.operations.reconcile_cloud.facts import DOUBLE, NO_KIND, ORPHAN, ReconcileFacts
from stackward.operations.reconcile_cloud.rules import (
    GUEST_FIRST,
    NOT_READ,
    OTHER_CONSUMER,
    STRANGER,
    UNREAD,
)
from stackward.plan import Warned

NOVAS = frozenset({"INSTANCE", "MIGRATION"}) | NO_KIND


def judge_case(facts: ReconcileFacts, case: Case) -> Warned | None:
    """Say why a case is left alone; None where it may be repaired."""
    testimony = facts.found.testimony
    if (unread := _unread_libvirt(testimony)) is not None:
        return UNREAD.warns(case.thing, case.thing_id, who=Source.LIBVIRT.value, host=unread)
    server = testimony.servers.get(case.thing_id)
    where = guests_of(testimony, case.thing_id)
    own = server.host if server is not None else None
    strange = [host for host in where if host != own]
    if strange:
        says = f"libvirt of {', '.join(f'`{one}`' for one in strange)} has a guest of it"
        return GUEST_FIRST.warns(case.thing, case.thing_id, says=says)
    if server is not None and _has_domains(testimony, own) and own not in where:
        says = f"libvirt of `{own}` has no guest of it"
        return GUEST_FIRST.warns(case.thing, case.thing_id, says=says)
    return _judge_account(facts, case)


def _judge_account(facts: ReconcileFacts, case: Case) -> Warned | None:
    account = facts.accounts.get(case.thing_id)
    unread = next((one for one in (account, facts.roots) if isinstance(one, Unread)), None)
    if unread is not None and case.name in {DOUBLE, ORPHAN}:
        return NOT_READ.warns(case.thing, case.thing_id, why=unread.why)
    if isinstance(account, Account) and account.kind not in NOVAS:
        return OTHER_CONSUMER.warns(case.thing, case.thing_id, kind=account.kind)
    if case.thing_id in facts.strangers:
        return STRANGER.warns(case.thing, case.thing_id)
    return None


def _unread_libvirt(testimony: CloudTestimony) -> str | None:
    """Return a host whose guests are not known: that of the server may be among them."""
    return next((one.host for one in testimony.hosts if isinstance(one.domains, Unread)), None)


def guests_of(testimony: CloudTestimony, server: str) -> list[str]:
    """Return the hosts whose libvirt has a guest of a server."""
    return [
        one.host
        for one in testimony.hosts
        if isinstance(one.domains, tuple) and any(domain.server == server for domain in one.domains)
    ]


def _has_domains(testimony: CloudTestimony, host: str | None) -> bool:
    return any(one.host == host and one.domains is not None for one in testimony.hosts)


def held_on(facts: ReconcileFacts, case: Case, hosts: Sequence[str]) -> tuple[str, ...]:
    """Return the providers of these hosts on which it holds something: also nested ones.

    A GPU, a PCI device or the bandwidth of a card is a provider of its own below that of its node.
    """
    own = [provider_of(facts.found.testimony, one) for one in hosts]
    account, roots = facts.accounts.get(case.thing_id), facts.roots
    if not isinstance(account, Account) or isinstance(roots, Unread):
        return tuple(own)
    nested = [
        one for one in sorted(account.allocations) if one not in own and roots.get(one, one) in own
    ]
    return (*own, *nested)


def all_held(facts: ReconcileFacts, case: Case) -> tuple[str, ...]:
    """Return every provider on which a consumer holds something."""
    account = facts.accounts.get(case.thing_id)
    if not isinstance(account, Account):
        return held_on(facts, case, case.hosts)
    return tuple(sorted(account.allocations))


def provider_of(testimony: CloudTestimony, host: str) -> str:
    """Return the provider of a host."""
    return _host(testimony, host).provider


def _host(testimony: CloudTestimony, host: str) -> HostTestimony:
    return next(one for one in testimony.hosts if one.host == host)
