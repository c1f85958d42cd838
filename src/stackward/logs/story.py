"""Follow one request or one thing through all services: its id changes at each hop.

Each id that is followed has the reason for which it belongs to the story, and how certain that is.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from stackward.logs.event import Event, Level
from stackward.logs.order import in_order

UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_UUID = re.compile(UUID)
_REQUEST = re.compile(rf"req-{UUID}")
_IS_REQUEST = re.compile(r"req-[\w-]+")
# How services name what a request is about. Each has one group: the id.
_THINGS = {
    "server": re.compile(rf"\b(?:instance|server|servers|device_id)[ :=/']{{1,3}}({UUID})"),
    "port": re.compile(rf"\b(?:network-[a-z-]+:|ports?[ :=/']{{1,3}}|VIF )({UUID})"),
    "volume": re.compile(rf"\bvolumes?[ :=/'-]{{1,3}}({UUID})"),
    "migration": re.compile(rf"\b(?:M|m)igration(?:s|_id)?[ :=/']{{1,3}}({UUID})"),
}
_READS = re.compile(r'(?:"|\] |^)GET (?:https?://|/)')
_PERIODIC = re.compile(r"[Pp]eriodic task|_sync_power_states|_heal_instance_info_cache")
_AROUND = timedelta(seconds=2)  # what belongs to a thing, before and after its request


class Certainty(StrEnum):
    """How certain it is that something belongs to a story."""

    CERTAIN = "certain"  # the services name the id themselves
    LIKELY = "likely"  # the same thing, at the same time


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Why an id belongs to a story."""

    id: str
    kind: str  # request, server, port, volume or migration
    why: str
    certainty: Certainty = Certainty.CERTAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """What one service on one node did for one request."""

    node: str
    component: str
    request: str | None  # its own id there; None: its lines have none
    events: tuple[Event, ...]
    link: Link

    @property
    def began(self) -> datetime:
        """Return when its first line was."""
        return self.events[0].at

    @property
    def took_s(self) -> float:
        """Return how long it was from its first line to its last."""
        return (self.events[-1].at - self.events[0].at).total_seconds()

    @property
    def level(self) -> Level:
        """Return the gravest level in it."""
        return max(each.level for each in self.events)

    @property
    def is_read(self) -> bool:
        """Say whether it only read something: such requests are many, and change nothing."""
        return self.level < Level.WARNING and all(_READS.search(one.message) for one in self.events)

    @property
    def is_periodic(self) -> bool:
        """Say whether it is work that runs again and again by itself."""
        return self.level < Level.WARNING and any(
            _PERIODIC.search(one.message) for one in self.events
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """All hops of a request or a thing, in the order of time."""

    sought: str
    hops: tuple[Hop, ...]
    links: tuple[Link, ...]
    gaps: tuple[str, ...] = ()  # what should be there and is not

    @property
    def events(self) -> list[Event]:
        """Return its events in the order of time."""
        return in_order(one for hop in self.hops for one in hop.events)


def kind_of(sought: str) -> str | None:
    """Return what an id is of: a request, or a thing; None where it is no id."""
    if _IS_REQUEST.fullmatch(sought):
        return "request"
    return "thing" if _UUID.fullmatch(sought) else None


def first_link(sought: str) -> Link:
    """Return the link that a story begins with."""
    kind = kind_of(sought) or "name"
    why = "it was asked for" if kind == "request" else f"it names {sought}"
    return Link(id=sought, kind=kind, why=why)


def _called(thing: Link) -> str:
    return thing.id if thing.kind in {"thing", "name"} else f"the {thing.kind} {thing.id}"


def more_links(events: Sequence[Event], known: Mapping[str, Link]) -> dict[str, Link]:
    """Return the ids that belong to the story by what its events say, and are not known yet."""
    found: dict[str, Link] = {}
    window = _window(events, known)
    users = _users(events, known)
    for one in events:
        for link in _links_of(one, known, window, users):
            if link.id not in known:
                found.setdefault(link.id, link)
    return found


def _links_of(
    one: Event,
    known: Mapping[str, Link],
    window: tuple[datetime, datetime] | None,
    users: frozenset[str | None],
) -> Iterable[Link]:
    service = one.component
    own, led = one.request, one.global_request
    if led is not None and led in known and own:
        yield Link(id=own, kind="request", why=f"its global id is {led}")
    if own is not None and own in known:
        if led:
            yield Link(id=led, kind="request", why=f"{service} did {own} for it")
        said = _text(one)
        for id_ in _REQUEST.findall(said):
            yield Link(id=id_, kind="request", why=f"{service} names it as the id of an answer")
        if known[own].certainty is Certainty.CERTAIN:
            yield from _things_of(one, said)
        return
    thing = _named_thing(one, known)
    # Another request of the same user is another story; that of a service may be a part of this.
    is_other = window is None or one.user not in users
    # Who builds a server reads what others on its node hold: that is no part of their stories.
    is_audit = led is not None and _READS.search(one.message) is not None
    is_part = is_other and not is_audit and _is_within(one, window)
    if thing and own and one.user and is_part:
        why = f"it names {_called(thing)} at that time"
        yield Link(id=own, kind="request", why=why, certainty=Certainty.LIKELY)
        if led:
            yield Link(id=led, kind="request", why=why, certainty=Certainty.LIKELY)
    if thing and thing.kind in {"thing", "server"}:
        yield from (
            link for link in _things_of(one, _text(one)) if link.kind in {"port", "migration"}
        )


def _things_of(one: Event, said: str) -> Iterable[Link]:
    if one.server:
        yield Link(id=one.server, kind="server", why=f"it is about the server {one.server}")
    for kind, form in _THINGS.items():
        for id_ in form.findall(said):
            yield Link(id=id_, kind=kind, why=f"it names the {kind} {id_}")


def _named_thing(one: Event, known: Mapping[str, Link]) -> Link | None:
    """Return the thing of the story that an event names."""
    if one.server is not None and one.server in known:
        return known[one.server]
    for id_ in _UUID.findall(_text(one)):
        if id_ in known and known[id_].kind != "request":
            return known[id_]
    return None


def _text(one: Event) -> str:
    return "\n".join((one.message, *one.more)) if one.more else one.message


def _users(events: Sequence[Event], known: Mapping[str, Link]) -> frozenset[str | None]:
    """Return who made the request that was asked for."""
    [first, *_] = known.values()
    return frozenset(one.user for one in events if one.request == first.id)


def _window(events: Sequence[Event], known: Mapping[str, Link]) -> tuple[datetime, datetime] | None:
    """Return the time of the request that was asked for; None where a thing was."""
    [first, *_] = known.values()
    if first.kind != "request":
        return None
    of_it = [
        one.at
        for one in events
        for id_ in (one.request, one.global_request)
        if id_ is not None and id_ in known and known[id_].certainty is Certainty.CERTAIN
    ]
    return (min(of_it) - _AROUND, max(of_it) + _AROUND) if of_it else None


def _is_within(one: Event, window: tuple[datetime, datetime] | None) -> bool:
    return window is None or window[0] <= one.at <= window[1]


_Place = tuple[str, str, str | None, bool]


def _is_read(one: Event) -> bool:
    return one.request is None and _READS.search(one.message) is not None


def tell(events: Sequence[Event], links: Mapping[str, Link]) -> Story:
    """Put the events that belong to a story into its hops."""
    [first, *_] = links.values()
    window = _window(events, links)
    hops: dict[_Place, list[Event]] = {}
    why: dict[_Place, Link] = {}
    for one in in_order(events):
        link = _reason(one, links, window)
        if link is None:
            continue
        key = (one.node, one.component, one.request, _is_read(one))
        hops.setdefault(key, []).append(one)
        why.setdefault(key, link)
    told = [
        Hop(node=node, component=component, request=request, events=tuple(own), link=why[key])
        for key, own in hops.items()
        for node, component, request, _ in [key]
    ]
    seen = {hop.request for hop in told} | {
        one.global_request for hop in told for one in hop.events
    }
    gaps = tuple(
        f"no log has a line of {link.id} in the time that was searched: {link.why}"
        for link in links.values()
        if link.kind == "request" and link.id not in seen
    )
    return Story(
        sought=first.id,
        hops=tuple(sorted(told, key=lambda hop: (hop.began, hop.node, hop.component))),
        links=tuple(links.values()),
        gaps=gaps,
    )


def _reason(
    one: Event, links: Mapping[str, Link], window: tuple[datetime, datetime] | None
) -> Link | None:
    for id_ in (one.request, one.global_request):
        if id_ is not None and id_ in links:
            return links[id_]
    thing = _named_thing(one, links)
    # What somebody else asked for is a story of its own, unless a link says that it is not.
    is_own = window is None or one.request is None or one.user is None
    if thing is not None and is_own and _is_within(one, window):
        return thing
    for id_ in _REQUEST.findall(_text(one)):
        if id_ in links:
            return links[id_]
    # What was asked for is in it, such as a name: that is all that is known.
    [first, *_] = links.values()
    return first if first.id in _text(one) else None
