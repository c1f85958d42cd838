"""The journal in a database: each call is one transaction, fenced by the run's epoch.

On PostgreSQL writers do not wait for each other by themselves: there each write locks the run's row
first. So take-overs, a worker's writes and the numbers of a run's events come one after another.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    Connection,
    Engine,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from stackward.adapters.store import tables
from stackward.adapters.store.holder import is_locked, locked
from stackward.adapters.store.other_rows import to_worker
from stackward.adapters.store.rows import (
    attempt_row,
    run_row,
    said_text,
    stamp,
    to_event,
    to_run,
    turn_row,
    words_of,
)
from stackward.adapters.store.statements import (
    ADD_ATTEMPT,
    OF,
    RUNS,
    attempts_at,
    attempts_of,
    begin_in,
    cancel_what_waits,
    child,
    children,
    count_ended,
    end,
    fields,
    find,
    free_nodes,
    give_up,
    hold,
    holders,
    is_the_one,
    is_told,
    keep,
    lapse,
    left_behind,
    let_go,
    may_be_in,
    missed,
    observed,
    refuse_for_chain,
    refuse_the_missed,
    tell,
    tell_chain,
    tell_workers,
    waiting,
)
from stackward.adapters.store.trouble import is_taken, one_line, passes
from stackward.errors import Locked, Refused, Superseded, Unreachable
from stackward.model.observation import Observation
from stackward.model.run import Attempt, Event, Run, RunState, Said, Settled, Turn
from stackward.model.values import Json, Mark
from stackward.model.worker import Worker
from stackward.status.run import refuse_if_over
from stackward.status.turn import refuse_out_of_turn

ONLY_READS = tables.ONLY_READS
runs, holds, attempts, events = tables.runs, tables.holds, tables.attempts, tables.events
workers = tables.workers

# The statement of each write is built once: that takes longer than to execute it.
_LOCKED = select(runs.c.epoch, runs.c.state, runs.c.due_by).where(runs.c.id == OF).with_for_update()
_BEATEN = (
    update(runs)
    .where(runs.c.id == OF)
    .values(beat_at=bindparam("now"), progress=bindparam("so_far"))
)
_CANCEL_ASKED_BY = select(runs.c.cancel_asked_by).where(runs.c.id == OF)
_CHANGE_ATTEMPT = update(attempts).where(
    attempts.c.run_id == OF,
    attempts.c.step == bindparam("of_step"),
    attempts.c.number == bindparam("of_number"),
)
_TOLD_AFTER = (
    select(events)
    .where(events.c.run_id == OF, events.c.number > bindparam("after"))
    .order_by(events.c.number)
)

PATIENCE_S = 300.0  # with what goes on: a server restarts in seconds, fails over in a minute or two
_HASTE_S = 10.0  # for runs that have not started: somebody waits for the answer
_PAUSES_S = (0.1, 2.0)  # the first and the longest between two tries


def _said_of_turn(turn: Turn) -> dict[str, Json]:
    """Return what an event says of when a run may begin."""
    until = {"until": stamp(turn.until)} if turn.until else {}
    return {"turn": turn.asked, "begins": stamp(turn.at), **until}


def _kept(turn: Turn | None, at: datetime) -> Turn | None:
    """Return the turn of a run that goes on now: only a turn that is open limits it."""
    return turn if turn is not None and turn.is_open(at) else None


_log = logging.getLogger(__name__)
T = TypeVar("T")


class SqlJournal:
    """A `Journal` in SQLite or PostgreSQL.

    If the server is away for a while, the journal waits for it. If the answer to a write was lost
    on the way, the journal looks for the write before it writes again: each write has one event,
    which identifies it.
    """

    def __init__(
        self,
        engine: Engine,
        patience_s: float = PATIENCE_S,
        gives_up: Callable[[], bool] = lambda: False,
    ) -> None:
        """Take an open database; `gives_up` says when it is of no use to wait for it longer."""
        self._engine, self._patience_s, self._gives_up = engine, patience_s, gives_up
        reading: dict[str, Any] = {ONLY_READS: True}
        if engine.dialect.name == "postgresql":
            # Each read is one statement: no transaction need start and end around it.
            reading["isolation_level"] = "AUTOCOMMIT"
        self._reader = engine.execution_options(**reading)

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    # --- runs ---------------------------------------------------------------------------------

    def add(
        self,
        run: Run,
        /,
        *,
        undoes: str | None = None,
        must_go_on: Callable[[Sequence[Attempt]], bool] = lambda _: False,
        chain_epoch: int | None = None,
    ) -> None:
        """Remember an approved run and take its nodes; raise `Locked` if another run has one."""

        def change(transaction: Connection) -> tuple[None, Event]:
            if chain_epoch is not None:
                begin_in(transaction, run, chain_epoch)
            if undoes is not None:
                give_up(transaction, undoes, run, must_go_on)
            transaction.execute(insert(runs).values(run_row(run)))
            if not run.is_early(run.approval.at):
                hold(transaction, run)
            if run.for_workers:
                tell_workers(transaction)
            says: Mapping[str, Json] = {"by": run.approval.by, "how": run.approval.how}
            if run.turn is not None:
                says = {**says, **_said_of_turn(run.turn)}
            return None, Event(at=run.approval.at, epoch=0, what="approved", says=says)

        self._write(run.id, change)

    def run(self, run_id: str, /) -> Run:
        """Return the run of an id, or of the beginning of one; `BadInput` if none or several."""
        return self._read(lambda connection: find(connection, run_id))

    def children(self, chain: str, /) -> Sequence[Run]:
        """Return the runs that a chain has started, the oldest first."""
        return self._read(lambda opened: children(opened, chain))

    def child(self, chain: str, item: str | None = None, part: int | None = None, /) -> Run | None:
        """Return the newest run that a chain has started, of an item, or of a part of that."""
        return self._read(lambda opened: child(opened, chain, item, part))

    def count_ended(self, chain: str, /) -> int:
        """Return how many of the runs of a chain are carried out by nobody now."""
        return self._read(lambda opened: count_ended(opened, chain))

    def runs(self, *, limit: int, cloud: str | None = None) -> Sequence[Run]:
        """Return the latest runs, the newest first; of a cloud, those that may be in it."""
        wanted = RUNS.where(may_be_in(cloud)).order_by(runs.c.id.desc()).limit(limit)
        return self._read(lambda opened: [to_run(fields(row)) for row in opened.execute(wanted)])

    def queued(self, cloud: str | None = None, /, *, at: datetime | None = None) -> Sequence[str]:
        """Return the ids of the runs that wait for a worker, the oldest first; or of a cloud.

        With a time, without those whose turn comes later.
        """
        left = runs.c.for_workers & (runs.c.state == RunState.QUEUED.value)
        if at is not None:
            left &= runs.c.due_at.is_(None) | (runs.c.due_at <= stamp(at))
        wanted = select(runs.c.id).where(left, may_be_in(cloud)).order_by(runs.c.id)
        return self._read(lambda opened: opened.execute(wanted).scalars().all())

    def waiting(self, nodes: Sequence[str], cloud: str | None = None, /) -> Sequence[Run]:
        """Return the runs of these nodes that await their turn, the first to come first."""
        return self._read(lambda opened: waiting(opened, nodes, cloud))

    def holders(self, nodes: Sequence[str], cloud: str | None = None, /) -> Sequence[Run]:
        """Return the runs that hold any of these nodes now, the oldest first."""
        return self._read(lambda opened: holders(opened, nodes, cloud))

    def lapse(self, run_id: str, at: datetime, /) -> Run:
        """End a run whose turn has passed before it began; return its new state."""

        def change(transaction: Connection) -> tuple[Run, Event | None]:
            run = find(transaction, run_id)
            if not run.is_late(at):
                return run, None  # another worker was quicker
            told = lapse(transaction, run, at)
            return find(transaction, run_id), told

        return self._write(run_id, change)

    def queue(
        self,
        run_id: str,
        by: str,
        at: datetime,
        /,
        *,
        turn: Turn | None = None,
        chain_epoch: int | None = None,
    ) -> Run:
        """Give a run that nobody carries out to the workers; take its nodes again.

        With a turn, the run waits for it and takes its nodes then; without one it goes on at once.
        """

        def change(transaction: Connection) -> tuple[Run, Event]:
            run = find(transaction, run_id)
            if chain_epoch is not None:
                refuse_for_chain(transaction, run, chain_epoch)
            refuse_if_over(run)
            refuse_out_of_turn(run, at)
            if turn is None or turn.is_open(at):
                hold(transaction, run)
            elif run.is_chain:
                free_nodes(transaction, run.id)  # it waits without those between two runs
            given = {
                **turn_row(turn or _kept(run.turn, at)),
                "for_workers": True,
                "deaths": 0,
                "state": RunState.QUEUED.value,
                "epoch": run.epoch + 1,  # a worker that was about to take it loses it
                "ended_at": None,
                "ending": said_text(Said()),
            }
            transaction.execute(update(runs).where(runs.c.id == run.id).values(given))
            tell_workers(transaction)
            says: Mapping[str, Json] = {"by": by, **(_said_of_turn(turn) if turn else {})}
            told = Event(at=at, epoch=run.epoch + 1, what="queued", says=says)
            return find(transaction, run.id), told

        return self._write(self.run(run_id).id, change)

    def take_up(  # noqa: PLR0913  # who, when, and as which worker
        self,
        run_id: str,
        worker: str,
        at: datetime,
        /,
        *,
        life: str | None = None,
        seen: int | None = None,
        chain_epoch: int | None = None,
    ) -> Run:
        """Raise the epoch, take the nodes again, set the state to running; return the run.

        A worker gives its `life` and takes what is queued; all others make the run their own.
        `seen` is the epoch at which the run was found to be free: `Locked` if somebody was quicker.
        """

        def change(transaction: Connection) -> tuple[Run, Event]:
            if life is not None:
                refuse_the_missed(transaction, worker, life)
            run = find(transaction, run_id)
            if chain_epoch is not None:
                refuse_for_chain(transaction, run, chain_epoch)
            if life is None:
                refuse_if_over(run)  # to a worker, it is a run that another one was quicker to end
            is_free = run.for_workers and run.state is RunState.QUEUED
            if (seen is not None and run.epoch != seen) or (life is not None and not is_free):
                raise Locked(
                    f"run `{run.id}` was taken by `{run.worker}` just before",
                    hint=f"`stackward run watch {run.id}` follows it",
                )
            if life is None:
                refuse_out_of_turn(run, at)
            elif run.is_early(at) or run.is_late(at):
                raise Locked(f"run `{run.id}` may not be started now")
            hold(transaction, run)
            taken = {
                **({} if life is not None else turn_row(_kept(run.turn, at))),
                "epoch": run.epoch + 1,
                "worker": worker,
                "state": RunState.RUNNING.value,
                "beat_at": stamp(at),
                "began_at": stamp(run.began_at or at),
                "ended_at": None,
                "ending": said_text(Said()),
                "for_workers": life is not None,
            }
            transaction.execute(update(runs).where(runs.c.id == run.id).values(taken))
            told = Event(at=at, epoch=run.epoch + 1, what="taken up", says={"worker": worker})
            return find(transaction, run.id), told

        # A worker must know whether it has taken it: otherwise nobody would carry it out.
        return self._write(self.run(run_id).id, change, goes_on=life is not None)

    def beat(
        self, run_id: str, epoch: int, at: datetime, progress: Mapping[str, Json], /
    ) -> str | None:
        """Say that the worker is alive; return who asked to cancel the run, if anybody did."""

        def change(transaction: Connection) -> tuple[str | None, None]:
            beaten = {"of": run_id, "now": stamp(at), "so_far": words_of(progress)}
            transaction.execute(_BEATEN, beaten)
            by: str | None = transaction.execute(_CANCEL_ASKED_BY, {"of": run_id}).scalar_one()
            return by, None

        return self._write(run_id, change, epoch)

    def end(self, run_id: str, epoch: int, state: RunState, at: datetime, said: Said, /) -> Run:
        """End the run, or this part of it; free its nodes unless something is still in flight.

        A run that ends as queued is left for another worker, with its nodes.
        """

        def change(transaction: Connection) -> tuple[Run, Event]:
            end(transaction, run_id, state, at, said)
            ended = find(transaction, run_id)
            says: Mapping[str, Json] = {"reason": said.reason} if said.reason else {}
            return ended, Event(at=at, epoch=epoch, what=ended.state.value, says=says)

        return self._write(run_id, change, epoch)

    def ask_cancel(
        self,
        run_id: str,
        by: str,
        at: datetime,
        must_go_on: Callable[[Sequence[Attempt]], bool],
        /,
    ) -> Run:
        """Ask the worker to cancel; a run that has none, and nothing left, is cancelled now."""

        def change(transaction: Connection) -> tuple[Run, Event]:
            run = find(transaction, run_id)
            if run.state.is_over:
                raise Refused(f"run `{run.id}` is over: {run.state}")
            changed: dict[str, Any] = {"cancel_asked_by": run.cancel_asked_by or by}
            made = attempts_of(transaction, [run.id])[run.id]
            is_left = any(each.is_in_flight for each in made) or must_go_on(made)
            if run.state is not RunState.RUNNING and not is_left:
                tell_chain(transaction, run.id, RunState.CANCELLED, at)
                changed |= {"state": RunState.CANCELLED.value, "ended_at": stamp(at)}
                changed["epoch"] = run.epoch + 1  # a worker that was about to take it loses it
                let_go(transaction, run.id)
            transaction.execute(update(runs).where(runs.c.id == run.id).values(changed))
            if run.is_chain:
                cancel_what_waits(transaction, run.id, by, at)
            told = Event(at=at, epoch=run.epoch, what="cancel asked", says={"by": by})
            return find(transaction, run.id), told

        return self._write(self.run(run_id).id, change)

    def approve_more(self, run_id: str, event: Event, /) -> None:
        """Write down that more is approved for a stopped chain, in the state that was shown."""

        def change(transaction: Connection) -> tuple[None, Event]:
            run = find(transaction, run_id)
            if (run.state, run.epoch) != (RunState.STOPPED, event.epoch):
                raise Locked(
                    f"run `{run.id}` is {run.state}: it was started or ended just before",
                    stands="nothing was approved",
                    hint=f"`stackward run show {run.id}` shows its state",
                )
            return None, event

        self._write(run_id, change)

    # --- workers ------------------------------------------------------------------------------

    def enlist(self, worker: Worker, /) -> Worker | None:
        """Take the worker's name; return the worker that has it, if another one does."""

        def transact(transaction: Connection) -> Worker | None:
            named = select(workers).where(workers.c.name == worker.name).with_for_update()
            for row in transaction.execute(named):
                other = to_worker(fields(row))
                return None if other.life == worker.life else other
            transaction.execute(
                insert(workers).values(
                    name=worker.name,
                    life=worker.life,
                    machine=worker.machine,
                    pid=worker.pid,
                    since=stamp(worker.since),
                    beats=worker.beats,
                    beat_at=stamp(worker.since),
                    cloud=worker.cloud,
                )
            )
            return None

        return self._transact(transact, is_hasty=True)

    def workers(self) -> Sequence[Worker]:
        """Return every worker that has not been missed."""
        wanted = select(workers).order_by(workers.c.name)
        return self._read(lambda opened: [to_worker(fields(row)) for row in opened.execute(wanted)])

    def show_life(self, worker: Worker, at: datetime, /) -> None:
        """Say that the worker lives; `Superseded` if it was taken for dead."""

        def transact(transaction: Connection) -> None:
            alive = is_the_one(worker.name, worker.life)
            beaten = update(workers).where(alive).values(beats=worker.beats, beat_at=stamp(at))
            if transaction.execute(beaten).rowcount != 1:
                raise missed(worker.name)

        self._transact(transact)

    def bury(self, seen: Worker, at: datetime, /) -> Sequence[Run]:
        """Queue the runs of a worker that has not beaten since it was seen; return them."""

        def transact(transaction: Connection) -> Sequence[Run]:
            dead = delete(workers).where(
                is_the_one(seen.name, seen.life), workers.c.beats == seen.beats
            )
            if transaction.execute(dead).rowcount != 1:
                return []
            return left_behind(transaction, seen.name, at)

        return self._transact(transact)

    def retire(self, worker: Worker, at: datetime, /) -> Sequence[Run]:
        """Give the name up; what it carries out still is queued for others and returned."""

        def transact(transaction: Connection) -> Sequence[Run]:
            left = delete(workers).where(is_the_one(worker.name, worker.life))
            if transaction.execute(left).rowcount != 1:
                return []
            return left_behind(transaction, worker.name, at)

        return self._transact(transact, is_hasty=True)

    @contextmanager
    def heard(
        self, me: str, wake: Callable[[], None], say: Callable[[str], None]
    ) -> Iterator[Callable[[], bool]]:
        """Call `wake` when a run is queued; the value given says whether one can rely on that.

        With a file nobody reports anything: a process that waits must look. `me` is a name that no
        other has.
        """
        if self._engine.dialect.name != "postgresql":
            yield lambda: False
            return
        # Imported here: PostgreSQL's driver is not loaded for a file.
        from stackward.adapters.store.listener import Listener  # noqa: PLC0415

        listener = Listener(self._engine, me, wake, say)
        try:
            yield lambda: listener.hears
        finally:
            listener.close()

    # --- attempts -----------------------------------------------------------------------------

    def intend(self, run_id: str, epoch: int, step: str, mark: Mark, at: datetime, /) -> Attempt:
        """Write down that a step is about to start."""

        def change(transaction: Connection) -> tuple[Attempt, Event]:
            number = attempts_at(transaction, run_id, step) + 1
            intended = Attempt(step=step, number=number, epoch=epoch, mark=mark, intended_at=at)
            transaction.execute(ADD_ATTEMPT, attempt_row(run_id, intended))
            says: Mapping[str, Json] = {"attempt": number, "mark": mark}
            return intended, Event(at=at, epoch=epoch, what="intended", step=step, says=says)

        return self._write(run_id, change, epoch, begins=True)

    def answered(self, run_id: str, epoch: int, attempt: Attempt, at: datetime, /) -> Attempt:
        """Write down that the world has taken the request."""
        return self._change(run_id, epoch, replace(attempt, answered_at=at), at, "answered")

    def settle(  # noqa: PLR0913  # one row of the journal
        self,
        run_id: str,
        epoch: int,
        attempt: Attempt,
        how: Settled,
        at: datetime,
        *,
        said: Said,
        saw: Mapping[str, Json],
    ) -> Attempt:
        """Write down how an attempt ended."""
        settled = replace(attempt, settled=how, settled_at=at, said=said, saw=saw)
        return self._change(run_id, epoch, settled, at, f"settled: {how}")

    def found_done(
        self, run_id: str, epoch: int, step: str, at: datetime, saw: Mapping[str, Json], /
    ) -> Attempt:
        """Write down that a step was done before we started it."""

        def change(transaction: Connection) -> tuple[Attempt, Event]:
            found = Attempt(
                step=step,
                number=attempts_at(transaction, run_id, step) + 1,
                epoch=epoch,
                mark=None,
                intended_at=at,
                settled_at=at,
                settled=Settled.DONE,
                saw=saw,
            )
            transaction.execute(ADD_ATTEMPT, attempt_row(run_id, found))
            return found, Event(at=at, epoch=epoch, what="found done", step=step, says={"saw": saw})

        return self._write(run_id, change, epoch, begins=True)

    def attempts(self, run_id: str, /) -> Sequence[Attempt]:
        """Return every attempt of a run, in the order in which they were made."""
        return self._read(lambda connection: attempts_of(connection, [run_id]))[run_id]

    def attempts_of(self, run_ids: Sequence[str], /) -> Mapping[str, Sequence[Attempt]]:
        """Return the same of each of several runs, in one look at the journal."""
        if not run_ids:
            return {}
        return self._read(lambda connection: attempts_of(connection, run_ids))

    # --- events -------------------------------------------------------------------------------

    def tell(self, run_id: str, event: Event, /) -> None:
        """Add a line to what happened."""
        self._write(run_id, lambda _: (None, event), event.epoch)

    def events(self, run_id: str, /, *, after: int = 0) -> Sequence[Event]:
        """Return what happened in a run, from the event after that number on."""
        wanted = {"of": run_id, "after": after}
        return self._read(
            lambda opened: [to_event(fields(row)) for row in opened.execute(_TOLD_AFTER, wanted)]
        )

    # --- observations -------------------------------------------------------------------------

    def observe(self, seen: Sequence[Observation], /) -> None:
        """Keep what was seen, masked: the latest of each cloud, node, subject and source."""
        if seen:
            self._transact(lambda transaction: keep(transaction, seen), is_hasty=True)

    def observations(self, cloud: str, subject: str, /) -> Sequence[Observation]:
        """Return what was last seen of a subject on the nodes of a cloud, by node and source."""
        return self._read(lambda opened: observed(opened, cloud, subject))

    # --- within -------------------------------------------------------------------------------

    def _change(
        self, run_id: str, epoch: int, attempt: Attempt, at: datetime, what: str
    ) -> Attempt:
        row = attempt_row(run_id, attempt)
        said = attempt.said
        known: Mapping[str, Json] = {
            "reason": said.reason,
            said.service or "says": said.says,
            "request": said.request_id,
            "saw": attempt.saw,
        }
        says: Mapping[str, Json] = {
            "attempt": attempt.number,
            **{name: value for name, value in known.items() if value},
        }

        def change(transaction: Connection) -> tuple[Attempt, Event]:
            of = {"of": run_id, "of_step": attempt.step, "of_number": attempt.number}
            transaction.execute(_CHANGE_ATTEMPT, {**row, **of})
            return attempt, Event(at=at, epoch=epoch, what=what, step=attempt.step, says=says)

        return self._write(run_id, change, epoch)

    def _write(
        self,
        run_id: str,
        change: Callable[[Connection], tuple[T, Event | None]],
        epoch: int | None = None,
        *,
        goes_on: bool = False,
        begins: bool = False,
    ) -> T:
        """Change a run and write its event, once; with an epoch, only as the worker that has it.

        A write that `begins` something shows that the turn of the run has come: it does not lapse
        now.
        """
        lost: list[tuple[T, Event]] = []  # committed perhaps: its answer never came

        def transact(transaction: Connection) -> T:
            row = transaction.execute(_LOCKED, {"of": run_id}).one_or_none()
            if lost and is_told(transaction, run_id, lost[-1][1]):
                return lost[-1][0]
            if epoch is not None and (
                row is None or (row.epoch, row.state) != (epoch, RunState.RUNNING.value)
            ):
                raise Superseded(
                    f"another worker has taken run `{run_id}` over, or it was ended",
                    stands="this worker starts nothing more",
                    hint=f"`stackward run show {run_id}` says who has it",
                )
            made, event = change(transaction)
            if begins and row is not None and row.due_by is not None:
                come = update(runs).where(runs.c.id == run_id).values(due_by=None)
                transaction.execute(come)
            if event is not None:
                tell(transaction, run_id, event)
                lost.append((made, event))
            return made

        return self._transact(transact, is_hasty=epoch is None and not goes_on)

    def _transact(self, work: Callable[[Connection], T], *, is_hasty: bool = False) -> T:
        def transact() -> T:
            with self._engine.begin() as transaction:
                return work(transaction)

        return self._patiently(transact, _HASTE_S if is_hasty else self._patience_s)

    def _read(self, look: Callable[[Connection], T]) -> T:
        def read() -> T:
            with self._reader.connect() as connection:
                return look(connection)

        return self._patiently(read, self._patience_s)

    def _patiently(self, ask: Callable[[], T], patience_s: float) -> T:
        """Ask the database, again while it is away; say so once."""
        until = time.monotonic() + min(patience_s, self._patience_s)
        pause, longest = _PAUSES_S
        has_collided = is_said = False
        while True:
            try:
                return ask()
            except SQLAlchemyError as error:
                if is_taken(error) and not has_collided:
                    has_collided = True  # now we see which one was quicker
                    continue
                if is_locked(error) and (file := self._engine.url.database):
                    raise locked(Path(file), error) from error
                if not passes(error) or time.monotonic() >= until or self._gives_up():
                    raise Unreachable(
                        "the database of runs does not answer, or refuses the request",
                        says=one_line(error),
                        hint="repair that database, then `stackward run resume` continues the run",
                    ) from error
                if not is_said:
                    _log.warning("waits for the database of runs: %s", one_line(error))
                is_said = True
            time.sleep(pause)
            pause = min(2 * pause, longest)
