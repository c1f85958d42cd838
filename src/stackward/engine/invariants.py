"""What is always true of a run in the journal, also after a worker has died at any point.

Each invariant is a pure function of all that the journal holds of a run at one moment. The tests
ask all of them after every write; `stackward run check` asks them of any database.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from stackward.model.history import History
from stackward.model.run import (
    APPROVED_MORE,
    ENDED,
    LAPSED,
    UNDONE,
    Attempt,
    Event,
    RunState,
    Settled,
)
from stackward.plan import GIVEN_UP
from stackward.plan.outline import MoveOutline, Outline, Place, outline_of
from stackward.plan.path import Part
from stackward.wording import count_of

Lines = Iterable[str]

_INTENDED, _FOUND_DONE, _ANSWERED, _SETTLED = "intended", "found done", "answered", "settled: "
_APPROVED, _TAKEN_UP, _QUEUED, _DIED = "approved", "taken up", "queued", "its worker died"
_CANCEL_ASKED, _TAKES_BACK = "cancel asked", "takes back"
_NOT_BY_ITS_WORKER = {
    _APPROVED,
    _TAKEN_UP,
    _QUEUED,
    _DIED,
    _CANCEL_ASKED,
    APPROVED_MORE,
    ENDED,
    LAPSED,
    UNDONE,
}
_PROVED = {"proved", "not applicable"}
_FAILED = {"failed", "defect"}  # a move

_LOOK = "look at `stackward run audit {run}` and at the cloud before anything else is done with it"
_REPORT = "this is a defect of Stackward: keep the database and report it; " + _LOOK


@dataclass(frozen=True)
class Account:
    """A run's history, with what follows from it."""

    history: History

    @cached_property
    def planned(self) -> Outline | None:
        """Return the steps of its plan as it was approved."""
        return outline_of(self.history.run.plan)

    @cached_property
    def outline(self) -> Outline | None:
        """Return the steps of its plan, with those that it caught up with."""
        outline = self.planned
        for event in self.history.events if outline else ():
            outline = outline.with_caught_up(event) if outline else None
        return outline

    @cached_property
    def by_step(self) -> dict[str, list[Attempt]]:
        """Return the attempts at each step, in the order of their numbers."""
        found: dict[str, list[Attempt]] = {}
        for each in sorted(self.history.attempts, key=lambda one: one.number):
            found.setdefault(each.step, []).append(each)
        return found

    @cached_property
    def last(self) -> dict[str, Attempt]:
        """Return the last attempt at each step."""
        return {step: made[-1] for step, made in self.by_step.items()}

    @cached_property
    def states(self) -> tuple[tuple[Event | None, frozenset[RunState | None]], ...]:
        """Return each event that may not happen at its place, with the states at that point.

        The last one is the end, without an event.
        """
        return tuple(_states(self.history.events))


@dataclass(frozen=True, slots=True)
class Invariant:
    """A statement that is always true; `find` returns where it is not."""

    name: str
    sentence: str
    remedy: str
    find: Callable[[Account], Lines]
    needs_plan: bool = False  # it asks whether what was done follows the plan


@dataclass(frozen=True, slots=True)
class Broken:
    """An invariant that does not hold for a run."""

    run: str
    invariant: Invariant
    found: str

    @property
    def remedy(self) -> str:
        """Say what to do."""
        return self.invariant.remedy.format(run=self.run)


def broken_in(history: History, invariants: Iterable[Invariant] | None = None) -> list[Broken]:
    """Return each invariant that is not true, with what was found."""
    account = Account(history)
    return [
        Broken(history.run.id, each, found)
        for each in (INVARIANTS if invariants is None else invariants)
        for found in each.find(account)
    ]


# --- attempts -------------------------------------------------------------------------------------


def _open_twice(account: Account) -> Lines:
    for step, made in account.by_step.items():
        for each in made[:-1]:
            if each.is_in_flight:
                newer = made[-1].number
                yield f"`{step}`: attempt {each.number} is open, and attempt {newer} is there"


