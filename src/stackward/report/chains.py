"""A chain as rows: what is done, what goes on, what is left, and why something was not done."""

from collections.abc import Mapping, Sequence
from typing import Any

from stackward.model.run import Attempt, Run, RunState, Settled
from stackward.plan import AS_OF_NOW, BeginsRun, Move, Plan
from stackward.plan.path import path_of_step
from stackward.report.tables import Table

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
            )
        )
    return Table(
        columns=("Item", "How", "Stage", "Servers", "Warnings", "Blockers"),
        rows=tuple(rows),
        gives_way=("How", "Stage"),
    )


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
