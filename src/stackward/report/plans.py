"""Plans as the operator reads them before they approve, and as rows for programs."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from stackward.errors import Refused
from stackward.plan import Blocked, Move, Plan, Stage, Warned
from stackward.policy.duration import in_time, one_after_another, span_of, together
from stackward.report.tables import Cell, Form, Table, render_rows
from stackward.report.text import printable
from stackward.wording import count_of, in_size


def moves_table(plan: Plan[Any]) -> Table:
    """Return a row per server that would move, in the order of the plan."""
    rows = [
        (move.thing, move.thing_id, move.how, _where(move), _copied(move), _wish(move))
        for stage, move in plan.moves()
        if move.thing_id
    ]
    return Table(columns=("Server", "ID", "How", "To", "Copied", "Wish"), rows=tuple(rows))


def render_plan(plan: Plan[Any]) -> str:
    """Return the whole plan as text."""
    return "\n".join(_lines(plan)) + "\n"


def refusal(plan: Plan[Any]) -> Refused:
    """Return the error of a plan that is blocked; the plan itself has been shown."""
    things = {blocker.thing_id or blocker.thing for blocker in plan.blockers}
    count = len(things)
    return Refused(
        f"cannot {plan.title}: {count} {'thing stands' if count == 1 else 'things stand'} "
        "against it",
        details=[_verdict(blocker) for blocker in plan.blockers],
        hint="each line ends with what to do about it",
    )


def _lines(plan: Plan[Any]) -> Iterator[str]:
    yield f"plan: {printable(plan.title)}"
    facts = ", ".join(f"{name} {_fact(value)}" for name, value in plan.facts.items() if value)
    yield f"  {printable(facts)}"
    if plan.blockers:
        yield from ["", "what stands against it:"]
        yield from _grouped(plan.blockers)
    if plan.warnings:
        yield from ["", "approved along with it:"]
        yield from _grouped(plan.warnings)
    if plan.stages:
        yield from ["", "in this order:"]
    for number, stage in enumerate(plan.stages, 1):
        yield f"  {number}. {stage.name}: {printable(_what(stage))}"
        needs = "; ".join(check.summary for check in stage.needs)
        if needs:
            yield f"     only if {printable(needs)}"
    table = moves_table(plan)
    if table.rows:
        yield ""
        yield render_rows(table, Form.TABLE).rstrip("\n")
    if time := _time_of(plan):
        yield from ["", f"the moves will take about {time}"]
    yield from ["", "what users will notice:"]
    yield from (f"  {printable(notice)}" for notice in plan.notices)
    yield from ["", "what will be proved at the end:"]
    yield from (f"  {printable(check.summary)}" for check in plan.verify)


def _time_of(plan: Plan[Any]) -> str | None:
    """Return how long the moves will take together, as far as past ones on this cloud tell."""
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
    of = f"; that is for {len(known)} of {len(moves)}" if len(known) < len(moves) else ""
    return f"{in_time(whole)}, by past moves on this cloud{of}"


def _what(stage: Stage[Any]) -> str:
    if stage.catches_up:
        return "what is new by then, if nothing stands against it or is to be warned of"
    if servers := [move for move in stage.moves if move.thing_id]:
        return f"{count_of(len(servers), 'server')}, {stage.at_once} at once"
    steps = [step.summary for move in stage.moves for step in move.steps]
    return "; ".join(steps) or "nothing to move"


def _grouped(verdicts: Iterable[Blocked | Warned]) -> Iterator[str]:
    """Return the verdicts under their rule, so that ten of one kind are read at one glance."""
    ordered = sorted(verdicts, key=lambda each: (each.worry, each.thing))
    for worry, group in groupby(ordered, key=lambda each: each.worry):
        yield f"  {worry}:"
        yield from (f"    {_verdict(verdict)}" for verdict in group)


def _verdict(verdict: Blocked | Warned) -> str:
    then = f" - {verdict.remedy}" if verdict.remedy else ""
    return printable(f"`{verdict.thing}` {verdict.reason}{then}")


def _where(move: Move[Any]) -> str:
    target = move.expects.get("target")
    if move.expects.get("pinned"):
        return str(target)
    if target is None:
        return "scheduler's choice"
    return f"scheduler's choice, expected {target}"


def _copied(move: Move[Any]) -> Cell:
    size = move.expects.get("bytes")
    return in_size(size) if isinstance(size, int) else None


def _wish(move: Move[Any]) -> Cell:
    wish = move.expects.get("wish")
    return wish if isinstance(wish, str) else None


def _fact(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
