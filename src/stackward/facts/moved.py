"""Read what a run did, by its journal: what it moved, off which host, with whose consent.

Nothing else reads the stored plan of another operation for that.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from stackward.errors import BadInput
from stackward.model.claim import read_claim
from stackward.model.maintenance import MovedServer, MovedServers
from stackward.model.run import Attempt, Run, RunState, Settled, last_attempts
from stackward.model.wish import Consent
from stackward.plan import FromHost, Kinds, Move, Part, Plan, Stage, Step, from_json, with_caught_up
from stackward.ports.journal import Journal
from stackward.requests import MovesServers
from stackward.requests.drain_compute_node import DrainRequest
from stackward.requests.evacuate_compute_node import EvacuateRequest
from stackward.requests.return_compute_node import ReturnRequest
from stackward.requests.undo_run import UndoRequest
from stackward.status.half_way import is_half_way

_LATEST = 1000  # runs in which a node's last drain is looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class InChain:
    """A run that a chain has started, in its state, and the run last approved to undo it."""

    run: Run
    undoer: Run | None = None

    @property
    def is_undone(self) -> bool:
        """Say whether another run has undone it."""
        return self.undoer is not None and self.undoer.state is RunState.SUCCEEDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Did:
    """What a run of any operation did: its plan, with the last attempt at each step of it."""

    run: Run
    plan: Plan
    last: Mapping[str, Attempt]  # by the path of the step
    begun: tuple[InChain, ...] = ()  # of a chain: its runs, the oldest first

    @property
    def half_way(self) -> tuple[str, ...]:
        """Return the things whose move is between two of its steps."""
        moves = self.plan.moves()
        return tuple(move.thing for stage, move in moves if is_half_way(stage, move, self.last))

    @property
    def has_changed(self) -> bool:
        """Say whether it has started anything itself."""
        return any(map(has_begun, self.last.values()))

    @property
    def consents(self) -> tuple[Consent, ...]:
        """Return what the owners of servers have agreed to, by its request."""
        asked = self.plan.request
        return asked.how.consents if isinstance(asked, MovesServers) else ()

    def attempts_at(self, kind: str) -> Iterator[Attempt]:
        """Return the last attempt at each step of a kind, if there was one."""
        for stage, move in self.plan.moves():
            yield from self.attempts_of(stage, move, kind)

    def attempts_of(self, stage: Stage, move: Move, kind: str | None = None) -> Iterator[Attempt]:
        """Return the last attempt at each step of a move; at those of a kind, if one is given."""
        for path, step in _paths(stage, move):
            if path in self.last and kind in {None, step.kind}:
                yield self.last[path]

    def moved(self) -> tuple[MovedServer, ...]:
        """Return the servers whose every step this run started itself and proved done."""
        servers = {}
        for stage, move in self.plan.moves():
            way = move.way(stage.path_of(move), self.last)
            attempts = [self.last.get(at) for at, _ in way]
            if not move.thing_id or not all(
                each and each.settled is Settled.DONE and each.mark is not None for each in attempts
            ):
                continue
            if move.key in servers and source_of(move) is None:
                continue  # it was started where it had been moved to
            saw = attempts[-1].saw if attempts[-1] else {}
            target = saw.get("target") or move.expects.get("target")
            servers[move.key] = MovedServer(
                id=move.key,
                name=move.thing,
                target=str(target) if target else None,
                source=source_of(move),
            )
        return tuple(servers.values())


def has_begun(attempt: Attempt) -> bool:
    """Say whether the run may have changed something by an attempt: it did not only look."""
    return attempt.mark is not None and attempt.settled is not Settled.UNSENT


def source_of(move: Move) -> str | None:
    """Return the host that a server had to leave; None where its steps do not show it."""
    return next((step.source for step in move.steps if isinstance(step, FromHost)), None)


def _paths(stage: Stage, move: Move) -> Iterator[tuple[str, Step]]:
    return move.steps_at(stage.path_of(move), Part.STEPS, Part.INSTEAD, Part.FAILED)


def read_did(journal: Journal, run: Run, kinds: Kinds) -> Did:
    """Return what a run did; `BadInput` where this version does not understand its plan."""
    return _did(journal, run, from_json(run.plan, kinds), kinds)


def _did(journal: Journal, run: Run, plan: Plan, kinds: Kinds) -> Did:
    return Did(
        run=run,
        plan=with_caught_up(plan, journal.events(run.id), kinds),
        last=last_attempts(journal.attempts(run.id)),
        begun=tuple(_begun(journal, run)) if run.is_chain else (),
    )


def _begun(journal: Journal, chain: Run) -> Iterator[InChain]:
    for run in journal.children(chain.id):
        yield InChain(run=run, undoer=journal.run(run.undone_by) if run.undone_by else None)


def known_run(journal: Journal, run_id: str) -> Run | None:
    """Return the run of exactly this id; None where it is in another machine's journal."""
    try:
        found = journal.run(run_id)
    except BadInput:
        return None
    return found if found.id == run_id else None


