"""A diagnosis as text and as data."""

from collections.abc import Iterator, Sequence

from stackward.diagnosis.cause import Aside, Cause, Diagnosis, Link, LookTold
from stackward.diagnosis.code_places import CodePlace
from stackward.facts.failure import Failure
from stackward.logs.event import Event
from stackward.ports.command import Ran
from stackward.report.logs import MOST_NODES, notes_of
from stackward.report.places import place
from stackward.report.tables import Cell, Form, Table, render_rows
from stackward.report.text import as_json, as_text, on_one_line, shortened, wrap
from stackward.report.times import for_programs, in_words, local, to_the_millisecond, utc
from stackward.wording import count_of, first_of

COLUMNS = ("Sureness", "Component", "Node", "Module", "Line", "Function", "Exception", "At", "Says")
MOST_ASIDE = 5
_LONGEST = 240  # characters of a sentence for people; data has all
_EVIDENCE = 3

# What programs read, by `-f json`: one object. These names do not change.
DIAGNOSIS_FIELDS = {
    "causes": "the likeliest first; each as below. Empty: nothing was found",
    "noticed": "what users noticed, as logs have it: links as below",
    "consequences": "errors that followed from the first cause; each as below",
    "ruled_out": "errors that are no cause; each as below",
    "well": "components whose logs were read, and have nothing grave",
    "unknown": "what could not be known, in sentences",
    "unread": "what could not be read, in sentences",
    "ran": "of a command: `program`, `exit_code` (null: it was ended), `began`, `ended`, "
    "`request_id` (or null); null without a command",
    "look": "of the cloud: `at`, `took_s`, `state`, `answered` (components that proved that they "
    "work), `not_proved`, `not_seen` (in sentences); null where logs alone were read",
    "looked": "`since`, `until` (as asked, or null), `first`, `last` (of the logs), `nodes`, "
    "`files`, `events`; of these `counted` repeat others, and were only counted",
}
CAUSE_FIELDS = {
    "component": "what is broken, as the anatomy calls it",
    "node": "where, or null where no log of it was read",
    "module": "where in its code: the path within its package, such as "
    "`nova/compute/manager.py`; null where that is not known",
    "file": "the same as the traceback has it, or null",
    "line": "the line in it, or null",
    "function": "the function, or null",
    "exception": "the first exception, with its module where the log has that; or null",
    "at": "when it began, in UTC",
    "certainty": "`certain`, `likely` or `possible`",
    "cause": "the cause in one sentence",
    "signature": "the [signature](signatures.md) that the evidence has, or null",
    "means": "what that is known to mean, or null",
    "remedy": "what ends it, or null",
    "is_now": "true: a look found it broken; false: it is past, and answers now; null: not known",
    "until": "the last sign of it in the logs, in UTC; null if it is broken now",
    "seen": "findings of the look: `finding` (its [name](findings.md)), `says`, `signs`",
    "because": "each step of the reasoning, in sentences",
    "would_raise": "what would make it surer; may be empty",
    "chain": "from what was noticed to the cause: `component`, `node`, `at`, `says`",
    "evidence": "events: `node`, `file`, `offset`, `at`, `level`, `request_id`, `message`",
}
ASIDE_FIELDS = {
    "component": "whose they are",
    "nodes": "where they are",
    "count": "how many",
    "first": "when the first was, in UTC",
    "says": "what that says",
    "why": "why they are no cause",
}


def render_diagnosis(  # noqa: PLR0913  # how it is shown
    found: Diagnosis,
    failure: Failure,
    form: Form,
    columns: Sequence[str] = (),
    width: int | None = None,
    *,
    why: bool = False,
    follow: str = "stackward log follow",
    ran: Ran | None = None,
) -> str:
    """Return what was found: for people a text, for programs one object."""
    if form is Form.JSON and not columns:
        return f"{as_json(for_programs(diagnosis_record(found, failure, ran)))}\n"
    table = Table(
        columns=COLUMNS, rows=tuple(map(_row, found.causes)), gives_way=("Exception", "At")
    ).only(columns)
    if form is not Form.TABLE or columns:
        return render_rows(table, form, width)
    lines = _lines(found, failure, width, why=why, follow=follow)
    return as_text([*(wrap(_of_command(ran), width, rest="  ") if ran else ()), *lines])


def _of_command(one: Ran) -> str:
    took = f"{(one.ended - one.began).total_seconds():.1f} s"
    how = "was ended" if one.code is None else f"ended with {one.code}"
    named = f"; it named {one.request}" if one.request else "; it named no request"
    return f"`{one.program}` {how} after {took}{named}"


def _row(one: Cause) -> tuple[Cell, ...]:
    place = one.place
    return (
        one.sureness.value, one.component, one.node or "", place.module if place else "",
        place.line if place else None, (place.function if place else None) or "",
        one.exception or "", one.at, on_one_line(one.says),
    )  # fmt: skip


