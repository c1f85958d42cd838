"""A chain as rows: what is done, what goes on, what is left, and why something was not done."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stackward.model.run import Attempt, Run, RunState, Settled
from stackward.plan import AS_OF_NOW, BeginsRun, Move, Plan, Stage, are_together
from stackward.plan.path import path_of_step
from stackward.report.tables import Table

_PLANNED = ("Item", "How", "Stage", "Servers", "Warnings", "Blockers")
COLUMNS = ("Item", "How", "State", "Run", "Since", "Says")


def chain_table(plan: Plan[Any], attempts: Sequence[Attempt], runs: Sequence[Run] = ()) -> Table:
    """Return a row for each run of each item of a chain; `runs` are those that it has begun."""
    last = {attempt.step: attempt for attempt in attempts}
    newest = {(run.item, run.part): run for run in runs}
    rows = (
        _row(
            (move.thing, how),
            last.get(path_of_step(stage.path_of(move), part)),
            newest.get((move.thing, part)),
        )
        for stage, move in plan.moves()
        for part, how in enumerate(_hows(move))
    )
    return Table(
        columns=COLUMNS, rows=tuple(rows), gives_way=("How", "Since"), stays_whole=("Since",)
    )


def _hows(move: Move[Any]) -> Sequence[str]:
    """Return what each run of an item does, in a word."""
    return [(step.how if isinstance(step, BeginsRun) else "") or move.how for step in move.steps]


def _row(of: tuple[str, str], last: Attempt | None, run: Run | None) -> tuple[Any, ...]:
    if last is None:
        return (*of, "left", None, None, None)
    known = run.id if run else last.saw.get("run")
    since = last.settled_at or last.intended_at
    match last.settled:
        case None:
            state = "now"
        case Settled.DONE:
            state = "done"
        case _:
            state = str(last.saw.get("state") or "not done")
    return (*of, state, known, since, last.said.reason)


def items_as_planned(plan: Plan[Any]) -> Table:
    """Return a row for each run of a plan that is only shown."""
    rows = []
    runs = ((stage, move, how) for stage, move in plan.moves() for how in _hows(move))
    for (stage, move, how), each in zip(runs, plans_of(plan), strict=False):
        moved = [one for one in each["stages"] for one in one["moves"] if one["thing_id"]]
        rows.append(
            (
                move.thing,
                how,
                stage.name,
                len(moved),
                len(each["warnings"]),
                len(each["blockers"]),
                domain_of(move) or None,
                apart_from(stage, move) or None,
            )
        )
    return Table(
        columns=(*_PLANNED, "Domain", "Apart from"),
        rows=tuple(rows),
        gives_way=("Apart from", "How", "Stage"),
    )


def domain_of(move: Move[Any]) -> str:
    """Return the failure domain of an item; empty where that does not matter."""
    return next((step.domain for step in move.steps if isinstance(step, BeginsRun)), "")


def apart_from(stage: Stage[Any], move: Move[Any]) -> tuple[str, ...]:
    """Return the items of its stage that never go on beside one."""
    return tuple(
        other.thing
        for other in stage.moves
        if other is not move
        and not are_together(move, other)
        and domain_of(move) == domain_of(other)
    )


def domain_lines(stage: Stage[Any]) -> Iterator[str]:
    """Return the failure domains of a stage, in their order, each with its items."""
    domains = dict.fromkeys(filter(None, map(domain_of, stage.moves)))
    for domain in domains:
        items = [move for move in stage.moves if domain_of(move) == domain]
        yield f"{domain}: {', '.join(move.thing for move in items)}"
    for place, move in enumerate(stage.moves):
        after = {each.thing for each in stage.moves[place:]}
        if others := [each for each in apart_from(stage, move) if each in after]:
            yield f"{move.thing} and {', '.join(others)}: never at the same time"


def plans_of(plan: Plan[Any]) -> Sequence[Mapping[str, Any]]:
    """Return the plans of a chain's runs as they were when it was planned, as they are stored."""
    stored: Any = plan.facts.get(AS_OF_NOW, ())
    return tuple(stored)


def state_of_first_failure(attempts: Sequence[Attempt]) -> RunState | None:
    """Return how the first run of a chain ended that did not end well; None: there is none."""
    last = {attempt.step: attempt for attempt in attempts}
    failed = [each for each in last.values() if each.settled_at and each.saw.get("state")]
    ended = [each for each in failed if each.settled is Settled.FAILED]
    first = min(ended, key=lambda each: str(each.settled_at), default=None)
    return RunState(str(first.saw["state"])) if first else None