def _miscounted(account: Account) -> Lines:
    for step, made in account.by_step.items():
        numbers = [each.number for each in made]
        if numbers != list(range(1, len(made) + 1)):
            yield f"`{step}`: its attempts have the numbers {', '.join(map(str, numbers))}"


def _unmarked(account: Account) -> Lines:
    for each in account.history.attempts:
        is_found_done = each.settled is Settled.DONE and each.answered_at is None
        if each.mark is None and not is_found_done:
            yield f"`{each.step}`: attempt {each.number} was started without a mark"


def _half_settled(account: Account) -> Lines:
    for each in account.history.attempts:
        if (each.settled is None) != (each.settled_at is None):
            yield f"`{each.step}`: attempt {each.number} is {each.settled} at {each.settled_at}"
        if each.settled is Settled.UNSENT and each.answered_at is not None:
            yield f"`{each.step}`: attempt {each.number} was answered, and never sent"


def _untold(account: Account) -> Lines:
    """Find attempts that differ from the events, or events that are not in their order."""
    told: dict[tuple[str, int], list[str]] = {}
    counts: dict[str, int] = {}
    for event in account.history.events:
        if event.what in {_INTENDED, _FOUND_DONE}:
            counts[event.step] = counts.get(event.step, 0) + 1
            told.setdefault((event.step, counts[event.step]), []).append(event.what)
        elif event.what == _ANSWERED or event.what.startswith(_SETTLED):
            told.setdefault((event.step, _number(event)), []).append(event.what)
    made = {(each.step, each.number): each for each in account.history.attempts}
    for step, number in sorted(made.keys() | told.keys()):
        attempt = made.get((step, number))
        expected = _to_tell(attempt) if attempt else []
        if (words := told.get((step, number), [])) != expected:
            yield (
                f"`{step}`, attempt {number}: the events are {_listed(words)}; "
                f"they should be {_listed(expected)}"
            )


def _to_tell(attempt: Attempt) -> list[str]:
    if attempt.mark is None:
        return [_FOUND_DONE]
    answered = [_ANSWERED] if attempt.answered_at else []
    settled = [f"{_SETTLED}{attempt.settled}"] if attempt.settled else []
    return [_INTENDED, *answered, *settled]


def _number(event: Event) -> int:
    number = event.says.get("attempt")
    return number if isinstance(number, int) else 0


def _listed(words: list[str]) -> str:
    return ", ".join(words) or "nothing"


# --- epochs ---------------------------------------------------------------------------------------


def _below_the_epoch(account: Account) -> Lines:
    highest, taken = 0, 0
    for event in account.history.events:
        if event.what == _TAKEN_UP:
            if event.epoch <= highest:
                yield f"event {event.number}: run taken at epoch {event.epoch}, after {highest}"
            taken = event.epoch
        elif event.what not in _NOT_BY_ITS_WORKER and event.epoch != taken:
            yield (
                f"event {event.number}, {event.what}: written at epoch {event.epoch}; the last "
                f"worker took the run at {taken}"
            )
        elif event.epoch < highest:
            epochs = f"epoch {event.epoch} after {highest}"
            yield f"event {event.number}, {event.what}: written at {epochs}"
        highest = max(highest, event.epoch)
    if highest > account.history.run.epoch:
        yield f"the run is at epoch {account.history.run.epoch}; an event is of {highest}"


def _of_no_taker(account: Account) -> Lines:
    taken = {event.epoch for event in account.history.events if event.what == _TAKEN_UP}
    for each in account.history.attempts:
        if each.epoch not in taken:
            yield f"`{each.step}`: attempt {each.number} is of epoch {each.epoch}, which nobody had"


# --- states ---------------------------------------------------------------------------------------

_OVER = {state for state in RunState if state.is_over}
_LAPSED = {RunState.NOT_BEGUN, RunState.STOPPED}
_ENDS = {state.value: state for state in RunState if state is not RunState.RUNNING}


