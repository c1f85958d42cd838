"""The journal in a database: each call is one transaction, fenced by the run's epoch."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, func, insert, select, update

from stackward.adapters.store import tables
from stackward.adapters.store.rows import (
    attempt_row,
    run_row,
    said_text,
    stamp,
    to_attempt,
    to_event,
    to_run,
    words_of,
)
from stackward.errors import BadInput, Locked, Refused, Superseded
from stackward.model.run import UNDONE, Attempt, Event, Run, RunState, Said, Settled
from stackward.model.values import Json, Mark

ONLY_READS = tables.ONLY_READS
runs, holds, attempts, events = tables.runs, tables.holds, tables.attempts, tables.events

_UNDONE_BY = (
    select(events.c.thing)
    .where(events.c.run_id == runs.c.id, events.c.what == UNDONE)
    .order_by(events.c.number.desc())
    .limit(1)
    .scalar_subquery()
    .label("undone_by")
)
_RUNS = select(runs, _UNDONE_BY)


class SqlJournal:
    """A `Journal` in SQLite or PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reader = engine.execution_options(**{ONLY_READS: True})

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    # --- runs ---------------------------------------------------------------------------------

    def add(self, run: Run, /, *, undoes: str | None = None) -> None:
        """Remember an approved run and take its nodes; raise `Locked` if another run has one."""
        with self._engine.begin() as transaction:
            if undoes is not None:
                _give_up(transaction, _find(transaction, undoes), run)
            transaction.execute(insert(runs).values(run_row(run)))
            _hold(transaction, run)
            _tell(transaction, run.id, _approved(run))

    def run(self, run_id: str, /) -> Run:
        """Return the run of an id, or of the beginning of one; `BadInput` if none or several."""
        with self._reader.connect() as connection:
            return _find(connection, run_id)

    def runs(self, *, limit: int) -> Sequence[Run]:
        """Return the latest runs, the newest first."""
        with self._reader.connect() as connection:
            found = connection.execute(_RUNS.order_by(runs.c.id.desc()).limit(limit))
            return [to_run(_fields(row)) for row in found]

    def take_up(self, run_id: str, worker: str, at: datetime, /) -> Run:
        """Raise the epoch, take the nodes again, set the state to running; return the run."""
        with self._engine.begin() as transaction:
            run = _find(transaction, run_id)
            if run.state.is_over:
                raise Refused(
                    f"run `{run.id}` is over: it {run.state}",
                    hint="plan again; what is done already is found and left as it is",
                )
            _hold(transaction, run)
            began = run.began_at or at
            transaction.execute(
                update(runs)
                .where(runs.c.id == run.id)
                .values(
                    epoch=run.epoch + 1,
                    worker=worker,
                    state=RunState.RUNNING.value,
                    beat_at=stamp(at),
                    began_at=stamp(began),
                    ended_at=None,
                    ending=said_text(Said()),
                )
            )
            taken = _find(transaction, run.id)
            says: Mapping[str, Json] = {"worker": worker}
            _tell(transaction, run.id, Event(at=at, epoch=taken.epoch, what="taken up", says=says))
            return taken

    def beat(
        self, run_id: str, epoch: int, at: datetime, progress: Mapping[str, Json], /
    ) -> str | None:
        """Say that the worker is alive; return who asked to cancel the run, if anybody."""
        with self._as_its_worker(run_id, epoch) as transaction:
            transaction.execute(
                update(runs)
                .where(runs.c.id == run_id)
                .values(beat_at=stamp(at), progress=words_of(progress))
            )
            asked = select(runs.c.cancel_asked_by).where(runs.c.id == run_id)
            by: str | None = transaction.execute(asked).scalar_one()
            return by

    def end(self, run_id: str, epoch: int, state: RunState, at: datetime, said: Said, /) -> Run:
        """End the run, or this part of it; free its nodes unless something is still in flight."""
        with self._as_its_worker(run_id, epoch) as transaction:
            transaction.execute(
                update(runs)
                .where(runs.c.id == run_id)
                .values(state=state.value, ended_at=stamp(at), ending=said_text(said))
            )
            in_flight = select(func.count()).where(
                attempts.c.run_id == run_id, attempts.c.settled.is_(None)
            )
            if state.is_over or not transaction.execute(in_flight).scalar_one():
                transaction.execute(delete(holds).where(holds.c.run_id == run_id))
            says: Mapping[str, Json] = {"reason": said.reason} if said.reason else {}
            _tell(transaction, run_id, Event(at=at, epoch=epoch, what=state.value, says=says))
            return _find(transaction, run_id)

    def ask_cancel(
        self,
        run_id: str,
        by: str,
        at: datetime,
        must_go_on: Callable[[Sequence[Attempt]], bool],
        /,
    ) -> Run:
        """Ask the worker to cancel; a run that has none, and nothing left, is cancelled now."""
        with self._engine.begin() as transaction:
            run = _find(transaction, run_id)
            if run.state.is_over:
                raise Refused(f"run `{run.id}` is over: it {run.state}")
            changed: dict[str, Any] = {"cancel_asked_by": run.cancel_asked_by or by}
            made = list(_attempts(transaction, run.id))
            is_left = any(each.is_in_flight for each in made) or must_go_on(made)
            if run.state is not RunState.RUNNING and not is_left:
                changed |= {"state": RunState.CANCELLED.value, "ended_at": stamp(at)}
                changed["epoch"] = run.epoch + 1  # whoever was about to take it up loses it
                transaction.execute(delete(holds).where(holds.c.run_id == run.id))
            transaction.execute(update(runs).where(runs.c.id == run.id).values(changed))
            told = Event(at=at, epoch=run.epoch, what="cancel asked", says={"by": by})
            _tell(transaction, run.id, told)
            return _find(transaction, run.id)

    # --- attempts -----------------------------------------------------------------------------

    def intend(self, run_id: str, epoch: int, step: str, mark: Mark, at: datetime, /) -> Attempt:
        """Write down that a step is about to be started."""
        with self._as_its_worker(run_id, epoch) as transaction:
            number = _count(transaction, run_id, step) + 1
            intended = Attempt(step=step, number=number, epoch=epoch, mark=mark, intended_at=at)
            transaction.execute(insert(attempts).values(attempt_row(run_id, intended)))
            says: Mapping[str, Json] = {"attempt": number, "mark": mark}
            _tell(
                transaction,
                run_id,
                Event(at=at, epoch=epoch, what="intended", step=step, says=says),
            )
            return intended

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
        with self._as_its_worker(run_id, epoch) as transaction:
            found = Attempt(
                step=step,
                number=_count(transaction, run_id, step) + 1,
                epoch=epoch,
                mark=None,
                intended_at=at,
                settled_at=at,
                settled=Settled.DONE,
                saw=saw,
            )
            transaction.execute(insert(attempts).values(attempt_row(run_id, found)))
            told = Event(at=at, epoch=epoch, what="found done", step=step, says={"saw": saw})
            _tell(transaction, run_id, told)
            return found

    def attempts(self, run_id: str, /) -> Sequence[Attempt]:
        """Return every attempt of a run, in the order in which they were made."""
        with self._reader.connect() as connection:
            return _attempts(connection, run_id)

    # --- events -------------------------------------------------------------------------------

    def tell(self, run_id: str, event: Event, /) -> None:
        """Add a line to what happened."""
        with self._as_its_worker(run_id, event.epoch) as transaction:
            _tell(transaction, run_id, event)

    def events(self, run_id: str, /, *, after: int = 0) -> Sequence[Event]:
        """Return what happened in a run, from the event after that number on."""
        wanted = select(events).where(events.c.run_id == run_id, events.c.number > after)
        with self._reader.connect() as connection:
            return [
                to_event(_fields(row))
                for row in connection.execute(wanted.order_by(events.c.number))
            ]

    # --- within -------------------------------------------------------------------------------

    @contextmanager
    def _as_its_worker(self, run_id: str, epoch: int) -> Iterator[Connection]:
        """Open a transaction that only the worker of this epoch can have."""
        with self._engine.begin() as transaction:
            # A write, so that PostgreSQL too keeps a take-over waiting until we have committed.
            mine = transaction.execute(
                update(runs)
                .where(
                    runs.c.id == run_id,
                    runs.c.epoch == epoch,
                    runs.c.state == RunState.RUNNING.value,
                )
                .values(epoch=epoch)
            )
            if mine.rowcount != 1:
                raise Superseded(
                    f"another worker has taken run `{run_id}` over, or it was ended",
                    stands="this worker starts nothing more",
                    hint=f"`stackward run show {run_id}` says who has it",
                )
            yield transaction

    def _change(
        self, run_id: str, epoch: int, attempt: Attempt, at: datetime, what: str
    ) -> Attempt:
        row = attempt_row(run_id, attempt)
        with self._as_its_worker(run_id, epoch) as transaction:
            transaction.execute(
                update(attempts)
                .where(
                    attempts.c.run_id == run_id,
                    attempts.c.step == attempt.step,
                    attempts.c.number == attempt.number,
                )
                .values(row)
            )
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
            told = Event(at=at, epoch=epoch, what=what, step=attempt.step, says=says)
            _tell(transaction, run_id, told)
        return attempt


