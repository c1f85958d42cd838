"""Find signatures in what was seen. Pure, and quick with any log: forms are bounded."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from re import Pattern
from re import compile as compiled

from stackward.logs.event import Event
from stackward.signatures.form import Match, Place, Seen, Signature, Trait

MOST_READ = 4096  # characters of a line: what follows says no more, and costs time
MOST_LINES = 400  # of one event
_DOMAIN_LOGS = "/libvirt/qemu/"


@cache
def _form(given: str) -> Pattern[str]:
    return compiled(given)


def matches_in(seen: Iterable[Seen], known: Sequence[Signature]) -> Iterator[Match]:
    """Return each signature with each thing in which it is found, in the order of what was seen."""
    traits = [(one, trait) for one in known for trait in one.traits]
    for each in seen:
        for signature, trait in traits:
            parts = _found(each, trait)
            if parts is not None:
                yield Match(signature=signature, trait=trait, seen=each, parts=parts)


def _found(seen: Seen, trait: Trait) -> Mapping[str, str] | None:
    """Return the parts of what was seen; None where the trait does not show in it."""
    if seen.place not in trait.places:
        return None
    if seen.place is Place.FACT:
        return seen.parts if seen.fact == trait.fact else None
    if seen.place is Place.LOG and trait.components and seen.component not in trait.components:
        return None
    text = seen.text[:MOST_READ]
    if trait.words not in text:
        return None
    if trait.form is None:
        return {}
    found = _form(trait.form).search(text)
    return None if found is None else {name: it or "" for name, it in found.groupdict().items()}


def seen_in(events: Iterable[Event]) -> Iterator[Seen]:
    """Return the lines of events: their messages, their exceptions, and what else they have."""
    for one in events:
        raised = (f"{each.exception}: {each.message}" for each in one.raised)
        texts = dict.fromkeys((one.message, *raised, *one.more[:MOST_LINES]))
        is_domain = _DOMAIN_LOGS in one.file
        for text in texts:
            yield Seen(
                place=Place.DOMAIN_LOG if is_domain else Place.LOG,
                text=text,
                component=one.component,
                node=one.node,
                file=one.file,
                offset=one.offset,
                at=one.at,
            )


def words_of(known: Iterable[Signature]) -> tuple[str, ...]:
    """Return the words by which the lines of a log that may match are found."""
    places = {Place.LOG, Place.DOMAIN_LOG}
    found = (trait.words for one in known for trait in one.traits if places & set(trait.places))
    return tuple(dict.fromkeys(found))