@lru_cache(maxsize=1000)  # the words of events are few
def _after(what: str, state: RunState | None, *, is_of_step: bool) -> frozenset[RunState]:
    """Return the states that may follow an event in a state; none: it may not happen there."""
    return frozenset(_following(what, state, is_of_step=is_of_step))


def _following(what: str, state: RunState | None, *, is_of_step: bool) -> set[RunState]:
    if what == _APPROVED:
        return {RunState.QUEUED} if state is None else set()
    if what == UNDONE and state is RunState.STOPPED:
        return {RunState.CANCELLED}
    if state is None:
        return set()
    # A run of a chain ends, in any state of the chain.
    if what == ENDED or (state in _OVER and what == UNDONE):
        return {state}
    anybody: dict[str, set[RunState]] = {
        _TAKEN_UP: {RunState.RUNNING},
        _QUEUED: {RunState.QUEUED},
        _CANCEL_ASKED: {state} if state is RunState.RUNNING else {state, RunState.CANCELLED},
        LAPSED: _LAPSED if state is RunState.QUEUED else set(),
        UNDONE: set(),
        APPROVED_MORE: {state} if state is RunState.STOPPED else set(),
    }
    if state in _OVER or what in anybody:
        return set() if state in _OVER else anybody[what]
    return _after_its_worker(what, is_of_step=is_of_step) if state is RunState.RUNNING else set()


def _after_its_worker(what: str, *, is_of_step: bool) -> set[RunState]:
    """Return the states that may follow a report of its worker, or a report on that worker."""
    if what == _DIED:
        return {RunState.QUEUED, RunState.STOPPED}
    if is_of_step or what not in _ENDS:  # a move that failed is reported by the same word
        return {RunState.RUNNING}
    is_proof = what == RunState.UNVERIFIED.value  # so is a check, before the run ends
    return {_ENDS[what], RunState.RUNNING} if is_proof else {_ENDS[what]}


def _states(
    events: Iterable[Event],
) -> Iterator[tuple[Event | None, frozenset[RunState | None]]]:
    states: frozenset[RunState | None] = frozenset({None})
    for event in events:
        is_of_step = bool(event.step)
        following = frozenset[RunState | None]().union(
            *(_after(event.what, state, is_of_step=is_of_step) for state in states)
        )
        if not following:
            yield event, states
            return
        states = following
    yield None, states


def _out_of_turn(account: Account) -> Lines:
    for event, states in account.states:
        if event is not None and not states <= _OVER:
            yield f"event {event.number}, {event.what}: the run was {_either(states)} then"


def _after_the_end(account: Account) -> Lines:
    for event, states in account.states:
        if event is not None and states <= _OVER:
            yield f"event {event.number}, {event.what}: the run was over then, {_either(states)}"


def _not_as_told(account: Account) -> Lines:
    run = account.history.run
    for event, states in account.states:
        if event is None and run.state not in states:
            yield f"the run is {run.state}; by its events it is {_either(states)}"


def _either(states: Collection[RunState | None]) -> str:
    return " or ".join(sorted(state or "not approved" for state in states))


def _wrong_end(account: Account) -> Lines:
    run = account.history.run
    if (run.ended_at is None) != (run.state in {RunState.QUEUED, RunState.RUNNING}):
        yield f"the run is {run.state}, and its end is {run.ended_at or 'not written down'}"


def _open_after_the_end(account: Account) -> Lines:
    state = account.history.run.state
    if state.is_over:
        for each in account.history.open:
            yield f"`{each.step}`: attempt {each.number} is open; the run is {state}"


def _refused_and_did(account: Account) -> Lines:
    state = account.history.run.state
    if state in {RunState.REFUSED, RunState.NOT_BEGUN} and account.history.attempts:
        yield f"it is {state}, and has {count_of(len(account.history.attempts), 'attempt')}"


