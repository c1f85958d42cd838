"""Every list of every API, read to its end: the one place that follows links and markers.

A link is never followed to where it points: behind a proxy it often names another host, and the
token belongs to the endpoint of the catalog alone. What the link adds to the query is added to
ours, at the same path.
"""

from collections.abc import Callable, Sequence
from itertools import islice
from urllib.parse import parse_qsl, urlsplit

from stackward.adapters.openstack.answers import Json, link_to_next, list_in

Query = Sequence[tuple[str, str]]

MOST_PAGES = 10_000
_PLACE = {"marker", "limit", "offset", "page"}  # what says which page it is


class NeverEnds(ValueError):
    """A list whose pages lead nowhere."""


def read_list(
    fetch: Callable[[Query], Json],
    name: str,
    query: Query = (),
    *,
    marker: str | None = None,
    at_most: int | None = None,
) -> list[object]:
    """Return a list to its end, page by page; `fetch` asks for one page.

    `marker` is the field of an element by which the next page is asked for. It is for a service
    that says nothing of a next page: such a list ends with an empty page. `at_most`: this number of
    elements is enough. Raises one of `ODD` where a page cannot be read, or the pages never end.
    """
    gathered: list[object] = []
    seen: set[tuple[tuple[str, str], ...]] = set()
    own = [(key, value) for key, value in query if key != "marker"]
    place: Query = ()
    for _ in range(MOST_PAGES):
        body = fetch([*own, *place])
        page = list_in(body, name)
        gathered += page
        if at_most is not None and len(gathered) >= at_most:
            return list(islice(gathered, at_most))
        following = _after(page, marker) if marker else _next(body, name, own)
        if not following:
            return gathered
        if (known := tuple(following)) in seen:
            raise NeverEnds(f"the pages of `{name}` go in a circle: {dict(known)} came twice")
        seen.add(known)
        place = following
        own = [(key, value) for key, value in own if key not in dict(place)]
    raise NeverEnds(f"`{name}` has more than {MOST_PAGES} pages")


def _after(page: Sequence[object], marker: str) -> Query:
    if not page:
        return ()
    last = page[-1]
    if not isinstance(last, dict):
        raise TypeError("an element of the list is not an object")
    return [("marker", str(last[marker]))]


def _next(body: Json, name: str, own: Query) -> Query:
    """Return what the query of the next page adds; nothing where this is the last."""
    link = link_to_next(body, name)
    if link is None:
        if body.get("truncated"):  # Keystone's `list_limit`
            raise NeverEnds(f"the service gives only a part of `{name}`")
        return ()
    names = {key for key, _ in own} - _PLACE
    added = [
        (key, value)
        for key, value in parse_qsl(urlsplit(link).query, keep_blank_values=True)
        if key not in names
    ]
    if not {key for key, _ in added} & (_PLACE - {"limit"}):
        raise NeverEnds(f"the link to the next page of `{name}` does not say where it begins")
    return added
