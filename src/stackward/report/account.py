"""What came of a run: where each server went, and what was proved."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from stackward.kinds import read_plan
from stackward.model.run import Attempt, Event, Run, RunState, Settled, last_attempts
from stackward.operations import operation
from stackward.plan import Move, Plan, is_chain
from stackward.plan.path import path_of_step
from stackward.plan.step import CUT_OFF, REDEFINED, SET_ASIDE
from stackward.report.chains import StartedRuns, chain_for_people, chain_table, not_undone
from stackward.report.downtimes import downtime_of
from stackward.report.gone import GONE, how_it_went, is_gone
from stackward.report.proofs import proofs_of, render_proofs
from stackward.report.tables import Cell, Form, Table, render_rows
from stackward.report.text import printable, wrap
from stackward.report.times import in_words


@dataclass(frozen=True, slots=True)
class Made:
    """What came of one move."""

    server: str
    id: str
    how: str
    to: str | None  # the node where the server is proved to be now
    state: str
    seconds: int | None
    downtime_s: int | None = None  # None: it was not stopped, or Nova does not say
    consent: str | None = None  # of its owner: where that can be read
    aside: str | None = None  # why it was set aside
    cut_off: str | None = None  # why its guest was ended, and did not end by itself
    redefined: tuple[str, ...] = ()  # how libvirt's definition of its guest differs from before
    gone: str | None = None  # when it was deleted and who did it, or where others have put it


def moves_made(plan: Plan[Any], attempts: Sequence[Attempt]) -> list[Made]:
    """Return what came of each server's move, in the order of the plan."""
    last = last_attempts(attempts)
    first: dict[str, datetime] = {}
    for attempt in attempts:
        first.setdefault(attempt.step, attempt.intended_at)
    return [
        _made(move, stage.path_of(move), last, first)
        for stage, move in plan.moves()
        if move.thing_id
    ]


def not_brought_up(run: Run, attempts: Sequence[Attempt]) -> tuple[str, ...]:
    """Return the ids of servers whose start has failed, or that were set aside for that."""
    plan = read_plan(run.plan)
    return tuple(
        one.id
        for one in moves_made(plan, attempts)
        if one.state in {SET_ASIDE, Settled.FAILED.value}
    )


def _made(
    move: Move[Any], path: str, last: Mapping[str, Attempt], first: Mapping[str, datetime]
) -> Made:
    way = [at for at, _ in move.way(path, last)]
    own = [last.get(at) for at in way]
    is_other = way[0] != (usual := path_of_step(path, 0))
    begun = [each for each in own if each]
    ended = [each.settled_at for each in begun if each.settled_at]
    is_done = len(begun) == len(own) and all(each.settled is Settled.DONE for each in begun)
    newest = begun[-1] if begun else None
    went = how_it_went(newest.saw) if newest and is_gone(newest.saw) else None
    target = newest.saw.get("target") if newest and is_done else None
    since = first.get(usual, first[begun[0].step] if begun else None)
    took = max(ended) - since if is_done and ended and since else None
    return Made(
        server=move.thing,
        id=move.thing_id,
        how=str(move.expects.get("instead") or move.how) if is_other else move.how,
        to=target if isinstance(target, str) else None,
        state=_state(newest, is_done=is_done),
        seconds=round(took.total_seconds()) if took is not None and went is None else None,
        gone=went,
        downtime_s=downtime_of(begun),
        cut_off=cut if newest and isinstance(cut := newest.saw.get(CUT_OFF), str) else None,
        aside=aside if newest and isinstance(aside := newest.saw.get(SET_ASIDE), str) else None,
        redefined=tuple(map(str, lines))
        if newest and isinstance(lines := newest.saw.get(REDEFINED), list | tuple)
        else (),
        consent=consent if isinstance(consent := move.expects.get("consent"), str) else None,
    )


def _state(newest: Attempt | None, *, is_done: bool) -> str:
    if newest is None:
        return "not begun"
    if is_gone(newest.saw):
        return GONE
    if newest.saw.get(SET_ASIDE):
        return SET_ASIDE
    if is_done:
        return "done"
    if newest.settled is None:
        return "under way"
    return "half-way" if newest.settled is Settled.DONE else newest.settled.value


_GIVEN_UP = frozenset({RunState.STOPPED, RunState.CANCELLED})

OUTCOME: Mapping[str, Callable[[Made], Cell]] = {
    "Server": lambda made: made.server,
    "ID": lambda made: made.id,
    "How": lambda made: made.how,
    "To": lambda made: made.to,
    "State": lambda made: made.state,
    "Seconds": lambda made: made.seconds,
    "Downtime": lambda made: made.downtime_s,
}


def account_table(
    plan: Plan[Any], attempts: Sequence[Attempt], started: StartedRuns | None = None
) -> Table:
    """Return a row for each server's move, in the columns of its operation.

    Of a chain, a row for each of its runs; `started` are those.
    """
    if is_chain(plan):
        return chain_table(plan, attempts, started)
    columns = operation(plan.request.kind).columns.outcome
    return Table(
        columns=columns,
        rows=tuple(
            tuple(OUTCOME[column](made) for column in columns)
            for made in moves_made(plan, attempts)
        ),
        gives_way=("Downtime", "ID", "Seconds"),
    )


