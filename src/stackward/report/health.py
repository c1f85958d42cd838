"""The health of a cloud as a table, as text, as data, and as figures for Prometheus."""

from collections.abc import Iterator, Sequence

from stackward.model.health import ComponentHealth, Finding, Gap, Health, State
from stackward.report.places import place, place_under
from stackward.report.tables import Form, Table, render_records, render_rows
from stackward.report.text import on_one_line, printable, wrap
from stackward.report.times import in_words, local, utc
from stackward.wording import count_of, first_of

COLUMNS = ("Component", "State", "Nodes", "Shown by", "Findings", "Caused by")
LOADED_S = 0.05  # less is not worth a word
MOST_NODES = 4  # named in a table; more are counted
MOST_AFFECTED = 6  # findings that are shown under their cause


def components_table(health: Health) -> Table:
    """Return a row per component."""
    return Table(
        columns=COLUMNS,
        rows=tuple(map(_row, health.components)),
        gives_way=("Caused by", "Findings", "Nodes"),
        told_elsewhere=("Findings",),
    )


def _row(one: ComponentHealth) -> tuple[str, str, str | tuple[str, ...], str, tuple[str, ...], str]:
    nodes = one.nodes if len(one.nodes) <= MOST_NODES else count_of(len(one.nodes), "node")
    rules = tuple(dict.fromkeys(finding.rule for finding in one.findings))
    return (one.name, one.state.value, nodes, one.proof, rules, place_under(one.under or ""))


def render_health(
    health: Health, form: Form, columns: Sequence[str] = (), width: int | None = None
) -> str:
    """Return it in the form asked for; a person also gets every finding with its remedy.

    `width` is that of the terminal; None: no line is broken.
    """
    if form in {Form.JSON, Form.YAML}:
        return render_records(as_record(health), form)
    components = components_table(health).only(columns)
    if form is not Form.TABLE or columns:
        return render_rows(components, form, width)
    is_bare = width is not None and not components.has("Caused by")
    shown = components.without("Caused by") if is_bare else components
    table = render_rows(shown, form, width)
    return table + "\n" + "".join(f"{line}\n" for line in lines_of(health, width))


def lines_of(health: Health, width: int | None = None) -> Iterator[str]:
    """Return all of it as text; the last says in short how it is."""
    yield from _told(health, width)
    yield from wrap(summary(health, is_listed=True), width)


def _told(health: Health, width: int | None) -> Iterator[str]:
    """Return all findings, what explains others first, with those under it; then notes and gaps."""
    findings = health.findings
    roots = [finding for finding in findings if finding.under is None]
    others = [finding for finding in findings if finding.under is not None]
    for at, finding in enumerate(roots):
        # Once, under the last of those that it may mean.
        mine = [one for one in others if _explains(finding, one)]
        also = [one for one in mine if not any(_explains(each, one) for each in roots[at + 1 :])]
        yield from _finding(finding, also, width)
        yield ""
    if health.notes:
        yield "notes:"
        for note in health.notes:
            said = on_one_line(f"{note.where}: {in_words(note.says)}")
            yield from wrap(said, width, first="  ", rest="    ")
        yield ""
    yield from _gaps("not proved", health.not_proved, width)
    yield from _gaps("unknown", health.unknown, width)


def _explains(cause: Finding, finding: Finding) -> bool:
    is_there = finding.under in {cause.where, cause.component}
    return is_there and finding.by in {None, cause.rule}


def _finding(finding: Finding, also: Sequence[Finding], width: int | None) -> Iterator[str]:
    """Return a finding in two columns: what a line is about, and what it says.

    Of what it affects come the number and the first; JSON has all of them.
    """
    head = on_one_line(f"{finding.state.value}: {_place(finding)} [{finding.rule}]")
    yield from wrap(head, width, rest="  ")
    said = [("reason", in_words(finding.reason))]
    said += [("sign", line) for line in finding.evidence]
    said += [("remedy", in_words(finding.remedy))] if finding.remedy else []
    said += [("affects", f"{count_of(len(also), 'other finding')}:")] if also else []
    kinds = _of_one_kind(also)
    shown = MOST_AFFECTED if len(kinds) > MOST_AFFECTED + 1 else len(kinds)
    said += [("", f"- {_affected(those)}") for those in kinds[:shown]]
    if left := sum(map(len, kinds[shown:])):
        said.append(("", f"... and {left} more; `-f json` has all"))
    for label, text in said:
        yield from wrap(on_one_line(text), width, first=f"  {label:<8}", rest=" " * 10)


