"""Why servers do not boot, as text and as data."""

from collections.abc import Iterator, Sequence

from stackward.report.places import place
from stackward.report.tables import Cell, Form, Table, render_rows
from stackward.report.text import as_json, as_text, on_one_line, wrap
from stackward.report.times import for_programs, in_words, local, utc
from stackward.signatures.form import Match, Place, Scope, Seen
from stackward.triage.verdict import Boots, Cause, Verdict
from stackward.wording import count_of, first_of

COLUMNS = ("Server", "Name", "Node", "Status", "Boots", "Sureness", "Signature", "Cause", "Remedy")
_LONGEST = 160  # characters of a line of evidence, for people; data has all
_EVIDENCE = 3
_MOST_NAMES = 5

# What programs read, by `-f json`: one object. These names do not change.
TRIAGE_FIELDS = {
    "servers": "each server that was named, as below",
    "of_nodes": "causes that several of them share: `node`, `signature`, `cause`, `remedy`, "
    "`servers` (their ids)",
}
SERVER_FIELDS = {
    "server": "its id",
    "name": "its name",
    "status": "in Nova's words",
    "node": "its node as the inventory calls it, else as Nova does; null: it is on none",
    "boots": "`yes`: its guest runs, `no`, `stopped`: by request, or `unknown`",
    "causes": "the likeliest first; each as below. Empty: it is unknown, or there is none",
    "consequences": "what follows from the causes; each as a cause",
    "attempt": "Nova's last request that starts a guest: `action`, `request_id`, `at`, `failed`, "
    "`says`; or null",
    "last_words": "the last error of that attempt, where no cause is known: evidence; or null",
    "ruled_out": "what was looked at and is well, in sentences",
    "unread": "what could not be read, in sentences",
    "notes": "other facts about it, in sentences",
}
CAUSE_FIELDS = {
    "signature": "the name of its page",
    "cause": "in one sentence",
    "certainty": "`certain`, `likely` or `possible`",
    "because": "the rule of the certainty",
    "would_raise": "what would make it surer; may be empty",
    "remedy": "what ends it",
    "component": "whose it is, as the anatomy calls it; `guest` for what is in the guest",
    "scope": "`server`, `node`: all servers of the node suffer, or `guest`: its owner's matter",
    "shared_by": "how many servers of the node suffer from it, as far as that is known",
    "evidence": "each: `in` (log, fault, domain-log, disk, console, fact), `node`, `file`, `line`, "
    "`offset`, `at` (any of them may be null), `text`",
}


def render_triage(
    verdicts: Sequence[Verdict],
    form: Form,
    columns: Sequence[str] = (),
    width: int | None = None,
) -> str:
    """Return what was found: for people a text, for programs one object."""
    if form is Form.JSON and not columns:
        return f"{as_json(for_programs(triage_record(verdicts)))}\n"
    table = Table(
        columns=COLUMNS,
        rows=tuple(row for one in verdicts for row in _rows(one)),
        gives_way=("Remedy", "Cause"),
    ).only(columns)
    if form is not Form.TABLE or columns:
        return render_rows(table, form, width)
    return as_text(_lines(verdicts, width))


def _rows(one: Verdict) -> Iterator[tuple[Cell, ...]]:
    begin = (one.server.id, one.server.name, one.node or "", one.server.status, one.boots.value)
    for cause in one.causes:
        end = (cause.signature.name, on_one_line(cause.says), on_one_line(cause.remedy))
        yield (*begin, cause.sureness.value, *end)
    if not one.causes:
        yield (*begin, "", "", "", "")


# --- for people ---------------------------------------------------------------------------------


def shared(verdicts: Sequence[Verdict]) -> dict[tuple[str, str], list[Verdict]]:
    """Return the causes that several servers of a node share, by the node and the signature."""
    found: dict[tuple[str, str], list[Verdict]] = {}
    for one in verdicts:
        for cause in one.causes:
            if one.node is not None and cause.signature.scope is Scope.NODE:
                found.setdefault((one.node, cause.signature.name), []).append(one)
    return {key: those for key, those in found.items() if len(those) > 1}


def _lines(verdicts: Sequence[Verdict], width: int | None) -> Iterator[str]:
    common = shared(verdicts)
    for (node, name), those in common.items():
        cause = next(one for one in those[0].causes if one.signature.name == name)
        names = first_of((each.server.label for each in those), _MOST_NAMES)
        yield from wrap(f"{node}: {cause.says}", width, rest="  ")
        yield from _field("keeps", f"{count_of(len(those), 'server')} from booting: {names}", width)
        yield from _cause_lines(cause, width)
        yield ""
    for number, one in enumerate(verdicts):
        if number:
            yield ""
        yield from _server_lines(one, common, width)