def _find(connection: Connection, run_id: str) -> Run:
    like = runs.c.id.startswith(run_id.upper(), autoescape=True)
    found = connection.execute(_RUNS.where(like).limit(3)).all()
    if not run_id or not found:
        raise BadInput(
            f"there is no run `{run_id}`", hint="`stackward run list` names those there are"
        )
    if len(found) > 1:
        raise BadInput(
            f"several runs begin with `{run_id}`: {', '.join(f'`{row.id}`' for row in found)}",
            hint="write more of the id",
        )
    return to_run(_fields(found[0]))


def _hold(transaction: Connection, run: Run) -> None:
    """Take the nodes that the run needs; say which run has one already."""
    taken = select(holds.c.node, holds.c.run_id).where(holds.c.node.in_(run.holds))
    mine = set()
    for node, holder in transaction.execute(taken.order_by(holds.c.node)):
        if holder != run.id:
            other = _find(transaction, holder)
            raise Locked(
                f"`{node}` is held by run `{other.id}`, {other.title} ({other.state}), "
                f"approved by {other.approval.by}",
                hint=f"`stackward run show {other.id}`; then wait for it, resume it or cancel it",
            )
        mine.add(node)
    for node in run.holds:
        if node not in mine:
            transaction.execute(insert(holds).values(node=node, run_id=run.id))


