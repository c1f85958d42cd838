"""What witnesses do not agree on, as a text for people and as data."""

from collections.abc import Iterator, Sequence

from stackward.health.agreement import Agreement
from stackward.health.disagreements import BY_NAME, remedy_of
from stackward.model.disagreement import Case
from stackward.model.testimony import Source
from stackward.report.tables import Cell, Form, Table, render_rows
from stackward.report.text import as_json, as_text, wrap
from stackward.report.times import utc
from stackward.wording import count_of, first_of

COLUMNS = ("Class", "Thing", "ID", "Hosts", *(source.value for source in Source), "Says", "Remedy")
_SHOWN = 5
_WIDEST = max(len(source.value) for source in Source)

# What programs read, by `-f json`: one object. These names do not change.
AGREEMENT_FIELDS = {
    "cases": "what the witnesses do not agree on, the worst first; each as below",
    "unknown": "what could not be read, and so gives no case: `witness`, `host` (null: all), `why`",
    "looks": "how often was looked: 2 where the first look saw anything",
    "passed": "how many cases one look alone saw, or somebody acted on: they are not counted",
    "looked": "`at`, and how many `hosts`, `servers` and `volumes` were compared",
}
CASE_FIELDS = {
    "class": "the name of the class, as on this page",
    "thing": "what it is about, by its name",
    "id": "its id: of a server, a consumer of placement or a volume",
    "server": "the id of the server, or null",
    "hosts": "the hosts that it touches, as Nova calls them",
    "place": "the port, volume or host that distinguishes cases of one class and thing; or empty",
    "says": "what is so, in a sentence",
    "witnesses": "what each of Nova, libvirt, placement, Neutron and Cinder says, in words",
    "remedy": "what to do about it",
}


def render_agreement(
    found: Agreement, form: Form, columns: Sequence[str] = (), width: int | None = None
) -> str:
    """Return what was found: for people a text, for programs one object."""
    if form is Form.JSON and not columns:
        return f"{as_json(agreement_record(found), indent=2)}\n"
    if form is not Form.TABLE or columns:
        table = Table(
            columns=COLUMNS,
            rows=tuple(map(_row, found.cases)),
            gives_way=(*(source.value for source in Source), "ID", "Remedy"),
        )
        return render_rows(table.only(columns), form, width)
    return as_text(_lines(found, width))


def agreement_record(found: Agreement) -> dict[str, object]:
    """Return all of it as data."""
    testimony = found.testimony
    volumes = testimony.volumes
    return {
        "cases": [
            {
                "class": one.name,
                "thing": one.thing,
                "id": one.thing_id,
                "server": one.server,
                "hosts": [*one.hosts],
                "place": one.place,
                "says": one.says,
                "witnesses": {who.value: said for who, said in one.witnesses.items()},
                "remedy": remedy_of(one),
            }
            for one in found.cases
        ],
        "unknown": [
            {"witness": who.value, "host": host or None, "why": unread.why}
            for who, host, unread in testimony.unread()
        ]
        + ([] if testimony.is_whole else [_CELL_DOWN]),
        "looks": found.looks,
        "passed": len(found.passed),
        "looked": {
            "at": utc(testimony.at, "seconds"),
            "hosts": len(testimony.hosts),
            "servers": len(testimony.servers),
            "volumes": len(volumes) if isinstance(volumes, dict) else None,
        },
    }


_CELL_DOWN = {
    "witness": Source.NOVA.value,
    "host": None,
    "why": "a cell is down: what Nova has there is not known",
}


def _row(one: Case) -> tuple[Cell, ...]:
    said = (one.witnesses.get(source, "") for source in Source)
    return (one.name, one.thing, one.thing_id, one.hosts, *said, one.says, remedy_of(one))


# --- for people -----------------------------------------------------------------------------------


def _lines(found: Agreement, width: int | None) -> Iterator[str]:
    name = ""
    for case in found.cases:
        if case.name != name:
            name = case.name
            count = sum(one.name == name for one in found.cases)
            yield from wrap(f"{BY_NAME[name].title}: {count}  [{name}]", width)
        yield from _case(case, width)
    yield from _unknown(found, width)
    yield from wrap(_summary(found), width, rest="  ")


def _case(case: Case, width: int | None) -> Iterator[str]:
    called = f"`{case.thing}`" + (f" ({case.thing_id})" if case.thing_id != case.thing else "")
    yield from wrap(f"{called} {case.says}", width, first="  ", rest="    ")
    for source in Source:
        if said := case.witnesses.get(source):
            label = f"    {source.value:<{_WIDEST}}  "
            yield from wrap(said, width, first=label, rest=" " * len(label))
    yield from wrap(f"remedy: {remedy_of(case)}", width, first="    ", rest="      ")
    yield ""


def _unknown(found: Agreement, width: int | None) -> Iterator[str]:
    unread = found.testimony.unread()
    if not unread and found.testimony.is_whole:
        return
    yield "unknown, so it gives no case:"
    if not found.testimony.is_whole:
        yield from wrap(f"Nova: {_CELL_DOWN['why']}", width, first="  ", rest="    ")
    said: dict[tuple[Source, str], list[str]] = {}
    for who, host, why in unread:
        said.setdefault((who, why.why), []).append(host)
    for (who, why_not), hosts in said.items():
        where = f" of {first_of(hosts, _SHOWN)}" if any(hosts) else ""
        yield from wrap(f"{who.value}{where}: {why_not}", width, first="  ", rest="    ")
    yield ""


def _summary(found: Agreement) -> str:
    testimony = found.testimony
    compared = (
        f"{count_of(len(testimony.servers), 'server')} on {count_of(len(testimony.hosts), 'node')}"
    )
    if found.cases:
        total = count_of(len(found.cases), "disagreement")
        return f"{total}, seen by two looks; {compared} compared{_passed(found)}"
    whole = not testimony.unread() and testimony.is_whole
    agreed = "all witnesses agree" if whole else "what could be read agrees"
    return f"{agreed}: {compared} compared{_passed(found)}"


def _passed(found: Agreement) -> str:
    if not found.passed:
        return ""
    many = len(found.passed)
    what = "disagreement was" if many == 1 else "disagreements were"
    return f"; {many} {what} gone by the second look, or acted on, and not counted"
