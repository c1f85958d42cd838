"""A chain as rows: what is done, what goes on, what is left, and why something was not done."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stackward.model.duration import Span
from stackward.model.run import Attempt, Run, RunState, Settled, last_attempts
from stackward.plan import (
    AS_OF_NOW,
    NOT_UNDONE,
    PAST_RUNS,
    BeginsRun,
    Move,
    Plan,
    Stage,
    are_together,
)
from stackward.plan.path import path_of_step
from stackward.report.duration import in_time, one_after_another, span_of, together
from stackward.report.tables import Table
from stackward.wording import count_of

_PLANNED = ("Item", "How", "Stage", "Servers", "Warnings", "Blockers")
COLUMNS = (
    *("Item", "How", "State", "Run", "Since", "Says"),
    *("Seconds", "Item seconds", "Downtime"),
)


@dataclass(frozen=True)
class StartedRuns:
    """The runs that a chain has started, and the longest downtime of a server in each."""

    runs: Sequence[Run] = ()
    downtimes: Mapping[str, int] = field(default_factory=dict)

    def newest(self, item: str, part: int) -> Run | None:
        """Return the last run of a part of an item."""
        return next(
            (run for run in reversed(self.runs) if (run.item, run.part) == (item, part)), None
        )

    def seconds_of(self, item: str, parts: int) -> int | None:
        """Return how long an item took, from its first run to the end of its last."""
        runs = [run for run in self.runs if run.item == item]
        began = [run.began_at for run in runs if run.began_at]
        last = self.newest(item, parts - 1)
        if not (began and last and last.ended_at and last.state is RunState.SUCCEEDED):
            return None
        return round((last.ended_at - min(began)).total_seconds())


def chain_table(
    plan: Plan[Any], attempts: Sequence[Attempt], started: StartedRuns | None = None
) -> Table:
    """Return a row for each run of each item of a chain."""
    last, started = last_attempts(attempts), started or StartedRuns()
    rows = (
        (
            *_row((move.thing, how), last.get(path_of_step(stage.path_of(move), part)), run),
            _seconds(run),
            started.seconds_of(move.thing, len(move.steps))
            if part == len(move.steps) - 1
            else None,
            started.downtimes.get(run.id) if run else None,
        )
        for stage, move in plan.moves()
        for part, how in enumerate(_hows(move))
        for run in [started.newest(move.thing, part)]
    )
    return Table(
        columns=COLUMNS,
        rows=tuple(rows),
        gives_way=(*_known_by_item(plan), "Since", "Item seconds", "Seconds"),
        stays_whole=("Since",),
    )


def _known_by_item(plan: Plan[Any]) -> tuple[str, ...]:
    """Return the column that a row may go without: what its run does, if an item has one run."""
    has_several = any(len(move.steps) > 1 for _, move in plan.moves())
    return () if has_several else ("How",)


def chain_for_people(table: Table, plan: Plan[Any]) -> Table:
    """Leave out what says nothing to a person: times that no item has, or that are there twice."""
    if all(len(move.steps) == 1 for _, move in plan.moves()):
        table = table.without("Item seconds")
    for column in ("Seconds", "Item seconds", "Downtime"):
        if column in table.columns and not table.has(column):
            table = table.without(column)
    return table


def _seconds(run: Run | None) -> int | None:
    """Return how long a run took, with all that it waited for."""
    if run is None or run.began_at is None or run.ended_at is None:
        return None
    return round((run.ended_at - run.began_at).total_seconds())


def _hows(move: Move[Any]) -> Sequence[str]:
    """Return what each run of an item does, in a word."""
    hows = [(step.how if isinstance(step, BeginsRun) else "") or move.how for step in move.steps]
    if len({*hows}) == len(hows):
        return hows
    # The runs of an undo all have this name: what each of them undoes distinguishes them.
    return [re.sub(r"^undo run `[^`]*`, ", "undo: ", step.summary) for step in move.steps]


def _row(of: tuple[str, str], last: Attempt | None, run: Run | None) -> tuple[Any, ...]:
    if last is None:
        return (*of, "left", None, None, None)
    if run and last.saw.get("run") == run.id and last.saw.get("state") != run.state:
        # It was resumed or cancelled by itself since its chain looked at it.
        says = run.ending.reason or f"run `{run.id}` is {run.state}"
        return (*of, _state_of(run), run.id, run.ended_at or run.began_at, says)
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


def _state_of(run: Run) -> str:
    if run.state is RunState.SUCCEEDED:
        return "done"
    return run.state.value if run.state.is_over or run.state is RunState.STOPPED else "now"


def items_as_planned(plan: Plan[Any]) -> Table:
    """Return a row for each run of a plan that is only shown."""
    rows = []
    planned = _plans_by_place(plan)
    runs = (
        (stage, move, part, how)
        for stage, move in plan.moves()
        for part, how in enumerate(_hows(move))
    )
    for stage, move, part, how in runs:
        each = planned.get((move.thing, part))
        if each is None:
            continue  # an older version did not store it
        rows.append(
            (
                move.thing,
                how,
                stage.name,
                len(servers_in([each])),
                len(each["warnings"]),
                len(each["blockers"]),
                domain_of(move) or None,
                apart_from(stage, move) or None,
                round(span.likely) if (span := past_span(each)) else None,
            )
        )
    return Table(
        columns=(*_PLANNED, "Domain", "Apart from", "Seconds"),
        rows=tuple(rows),
        gives_way=("Apart from", *_known_by_item(plan), "Stage"),
    )


def domain_of(move: Move[Any]) -> str:
    """Return the failure domain of an item; empty where that does not matter."""
    return next((step.domain for step in move.steps if isinstance(step, BeginsRun)), "")


def apart_from(stage: Stage[Any], move: Move[Any]) -> tuple[str, ...]:
    """Return the items of its stage that never go on together with this one."""
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


def _plans_by_place(plan: Plan[Any]) -> dict[tuple[str, int], Mapping[str, Any]]:
    """Return the plans as of now, each by its item and which of its runs it is of."""
    asked: Any = plan.request
    places = [(item.name, part) for item in asked.items for part in range(len(item.requests))]
    return dict(zip(places, plans_of(plan), strict=False))


def past_span(planned: Mapping[str, Any]) -> Span | None:
    """Return how long a run of a plan is expected to take; None: no past run shows it."""
    past = planned["facts"].get(PAST_RUNS)
    return span_of(past) if isinstance(past, Mapping) else None


def time_of_chain(plan: Plan[Any]) -> str:
    """Say how long all of a chain is expected to take, and by how many past runs."""
    planned = _plans_by_place(plan)
    spans: list[Span] = []
    for stage in plan.stages:
        for domain in dict.fromkeys(map(domain_of, stage.moves)):
            moves = [move for move in stage.moves if domain_of(move) == domain]
            items = [_span_of_item(move, planned) for move in moves]
            known = [each for each in items if each]
            if len(known) < len(items):
                return _UNKNOWN
            whole = together(known, stage.at_once)
            spans += [whole] if whole else []
    whole = one_after_another(spans)
    if whole is None:
        return _UNKNOWN
    told = [each["facts"][PAST_RUNS] for each in planned.values()]
    count = sum({each["of"]: int(each["runs"]) for each in told}.values())
    return f"about {in_time(whole)}, by {count_of(count, 'past run')} on this cloud"


_UNKNOWN = "not known: there is no past run of each kind on this cloud that ended well"


def _span_of_item(
    move: Move[Any], planned: Mapping[tuple[str, int], Mapping[str, Any]]
) -> Span | None:
    """Return how long the runs of an item take, one after the other."""
    plans = [planned.get((move.thing, part)) for part in range(len(move.steps))]
    spans = [past_span(each) for each in plans if each]
    known = [each for each in spans if each]
    return one_after_another(known) if len(known) == len(plans) else None


def plans_of(plan: Plan[Any]) -> Sequence[Mapping[str, Any]]:
    """Return the plans of a chain's runs as they were when it was planned, as they are stored."""
    stored: Any = plan.facts.get(AS_OF_NOW, ())
    return tuple(stored)


def servers_in(plans: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Return the servers of stored plans by their ids: one that is stopped and started is one."""
    stages = [stage for plan in plans for stage in plan["stages"]]
    moves = [move for stage in stages for move in stage["moves"]]
    return frozenset(move["thing_id"] for move in moves if move["thing_id"])


def not_undone(plan: Plan[Any]) -> Sequence[str]:
    """Return the runs of a chain that the plan of its undo leaves as they are, and why."""
    stored: Any = plan.facts.get(NOT_UNDONE, ())
    return tuple(map(str, stored))


def state_of_first_failure(attempts: Sequence[Attempt]) -> RunState | None:
    """Return how the first run of a chain ended that did not end well; None: there is none."""
    last = last_attempts(attempts)
    failed = [each for each in last.values() if each.settled_at and each.saw.get("state")]
    ended = [each for each in failed if each.settled is Settled.FAILED]
    first = min(ended, key=lambda each: str(each.settled_at), default=None)
    return RunState(str(first.saw["state"])) if first else None
