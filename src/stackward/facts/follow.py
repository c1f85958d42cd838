"""Read the story of a request or a thing: its ids lead to more ids, until no log has a new one."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

from stackward.logs.event import Event
from stackward.logs.formats import JOURNAL
from stackward.logs.reading import Query, Reading
from stackward.logs.story import UUID, Link, Story, first_link, more_links, tell

MOST_ROUNDS = 4
MOST_WORDS = 300  # ids of one story
MOST_NEAR = 3
_ALIKE = 12  # letters by which an id is near another: `req-2a4c33ac`
_AROUND = timedelta(seconds=65)  # of a request, where more of it is looked for

Read = Callable[[Query], Reading]


def follow(
    sought: str, read: Read, asked: Query, *, named: Mapping[str, Link] | None = None
) -> tuple[Story, Reading]:
    """Read the story; `named` are ids that belong to it as another source knows.

    The answer's reading says which logs were looked through, and what of them could not be read.
    """
    links: dict[str, Link] = {sought: first_link(sought), **(named or {})}
    reading = read(replace(asked, words=tuple(links)))
    nodes = dict(reading.nodes)
    events = {_key(one): one for one in reading.events}
    for _ in range(MOST_ROUNDS):
        new = more_links(list(events.values()), links)
        room = MOST_WORDS - len(links)
        new = dict(list(new.items())[:room])
        if not new:
            break
        links |= new
        reading = read(replace(_around(events.values(), asked, links), words=tuple(new)))
        events |= {_key(one): one for one in reading.events}
        nodes |= {name: one for name, one in reading.nodes.items() if not one.is_whole}
    return tell(list(events.values()), links), replace(reading, nodes=nodes)


def _key(one: Event) -> tuple[object, ...]:
    # A place in the journal is counted from what was asked of it.
    place = (one.at, one.message) if one.file == JOURNAL else (one.offset,)
    return (one.node, one.file, *place)


def nearest(sought: str, read: Read, asked: Query) -> tuple[str, ...]:
    """Return ids in the logs that begin like one that is not there."""
    begin = sought[:_ALIKE]
    found = read(replace(asked, words=(begin,)))
    texts = ["\n".join((one.message, *one.more)) for one in found.events]
    ids = [one.request for one in found.events if one.request]
    ids += [one.server for one in found.events if one.server]
    ids += [id_ for text in texts for id_ in re.findall(rf"(?:req-)?{UUID}", text)]
    near = [one for one in ids if one.startswith(begin) and one != sought]
    return tuple(dict.fromkeys(near))[:MOST_NEAR]


def _around(events: Iterable[Event], asked: Query, links: Mapping[str, Link]) -> Query:
    """Limit the logs to the time of the story, if a request was asked for."""
    [first, *_] = links.values()
    times = [one.at for one in events]
    if first.kind != "request" or not times:
        return asked
    since, until = min(times) - _AROUND, max(times) + _AROUND
    return replace(
        asked,
        since=max(since, asked.since) if asked.since else since,
        until=min(until, asked.until) if asked.until else until,
    )
