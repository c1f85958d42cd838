"""Plans as the operator reads them before they approve, and as rows for programs."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from stackward.errors import Refused
from stackward.kinds import KINDS
from stackward.operations import operation
from stackward.plan import (
    AS_OF_NOW,
    NOT_UNDONE,
    PAST_RUNS,
    Blocked,
    Json,
    Plan,
    Stage,
    Warned,
    from_mapping,
    is_chain,
)
from stackward.report.chains import (
    domain_lines,
    items_as_planned,
    not_undone,
    plans_of,
    servers_in,
    time_of_chain,
)
from stackward.report.duration import in_time, one_after_another, span_of, together
from stackward.report.tables import Cell, Form, Table, render_rows, width_of
from stackward.report.text import printable, wrap
from stackward.report.times import in_words, local, time_in
from stackward.wording import count_of


def moves_table(plan: Plan[Any]) -> Table:
    """Return a row per server that would move, in the order of the plan."""
    if is_chain(plan):
        return items_as_planned(plan)
    columns = operation(plan.request.kind).columns
    rows = (map(_cell, columns.row(move)) for _, move in plan.moves() if move.thing_id)
    return Table(columns=columns.names, rows=tuple(map(tuple, rows)), gives_way=columns.gives_way)


def _cell(value: Json) -> Cell:
    return value if isinstance(value, str | int | float | None) else str(value)


def render_plan(plan: Plan[Any], width: int | None = None) -> str:
    """Return the whole plan as text; one that is blocked shows what blocks it, and no more.

    `width` is that of the terminal; None: no line is broken.
    """
    return "\n".join(_lines(plan, width)) + "\n"


def refusal(plan: Plan[Any], *, is_shown: bool = False) -> Refused:
    """Return the error of a plan that is blocked; `is_shown`: its text has just been read."""
    remedies = "remedy" if len(plan.blockers) == 1 else "remedies"
    return Refused(
        f"cannot {plan.title}: {count_of(len(plan.blockers), 'blocker')}",
        details=() if is_shown else [_in_one_line(blocker) for blocker in plan.blockers],
        hint=f"follow the {remedies}, then give the same command again",
    )


def _lines(plan: Plan[Any], width: int | None) -> Iterator[str]:
    yield f"plan: {printable(plan.title)}"
    facts = "; ".join(
        f"{name} {_fact(value)}"
        for name, value in plan.facts.items()
        if value and name not in {AS_OF_NOW, NOT_UNDONE, PAST_RUNS}
    )
    yield from wrap(printable(in_words(facts)), width, first="  ", rest="  ")
    if plan.blockers:
        yield from ["", "blockers:"]
        yield from _grouped(plan.blockers, width)
        return
    if plan.warnings:
        yield from ["", "warnings, approved with the plan:"]
        yield from _grouped(plan.warnings, width)
    if plan.stages:
        yield from ["", "in this order:"]
    yield from _stage_lines(plan, width)
    if is_chain(plan):
        yield from _chain_lines(plan, width)
        return
    table = moves_table(plan)
    if table.rows:
        yield ""
        yield render_rows(table, Form.TABLE, width).rstrip("\n")
    if time := _time_of(plan):
        yield from ["", *wrap(f"the moves will take about {time}", width)]
    if plan.notices:
        yield from ["", "what users will notice:"]
    for notice in plan.notices:
        yield from wrap(printable(in_words(notice)), width, first="  ", rest="    ")
    yield from ["", "what will be proved at the end:"]
    for check in plan.verify:
        yield from wrap(printable(check.summary), width, first="  ", rest="    ")


def _stage_lines(plan: Plan[Any], width: int | None) -> Iterator[str]:
    each = operation(plan.request.kind).columns.each
    for number, stage in enumerate(plan.stages, 1):
        what = f"{number}. {stage.name}: {printable(_what(stage, each))}"
        if is_chain(plan) and len(stage.moves) > 1:
            what += f"; {stage.at_once} at once"
        yield from wrap(what, width, first="  ", rest="     ")
        for line in domain_lines(stage):
            yield from wrap(printable(line), width, first="     ", rest="       ")
        needs = "; ".join(check.summary for check in stage.needs)
        if needs:
            yield from wrap(f"only if {printable(needs)}", width, first="     ", rest="       ")


def _chain_lines(plan: Plan[Any], width: int | None) -> Iterator[str]:
    """Say what is approved with a chain, and what each of its runs would do now."""
    if left := not_undone(plan):
        yield from ["", "not undone:"]
        for line in left:
            yield from wrap(printable(in_words(line)), width, first="  ", rest="    ")
    yield ""
    yield from wrap(
        "each of these is a run of its own, planned again just before its turn; the chain stops at "
        "the first that does not end well, and at a blocker, a warning or a decision that is not "
        "shown here",
        width,
    )
    if servers := servers_in(plans_of(plan)):
        are = count_of(len(servers), "server is", "servers are")
        yield from wrap(f"as of now, {are} in these plans", width)
    yield from wrap(f"how long all of it takes: {time_of_chain(plan)}", width)
    for each in plans_of(plan):
        text = render_plan(from_mapping(each, KINDS), width and width - 2)
        yield ""
        yield from (f"  {line}".rstrip() for line in f"as of now, {text}".splitlines())
    for notice in plan.notices:
        yield ""
        yield from wrap(printable(in_words(notice)), width)


def _time_of(plan: Plan[Any]) -> str | None:
    """Return how long the moves will take together, as far as past ones on this cloud show it."""
    moves = [(stage, span_of(move.expects)) for stage, move in plan.moves() if move.thing_id]
    known = [(stage, span) for stage, span in moves if span]
    stages = {stage.name: stage for stage, _ in known}
    whole = one_after_another(
        filter(
            None,
            (
                together([span for one, span in known if one.name == name], stage.at_once)
                for name, stage in stages.items()
            ),
        )
    )
    if whole is None:
        return None
    others = len(moves) - len(known)
    every = count_of(len(moves), "move")
    of = f"; no time is known for {others} of the {every}" if others else ""
    return f"{in_time(whole)}, by past moves on this cloud{of}"


def _what(stage: Stage[Any], each: str) -> str:
    if stage.catches_up:
        return "servers that have come there by then, if they have no blocker and no warning"
    if servers := [move for move in stage.moves if move.thing_id]:
        return f"{count_of(len(servers), each)}, {stage.at_once} at once"
    steps = [step.summary for move in stage.moves for step in move.steps]
    return "; ".join(steps) or "nothing to move"


_THING = 24  # columns that a name may take next to its reason; a longer one goes above it


def _grouped(verdicts: Iterable[Blocked | Warned], width: int | None) -> Iterator[str]:
    """Return the verdicts under their rule, so that ten of one kind are read at one glance.

    In columns: the thing, and next to it the reason and the remedy.
    """
    ordered = sorted(verdicts, key=lambda each: (each.worry, each.thing))
    for worry, group in groupby(ordered, key=lambda each: each.worry):
        yield f"  {worry}:"
        those = list(group)
        beside = min(_THING, max(width_of(printable(each.thing)) for each in those)) + 6
        for verdict in those:
            yield from _verdict(verdict, beside, width)


def _verdict(verdict: Blocked | Warned, beside: int, width: int | None) -> Iterator[str]:
    thing, rest = f"    {printable(verdict.thing)}", " " * beside
    if width_of(thing) > beside - 2:
        yield thing
        thing = ""
    first = thing + " " * (beside - width_of(thing))
    yield from wrap(printable(in_words(verdict.reason)), width, first=first, rest=rest)
    if verdict.remedy:
        hang = rest + " " * len("remedy: ")
        yield from wrap(
            f"remedy: {printable(in_words(verdict.remedy))}", width, first=rest, rest=hang
        )


def _in_one_line(verdict: Blocked | Warned) -> str:
    then = f" - {verdict.remedy}" if verdict.remedy else ""
    return printable(f"`{verdict.thing}`: {verdict.reason}{then}")


def _fact(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_fact, value))
    at = time_in(value) if isinstance(value, str) else None
    return local(at) if at else str(value)
