"""A chain as rows: what is done, what goes on, what is left, and why something was not done."""

from collections.abc import Mapping, Sequence
from typing import Any

from stackward.model.run import Attempt, Run, RunState, Settled
from stackward.plan import AS_OF_NOW, Move, Plan
from stackward.plan.path import path_of_step
from stackward.report.tables import Table

COLUMNS = ("Item", "How", "State", "Run", "Since", "Says")


def chain_table(plan: Plan[Any], attempts: Sequence[Attempt], runs: Sequence[Run] = ()) -> Table:
    """Return a row for each item of a chain, in its order; `runs` are those that it has begun."""
    last = {attempt.step: attempt for attempt in attempts}
    newest = {run.item: run for run in runs}
    rows = (
        _row(move, last.get(path_of_step(stage.path_of(move), 0)), newest.get(move.thing))
        for stage, move in plan.moves()
    )
    return Table(
        columns=COLUMNS, rows=tuple(rows), gives_way=("How", "Since"), stays_whole=("Since",)
    )


def _row(move: Move[Any], last: Attempt | None, run: Run | None) -> tuple[Any, ...]:
    if last is None:
        return (move.thing, move.how, "left", None, None, None)
    known = run.id if run else last.saw.get("run")
    since = last.settled_at or last.intended_at
    match last.settled:
        case None:
            state = "now"
        case Settled.DONE:
            state = "done"
        case _:
            state = str(last.saw.get("state") or "not done")
    return (move.thing, move.how, state, known, since, last.said.reason)


def items_as_planned(plan: Plan[Any]) -> Table:
    """Return a row for each item of a plan that is only shown."""
    rows = []
    for (stage, move), each in zip(plan.moves(), plans_of(plan), strict=False):
        moved = [one for one in each["stages"] for one in one["moves"] if one["thing_id"]]
        rows.append(
            (
                move.thing,
                move.how,
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