# --- for people ---------------------------------------------------------------------------------


def _lines(
    found: Diagnosis, failure: Failure, width: int | None, *, why: bool, follow: str
) -> Iterator[str]:
    if not found.noticed:
        yield from wrap("no log shows that a user noticed anything", width)
    if not found.causes:
        yield from wrap(_nothing(found), width)
    for number, one in enumerate(found.causes):
        if number == 0:
            yield from _first_lines(one, found, width, why=why, follow=follow)
            continue
        if number == 1:
            yield ""
            yield "other causes, less likely:"
        yield from _other_lines(one, width, why=why)
    yield ""
    yield from _asides("followed from it:", found.consequences, width)
    yield from _asides("no cause:", found.ruled_out, width)
    if found.unknown:
        yield "not known:"
        for each in found.unknown:
            yield from wrap(each, width, first="  ", rest="    ")
        yield ""
    yield from wrap(_looked(found, failure), width, rest="  ")


def _nothing(found: Diagnosis) -> str:
    said = "no cause was found: no log has an error or a warning that is new"
    if found.look is None:
        return said
    if found.look.state.is_well:
        return f"{said}, and a look at the cloud found it well"
    return f"{said}; a look at the cloud found it {found.look.state.value}"


def _asides(title: str, those: Sequence[Aside], width: int | None) -> Iterator[str]:
    if not those:
        return
    yield title
    for aside in those[:MOST_ASIDE]:
        yield from wrap(_aside(aside), width, first="  ", rest="    ")
    if len(those) > MOST_ASIDE:
        yield f"  and {len(those) - MOST_ASIDE} more"
    yield ""


def _headline(one: Cause) -> str:
    where = place(one.component, one.node)
    when = "past, " if one.is_now is False else ""
    return _short(f"{when}{one.sureness.value}: {where}: {_bare(one)}")


def _other_lines(one: Cause, width: int | None, *, why: bool) -> Iterator[str]:
    yield from wrap(_headline(one), width, first="  ", rest="    ")
    if why:
        for each in one.because:
            yield from wrap(each, width, first="    because ", rest="      ")


def _first_lines(
    one: Cause, found: Diagnosis, width: int | None, *, why: bool, follow: str
) -> Iterator[str]:
    yield from wrap(_headline(one), width, rest="  ")
    if one.place is not None:
        yield from _field("in", _place(one.place), width)
    yield from _field("since", _since(one, found), width)
    for link in one.chain:
        if link in found.noticed:
            yield from _field("noticed", _link(link), width)
        elif why:
            yield from _field("because", _link(link), width)
    for each in one.because if why else one.because[-1:]:
        yield from _field("because", each, width)
    yield from _what_helps(one, width)
    for event in one.evidence[: None if why else _EVIDENCE]:
        yield from _field("logged", _event(event), width)
    request = next((each.request for each in one.evidence if each.request), None)
    if request:
        yield from _field("follow", f"{follow} {request}", None)


def _what_helps(one: Cause, width: int | None) -> Iterator[str]:
    """Return what would make it surer, what it means, what ends it, and what the look saw."""
    if one.raises:
        yield from _field("surer by", one.raises, width)
    if one.known_as is not None:
        yield from _field("means", one.known_as.means, width)
    if one.remedy is not None:
        yield from _field("remedy", in_words(one.remedy), width)
    for sign in [f"[{each.finding}] {line}" for each in one.seen for line in each.signs or ("",)]:
        yield from _field("seen", on_one_line(sign), width)


def _since(one: Cause, found: Diagnosis) -> str:
    """Return when it began; of what is past also its end, of what is not known when it was seen."""
    if one.is_now is False and one.until is not None and one.until > one.at:
        return f"{local(one.at)} until {local(one.until)}"
    if one.is_now and found.look is not None and one.at == found.look.at:
        return f"not known; seen {local(one.at)}"
    return local(one.at)


def _bare(one: Cause) -> str:
    """Return the sentence without the component, which is before it."""
    return on_one_line(one.says.removeprefix(f"{one.component} "))


def _short(said: str) -> str:
    return shortened(said, _LONGEST)


def _field(name: str, said: str, width: int | None) -> list[str]:
    return wrap(said, width, first=f"  {name:8} ", rest=" " * 11)


def _place(one: CodePlace) -> str:
    function = f"{one.function}, " if one.function else ""
    return f"{function}{one.module}{f':{one.line}' if one.line else ''}"


def _link(one: Link) -> str:
    where = f" on {one.node}" if one.node else ""
    said = f"{to_the_millisecond(one.at)} {one.component}{where}: {one.says}"
    return _short(on_one_line(said))


def _event(one: Event) -> str:
    where = f"{one.node}:{one.file}"
    said = f"{one.level.word} {to_the_millisecond(one.at)} {where}: {one.message}"
    return _short(on_one_line(said))


