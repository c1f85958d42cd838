"""Judge why a server does not boot: signatures are found in what was read, and ranked."""

from collections.abc import Iterable, Sequence

from stackward.facts.triage import TriageFacts
from stackward.model.sureness import Sureness, first_that_holds
from stackward.signatures.conditions import CONDITIONS
from stackward.signatures.form import Kind, Match, Place, Scope, Signature
from stackward.signatures.matching import matches_in
from stackward.triage.certainty import RULES, Known
from stackward.triage.looking import NOT_BUILT, Looked, last_error, looked_at
from stackward.triage.verdict import Boots, Cause, Verdict
from stackward.wording import in_utc

_SURENESS = list(Sureness)
_SCOPES = [Scope.NODE, Scope.SERVER, Scope.GUEST]  # what is below first: nothing boots without it
_PLACES = [Place.FACT, Place.DISK, Place.DOMAIN_LOG, Place.LOG, Place.FAULT, Place.CONSOLE]
_MOST_EVIDENCE = 6


def triage(facts: TriageFacts, known: Sequence[Signature]) -> Verdict:
    """Say why a server does not boot; what is not known is said to be so."""
    looked = looked_at(facts)
    by_name: dict[str, list[Match]] = {}
    for match in matches_in(looked.seen, known):
        by_name.setdefault(match.signature.name, []).append(match)
    found = [_cause(each, facts, looked) for each in by_name.values()]
    causes = [one for one in found if one.signature.kind is Kind.CAUSE]
    consequences = [one for one in found if one.signature.kind is Kind.CONSEQUENCE]
    causes = _without_guests_own(causes, facts)
    causes, left = _without_what_nova_left(causes, facts)
    consequences += left
    if not causes:  # what follows from something is better than nothing
        causes, consequences = consequences, []
    causes.sort(key=_rank)
    boots = _boots(facts, causes)
    is_ill = boots in {Boots.NO, Boots.UNKNOWN}
    return Verdict(
        server=facts.server,
        node=facts.node or facts.server.host,
        at=facts.at,
        boots=boots,
        attempt=facts.attempt,
        causes=tuple(causes),
        consequences=tuple(sorted(consequences, key=_rank)),
        last_words=last_error(facts, looked.seen) if is_ill and not causes else None,
        ruled_out=tuple(dict.fromkeys(looked.well)),
        unread=facts.unread,
        notes=tuple(_notes(facts)),
    )


def _without_guests_own(causes: list[Cause], facts: TriageFacts) -> list[Cause]:
    """Leave out what a console says of an earlier boot: its guest has no process now."""
    is_up = facts.guest is None or facts.guest.domain is None or facts.guest.is_running
    if is_up:
        return causes
    return [
        one
        for one in causes
        if any(each.seen.place is not Place.CONSOLE for each in one.evidence)
        or one.sureness is not Sureness.POSSIBLE
    ]


def _without_what_nova_left(
    causes: list[Cause], facts: TriageFacts
) -> tuple[list[Cause], list[Cause]]:
    """Take out a domain that is gone: before Nova starts a guest it removes the one of before.

    Nova 31, virt/libvirt/driver.py, `_hard_reboot`. It is a cause by itself only where nothing else
    is known, or where the last attempt has not failed.
    """
    left = [one for one in causes if one.signature.name == "domain-undefined"]
    others = [one for one in causes if one not in left]
    if facts.attempt is None or not facts.attempt.has_failed or not others:
        return causes, []
    return others, left


def _rank(one: Cause) -> tuple[int, ...]:
    first = min(_PLACES.index(each.seen.place) for each in one.evidence)
    return (
        _SURENESS.index(one.sureness),
        _SCOPES.index(one.signature.scope),
        first,
        -len(one.evidence),
    )


def _cause(matches: Sequence[Match], facts: TriageFacts, looked: Looked) -> Cause:
    signature = matches[0].signature
    rule = first_that_holds(RULES, _known(matches, looked))
    parts = {**dict(matches[0].parts), **_names(facts)}
    ranked = sorted(matches, key=lambda each: _PLACES.index(each.seen.place))
    evidence = {(one.seen.place, one.seen.text): one for one in ranked}
    return Cause(
        signature=signature,
        sureness=rule.sureness,
        says=matches[0].means,
        because=rule.says,
        raises=rule.raises,
        remedy=signature.remedy.format_map(parts),
        evidence=tuple(evidence.values())[:_MOST_EVIDENCE],
        shared_by=_shared(signature, matches, facts),
    )


def _known(matches: Iterable[Match], looked: Looked) -> Known:
    found = list(matches)
    facts = [one for one in found if one.seen.place is Place.FACT]
    words = {Place.LOG, Place.FAULT, Place.DOMAIN_LOG, Place.DISK}
    last = looked.seen[-1] if looked.seen else None
    ends = [
        one
        for one in found
        if one.seen.place is Place.CONSOLE and (one.trait.is_final or one.seen is last)
    ]
    conditions = [CONDITIONS[one.fact] for one in found[0].signature.traits if one.fact]
    return Known(
        decides=any(CONDITIONS[one.seen.fact or ""].decides for one in facts)
        # What `qemu-img` says of a disk is a fact too: of the same kind as those of its signature.
        or (
            all(one.decides for one in conditions)
            and any(one.seen.place is Place.DISK for one in found)
        ),
        has_fact=bool(facts) or any(one.seen.place is Place.DISK for one in found),
        has_words=any(one.seen.place in words - {Place.DISK} for one in found),
        is_final=any(one.trait.is_final for one in ends),
        is_consequence=found[0].signature.kind is Kind.CONSEQUENCE,
    )


def _names(facts: TriageFacts) -> dict[str, str]:
    server = facts.server
    return {
        "server": server.id,
        "node": facts.node or server.host or "NODE",
        "own_host": server.host or "HOST",  # as Nova and Neutron call it
    }


def _shared(signature: Signature, matches: Sequence[Match], facts: TriageFacts) -> int:
    if signature.scope is Scope.NODE:
        return facts.neighbours or 1
    paths = {one.parts.get("path") for one in matches}
    disks = facts.guest.disks if facts.guest else ()
    return max([1, *(each.sharing for each in disks if each.missing in paths)])


def _boots(facts: TriageFacts, causes: Sequence[Cause]) -> Boots:
    guest, status = facts.guest, facts.server.status
    is_in_guest = any(one.signature.scope is Scope.GUEST for one in causes)
    if guest is not None and guest.is_running and not is_in_guest:
        return Boots.YES
    if not causes and (facts.stopped is not None or status in NOT_BUILT):
        return Boots.STOPPED
    if guest is None and facts.node is None and not causes:
        return Boots.UNKNOWN
    return Boots.NO


def _notes(facts: TriageFacts) -> Iterable[str]:
    server = facts.server
    if facts.is_deleted:
        yield "it was deleted while it was looked at"
    if server.task_state is not None:
        yield f"Nova is busy with it: `{server.task_state}`"
    if server.status in NOT_BUILT:
        yield f"Nova has it as {server.status}: no node has a guest of it"
    elif facts.stopped is not None:
        at = in_utc(facts.stopped.started)
        yield f"it was stopped by request (`{facts.stopped.action}`, {at})"