def _of_one_kind(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Return the findings, those together that say one thing of one component on several nodes."""
    kinds: dict[tuple[str, str, str], list[Finding]] = {}
    for one in findings:
        about = one.about if one.node else f"{one.where} {one.about}"
        kinds.setdefault((one.component, one.rule, about), []).append(one)
    return list(kinds.values())


def _affected(those: Sequence[Finding]) -> str:
    first = those[0]
    reason = in_words(first.reason)
    if len(those) == 1:
        return f"{_place(first)}: {reason} [{first.rule}]"
    where = place(first.component, first_of((str(one.node) for one in those), MOST_NODES))
    if {one.reason for one in those} == {first.reason}:
        return f"{where}: {reason} [{first.rule}]"
    return f"{where} [{first.rule}]; of {first.node}: {reason}"


def _gaps(title: str, gaps: Sequence[Gap], width: int | None) -> Iterator[str]:
    """Return what was not shown: a line for each reason, with all that it holds for."""
    reasons: dict[tuple[str, str], list[Gap]] = {}
    for gap in gaps:
        reasons.setdefault((gap.why, gap.cure), []).append(gap)
    if reasons:
        yield f"{title}:"
    for (why, cure), those in reasons.items():
        things = ", ".join(
            dict.fromkeys(one.component if one.is_proof else one.what for one in those)
        )
        places = list(dict.fromkeys(one.where for one in those))
        named = ", ".join(places) if len(places) <= MOST_NODES else count_of(len(places), "node")
        said = on_one_line(f"{things} ({named}): {in_words(why)}")
        yield from wrap(said, width, first="  ", rest="    ")
        if cure:
            yield from wrap(f"cure: {on_one_line(cure)}", width, first="    ", rest=" " * 10)
    if reasons:
        yield ""


def summary(health: Health, *, is_listed: bool = False) -> str:
    """Say in one line how it is; `is_listed`: what is not proved or unknown is named above it."""
    counts = {state: sum(1 for one in health.components if one.state is state) for state in State}
    said = [
        f"{counts[state]} {state.value}"
        for state in sorted(State, key=lambda state: state.rank)
        if counts[state]
    ]
    what = f"`{health.only}`" if health.only else "the cloud"
    left = f"{len(health.not_proved)} not proved, {len(health.unknown)} unknown"
    loading = (
        f" after {health.loading_s:.1f} s to load Stackward" if health.loading_s > LOADED_S else ""
    )
    took = f"(the look took {health.took_s:.1f} s{loading})"
    if health.is_blind:
        return f"nothing was reached: no node and no API {took}"
    if health.state is State.NOT_PROVED:
        return f"ok as far as asked: {left} {took}"
    asked = f"; {'listed above' if is_listed else 'besides'}: {left}" if health.gaps else ""
    seen = ", ".join(said) or "nothing seen"
    first = next((finding for finding in health.findings if finding.under is None), None)
    begin = f"; begin with {on_one_line(_place(first))} [{first.rule}]" if first else ""
    return f"{what} is {health.state.value}: {seen}{asked}{begin} {took}"


def as_record(health: Health) -> dict[str, object]:
    """Return all of it as plain data."""
    return {
        "state": health.state.value,
        "read_at": utc(health.read_at),
        "took_s": round(health.took_s, 3),
        "loading_s": round(health.loading_s, 3),
        "node": health.only,
        "token_s": health.token_s,
        "components": [
            {
                "name": one.name,
                "state": one.state.value,
                "nodes": list(one.nodes),
                "shown_by": one.proof,
                "took_s": one.took_s,
                "under": one.under,
                "findings": [_finding_record(finding) for finding in one.findings],
            }
            for one in health.components
        ],
        "not_proved": [_gap_record(gap) for gap in health.not_proved],
        "unknown": [_gap_record(gap) for gap in health.unknown],
        "notes": [{"where": note.where, "says": note.says} for note in health.notes],
    }


def _gap_record(gap: Gap) -> dict[str, object]:
    return {
        "kind": gap.kind.value,
        "component": gap.component,
        "where": gap.where,
        "what": gap.what,
        "why": gap.why,
        "cure": gap.cure,
        "says": gap.says,
    }


def _finding_record(finding: Finding) -> dict[str, object]:
    return {
        "rule": finding.rule,
        "state": finding.state.value,
        "component": finding.component,
        "node": finding.node,
        "reason": finding.reason,
        "evidence": list(finding.evidence),
        "remedy": finding.remedy,
        "under": finding.under,
        "by": finding.by,
    }


# --- again and again ----------------------------------------------------------------------------


def changes(before: Health | None, now: Health) -> Iterator[str]:
    """Return a line for each finding that has come or gone between two looks."""
    was = {_key(finding): finding for finding in before.findings} if before else {}
    is_ = {_key(finding): finding for finding in now.findings}
    for key, finding in is_.items():
        if key not in was:
            yield on_one_line(
                f"new: {finding.state.value}: {_place(finding)}: "
                f"{in_words(finding.reason)} [{finding.rule}]"
            )
    for key, finding in was.items():
        if key not in is_:
            yield on_one_line(f"gone: {_place(finding)} [{finding.rule}]")


def _place(finding: Finding) -> str:
    return place(finding.component, finding.node)


def _key(finding: Finding) -> tuple[str, str, str | None, str]:
    return (finding.rule, finding.component, finding.node, finding.about)


def screen_of(health: Health, width: int, height: int) -> list[str]:
    """Return what a terminal of that size shows of a look: what is wrong before what is well."""
    end = wrap(summary(health), width)
    told = list(_told(health, width))
    room = height - 1 - len(end)  # the cursor is on an empty line
    ill = [one for one in health.components if one.state is not State.OK]
    well = len(health.components) - len(ill)
    screen = [*_rows(health, health.components, width), "", *told]
    if len(screen) > room:
        screen = [
            *_rows(health, ill, width),
            *([f"and {well} more: ok"] if well else []),
            "",
            *told,
        ]
    if len(screen) > room:
        left = len(screen) - (room - 1)
        screen = [
            *screen[: max(0, room - 1)],
            f"... {count_of(left, 'more line')}; without `--watch` all are shown",
        ]
    return [*screen, *end]


def _rows(
    health: Health, components: Sequence[ComponentHealth], width: int | None
) -> Iterator[str]:
    """Return a row for each component; what shows its state goes on below itself."""
    yield local(health.read_at)
    longest = max((len(one.name) for one in components), default=0)
    for one in components:
        under = f" (under {one.under})" if one.under else ""
        first = printable(f"{one.name:<{longest}}  {one.state.value:<10}  ")
        said = on_one_line(f"{one.proof or ''}{under}".strip())
        rest = " " * min(len(first), (width or 0) // 2)
        yield from wrap(said, width, first=first, rest=rest) if said else (first,)
