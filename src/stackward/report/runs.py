"""Runs as rows, and one run as the operator reads it: how it is, what to do next."""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from stackward.errors import ExitCode, Refused, StackwardError, StalePlan, StepFailed
from stackward.model.run import Attempt, Event, Run, RunState
from stackward.model.values import Json
from stackward.report.gone import GONE, how_it_went, is_gone
from stackward.report.tables import Table
from stackward.report.times import Words, in_words, with_our_times
from stackward.wording import count_of, in_size, in_utc, utc_stamp

if TYPE_CHECKING:  # listing runs needs no plan
    from stackward.report.names import Names


def runs_table(runs: Sequence[Run], orphans: Container[str] = ()) -> Table:
    """Return a row per run; `orphans` are the ids of those whose worker has died."""
    return Table(
        columns=(
            "ID",
            "State",
            "Title",
            "Approved by",
            "Approved at",
            "Holds",
            "Worker",
            "Undone by",
            "Begins at",
            "Ends by",
            "Chain",
        ),
        rows=tuple(
            (
                run.id,
                Words(run.state, f"{run.state}, {_DIED}") if run.id in orphans else run.state.value,
                run.title,
                run.approval.by,
                run.approval.at,
                () if run.state.is_over or run.awaits_its_turn else run.holds,
                run.worker if run.state is RunState.RUNNING else None,
                run.undone_by,
                run.turn.at if run.turn and run.awaits_its_turn else None,
                run.turn.until if run.turn and not run.state.is_over else None,
                run.chain,
            )
            for run in runs
        ),
        gives_way=(
            "Ends by",
            "Chain",
            "Undone by",
            "Worker",
            "Approved by",
            "Holds",
            "Approved at",
        ),
    )


def broken_table(broken: Iterable[tuple[str, str, str, str]]) -> Table:
    """Return a row per invariant that a run breaks, with what was found and what to do."""
    return Table(columns=("Run", "Invariant", "Found", "Remedy"), rows=tuple(broken))


def steps_table(attempts: Sequence[Attempt], run: Run, names: "Names") -> Table:
    """Return a row per attempt of a run, in order, with how far it is where that is known."""
    return Table(
        columns=("Step", "What", "Attempt", "State", "Progress", "Since", "Says", "Request"),
        rows=tuple(
            (
                attempt.step,
                names.of_step(attempt.step),
                attempt.number,
                _state(attempt),
                None if attempt.settled else how_far(run.progress.get(attempt.step)),
                attempt.settled_at or attempt.intended_at,
                attempt.said.says or _said(attempt.said.reason or _went(attempt)),
                attempt.said.request_id,
            )
            for attempt in attempts
        ),
        gives_way=("Progress", "Attempt", "Request"),
        told_elsewhere=("Step",),
        stays_whole=("Since",),
        goes_last=("Since",),
    )


def _state(attempt: Attempt) -> str:
    if is_gone(attempt.saw):
        return GONE
    return attempt.settled.value if attempt.settled else "under way"


def _said(said: str | None) -> Words | None:
    return Words(said) if said else None


def _went(attempt: Attempt) -> str | None:
    return how_it_went(attempt.saw) if is_gone(attempt.saw) else None


def events_table(events: Sequence[Event], names: "Names") -> Table:
    """Return a row per event; rows are only ever added."""
    return Table(
        columns=("Number", "At", "Epoch", "What", "About", "Step", "Says", "Request"),
        rows=tuple(
            (
                event.number,
                event.at,
                event.epoch,
                event.what,
                names.of_event(event),
                event.step or event.thing,
                _says(event),
                str(event.says.get("request") or "") or None,
            )
            for event in events
        ),
        gives_way=("Number", "Epoch", "Request"),
        told_elsewhere=("Step",),
    )


def _says(event: Event) -> tuple[str, ...]:
    """Return what an event says; people read the request in a column of its own."""
    said = told(event.says)
    at = list(event.says).index("request") if "request" in event.says else None
    return tuple(Words(each, "") if place == at else each for place, each in enumerate(said))


def told(said: Mapping[str, Json]) -> tuple[str, ...]:
    """Return what is known of an event or of a look, a text for each."""
    ours = {name: with_our_times(value) for name, value in said.items()}
    return tuple(
        Words(f"{name}: {value}", f"{_CALLED.get(name, name)}: {in_plain_words(value)}")
        for name, value in ours.items()
    )


# What the journal calls what an event says, where people would not know the word.
_CALLED = {"mark": "before", "saw": "read"}


def in_plain_words(value: Json) -> str:
    """Say a value of the journal without the brackets and quotes of data.

    Of the rows of a proof those that hold are counted, and so are requests: `run audit` has them.
    """
    from stackward.status.proof import HOLDS  # noqa: PLC0415  # listing runs needs no plan

    match value:
        case None:
            said = "none"
        case bool():
            said = "yes" if value else "no"
        case list() | tuple() if value and all(str(each).startswith("req-") for each in value):
            said = str(len(value))
        case list() | tuple():
            said = ", ".join(map(in_plain_words, value)) or "none"
        case {"thing": str(thing), "steps": _}:  # a move that was caught up with
            said = thing
        case Mapping():
            holds = sum(each == HOLDS for each in value.values())
            others = {name: each for name, each in value.items() if each != HOLDS}
            rows = [f"{name} {in_plain_words(each)}" for name, each in others.items()]
            said = ", ".join([*rows, *([count_of(holds, "row holds", "rows hold")] * bool(holds))])
        case str() if "\n" in value:  # a whole file, such as a definition: `run audit --export`
            lines = value.splitlines()
            said = f"{lines[0]} ... ({count_of(len(lines), 'line')})"
        case _:
            said = str(value)
    return said


