"""What is left of servers and nodes that are gone, as a text for people and as data."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from stackward.model.orphan import Orphan, OrphanKind, Orphans
from stackward.report.tables import Cell, Form, Table, render_rows
from stackward.report.text import as_json, as_text, wrap
from stackward.report.times import utc
from stackward.wording import count_of

COLUMNS = ("Kind", "Name", "ID", "Hosts", "Owner", "Since", "Says", "Remove")
_HOUR_S, _DAY_S = 3600, 86400
_TITLES = {
    OrphanKind.GUEST: "Guests of servers that Nova does not have",
    OrphanKind.ALLOCATION: "Allocations without a consumer",
    OrphanKind.PORT: "Ports of servers that Nova does not have",
    OrphanKind.VOLUME: "Volumes in use by servers that Nova does not have",
    OrphanKind.SERVICE: "Services of Nova on nodes that are gone",
    OrphanKind.AGENT: "Agents of Neutron on nodes that are gone",
}

# What programs read, by `-f json`: one object. These names do not change.
ORPHANS_FIELDS = {
    "orphans": "what is left; each as below",
    "unknown": "what could not be read: `what`, `why`",
    "at": "when it was read",
}
ORPHAN_FIELDS = {
    "kind": "`guest`, `allocation`, `port`, `volume`, `service` or `agent`",
    "name": "its name",
    "id": "its id: of the server of a guest, a consumer, a port, a volume, a service, an agent",
    "hosts": "where it is, as the cloud calls them",
    "owner": "the id of its project; null where that is not known",
    "since": "when its server was deleted, or when the service last reported; null where that is "
    "not known",
    "says": "what is so, in a sentence",
    "remove": "what removes it",
}


def render_orphans(
    found: Orphans, form: Form, columns: Sequence[str] = (), width: int | None = None
) -> str:
    """Return what was found: for people a text, for programs one object."""
    if form is Form.JSON and not columns:
        return f"{as_json(orphans_record(found), indent=2)}\n"
    if form is not Form.TABLE or columns:
        table = Table(
            columns=COLUMNS, rows=tuple(map(_row, found.found)), gives_way=("Remove", "ID")
        )
        return render_rows(table.only(columns), form, width)
    return as_text(_lines(found, width))


def orphans_record(found: Orphans) -> dict[str, object]:
    """Return all of it as data."""
    return {
        "orphans": [
            {
                "kind": one.kind.value,
                "name": one.name,
                "id": one.id,
                "hosts": [*one.hosts],
                "owner": one.owner,
                "since": _since(one),
                "says": one.says,
                "remove": one.way,
            }
            for one in found.found
        ],
        "unknown": [{"what": what, "why": why} for what, why in found.unread],
        "at": utc(found.at, "seconds"),
    }


def _since(one: Orphan) -> str | None:
    return utc(one.since, "seconds") if one.since else None


def _row(one: Orphan) -> tuple[Cell, ...]:
    since = _since(one)
    return (one.kind.value, one.name, one.id, one.hosts, one.owner, since, one.says, one.way)


def _lines(found: Orphans, width: int | None) -> Iterator[str]:
    for kind, title in _TITLES.items():
        those = [one for one in found.found if one.kind is kind]
        if those:
            yield from wrap(f"{title}: {len(those)}  [{kind.value}]", width)
        for one in those:
            yield from _orphan(one, found.at, width)
    if found.unread:
        yield "unknown, so nothing of it is listed:"
        for what, why in found.unread:
            yield from wrap(f"{what}: {why}", width, first="  ", rest="    ")
        yield ""
    left = f"{count_of(len(found.found), 'thing')} left" if found.found else "nothing is left"
    where = "of servers and nodes that are gone"
    said = [left, where, *(["in what could be read"] if found.unread else [])]
    yield from wrap(" ".join(said), width)


def _orphan(one: Orphan, now: datetime, width: int | None) -> Iterator[str]:
    called = f"`{one.name}`" + (f" ({one.id})" if one.id != one.name else "")
    yield from wrap(f"{called} {one.says}", width, first="  ", rest="    ")
    known = None if one.since is None else f"{_age(now - one.since)} ({_since(one)})"
    age = f"gone for {known}" if known else "age not known"
    where = f"; on {', '.join(one.hosts)}" if one.hosts else ""
    owner = one.owner or "not known"
    yield from wrap(f"owner {owner}; {age}{where}", width, first="    ", rest="      ")
    yield from wrap(f"remove: {one.way}", width, first="    ", rest="      ")
    yield ""


def _age(span: timedelta) -> str:
    seconds = max(0.0, span.total_seconds())
    if seconds < _HOUR_S:
        return count_of(int(seconds // 60), "minute")
    if seconds >= 2 * _DAY_S:
        return f"{seconds / _DAY_S:.0f} days"
    return f"{seconds / _HOUR_S:.1f} hours"