# --- holds and workers ----------------------------------------------------------------------------


def _may_hold(history: History) -> bool:
    is_left_open = history.run.state is RunState.STOPPED and bool(history.open)
    return history.run.state in {RunState.QUEUED, RunState.RUNNING} or is_left_open


def _held_for_nothing(account: Account) -> Lines:
    history = account.history
    for hold in history.own_holds:
        if not _may_hold(history):
            yield f"it holds `{hold.node}`; it is {history.run.state}, with nothing in progress"
        elif history.run.is_chain:
            continue  # of a run that has ended, until the next run of its item begins
        elif hold.node not in history.run.holds or hold.cloud not in {None, history.run.cloud}:
            yield f"it holds `{hold.node}` in cloud {hold.cloud}, which it did not ask for"


def _not_held(account: Account) -> Lines:
    history = account.history
    # A run that waits for its turn takes its nodes when it begins.
    if _may_hold(history) and not history.run.awaits_its_turn:
        held = {hold.node for hold in history.own_holds}
        for node in history.run.holds:
            if node not in held:
                yield f"it is {history.run.state} and does not hold `{node}`"


def _held_twice(account: Account) -> Lines:
    for hold in account.history.own_holds:
        for other in account.history.holds:
            if hold.excludes(other):
                yield f"`{hold.node}` is held by run `{other.run}` too"


def _without_a_worker(account: Account) -> Lines:
    run = account.history.run
    if run.state is not RunState.RUNNING:
        return
    if run.worker is None or run.beat_at is None or run.began_at is None:
        yield "it is running, and no worker has started it"
    elif run.for_workers and run.worker not in account.history.workers:
        yield f"it is running, and its worker `{run.worker}` is not among the workers"


def _undone_twice(account: Account) -> Lines:
    undoers = [event.thing for event in account.history.events if event.what == UNDONE]
    for each in undoers:
        if each not in account.history.states:
            yield f"run `{each}` undoes it, and there is no such run"
    for each in undoers[:-1]:
        state = account.history.states.get(each)
        if state is not None and state.keeps_others_from_undoing:
            yield f"run `{each}` ({state}) undoes it, and run `{undoers[-1]}` too"


# --- the plan -------------------------------------------------------------------------------------


def _no_plan(account: Account) -> Lines:
    if account.outline is None:
        yield "its plan has no stages that can be read"


def _not_in_the_plan(account: Account) -> Lines:
    if account.outline is not None:
        for step in account.by_step:
            if step not in account.outline.places:
                yield f"`{step}` was attempted, and is no step of the plan"


@dataclass
class _Way:
    """How far a run had come, event by event."""

    outline: Outline
    how: dict[str, str] = field(default_factory=dict)  # the state of each step's last attempt
    was_done: set[str] = field(default_factory=set)
    given_up: set[str] = field(default_factory=set)
    takes_back: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)  # moves, since a worker took the run

    def note(self, event: Event) -> None:
        """Take note of what happened."""
        self.outline = self.outline.with_caught_up(event)
        if event.what == _TAKES_BACK:
            self.takes_back.add(event.step)
        elif event.what == _TAKEN_UP:
            self.failed.clear()
        elif event.what in _FAILED:
            self.failed.add(event.step)
        elif event.what == _INTENDED:
            self.how[event.step] = ""
        elif event.what == _FOUND_DONE:
            self.how[event.step] = Settled.DONE
        elif event.what.startswith(_SETTLED):
            self.how[event.step] = event.what.removeprefix(_SETTLED)
            saw = event.says.get("saw")
            if isinstance(saw, dict) and saw.get(GIVEN_UP):
                self.given_up.add(event.step)
        if self.how.get(event.step) == Settled.DONE:
            self.was_done.add(event.step)

    def is_done(self, step: str) -> bool:
        """Say whether the last attempt at a step proved it done."""
        return self.how.get(step) == Settled.DONE

    def has_finished(self, move: MoveOutline) -> bool:
        """Say whether each step on the way that a move took was once proved done."""
        went_another = move.first_instead in self.how
        way = move.steps(Part.INSTEAD if went_another else Part.STEPS)
        return all(step in self.was_done for step in way)

    def is_set_aside(self, stage: str, move: MoveOutline) -> bool:
        """Say whether a move failed whose thing is set aside by that: the others go on."""
        return stage in self.outline.set_aside and move.path in self.failed