def account_data(
    run: Run,
    plan: Plan[Any],
    attempts: Sequence[Attempt],
    events: Sequence[Event],
    started: StartedRuns | None = None,
) -> dict[str, object]:
    """Return all of it as data."""
    return {
        "id": run.id,
        "title": run.title,
        "state": run.state.value,
        "reason": run.ending.reason,
        "ends": _ends(run, plan),
        "approved": {"by": run.approval.by, "how": run.approval.how},
        **({"items": chain_table(plan, attempts, started).records()} if is_chain(plan) else {}),
        "moves": [asdict(made) for made in moves_made(plan, attempts)],
        "proofs": [{"what": what, "text": text} for what, text in proofs_of(run, events)],
    }


def render_account(  # noqa: PLR0913  # a run, its plan, what came of it, and where it is shown
    run: Run,
    plan: Plan[Any],
    attempts: Sequence[Attempt],
    events: Sequence[Event],
    width: int | None = None,
    *,
    started: StartedRuns | None = None,
    is_told: bool = False,
) -> str:
    """Return all of it as text; `width` is that of the terminal.

    `is_told`: each proof is already above on the same terminal, on its own line. What is well is
    then only counted.
    """
    lines = [f"run `{run.id}`, {printable(run.title)}: {run.state}"]
    table = account_table(plan, attempts, started)
    if is_chain(plan):
        table = chain_for_people(table, plan)
    for column in ("To", "Downtime"):  # where none is where it should be, or none was stopped
        is_bare = width is not None and column in table.columns and not table.has(column)
        table = table.without(column) if is_bare else table
    if table.rows:
        lines.append(render_rows(table, Form.TABLE, width).rstrip("\n"))
    left = not_undone(plan)
    lines += ["not undone:"] if left else []
    for line in left:
        lines += wrap(printable(in_words(line)), width, first="  ", rest="    ")
    agreed = [made for made in moves_made(plan, attempts) if made.consent]
    lines += ["by their owners' consent:"] if agreed else []
    lines += [printable(f"  `{made.server}`: {made.consent}") for made in agreed]
    aside = [made for made in moves_made(plan, attempts) if made.aside]
    lines += ["set aside:"] if aside else []
    lines += [printable(f"  `{made.server}`: {in_words(made.aside or '')}") for made in aside]
    cut = [made for made in moves_made(plan, attempts) if made.cut_off]
    lines += ["cut off:"] if cut else []
    lines += [printable(f"  `{made.server}`: {in_words(made.cut_off or '')}") for made in cut]
    anew = [made for made in moves_made(plan, attempts) if made.redefined]
    lines += [f"definition changed by Nova (`stackward run audit {run.id} --export` has it):"] * (
        bool(anew)
    )
    lines += [printable(f"  `{made.server}`: {line}") for made in anew for line in made.redefined]
    away = [made for made in moves_made(plan, attempts) if made.gone]
    lines += ["gone in the meantime:"] if away else []
    lines += [printable(f"  `{made.server}`: {in_words(made.gone or '')}") for made in away]
    proofs = proofs_of(run, events)
    lines += render_proofs(proofs, is_told=is_told)
    if run.state in _GIVEN_UP and not is_chain(plan):
        lines += [] if run.undone_by else _left_done(plan, attempts)
        lines += _not_begun(plan, attempts)
        lines += [] if proofs else ["nothing was proved: that is done once all else is done"]
    if ends := _ends(run, plan):
        lines.append(f"the node is {printable(ends)}")
    return "\n".join(lines) + "\n"


def _left_done(plan: Plan[Any], attempts: Sequence[Attempt]) -> list[str]:
    """Name what was done to the node, or elsewhere: so it is left, such as a node cordoned."""
    last = last_attempts(attempts)
    done = [
        f"  {stage.name}: {printable(step.summary)}"
        for stage, move in plan.moves()
        if not move.thing_id
        for path, step in move.steps_at(stage.path_of(move))
        if path in last and last[path].settled is Settled.DONE
    ]
    return ["done, and not undone:", *done] if done else []


def _not_begun(plan: Plan[Any], attempts: Sequence[Attempt]) -> list[str]:
    """Name what the plan had for the node, or elsewhere, and what was not started.

    Servers have their rows. A person who reads only these may take a node for empty.
    """
    begun = last_attempts(attempts)
    left = [
        f"  {stage.name}: {printable(move.steps[0].summary)}"
        for stage, move in plan.moves()
        if not move.thing_id
        and move.steps
        and not any(path in begun for path, _ in move.steps_at(stage.path_of(move)))
    ]
    return ["not begun:", *left] if left else []


def _ends(run: Run, plan: Plan[Any]) -> str | None:
    return plan.decisions.get("ends") if run.state is RunState.SUCCEEDED else None