def how_far(seen: object) -> str | None:
    """Say how far a step is, if its last look could show it."""
    match seen:
        case {"remaining_bytes": int(left)}:
            return f"{in_size(left)} left"
        case {"fraction": float(part)}:
            return f"{part:.0%}"
        case _:
            return None


_DIED = "but its worker has died"


def how_it_stands(run: Run, attempts: Sequence[Attempt], *, is_orphan: bool = False) -> str:
    """Return one line: the run and how far it is; `is_orphan`: its worker has died."""
    done = len({attempt.step for attempt in attempts if attempt.settled == "done"})
    going = sum(attempt.is_in_flight for attempt in attempts)
    under_way = f"{going} under way" if going else "none is under way"
    undone = f"; undone by run `{run.undone_by}`" if run.undone_by else ""
    state = f"{run.state}, {_DIED}" if is_orphan else run.state
    steps = f"{count_of(done, 'step is', 'steps are')} done"
    awaits = run.turn is not None and run.awaits_its_turn
    why = run.ending.reason if run.state is RunState.NOT_BEGUN else None
    state = f"{state} ({in_words(why)})" if why else state
    begins = f"; it begins at {in_utc(run.turn.at)}" if awaits and run.turn else ""
    return f"run `{run.id}`, {run.title}: {state}{begins}; {steps}, {under_way}{undone}"


def outcome(
    run: Run, attempts: Sequence[Attempt], *, has_undo: bool = False
) -> StackwardError | None:
    """Return the error that a command which waited for the run ends with; None: all is proved.

    With `has_undo`, its changes can be taken back as they are.
    """
    if run.state in {RunState.SUCCEEDED, RunState.RUNNING, RunState.QUEUED}:
        return None
    said = run.ending
    message = f"run `{run.id}`, {run.title}: {run.state}: {said.reason or 'no reason was given'}"
    if run.state is RunState.NOT_BEGUN:
        return Refused(
            message, details=said.details, stands="nothing was changed", hint="plan again"
        )
    if run.state is RunState.REFUSED:
        kind = StalePlan if said.details else Refused
        hint = "look at what has changed, then plan again" if said.details else "plan again"
        return kind(message, details=said.details, says=said.says, hint=hint)
    error = StepFailed(
        message,
        details=said.details,
        service=said.service,
        says=said.says,
        request_id=said.request_id,
        stands=how_it_stands(run, attempts),
        hint=_way_on(run, has_undo=has_undo),
    )
    error.exit_code = _exit_code(run, attempts)  # type: ignore[misc]  # each end has its own
    return error


def _exit_code(run: Run, attempts: Sequence[Attempt]) -> ExitCode:
    """Return that of the run's end; of a chain, that of its first run that did not end well."""
    from stackward.report.chains import state_of_first_failure  # noqa: PLC0415  # same

    first = state_of_first_failure(attempts) if run.is_chain else None
    return (first or run.state).exit_code


def orphaned(run: Run) -> StepFailed:
    """Return the error of a run that is said to go on, and whose worker is no more."""
    return StepFailed(
        f"nobody carries run `{run.id}` out any more: its worker `{run.worker}` has died",
        hint=f"`stackward run resume {run.id}` finishes the moves in progress",
    )


def half_way(run: Run, things: Sequence[str]) -> StepFailed:
    """Return the error of a run to cancel, which may not be left as it is."""
    error = StepFailed(
        f"run `{run.id}` is not cancelled yet: it left something unfinished",
        details=[f"`{thing}` is not finished" for thing in things],
        hint=f"`stackward run resume {run.id}` finishes that, starts nothing new, and then "
        "cancels the run",
    )
    error.exit_code = run.state.exit_code  # type: ignore[misc]  # as a stopped run ends
    return error


def _way_on(run: Run, *, has_undo: bool) -> str:
    """Return the commands that lead on: to the reason in the logs, on, back, to all that was."""
    ways = []
    if run.ending.request_id:
        since = utc_stamp(run.began_at or run.approval.at)
        asked = f"--request {run.ending.request_id} --since {since}"
        ways.append(f"`stackward diagnose {asked}` looks for the reason in the logs")
    if run.state is RunState.STOPPED:
        window = run.turn.asked if run.turn and run.turn.until else ""
        ways.append(f"`stackward run resume {run.id}` continues{' now' if window else ''}")
        if window:
            ways.append(f"`stackward run resume {run.id} {window}` continues in the next one")
    if has_undo:
        ways.append(f"`stackward run undo {run.id}` undoes what was done, instead")
    return "; ".join([*ways, f"`stackward run show {run.id} --events` shows all"])