def _give_up(transaction: Connection, undone: Run, by: Run) -> None:
    """Let a run be undone by another: from now on it can be resumed no more, and says by which."""
    if undone.state in {RunState.QUEUED, RunState.RUNNING}:
        raise Refused(
            f"run `{undone.id}` is {undone.state}: it cannot be undone while it goes on",
            hint=f"`stackward run watch {undone.id}`, or `stackward run cancel {undone.id}`",
        )
    if undone.undone_by is not None:
        other = _find(transaction, undone.undone_by)
        if other.state.keeps_others_from_undoing:
            raise Refused(
                f"run `{undone.id}` is undone already: by run `{other.id}` ({other.state})",
                hint=f"`stackward run show {other.id}` tells how that one stands",
            )
    if undone.state is RunState.STOPPED:
        ended = {"state": RunState.CANCELLED.value, "ended_at": stamp(by.approval.at)}
        # The epoch: whoever was about to take it up loses it.
        changed = {**ended, "cancel_asked_by": by.approval.by, "epoch": undone.epoch + 1}
        transaction.execute(update(runs).where(runs.c.id == undone.id).values(changed))
    says: Mapping[str, Json] = {"by": by.approval.by}
    told = Event(at=by.approval.at, epoch=undone.epoch, what=UNDONE, thing=by.id, says=says)
    _tell(transaction, undone.id, told)


def _approved(run: Run) -> Event:
    says: Mapping[str, Json] = {"by": run.approval.by, "how": run.approval.how}
    return Event(at=run.approval.at, epoch=0, what="approved", says=says)


def _tell(transaction: Connection, run_id: str, event: Event) -> None:
    transaction.execute(
        insert(events).values(
            run_id=run_id,
            at=stamp(event.at),
            epoch=event.epoch,
            what=event.what,
            thing=event.thing,
            step=event.step,
            says=words_of(event.says),
        )
    )


def _count(transaction: Connection, run_id: str, step: str) -> int:
    made = select(func.count()).where(attempts.c.run_id == run_id, attempts.c.step == step)
    return transaction.execute(made).scalar_one()


def _attempts(connection: Connection, run_id: str) -> list[Attempt]:
    wanted = select(attempts).where(attempts.c.run_id == run_id)
    ordered = wanted.order_by(attempts.c.intended_at, attempts.c.step, attempts.c.number)
    return [to_attempt(_fields(row)) for row in connection.execute(ordered)]


def _fields(row: Row[Any]) -> dict[str, Any]:
    return row._asdict()  # SQLAlchemy's public name for it
