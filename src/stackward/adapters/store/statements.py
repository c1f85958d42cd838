"""What the journal does within a transaction: find, hold, report, end, bury."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    true,
    update,
)

from stackward.adapters.store import tables
from stackward.adapters.store.other_rows import observation_row, to_observation
from stackward.adapters.store.rows import (
    said_text,
    stamp,
    to_attempt,
    to_run,
    words_of,
)
from stackward.errors import BadInput, Locked, Refused, Superseded
from stackward.model.observation import Observation
from stackward.model.run import BEGUN, ENDED, LAPSED, UNDONE, Attempt, Event, Run, RunState, Said
from stackward.status.turn import lapsed

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

runs, holds, attempts, events = tables.runs, tables.holds, tables.attempts, tables.events
ANY_CLOUD = tables.ANY_CLOUD
workers, observations = tables.workers, tables.observations

_UNDONE_BY = (
    select(events.c.thing)
    .where(events.c.run_id == runs.c.id, events.c.what == UNDONE)
    .order_by(events.c.number.desc())
    .limit(1)
    .scalar_subquery()
    .label("undone_by")
)
RUNS = select(runs, _UNDONE_BY)  # an event of the run that was undone names the run that undid it

# The statement of each write is built once: that takes longer than to execute it.
OF: BindParameter[str] = bindparam("of")  # the id of a run
ADD_ATTEMPT = insert(attempts)
_ADD_EVENT = insert(events)
_BEGINS_SO = runs.c.id.startswith(bindparam("begins"), escape="/")
_MADE_AT = select(func.count()).where(
    attempts.c.run_id == OF, attempts.c.step == bindparam("of_step")
)
_MADE_OF = (
    select(attempts)
    .where(attempts.c.run_id.in_(bindparam("of", expanding=True)))
    .order_by(attempts.c.intended_at, attempts.c.step, attempts.c.number)
)
_IN_FLIGHT = select(func.count()).where(attempts.c.run_id == OF, attempts.c.settled.is_(None))
_FREE_NODES = delete(holds).where(holds.c.run_id == OF)
_CHAIN_OF = select(runs.c.chain, runs.c.item).where(runs.c.id == OF)

QUEUED = "stackward_queued"  # the channel on which PostgreSQL reports to workers what is queued
_HOLD_LOCK = 0x57A7C4  # any number, as long as it is always the same
MOST_NAMED = 3  # of the runs whose ids begin alike
_FOUND = RUNS.where(_BEGINS_SO).order_by(runs.c.id).limit(MOST_NAMED)
_DEATHS = 5  # of workers with one run: after that, the run is what kills them


def find(connection: Connection, run_id: str) -> Run:
    """Return the run of an id, or of the beginning of one."""
    begins = re.sub(r"[/%_]", r"/\g<0>", run_id.upper())
    found = connection.execute(_FOUND, {"begins": begins}).all()
    refuse_unless_one(run_id, [row.id for row in found])
    return to_run(fields(found[0]))


def refuse_unless_one(run_id: str, found: Sequence[str]) -> None:
    """Refuse the beginning of an id, by the ids that begin so, unless it is that of one run."""
    if not run_id or not found:
        raise BadInput(
            f"there is no run `{run_id}`", hint="`stackward run list` names those there are"
        )
    if len(found) > 1:
        raise BadInput(
            f"several runs begin with `{run_id}`: "
            + ", ".join(f"`{each}`" for each in found[:MOST_NAMED]),
            hint="write more of the id",
        )


def observed(connection: Connection, cloud: str, subject: str) -> list[Observation]:
    """Return what was last seen of a subject on the nodes of a cloud, by node and source."""
    of_these = (observations.c.cloud == cloud) & (observations.c.subject == subject)
    wanted = select(observations).where(of_these)
    ordered = wanted.order_by(observations.c.node, observations.c.source)
    return [to_observation(fields(row)) for row in connection.execute(ordered)]


def hold(transaction: Connection, run: Run) -> None:
    """Take the nodes that the run needs; say which run has one already.

    The primary key keeps two runs of one cloud apart. A run that does not say in which cloud it is
    needs more: the transactions of two runs that want a node of one name come one after the other.
    """
    cloud, nodes = run.cloud or ANY_CLOUD, sorted(run.holds)
    if transaction.dialect.name == "postgresql":  # SQLite has one writer anyway
        lock = text("SELECT pg_advisory_xact_lock(:key, hashtext(:node))")
        for node in nodes:  # in one order, so that no two wait for each other
            transaction.execute(lock, {"key": _HOLD_LOCK, "node": node})
    taken = select(holds.c.cloud, holds.c.node, holds.c.run_id).where(holds.c.node.in_(nodes))
    if run.cloud is not None:
        taken = taken.where(holds.c.cloud.in_([run.cloud, ANY_CLOUD]))
    mine = set()
    for at, node, holder in transaction.execute(taken.order_by(holds.c.node)).all():
        if holder != run.id:
            if not _is_passed_to(transaction, run, node, holder):
                raise _held(node, find(transaction, holder), run)
            passed = (holds.c.cloud == at) & (holds.c.node == node)
            transaction.execute(update(holds).where(passed).values(run_id=run.id))
        mine.add(node)
    for node in nodes:
        if node not in mine:
            transaction.execute(insert(holds).values(cloud=cloud, node=node, run_id=run.id))


def _is_passed_to(transaction: Connection, run: Run, node: str, holder: str) -> bool:
    """Say whether the chain of a run keeps a node for it: an earlier run of its item had it."""
    if holder != run.chain:
        return False
    return any(node in each.holds for each in _of_item(transaction, run) if each.part <= run.part)


def _of_item(transaction: Connection, run: Run) -> list[Run]:
    of_item = (runs.c.chain == run.chain) & (runs.c.item == run.item)
    wanted = RUNS.where(of_item).order_by(runs.c.id)
    return [to_run(fields(row)) for row in transaction.execute(wanted)]


def let_go(transaction: Connection, run_id: str) -> None:
    """Free the nodes of a run that has ended; or pass them to its chain, for the next of its item.

    The chain has them until that run begins, until its last run has ended, or until it stops.
    """
    run = find(transaction, run_id)
    if run.chain is None:
        free_nodes(transaction, run_id)
        return
    # A run that waits for its turn has no node until then.
    is_going = (runs.c.state == RunState.RUNNING.value) | (
        (runs.c.state == RunState.QUEUED.value) & runs.c.due_by.is_(None)
    )
    going = select(runs.c.id).where(runs.c.id == run.chain, is_going)
    if run.passes_on and transaction.execute(going).one_or_none() is not None:
        passed = update(holds).where(holds.c.run_id == run_id).values(run_id=run.chain)
        transaction.execute(passed)
        return
    free_nodes(transaction, run_id)
    had = {node for each in _of_item(transaction, run) for node in each.holds}
    kept = (holds.c.run_id == run.chain) & holds.c.node.in_(sorted(had))
    transaction.execute(delete(holds).where(kept))


def _held(node: str, other: Run, run: Run) -> Locked:
    where = ", in a cloud that it does not name" if run.cloud and not other.cloud else ""
    return Locked(
        f"`{node}` is held by run `{other.id}`, {other.title} ({other.state}), "
        f"approved by {other.approval.by}{where}",
        hint=f"`stackward run show {other.id}`; then wait for it, resume it or cancel it",
    )


def give_up(
    transaction: Connection,
    run_id: str,
    by: Run,
    must_go_on: Callable[[Sequence[Attempt]], bool],
) -> None:
    """Mark a run as undone by another one: after that it cannot be resumed, and says by which."""
    row = select(runs.c.id).where(runs.c.id == run_id)
    transaction.execute(row.with_for_update())  # who would take it up, or undo it too, waits
    undone = find(transaction, run_id)
    if undone.state in {RunState.QUEUED, RunState.RUNNING}:
        raise Refused(
            f"run `{undone.id}` is {undone.state}: it cannot be undone while it goes on",
            hint=f"`stackward run watch {undone.id}`, or `stackward run cancel {undone.id}`",
        )
    if undone.undone_by is not None:
        other = find(transaction, undone.undone_by)
        if other.state.keeps_others_from_undoing:
            raise Refused(
                f"run `{undone.id}` is undone already: by run `{other.id}` ({other.state})",
                hint=f"`stackward run show {other.id}` tells how that one stands",
            )
    if undone.state is RunState.STOPPED:
        made = attempts_of(transaction, [undone.id])[undone.id]
        if any(each.is_in_flight for each in made) or must_go_on(made):
            raise Refused(
                f"run `{undone.id}` has left something unfinished: it cannot be undone like that",
                hint=f"`stackward run cancel {undone.id}`, then `stackward run resume "
                f"{undone.id}`: it ends what it left, and begins nothing more; then plan again",
            )
        ended = {"state": RunState.CANCELLED.value, "ended_at": stamp(by.approval.at)}
        # The epoch: a worker that was about to take it loses it.
        changed = {**ended, "cancel_asked_by": by.approval.by, "epoch": undone.epoch + 1}
        transaction.execute(update(runs).where(runs.c.id == undone.id).values(changed))
        free_nodes(transaction, undone.id)
    told = Event(
        at=by.approval.at,
        epoch=undone.epoch,
        what=UNDONE,
        thing=by.id,
        says={"by": by.approval.by},
    )
    tell(transaction, undone.id, told)


def refuse_for_chain(transaction: Connection, run: Run, epoch: int) -> None:
    """Refuse to begin a run of a chain, or to go on with it, by a worker that lost the chain.

    The same if the chain was cancelled. Its row is locked: somebody who cancels it at the same time
    sees the run, or this transaction sees that it is cancelled.
    """
    row = select(runs.c.epoch, runs.c.state, runs.c.cancel_asked_by).where(runs.c.id == run.chain)
    found = transaction.execute(row.with_for_update()).one_or_none()
    if found is None or (found.epoch, found.state) != (epoch, RunState.RUNNING.value):
        raise Superseded(
            f"another worker has taken the chain `{run.chain}` over, or it was ended",
            stands="this worker begins no more of its runs",
            hint=f"`stackward run show {run.chain}` says who has it",
        )
    if found.cancel_asked_by is not None:
        raise Refused(f"chain `{run.chain}` was cancelled by {found.cancel_asked_by}")


def begin_in(transaction: Connection, run: Run, epoch: int) -> None:
    """Write into the chain of a run that the worker that has the chain has started the run."""
    refuse_for_chain(transaction, run, epoch)
    says = {"reason": f"run `{run.id}`, {run.title}"}
    told = Event(at=run.approval.at, epoch=epoch, what=BEGUN, thing=run.item, says=says)
    tell(transaction, run.chain or "", told)


def tell_chain(transaction: Connection, run_id: str, state: RunState, at: datetime) -> None:
    """Write into the chain of a run, if it has one, how the run has ended."""
    chain, item = transaction.execute(_CHAIN_OF, {"of": run_id}).one()
    if chain is None or state in {RunState.QUEUED, RunState.RUNNING}:
        return
    # Its row first: the numbers of its events come one after another.
    row = select(runs.c.epoch).where(runs.c.id == chain).with_for_update()
    epoch = transaction.execute(row).scalar_one()
    says = {"reason": f"run `{run_id}`: {state}"}
    tell(transaction, chain, Event(at=at, epoch=epoch, what=ENDED, thing=item or "", says=says))


def cancel_what_waits(transaction: Connection, chain: str, by: str, at: datetime) -> None:
    """Cancel the runs of a chain that wait for a worker and have started nothing."""
    waits = (runs.c.chain == chain) & (runs.c.state == RunState.QUEUED.value)
    wanted = RUNS.where(waits).order_by(runs.c.id).with_for_update()
    for row in transaction.execute(wanted).all():
        run = to_run(fields(row))
        if attempts_of(transaction, [run.id])[run.id]:
            continue  # the worker that takes it brings it to its end
        tell_chain(transaction, run.id, RunState.CANCELLED, at)
        changed = {
            "state": RunState.CANCELLED.value,
            "ended_at": stamp(at),
            "cancel_asked_by": run.cancel_asked_by or by,
            "epoch": run.epoch + 1,  # a worker that was about to take it loses it
        }
        transaction.execute(update(runs).where(runs.c.id == run.id).values(changed))
        let_go(transaction, run.id)
        says = {"by": by, "reason": f"with chain `{chain}`"}
        tell(transaction, run.id, Event(at=at, epoch=run.epoch, what="cancel asked", says=says))


def _cancelled_with_chain(transaction: Connection, run_id: str) -> str | None:
    """Return who cancelled the chain of a run that has started nothing; None: nobody did."""
    chain = transaction.execute(_CHAIN_OF, {"of": run_id}).one().chain
    if chain is None or attempts_of(transaction, [run_id])[run_id]:
        return None
    # Its row is locked: somebody who cancels it at the same time sees the run queued, or this
    # transaction sees that it is cancelled.
    row = select(runs.c.cancel_asked_by).where(runs.c.id == chain).with_for_update()
    by: str | None = transaction.execute(row).scalar_one()
    return by


def children(connection: Connection, chain: str) -> list[Run]:
    """Return the runs that a chain has started, the oldest first."""
    wanted = RUNS.where(runs.c.chain == chain).order_by(runs.c.id)
    return [to_run(fields(row)) for row in connection.execute(wanted)]


def child(connection: Connection, chain: str, item: str | None, part: int | None) -> Run | None:
    """Return the newest run that a chain has started, of an item, or of a part of that."""
    wanted = RUNS.where(runs.c.chain == chain)
    if item is not None:
        wanted = wanted.where(runs.c.item == item)
    if part is not None:
        wanted = wanted.where(runs.c.part == part)
    row = connection.execute(wanted.order_by(runs.c.id.desc()).limit(1)).one_or_none()
    return to_run(fields(row)) if row is not None else None


def count_ended(connection: Connection, chain: str) -> int:
    """Return how many of the runs of a chain are carried out by nobody now."""
    goes_on = [RunState.QUEUED.value, RunState.RUNNING.value]
    ended = (runs.c.chain == chain) & runs.c.state.not_in(goes_on)
    counted = select(func.count()).select_from(runs).where(ended)
    return connection.execute(counted).scalar_one()


def end(transaction: Connection, run_id: str, state: RunState, at: datetime, said: Said) -> None:
    """End a run or this part of it; its nodes are free then, if nothing is in flight.

    A run that was left before it started anything in its turn waits for its turn as before: without
    nodes. A run that has started nothing, of a chain that is cancelled, is not left: it is
    cancelled as well.
    """
    by = _cancelled_with_chain(transaction, run_id) if state is RunState.QUEUED else None
    state = RunState.CANCELLED if by is not None else state
    is_left = state is RunState.QUEUED
    ended: dict[str, Any] = {
        **({"cancel_asked_by": by} if by is not None else {}),
        "state": state.value,
        "ended_at": None if is_left else stamp(at),
        "ending": said_text(said),
    }
    of_run = runs.c.id == run_id
    transaction.execute(update(runs).where(of_run).values(ended))
    tell_chain(transaction, run_id, state, at)
    awaits = False
    if is_left:
        tell_workers(transaction)
        asked = select(runs.c.due_by).where(of_run)
        awaits = transaction.execute(asked).scalar_one() is not None
    if awaits:
        made = select(func.count()).where(attempts.c.run_id == run_id).scalar_subquery()
        transaction.execute(update(runs).where(of_run, made == 0).values(began_at=None))
    keeps = is_left and not awaits
    if state.is_over or not (keeps or _is_in_flight(transaction, run_id)):
        let_go(transaction, run_id)


def lapse(transaction: Connection, run: Run, at: datetime) -> Event:
    """End a run whose turn has passed; one that had started before is stopped, and can be resumed.

    Return the event of it. Its nodes are free, unless something of an earlier turn is in flight.
    """
    ended = lapsed(run, _held_by_others(transaction, run))
    changed = {"state": ended.state.value, "ended_at": stamp(at), "epoch": run.epoch + 1}
    changed["ending"] = said_text(ended.ending)
    transaction.execute(update(runs).where(runs.c.id == run.id).values(changed))
    if not _is_in_flight(transaction, run.id):
        free_nodes(transaction, run.id)
    says = {"reason": ended.ending.reason, "state": ended.state.value}
    return Event(at=at, epoch=run.epoch + 1, what=LAPSED, says=says)


def _is_in_flight(transaction: Connection, run_id: str) -> bool:
    return bool(transaction.execute(_IN_FLIGHT, {"of": run_id}).scalar_one())


def free_nodes(transaction: Connection, run_id: str) -> None:
    """Let other runs have the nodes of a run."""
    transaction.execute(_FREE_NODES, {"of": run_id})


def _held_by_others(transaction: Connection, run: Run) -> tuple[str, ...]:
    taken = select(holds.c.node, holds.c.run_id).where(
        holds.c.node.in_(run.holds), holds.c.run_id != run.id
    )
    if run.cloud is not None:
        taken = taken.where(holds.c.cloud.in_([run.cloud, ANY_CLOUD]))
    return tuple(
        f"`{node}` is held by run `{holder}`"
        for node, holder in transaction.execute(taken.order_by(holds.c.node))
    )


def waiting(connection: Connection, nodes: Sequence[str], cloud: str | None) -> list[Run]:
    """Return the runs of these nodes that await their turn, the first to come first."""
    awaits = (runs.c.state == RunState.QUEUED.value) & runs.c.due_by.is_not(None)
    wanted = RUNS.where(awaits, may_be_in(cloud)).order_by(runs.c.due_at, runs.c.id)
    found = (to_run(fields(row)) for row in connection.execute(wanted))
    return [run for run in found if {*run.holds, *run.comes_to} & {*nodes}]


def holders(connection: Connection, nodes: Sequence[str], cloud: str | None) -> list[Run]:
    """Return the runs that hold any of these nodes now, the oldest first."""
    held = select(holds.c.run_id).where(holds.c.node.in_(sorted(nodes)))
    if cloud is not None:
        held = held.where(holds.c.cloud.in_([cloud, ANY_CLOUD]))
    wanted = RUNS.where(runs.c.id.in_(held)).order_by(runs.c.id)
    return [to_run(fields(row)) for row in connection.execute(wanted)]


def tell_workers(transaction: Connection) -> None:
    """Notify the workers, if this is committed, that a run was queued; SQLite cannot."""
    if transaction.dialect.name == "postgresql":
        transaction.execute(select(func.pg_notify(QUEUED, "")))


def may_be_in(cloud: str | None) -> ColumnElement[bool]:
    """Return the condition for a run that is in a cloud, or does not say in which it is."""
    return true() if cloud is None else (runs.c.cloud == cloud) | runs.c.cloud.is_(None)


def is_the_one(name: str, life: str) -> ColumnElement[bool]:
    """Return the condition for one life of a worker."""
    return (workers.c.name == name) & (workers.c.life == life)


def refuse_the_missed(transaction: Connection, name: str, life: str) -> None:
    """Keep a worker that was taken for dead from taking another run."""
    alive = select(workers.c.name).where(is_the_one(name, life)).with_for_update()
    if transaction.execute(alive).one_or_none() is None:
        raise missed(name)


def missed(name: str) -> Superseded:
    """Return the error of a worker that was taken for dead."""
    return Superseded(
        f"worker `{name}` was silent for too long: it was taken for dead, and others have its runs",
        stands="this worker starts nothing more",
        hint="start it again",
    )


def left_behind(transaction: Connection, name: str, at: datetime) -> list[Run]:
    """Queue what a worker carried out; a run with which too many workers died is stopped."""
    theirs = (runs.c.worker == name) & runs.c.for_workers
    wanted = RUNS.where(theirs, runs.c.state == RunState.RUNNING.value)
    left = []
    for row in transaction.execute(wanted.order_by(runs.c.id).with_for_update()).all():
        run = to_run(fields(row))
        epoch, deaths = run.epoch + 1, run.deaths + 1
        is_deadly = deaths >= _DEATHS
        state = RunState.STOPPED if is_deadly else RunState.QUEUED
        raised = update(runs).where(runs.c.id == run.id).values(epoch=epoch, deaths=deaths)
        transaction.execute(raised)
        reason = f"{deaths} workers have died while they carried it out" if is_deadly else None
        end(transaction, run.id, state, at, Said(reason=reason))
        told = Event(at=at, epoch=epoch, what="its worker died", says={"worker": name})
        tell(transaction, run.id, told)
        left.append(find(transaction, run.id))
    return left


def tell(transaction: Connection, run_id: str, event: Event) -> None:
    """Add a line to what happened in a run."""
    row = {
        "run_id": run_id,
        "at": stamp(event.at),
        "epoch": event.epoch,
        "what": event.what,
        "thing": event.thing,
        "step": event.step,
        "says": words_of(event.says),
    }
    transaction.execute(_ADD_EVENT, row)


def is_told(transaction: Connection, run_id: str, event: Event) -> bool:
    """Say whether that very line was added already."""
    same = (
        (events.c.run_id == run_id)
        & (events.c.at == stamp(event.at))
        & (events.c.epoch == event.epoch)
        & (events.c.what == event.what)
        & (events.c.thing == event.thing)
        & (events.c.step == event.step)
        & (events.c.says == words_of(event.says))
    )
    found = select(func.count()).select_from(events).where(same)
    return transaction.execute(found).scalar_one() > 0


def attempts_at(transaction: Connection, run_id: str, step: str) -> int:
    """Return how often a step was attempted."""
    return transaction.execute(_MADE_AT, {"of": run_id, "of_step": step}).scalar_one()


def attempts_of(connection: Connection, run_ids: Sequence[str]) -> dict[str, list[Attempt]]:
    """Return every attempt of each run, in the order in which they were made."""
    found: dict[str, list[Attempt]] = {run_id: [] for run_id in run_ids}
    for row in connection.execute(_MADE_OF, {"of": [*run_ids]}):
        found[row.run_id].append(to_attempt(fields(row)))
    return found


def keep(transaction: Connection, seen: Sequence[Observation]) -> None:
    """Keep what was seen, unless what is kept of the same is newer."""
    made = _insert_or_update(transaction)
    is_newer = observations.c.at <= made.excluded.at
    newer = {"value": made.excluded.value, "at": made.excluded.at}
    key = observations.primary_key.columns.values()
    kept = made.on_conflict_do_update(index_elements=key, set_=newer, where=is_newer)
    rows = [observation_row(each) for each in seen]
    # Always in the same order: without that, two that write at a time would wait for each other.
    for row in sorted(rows, key=lambda row: [row[column.name] for column in key]):
        transaction.execute(kept, row)


def _insert_or_update(transaction: Connection) -> "postgresql.Insert | sqlite.Insert":
    # Imported here: a journal in a file needs none of the drivers that PostgreSQL's part brings.
    if transaction.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415

        return postgresql.insert(observations)
    from sqlalchemy.dialects import sqlite  # noqa: PLC0415

    return sqlite.insert(observations)


def fields(row: Row[Any]) -> dict[str, Any]:
    """Return a row as a mapping."""
    return row._asdict()  # SQLAlchemy's public name for it