def _begun(account: Account) -> Iterator[tuple[Event, Place, _Way]]:
    """Return each event by which a step of the plan began, and how far the run had come then."""
    if account.planned is None:
        return
    way = _Way(account.planned)
    for event in account.history.events:
        is_start = event.what in {_INTENDED, _FOUND_DONE}
        if is_start and (place := way.outline.places.get(event.step)) is not None:
            yield event, place, way
        way.note(event)


def _out_of_order(account: Account) -> Lines:
    for event, place, way in _begun(account):
        move = place.move
        before = move.step(place.part, place.number - 1)
        if place.number and not way.is_done(before):
            stands = way.how.get(before)
            how = "not started" if stands is None else stands or "in progress"
            yield f"`{event.step}` started while `{before}` was {how}"
        yield from _not_its_case(event, place, way)


def _not_its_case(event: Event, place: Place, way: _Way) -> Lines:
    """Find a step that began although the condition for its part was not met."""
    move = place.move
    match place.part:
        case Part.STEPS:
            for part in (Part.INSTEAD, Part.FAILED):
                if move.step(part, 0) in way.how:
                    yield f"`{event.step}` started after `{move.step(part, 0)}`"
        case Part.SLOW:
            if not any(way.how.get(step) == "" for step in move.steps(Part.STEPS)):
                yield f"`{event.step}` started while no step of its move was in progress"
        case Part.INSTEAD:
            if move.step(Part.STEPS, 0) not in way.given_up:
                yield f"`{event.step}` started, and the move was not given up"
        case Part.FAILED:
            if move.path not in way.takes_back:
                yield f"`{event.step}` started, and the run was not taking the move back"


def _too_early(account: Account) -> Lines:
    for event, place, way in _begun(account):
        saw = event.says.get("saw")
        if isinstance(saw, dict) and saw.get("gone"):
            continue  # what is gone needs nothing more, in every stage
        for name, moves in way.outline.stages[: place.stage]:
            for move in moves:
                is_another = (move.thing, move.thing_id) != (place.move.thing, place.move.thing_id)
                if not way.has_finished(move) and not (is_another and way.is_set_aside(name, move)):
                    was = f"`{move.path}` of stage `{name}` was not done"
                    yield f"`{event.step}` started while {was}"


def _not_whole(account: Account) -> Lines:
    if account.history.run.state is RunState.SUCCEEDED and account.outline is not None:
        last = account.last
        for _, moves in account.outline.stages:
            for move in moves:
                went_another = move.first_instead in last
                for step in move.steps(Part.INSTEAD if went_another else Part.STEPS):
                    if step not in last or last[step].settled is not Settled.DONE:
                        yield f"it has succeeded, and `{step}` is not proved done"


def _not_proved(account: Account) -> Lines:
    if account.history.run.state is not RunState.SUCCEEDED or account.outline is None:
        return
    proved = 0
    for event in account.history.events:
        if event.what == _TAKEN_UP:
            proved = 0
        proved += event.what in _PROVED
    if proved < account.outline.checks:
        checks = count_of(account.outline.checks, "check")
        yield f"it has succeeded, and only {proved} of {checks} are proved by its events"


INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        "one-open-intent",
        "Of the attempts at a step, only the last may be open.",
        _REPORT,
        _open_twice,
    ),
    Invariant(
        "attempts-counted",
        "The attempts at a step have the numbers 1, 2, 3, and so on.",
        _REPORT,
        _miscounted,
    ),
    Invariant(
        "mark-before-start",
        "Each attempt has a mark, except where the step was found done.",
        _REPORT,
        _unmarked,
    ),
    Invariant(
        "settled-once",
        "An attempt is settled with its time, and one that was never sent has no answer.",
        _REPORT,
        _half_settled,
    ),
    Invariant(
        "attempts-told",
        "Each attempt, its answer and its end have one event each, in this order.",
        _REPORT,
        _untold,
    ),
    Invariant(
        "no-write-below-epoch",
        "Only the worker that took the run last writes; each take-over has a higher epoch.",
        _REPORT,
        _below_the_epoch,
    ),
    Invariant(
        "attempts-of-takers",
        "Each attempt has an epoch at which a worker took the run.",
        _REPORT,
        _of_no_taker,
    ),
    Invariant(
        "events-in-turn",
        "Each event happened in a state of the run in which it may happen.",
        _REPORT,
        _out_of_turn,
    ),
    Invariant(
        "nothing-after-end",
        "A run ends once, and has no events afterwards except its undo.",
        _REPORT,
        _after_the_end,
    ),
    Invariant(
        "state-as-told",
        "The state of a run is the one that its events lead to.",
        _REPORT,
        _not_as_told,
    ),
    Invariant(
        "end-has-time",
        "A run that goes on has no end; one that stopped or is over has its time.",
        _REPORT,
        _wrong_end,
    ),
    Invariant(
        "nothing-open-after-end",
        "Nothing is in progress in a run that has ended.",
        _REPORT,
        _open_after_the_end,
    ),
    Invariant(
        "refused-did-nothing",
        "A run whose plan was stale, or that did not start in time, has attempted nothing.",
        _REPORT,
        _refused_and_did,
    ),
    Invariant(
        "holds-of-living-runs",
        "Only a run that goes on, or that stopped with something in progress, holds a node.",
        "`stackward run show {run}` shows its state; " + _REPORT,
        _held_for_nothing,
    ),
    Invariant(
        "living-runs-hold",
        "A run that goes on, and does not wait for its time, has every node that it asked for.",
        "stop it before another run takes the node: `stackward run cancel {run}`; " + _REPORT,
        _not_held,
    ),
    Invariant(
        "one-run-per-node",
        "In one cloud, only one run holds a node.",
        "stop one of the two: `stackward run cancel {run}`; " + _REPORT,
        _held_twice,
    ),
    Invariant(
        "running-has-worker",
        "A running run has a worker; a run of the workers has one that still reports.",
        "`stackward run resume {run} --take-over` continues it; " + _REPORT,
        _without_a_worker,
    ),
    Invariant(
        "undone-once",
        "Of the runs that undo a run, only the last may go on or have succeeded.",
        _REPORT,
        _undone_twice,
    ),
    Invariant(
        "plan-readable",
        "The plan of a run has stages and moves that can be read.",
        _REPORT,
        _no_plan,
        needs_plan=True,
    ),
    Invariant(
        "steps-of-plan",
        "Only steps of the plan are attempted, or steps that the run added to it.",
        _REPORT,
        _not_in_the_plan,
        needs_plan=True,
    ),
    Invariant(
        "steps-in-order",
        "A step starts when the step before it is proved done.",
        _REPORT,
        _out_of_order,
        needs_plan=True,
    ),
    Invariant(
        "stages-in-order",
        "A stage starts when each move of the stages before it is proved done, or has set its "
        "server aside.",
        _REPORT,
        _too_early,
        needs_plan=True,
    ),
    Invariant(
        "success-is-whole",
        "In a run that has succeeded, each step is proved done.",
        "do not rely on it: " + _LOOK,
        _not_whole,
        needs_plan=True,
    ),
    Invariant(
        "success-is-proved",
        "In a run that has succeeded, the events prove each check of its plan.",
        "do not rely on it: " + _LOOK,
        _not_proved,
        needs_plan=True,
    ),
)