# --- what a drain of a node moved, or its evacuation --------------------------------------------


def read_drained(  # noqa: PLR0913  # what was asked for, and whose memory
    journal: Journal, kinds: Kinds, cloud: str, host: str, *, run: str | None, text: str | None
) -> MovedServers | None:
    """Return what a drain of the node moved: the run that is named, or the one with the claim.

    The claim of a return, or of an undo, leads to the drain that this run returned from. A claim of
    a run that this journal does not know leads nowhere, also where that run is the one named: what
    it moved is not known here. Without a claim it is the newest drain that moved anything, in any
    state.
    """
    claim = read_claim(text)
    claiming = known_run(journal, claim.run) if claim else None
    if claim and claiming is None and run in {None, claim.run}:
        return None
    if run is not None:
        return read_drained_by(journal, kinds, cloud, host, run)
    if claiming and _is_of(claiming, cloud, host):
        if did := _drain_of(journal, claiming, kinds, cloud, host):
            return _moved_by(did)
        if asked := takes_back(claiming, kinds):
            drain = known_run(journal, asked.run) if asked.run else None
            did = _drain_of(journal, drain, kinds, cloud, host) if drain else None
            return _moved_by(did) if did else None
    return _newest_drain(journal, kinds, cloud, host)


def read_drained_by(
    journal: Journal, kinds: Kinds, cloud: str, host: str, run: str
) -> MovedServers:
    """Return what one run moved; `BadInput` where it is no drain of the node."""
    named = journal.run(run)
    did = _drain_of(journal, named, kinds, cloud, host)
    if did is None:
        elsewhere = "" if named.is_in(cloud) else " in this cloud"
        raise BadInput(
            f"run `{named.id}` is no drain of `{host}`{elsewhere}: it is {named.title}",
            hint="`stackward run list` shows the runs",
        )
    return _moved_by(did)


def read_drained_in_chain(
    journal: Journal, kinds: Kinds, cloud: str, host: str
) -> MovedServers | None:
    """Return what the newest drain of the node moved, if a chain started it that is not over."""
    for run in journal.runs(limit=_LATEST, cloud=cloud):
        if run.chain is None or not (did := _drain_of(journal, run, kinds, cloud, host)):
            continue
        return None if journal.run(run.chain).state.is_over else _moved_by(did)
    return None


def takes_back(run: Run, kinds: Kinds) -> ReturnRequest | UndoRequest | None:
    """Return the request of a run that takes another run back; None where it is no such run.

    A run that we cannot read is no such run.
    """
    try:
        asked = from_json(run.plan, kinds).request
    except BadInput:
        return None
    return asked if isinstance(asked, ReturnRequest | UndoRequest) else None


def _is_of(run: Run, cloud: str, host: str) -> bool:
    return host in run.holds and run.is_in(cloud)


def _drain_of(journal: Journal, run: Run, kinds: Kinds, cloud: str, host: str) -> Did | None:
    """Return what the run did if it emptied the node; None for a run that we cannot read."""
    if not _is_of(run, cloud, host):
        return None
    try:
        plan = from_json(run.plan, kinds)
        is_drain = isinstance(plan.request, DrainRequest | EvacuateRequest)
        return _did(journal, run, plan, kinds) if is_drain else None
    except BadInput:
        return None


def _newest_drain(journal: Journal, kinds: Kinds, cloud: str, host: str) -> MovedServers | None:
    for run in journal.runs(limit=_LATEST, cloud=cloud):
        if did := _drain_of(journal, run, kinds, cloud, host):
            moved = _moved_by(did)
            if moved.servers:
                return moved
    return None


def _moved_by(drain: Did) -> MovedServers:
    by = "evacuation" if isinstance(drain.plan.request, EvacuateRequest) else "drain"
    return MovedServers(run=drain.run.id, servers=drain.moved(), by=by, consents=drain.consents)
