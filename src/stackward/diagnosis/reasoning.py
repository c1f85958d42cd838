"""From events to causes: the first error of its own that nothing else explains.

1. What was logged before the window too is usual, and counts last.
2. An error that accuses another component is no cause where that one has its own error.
3. Of what is left that is the cause which names what a user noticed, which has a traceback, and
   which was first; where clocks cannot show it, the deeper component.
4. What comes later is said to be a consequence where it shares a request, a thing or an exception.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from stackward.diagnosis.accused import short
from stackward.diagnosis.cause import Aside, Cause, Diagnosis, KnownAs, Link
from stackward.diagnosis.certainty import RULES, Known
from stackward.diagnosis.code_places import CodePlace
from stackward.diagnosis.components import DEPTH, MIXED, USUAL_DEPTH, components_of, named
from stackward.diagnosis.episodes import CLOCKS_S, Episode, episodes_of, in_rank
from stackward.diagnosis.signs import MADE, MOST_READ, REASONS, sign_of
from stackward.diagnosis.witnesses import (
    Weight,
    Witness,
    component_of,
    has_none_from_caller,
    key_of,
    witness_of,
)
from stackward.facts.failure import Failure
from stackward.logs.event import Event, Level
from stackward.logs.reading import Place, Repeated
from stackward.logs.story import UUID
from stackward.model.sureness import Sureness, first_that_holds
from stackward.signatures.form import Kind, Signature
from stackward.signatures.matching import matches_in, seen_in
from stackward.wording import count_of

MOST_CAUSES = 10
_IDS = re.compile(rf"(?:req-)?{UUID}")
_SOON = timedelta(minutes=5)
_CLOCKS = timedelta(seconds=CLOCKS_S)
_ENOUGH = 2  # accusers that are believed against a log without errors
_BEFORE = timedelta(seconds=90)  # in which a lighter error of an accused component counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """A sign of what a user has noticed."""

    link: Link
    ids: frozenset[str]  # that it names
    event: Event
    is_plain: bool
    is_outcome: bool  # no mere error, which may have harmed nobody

    def is_of(self, episode: Episode) -> bool:
        """Say whether it is about this; a mere error is no sign of itself."""
        if self.event is episode.told.event:
            return self.is_plain
        return bool(self.ids & episode.ids)


def diagnose(
    failure: Failure,
    known: frozenset[str],
    only: frozenset[str] = frozenset(),
    signatures: Sequence[Signature] = (),
) -> Diagnosis:
    """Find causes; `known` are the components that the reader of logs knows by name.

    What words of their evidence are known to mean is found by `signatures`.
    With `only`, causes in other components are left out.
    """
    every = [*failure.before, *failure.events]
    owners = components_of(every, known)
    usual = frozenset(key_of(one, component_of(one, owners)) for one in failure.before)
    events = [one for one in failure.events if _is_of(one, failure.ids)]
    repeated = failure.reading.repeated
    witnesses = _witnesses(events, owners, usual, repeated)
    witnesses += _sayings(failure, owners, usual)
    signs = _signs(events, owners, {one.event: one for one in witnesses})
    noticed = frozenset[str]().union(*(one.ids for one in signs))
    episodes = in_rank(_promoted(episodes_of(witnesses)), noticed)
    well = frozenset(_well(failure, owners, episodes))
    every_cause = _causes(episodes, signs, well, is_asked=bool(failure.ids))
    wanted = (one for one in every_cause if not only or one.component in only)
    causes = [
        replace(one, known_as=_known_as(one, signatures))
        for one in _by_sureness(list(islice(wanted, MOST_CAUSES)))
    ]
    return Diagnosis(
        causes=causes,
        noticed=[one.link for one in signs],
        consequences=list(_consequences(episodes, causes)),
        ruled_out=[*_ruled_out(episodes, causes), *_left_over(episodes, causes)],
        well=sorted(well),
        unknown=list(_unknown(failure)),
        is_grave=any(
            one.event.level >= Level.ERROR and one.weight is not Weight.USUAL for one in witnesses
        ),
        events=sum(one.level >= Level.WARNING or not MADE.search(one.message) for one in events)
        + failure.reading.counted,
    )


def _is_of(one: Event, ids: frozenset[str]) -> bool:
    return not ids or bool(_ids_of(one) & ids)


def _ids_of(one: Event) -> frozenset[str]:
    given = {one.request, one.global_request, one.server} - {None}
    return frozenset({*given, *_IDS.findall(one.message)})


def _witnesses(
    events: Iterable[Event],
    owners: Mapping[tuple[str, str], str],
    usual: frozenset[tuple[object, ...]],
    repeated: Mapping[Place, Repeated],
) -> list[Witness]:
    made = (
        witness_of(one, component_of(one, owners), usual, _ids_of(one), repeated)
        for one in events
        if one.level >= Level.WARNING
    )
    return [one for one in made if one is not None]


def _sayings(
    failure: Failure,
    owners: Mapping[tuple[str, str], str],
    usual: frozenset[tuple[object, ...]],
) -> Iterator[Witness]:
    """Return what gives a reason below the level of a warning."""
    for one in failure.events:
        is_told = one.raised or REASONS.search(one.message[:MOST_READ])
        if one.level < Level.WARNING and is_told:
            component, repeated = component_of(one, owners), failure.reading.repeated
            made = witness_of(one, component, usual, _ids_of(one), repeated)
            if made is not None and _is_of(one, failure.ids):
                yield made


def _signs(
    events: Sequence[Event],
    owners: Mapping[tuple[str, str], str],
    witnesses: Mapping[Event, Witness],
) -> list[Noticed]:
    """Return what a user has noticed, unless the server was made after all.

    Who only accuses another component logs a try, which may be made again.
    """
    found: list[Noticed] = []
    servers = _servers_of(events)
    for one in events:
        if MADE.search(one.message):
            found = [each for each in found if not _is_made_good(each.event, one, servers)]
        sign, told = sign_of(one), witnesses.get(one)
        is_following = told is not None and told.is_following
        is_try = told is not None and told.weight is Weight.AWAY and not is_following
        if sign is not None and (sign.is_plain or not is_try):
            link = Link(
                component=component_of(one, owners), node=one.node, at=one.at, says=sign.says
            )
            found.append(
                Noticed(
                    link=link,
                    ids=_ids_of(one),
                    event=one,
                    is_plain=sign.is_plain,
                    is_outcome=sign.is_plain or is_following or one.level < Level.ERROR,
                )
            )
    return found


def _servers_of(events: Iterable[Event]) -> Mapping[str, set[str]]:
    """Return the servers of each request."""
    found: dict[str, set[str]] = {}
    for one in events:
        if one.request and one.server:
            found.setdefault(one.request, set()).add(one.server)
    return found


def _is_made_good(sign: Event, made: Event, servers: Mapping[str, set[str]]) -> bool:
    if sign.server is not None:
        return sign.server == made.server
    request = sign.request
    return request is not None and request == made.request and len(servers.get(request, ())) <= 1


def _promoted(episodes: Sequence[Episode]) -> list[Episode]:
    """Let a lighter error count for more where another component accuses its component."""
    accused: dict[str, list[Episode]] = {}
    for one in episodes:
        whom = one.told.accused.component if one.told.accused else None
        is_told = one.weight in {Weight.AWAY, Weight.HINTS}
        # A consequence may be logged by what it is about: a scheduler has found nothing.
        is_other = whom != one.component or one.told.is_following
        if is_told and whom is not None and is_other:
            accused.setdefault(whom, []).append(one)
    return [_more_of(one, accused.get(one.component, ())) for one in episodes]


_LIGHT = {
    Weight.NO_CODE,
    Weight.PERIODIC,
    Weight.WARNS,
    Weight.HINTS,
    Weight.BESIDE,
    Weight.SAYS,
}


def _more_of(one: Episode, accusers: Sequence[Episode]) -> Episode:
    is_light = one.weight in _LIGHT
    if not is_light or not any(
        timedelta() <= other.at - one.at <= _BEFORE or one.ids & other.ids for other in accusers
    ):
        return one
    is_error = one.told.event.level >= Level.ERROR
    weight = Weight.OWN if is_error else Weight.ACCUSED
    return replace(one, told=replace(one.told, weight=weight))


# --- causes -------------------------------------------------------------------------------------


def _causes(
    episodes: Sequence[Episode],
    signs: Sequence[Noticed],
    well: frozenset[str],
    *,
    is_asked: bool,
) -> Iterator[Cause]:
    """Return causes, one for each module; of a component without a known one, one."""
    seen: set[str] = set()
    for rank, (episode, place) in enumerate(_candidates(episodes, well, is_noticed=bool(signs))):
        key = place.module if place else _broken_in(episode, place)
        if key not in seen:
            seen.add(key)
            yield _cause(episode, place, rank, episodes, signs, is_asked=is_asked)


def _by_sureness(causes: Sequence[Cause]) -> list[Cause]:
    """Order causes: the surest first; of one component a known module before an unknown one."""
    ordered: list[Cause] = []
    for sureness in Sureness:
        alike = [one for one in causes if one.sureness is sureness]
        for number, one in enumerate(alike):
            if one.place is None:
                ordered += [
                    later
                    for later in alike[number + 1 :]
                    if later.place is not None
                    and later.component == one.component
                    and later not in ordered
                ]
            if one not in ordered:
                ordered.append(one)
    return ordered


def _candidates(
    episodes: Sequence[Episode], well: frozenset[str], *, is_noticed: bool
) -> Iterator[tuple[Episode, CodePlace | None]]:
    """Return where each episode arose; of the first also where its calls came from.

    An error of its own of another request or component goes before the third call of the first.
    """
    worth = _worth_a_cause(episodes, is_noticed=is_noticed)
    later: list[tuple[Episode, CodePlace | None]] = []
    for number, one in enumerate(worth):
        places = _places(one, well, accusers=_accusers_of(one, episodes))
        if number == 0:
            yield from ((one, place) for place in places[:2])
            later = [(one, place) for place in places[2:3]]
            continue
        if later and one.weight is not Weight.OWN:
            yield from later
            later = []
        yield from ((one, place) for place in places[: 2 if one.weight is Weight.AWAY else 1])
        yield from later
        later = []
    yield from later


def _accusers_of(one: Episode, episodes: Sequence[Episode]) -> int:
    accused = one.told.accused.component if one.told.accused else None
    return len(
        {
            other.component
            for other in episodes
            if accused and other.told.accused and other.told.accused.component == accused
        }
    )


def _broken_in(episode: Episode, place: CodePlace | None) -> str:
    """Return which component is broken: the one that logged it, or the one that it accuses."""
    accused = episode.told.accused if episode.weight is Weight.AWAY else None
    if accused is not None and accused.component is not None and place is accused.place:
        return accused.component
    return episode.component


def _worth_a_cause(episodes: Sequence[Episode], *, is_noticed: bool) -> list[Episode]:
    """Leave out what accuses a component that has its own error, and what is usual.

    What is usual is left where a user noticed something, and no new error could be the reason.
    """
    has_new = any(one.weight <= Weight.ACCUSED for one in episodes)
    has_new |= any(one.weight is Weight.AWAY and not one.told.is_following for one in episodes)
    own = _own_errors(episodes)
    has_own = any(one.weight <= Weight.ACCUSED for one in episodes)
    ids = episodes[0].ids if episodes else frozenset()
    kept = []
    for number, one in enumerate(episodes):
        accused = one.told.accused
        if one.weight is Weight.USUAL and (has_new or not is_noticed):
            continue
        # A mere warning about the same request or thing, and later, is a consequence.
        if number and has_own and one.weight >= Weight.HINTS and one.ids & ids:
            continue
        if has_own and one.weight is Weight.SAYS:
            continue
        if one.weight is Weight.AWAY and accused is not None:
            if accused.follows and has_own:
                continue
            if (errors := own.get(accused.component)) and errors.explain(one):
                continue
        kept.append(one)
    return kept


@dataclass(frozen=True, slots=True, kw_only=True)
class _OwnErrors:
    """The errors of its own that a component has."""

    times: Sequence[datetime]  # sorted
    ids: frozenset[str]

    def explain(self, accuser: Episode) -> bool:
        """Say whether one of them is what another component suffers from.

        It names the same request or thing, or it was just before.
        """
        earliest = accuser.at - _SOON
        number = bisect_left(self.times, earliest)
        is_before = number < len(self.times) and self.times[number] <= accuser.at + _CLOCKS
        return is_before or bool(self.ids & accuser.ids)


def _own_errors(episodes: Iterable[Episode]) -> Mapping[str | None, _OwnErrors]:
    grouped: dict[str, list[Episode]] = {}
    for one in episodes:
        if one.weight < Weight.AWAY:
            grouped.setdefault(one.component, []).append(one)
    return {
        component: _OwnErrors(
            times=sorted(one.at for one in members),
            ids=frozenset().union(*(one.ids for one in members)),
        )
        for component, members in grouped.items()
    }


def _places(episode: Episode, well: frozenset[str], *, accusers: int) -> Sequence[CodePlace | None]:
    told, accused = episode.told, episode.told.accused
    if episode.weight is not Weight.AWAY or accused is None or accused.component is None:
        return told.places or (None,)
    # What it accuses first, then the caller; but one accuser alone is not believed against a
    # log that was read and has nothing grave, unless the call says what failed there.
    if accused.component in well and accused.place is None and accusers < _ENOUGH and told.places:
        return (told.places[0], None)
    return (accused.place, *told.places[:1])


def _cause(  # noqa: PLR0913  # all by which a cause is judged
    episode: Episode,
    place: CodePlace | None,
    rank: int,
    episodes: Sequence[Episode],
    signs: Sequence[Noticed],
    *,
    is_asked: bool,
) -> Cause:
    told = episode.told
    component, node = _broken_in(episode, place), episode.node
    is_other = component != episode.component
    if is_other:
        node = next((one.node for one in episodes if one.component == component), "")
    elif component != told.logged_by:
        node = ""
    linked = [sign.link for sign in signs if sign.is_of(episode)]
    after = [
        sign.link
        for sign in signs
        if sign.is_outcome and timedelta() <= sign.link.at - episode.at <= _SOON
    ]
    accusers = {
        one.component
        for one in episodes
        if one.told.accused and one.told.accused.component == component != one.component
    }
    rule = first_that_holds(
        RULES,
        Known(
            weight=episode.weight,
            has_traceback=told.raised is not None,
            has_code=place is not None,
            is_noticed=bool(linked),
            is_followed=bool(after),
            accusers=len(accusers),
            is_handled=told.is_handled,
            is_asked=is_asked,
            rank=rank,
        ),
    )
    noticed = (linked or after)[:1]
    return Cause(
        component=component,
        node=node or None,
        place=place,
        exception=told.raised.exception if told.raised and not is_other else None,
        at=episode.at,
        sureness=rule.sureness,
        says=_sentence(component, told, place, is_other=is_other),
        because=(*_because(episode, episodes, accusers), rule.says),
        raises=rule.raises,
        chain=(*noticed, *_chain(episode, component, is_other=is_other)),
        evidence=tuple(dict.fromkeys([told.event, *(one.event for one in episode.witnesses)]))[:5],
        accuses=told.accused.component if told.accused and not is_other else None,
        until=max(
            each.until
            for one in (episode, *episodes)
            if one is episode or component in _named_by(one)
            for each in one.witnesses
        ),
    )


def _named_by(one: Episode) -> set[str | None]:
    """Return its own component, and the one that it accuses."""
    return {one.component, one.told.accused.component if one.told.accused else None}


def _known_as(cause: Cause, signatures: Sequence[Signature]) -> KnownAs | None:
    """Return the first signature of its evidence; one of a cause goes before a consequence.

    One of a component that calls this one shows a consequence, and is left out.
    """
    least = DEPTH.get(cause.component, USUAL_DEPTH)
    found = [
        one
        for one in matches_in(seen_in(cause.evidence), signatures)
        if DEPTH.get(one.signature.component, USUAL_DEPTH) >= least
    ]
    found.sort(key=lambda one: one.signature.kind is not Kind.CAUSE)
    if not found:
        return None
    first = found[0]
    server = next((one.server for one in cause.evidence if one.server), None)
    names = {
        "node": cause.node or first.seen.node or "NODE",
        "server": server or "SERVER",
        "own_host": "HOST",  # as Nova calls it, which logs do not say
    }
    return KnownAs(
        signature=first.signature.name,
        means=first.means,
        remedy=first.signature.remedy.format_map({**names, **first.parts}),
    )


def _sentence(component: str, told: Witness, place: CodePlace | None, *, is_other: bool) -> str:
    said = told.event.message
    if told.raised is not None:
        said = f"{short(told.raised.exception)}: {told.raised.message}".rstrip(": ")
    if is_other:
        return f"{component} did not do what {told.component} asked of it: {said}"
    where = ""
    if place is not None:
        line = f":{place.line}" if place.line else ""
        where = f" in {place.function or 'the code'}, {place.module}{line}"
    if told.event.level < Level.WARNING and told.raised is None:
        return f"{component} says{where}: {said}"
    is_failed = told.event.level >= Level.ERROR or told.event.level < Level.WARNING
    word = "failed" if is_failed else "warned"
    return f"{component} {word}{where}: {said}"


def _because(episode: Episode, episodes: Sequence[Episode], accusers: set[str]) -> Iterator[str]:
    match episode.weight:
        case Weight.OWN | Weight.NO_CODE:
            yield "it is an error of its own: it accuses no other component"
        case Weight.PERIODIC:
            yield "what it does by itself at intervals failed; no request did before it"
        case Weight.ACCUSED:
            yield "it is less than an error, but the component is accused by others"
        case Weight.AWAY:
            yield "nobody who is accused has logged an error of its own"
        case _:
            yield "no error was logged"
    if accusers:
        yield f"it is accused by {', '.join(sorted(accusers))}"
    later = sum(one.at > episode.at and one.weight <= Weight.AWAY for one in episodes)
    if later:
        yield f"it was before {count_of(later, 'other error')}"
    raised = episode.told.raised
    if raised is not None and has_none_from_caller(raised):
        yield "its traceback ends where a value is None, and the caller's line may hand it over"
    elif len(episode.told.places) > 1 and raised:
        yield "of its traceback, the innermost call of a service that is no mere layer"


def _chain(episode: Episode, component: str, *, is_other: bool) -> Iterator[Link]:
    told = episode.told
    said = told.event.message
    if told.raised is not None:
        said = f"{short(told.raised.exception)}: {told.raised.message}"
    yield Link(component=told.component, node=told.event.node, at=told.event.at, says=said)
    if is_other:
        yield Link(
            component=component, node=None, at=told.event.at, says="logged no error of its own"
        )


# --- what is no cause ---------------------------------------------------------------------------


def _consequences(episodes: Sequence[Episode], causes: Sequence[Cause]) -> Iterator[Aside]:
    if not causes:
        return
    first = causes[0]
    others = [
        one
        for one in episodes
        if one.told.event not in first.evidence and one.weight is not Weight.USUAL
    ]
    yield from _asides((one, why) for one in others if (why := _follows(one, first)))


def _follows(one: Episode, first: Cause) -> str | None:
    if one.at < first.at:
        return None
    ids = frozenset().union(*(_ids_of(each) for each in first.evidence))
    if one.told.accused is not None and one.told.accused.component == first.component:
        return f"it accuses {first.component}"
    if one.ids & ids:
        return "it is about the same request or thing, and later"
    if one.told.raised is not None and one.told.raised.exception == first.exception:
        return "it has the same exception, and is later"
    return None


def _why_ruled_out(one: Episode, first: Episode) -> str | None:
    if one.weight is Weight.USUAL:
        return "it was logged before that time too"
    if one.weight is Weight.PERIODIC and first.weight < Weight.PERIODIC:
        return "it does that by itself at intervals, and a request failed"
    return None


def _ruled_out(episodes: Sequence[Episode], causes: Sequence[Cause]) -> Iterator[Aside]:
    shown = {event for one in causes for event in one.evidence}

    def told() -> Iterator[tuple[Episode, str]]:
        for one in sorted(episodes, key=lambda one: -one.weight):
            is_cause = one.weight is Weight.USUAL and one.told.event in shown
            if not is_cause and (why := _why_ruled_out(one, episodes[0])):
                yield one, why

    return _asides(told())


def _left_over(episodes: Sequence[Episode], causes: Sequence[Cause]) -> Iterator[Aside]:
    """Return errors that are neither causes nor explained: no error goes unmentioned."""
    shown = {event for one in causes for event in one.evidence}

    def told() -> Iterator[tuple[Episode, str]]:
        for one in episodes:
            is_error = any(each.event.level >= Level.ERROR for each in one.witnesses)
            is_told = _why_ruled_out(one, episodes[0]) is not None or one.told.event in shown
            if not is_error or is_told or (causes and _follows(one, causes[0])):
                continue
            accused = one.told.accused
            whom = accused.component if accused is not None else None
            yield one, f"it accuses {whom}, or only follows" if whom else "others are likelier"

    return _asides(told())


def _asides(told: Iterable[tuple[Episode, str]]) -> Iterator[Aside]:
    """Return what is no cause, with why: together what one component has for one reason."""
    grouped: dict[tuple[str, str], list[Episode]] = {}
    for one, why in told:
        grouped.setdefault((one.component, why), []).append(one)
    for (component, why), members in grouped.items():
        yield _aside(component, members, why)


def _aside(component: str, members: Sequence[Episode], why: str) -> Aside:
    return Aside(
        component=component,
        nodes=tuple(sorted({one.node for one in members})),
        count=sum(each.count for one in members for each in one.witnesses),
        first=min(one.at for one in members),
        says=members[0].told.event.message,
        why=why,
    )


def _well(
    failure: Failure, owners: Mapping[tuple[str, str], str], episodes: Sequence[Episode]
) -> set[str]:
    ill = {one.component for one in episodes if one.weight is not Weight.USUAL}
    # Of a request alone not all events were weighed.
    ill |= {component_of(one, owners) for one in failure.events if one.level >= Level.ERROR}
    read = {
        owners.get((each.node, each.path)) or named(each.path, each.component) or each.component
        for node in failure.reading.nodes.values()
        for each in node.files
        if each.first is not None
        and not each.lost
        and not each.error
        and owners.get((each.node, each.path)) != MIXED
    }
    return read - ill


def _unknown(failure: Failure) -> Iterator[str]:
    asked = failure.asked
    if asked.since is None:
        yield "when it began: without `--since`, new errors cannot be distinguished from usual ones"
    elif not failure.has_before:
        yield "what was usual before: the logs begin no earlier than the window"
    if failure.is_beyond:
        yield "what happened then: the logs end before the window begins"
    if len(failure.reading.nodes) > 1 and not any(
        node.offset for node in failure.reading.nodes.values()
    ):
        yield "how far the clocks of the nodes are apart: they were not measured"
    if len(failure.reading.nodes) == 1:
        yield "what other nodes have logged: the logs of one node are here"
    if not failure.reading.is_whole:
        yield "the rest of the logs that could not be read whole"