def shortly(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Say in a sentence each why servers do not boot; a cause that they share is said once."""
    common = shared(verdicts)
    for (node, name), those in common.items():
        cause = next(one for one in those[0].causes if one.signature.name == name)
        names = first_of((each.server.label for each in those), _MOST_NAMES)
        sureness = cause.sureness.value
        yield f"why {names} do not boot ({sureness}): {node}: {cause.says}; {cause.remedy}"
    for one in verdicts:
        told = [each for each in one.causes if (one.node or "", each.signature.name) in common]
        if told:
            continue
        if one.causes:
            cause = one.causes[0]
            why = f"({cause.sureness.value}): {cause.says}; {cause.remedy}"
        else:
            why = f"is unknown: `stackward server triage {one.server.id}` says what was ruled out"
        yield f"why `{one.server.label}` does not boot {why}"


def _server_lines(
    one: Verdict, common: dict[tuple[str, str], list[Verdict]], width: int | None
) -> Iterator[str]:
    own = [each for each in one.causes if (one.node or "", each.signature.name) not in common]
    told = [each for each in one.causes if each not in own]
    yield from wrap(f"{one.server.label} ({one.server.id}) {_headline(one, own, told)}", width)
    for note in one.notes:
        yield from _field("note", in_words(note), width)
    if own:
        yield from _cause_lines(own[0], width)
    elif one.last_words is not None and not told:
        yield from _field("last error", _evidence(one.last_words), width)
    others = [f"{each.sureness.value}: {each.says}; {each.remedy}" for each in own[1:]]
    yield from _listed("other causes, less likely:", others, width)
    yield from _listed("follows from it:", [each.says for each in one.consequences], width)
    yield from _listed("ruled out:", one.ruled_out, width)
    yield from _listed("not known:", [on_one_line(in_words(it)) for it in one.unread], width)


def _listed(title: str, those: Sequence[str], width: int | None) -> Iterator[str]:
    if those:
        yield title
    for each in those:
        yield from wrap(each, width, first="  ", rest="    ")


def _headline(one: Verdict, own: Sequence[Cause], told: Sequence[Cause]) -> str:
    where = f" on {one.node}" if one.node else ""
    causes = [*own, *told]
    above = f"see {place(told[0].signature.component, str(one.node))}, above" if told else ""
    if one.boots is Boots.YES:
        if causes:
            why = own[0].says if own else above
            return f"runs{where}, and would not boot again: {why}"
        return f"runs{where}: nothing was found that keeps it from booting"
    if one.boots is Boots.STOPPED:
        return "is off by request: nothing was found that would keep it from booting"
    if told and not own:
        return f"does not boot: {above}"
    if causes:
        return f"does not boot{where}: {causes[0].says}"
    return f"is {one.server.status}{where}: unknown why; nothing that is known explains it"


def _cause_lines(one: Cause, width: int | None) -> Iterator[str]:
    yield from _field(one.sureness.value, one.because, width)
    yield from _field("remedy", one.remedy, width)
    if one.raises:
        yield from _field("surer by", one.raises, width)
    for each in one.evidence[:_EVIDENCE]:
        yield from _field("seen", _match(each), width)
    if one.shared_by > 1:
        servers = count_of(one.shared_by, "server")
        yield from _field("shared", f"the node has {servers} that it concerns", width)


def _field(name: str, said: str, width: int | None) -> list[str]:
    return wrap(said, width, first=f"  {name:10} ", rest=" " * 13)


def _match(one: Match) -> str:
    """Return a piece of evidence: of a long line what is around the words that were found."""
    begin = max(0, one.seen.text.find(one.trait.words) - _LONGEST // 3)
    return _evidence(one.seen, begin if len(one.seen.text) > _LONGEST else 0)


def _evidence(one: Seen, begin: int = 0) -> str:
    said = on_one_line(in_words(one.text[begin:]))
    if len(said) > _LONGEST:
        said = f"{said[: _LONGEST - 3].rstrip()}..."
    return f"{_place(one)}{'...' if begin else ''}{said}"


def _place(one: Seen) -> str:
    at = f"{local(one.at)} " if one.at else ""
    if one.place is Place.FACT:
        return f"{at}{f'{one.node}: ' if one.node else ''}"
    if one.place is Place.FAULT:
        return f"{at}Nova says: "
    where = f"{one.node}:{one.file}" if one.node else one.file
    return f"{at}{where}{f':{one.line}' if one.line else ''}: "


# --- for programs -------------------------------------------------------------------------------


def triage_record(verdicts: Sequence[Verdict]) -> dict[str, object]:
    """Return verdicts as data; docs/reference/triage.md has its fields."""
    common = []
    for (node, name), those in shared(verdicts).items():
        cause = next(one for one in those[0].causes if one.signature.name == name)
        common.append(
            {
                "node": node,
                "signature": name,
                "cause": cause.says,
                "remedy": cause.remedy,
                "servers": [each.server.id for each in those],
            }
        )
    return {"servers": [_server_record(one) for one in verdicts], "of_nodes": common}


def _server_record(one: Verdict) -> dict[str, object]:
    attempt = one.attempt
    return {
        "server": one.server.id,
        "name": one.server.name,
        "status": one.server.status,
        "node": one.node,
        "boots": one.boots.value,
        "causes": [_cause_record(each) for each in one.causes],
        "consequences": [_cause_record(each) for each in one.consequences],
        "attempt": None
        if attempt is None
        else {
            "action": attempt.action,
            "request_id": attempt.request,
            "at": utc(attempt.started),
            "failed": attempt.has_failed,
            "says": attempt.says,
        },
        "last_words": None if one.last_words is None else _seen_record(one.last_words),
        "ruled_out": list(one.ruled_out),
        "unread": list(one.unread),
        "notes": list(one.notes),
    }


def _cause_record(one: Cause) -> dict[str, object]:
    return {
        "signature": one.signature.name,
        "cause": one.says,
        "certainty": one.sureness.value,
        "because": one.because,
        "would_raise": one.raises,
        "remedy": one.remedy,
        "component": one.signature.component,
        "scope": one.signature.scope.value,
        "shared_by": one.shared_by,
        "evidence": [_seen_record(each.seen) for each in one.evidence],
    }


def _seen_record(one: Seen) -> dict[str, object]:
    return {
        "in": one.place.value,
        "node": one.node or None,
        "file": one.file or None,
        "line": one.line,
        "offset": one.offset,
        "at": utc(one.at) if one.at else None,
        "text": one.text,
    }