def _aside(one: Aside) -> str:
    where = place(one.component, first_of(one.nodes, MOST_NODES))
    return _short(on_one_line(f"{where}: {count_of(one.count, 'event')}: {one.why}: {one.says}"))


def _looked(found: Diagnosis, failure: Failure) -> str:
    nodes = failure.reading.nodes
    files = sum(len(one.files) for one in nodes.values())
    span = ""
    if failure.first and failure.last:
        span = f", {local(failure.first)} to {local(failure.last)}"
    well = f"; nothing grave in {first_of(found.well, 8)}" if found.well else ""
    if found.look is not None:
        well += (
            f"; at the cloud for {found.look.took_s:.1f} s: "
            f"{count_of(len(found.look.answered), 'component')} answered"
        )
        if found.look.not_proved:
            well += f"; not proved: {first_of(found.look.not_proved, 8)}"
        if found.look.not_seen:
            well += f"; not seen: {count_of(len(found.look.not_seen), 'thing')}"
    counted = failure.reading.counted
    repeat = f" ({count_of(counted, 'event')} only counted: they repeat others)" if counted else ""
    return (
        f"looked at {count_of(found.events, 'warning or error', 'warnings and errors')}{repeat} in "
        f"{count_of(files, 'file')} of {count_of(len(nodes), 'node')}{span}{well}"
    )


# --- for programs -------------------------------------------------------------------------------


def diagnosis_record(
    found: Diagnosis, failure: Failure, ran: Ran | None = None
) -> dict[str, object]:
    """Return a diagnosis as data; docs/reference/diagnosis.md has its fields."""
    asked, nodes = failure.asked, failure.reading.nodes
    return {
        "causes": [_cause_record(one) for one in found.causes],
        "noticed": [_link_record(one) for one in found.noticed],
        "consequences": [_aside_record(one) for one in found.consequences],
        "ruled_out": [_aside_record(one) for one in found.ruled_out],
        "well": list(found.well),
        "unknown": list(found.unknown),
        "unread": list(notes_of(failure.reading)),
        "ran": _ran_record(ran) if ran else None,
        "look": _look_record(found.look) if found.look else None,
        "looked": {
            "since": utc(asked.since) if asked.since else None,
            "until": utc(asked.until) if asked.until else None,
            "first": utc(failure.first) if failure.first else None,
            "last": utc(failure.last) if failure.last else None,
            "nodes": list(nodes),
            "files": sum(len(one.files) for one in nodes.values()),
            "events": found.events,
            "counted": failure.reading.counted,
        },
    }


def _look_record(one: LookTold) -> dict[str, object]:
    return {
        "at": utc(one.at, "microseconds"),
        "took_s": round(one.took_s, 3),
        "state": one.state.value,
        "answered": list(one.answered),
        "not_proved": list(one.not_proved),
        "not_seen": list(one.not_seen),
    }


def _ran_record(one: Ran) -> dict[str, object]:
    return {
        "program": one.program,
        "exit_code": one.code,
        "began": utc(one.began, "microseconds"),
        "ended": utc(one.ended, "microseconds"),
        "request_id": one.request,
    }


def _cause_record(one: Cause) -> dict[str, object]:
    place = one.place
    return {
        "component": one.component,
        "node": one.node,
        "module": place.module if place else None,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "function": place.function if place else None,
        "exception": one.exception,
        "at": utc(one.at, "microseconds"),
        "certainty": one.sureness.value,
        "cause": one.says,
        "signature": one.known_as.signature if one.known_as else None,
        "means": one.known_as.means if one.known_as else None,
        "remedy": one.remedy,
        "is_now": one.is_now,
        "until": utc(one.until, "microseconds") if one.until else None,
        "seen": [
            {"finding": each.finding, "says": each.says, "signs": list(each.signs)}
            for each in one.seen
        ],
        "because": list(one.because),
        "would_raise": one.raises,
        "chain": [_link_record(each) for each in one.chain],
        "evidence": [_event_record(each) for each in one.evidence],
    }


def _link_record(one: Link) -> dict[str, object]:
    return {
        "component": one.component,
        "node": one.node,
        "at": utc(one.at, "microseconds"),
        "says": one.says,
    }


def _aside_record(one: Aside) -> dict[str, object]:
    return {
        "component": one.component,
        "nodes": list(one.nodes),
        "count": one.count,
        "first": utc(one.first, "microseconds"),
        "says": one.says,
        "why": one.why,
    }


def _event_record(one: Event) -> dict[str, object]:
    return {
        "node": one.node,
        "file": one.file,
        "offset": one.offset,
        "at": utc(one.at, "microseconds"),
        "level": one.level.word,
        "request_id": one.request,
        "message": one.message,
    }
