"""Read what a run has changed, and how that is now: from its journal, then from the cloud."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from platform import node as this_machine

from stackward.errors import BadInput
from stackward.facts.maintenance import read_returning_node, read_told_ha, read_way_back
from stackward.facts.moved import Did, has_begun, known_run, read_did, source_of, takes_back
from stackward.kinds import KINDS
from stackward.model.claim import Claim
from stackward.model.cloud import known_cloud
from stackward.model.evacuation import OLD_COPIES
from stackward.model.maintenance import MovedServer, MovedServers, ReturningNode
from stackward.model.run import Run, RunState, Settled
from stackward.operations import operation
from stackward.operations.undo_run.in_chain import left_in_chain
from stackward.operations.undo_run.rules import judge_undo
from stackward.operations.undo_run.undoing import Part, Undoer, Undoing, UnprovedMove, WayBack
from stackward.plan import Blocked, Move, Request, Stage, refuse_another
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.bring_back_servers import BringBackRequest
from stackward.requests.return_compute_node import ReturnRequest
from stackward.requests.undo_run import UndoRequest
from stackward.status.run import state_now
from stackward.steps.server_power import StopServer
from stackward.steps.service import BringUp, Cordon, KeepOff


def read_undo(world: World, journal: Journal, asked: UndoRequest, run_id: str | None) -> Undoing:
    """Return what a run did and how that is now; `run_id` is the run that undoes it.

    The cloud is asked only where there may be something to undo.
    """
    return _read(world, journal, asked, run_id, None)


def read_one(
    world: World, journal: Journal, asked: UndoRequest, run_id: str | None, server: str
) -> Undoing:
    """Return the same of one server only, by its id; of none: of the node alone."""
    return _read(world, journal, asked, run_id, server)


def _read(
    world: World, journal: Journal, asked: UndoRequest, run_id: str | None, only: str | None
) -> Undoing:
    run = journal.run(asked.run)
    is_cloud_known = _refuse_another_cloud(run, world)
    did = _read_did(journal, run)
    kind = did.plan.request.kind
    undo = operation(kind).undo
    state, unfinished = _left_by(journal, did, world.clock.now())
    known = Undoing(
        run=run.id,
        title=run.title,
        kind=kind,
        state=state,
        read_at=world.clock.now(),
        is_cloud_known=is_cloud_known,
        is_of_one=only is not None,
        has_changed=did.has_changed,
        undone_by=_undoer(journal, run, run_id),
        back=undo(did, asked) if undo else None,
        unfinished=unfinished,
        destroyed=_destroyed(did),
        left_in_chain=tuple(left_in_chain(journal, did)) if run.is_chain else (),
    )
    if any(judge_undo(known)) or known.back is None or isinstance(known.back, Blocked):
        return known
    return _with_parts(known, known.back, world, journal, did, run_id, only)


def _destroyed(did: Did) -> tuple[str, ...]:
    """Return which old copies a return has let go, if its nova-compute was started."""
    told = did.plan.facts.get(OLD_COPIES)
    is_started = any(map(has_begun, did.attempts_at(BringUp.kind)))
    return tuple(map(str, told)) if isinstance(told, list | tuple) and is_started else ()


def _refuse_another_cloud(run: Run, world: World) -> bool:
    """Refuse to undo here what was done in another cloud; say whether that is known at all."""
    stored = json.loads(run.plan)
    known = known_cloud(stored["decisions"], stored["facts"])
    return refuse_another(f"run `{run.id}`, {run.title},", known, world.cloud.identity())


def _read_did(journal: Journal, run: Run) -> Did:
    try:
        return read_did(journal, run, KINDS)
    except BadInput as error:
        raise BadInput(
            f"run `{run.id}` cannot be undone by this version: {error.message}",
            hint="use the version of Stackward that has made it; "
            f"`stackward run show {run.id} --events` shows what it has changed",
        ) from error


def _left_by(journal: Journal, did: Did, now: datetime) -> tuple[RunState, tuple[str, ...]]:
    """Return the state of a run now, and what of it nobody has brought to an end."""
    run = did.run
    state = state_now(run, this_machine(), now)
    said = {
        path: step.summary
        for stage, move in did.plan.moves()
        for path, step in move.steps_at(stage.path_of(move))
    }
    going = [each.step for each in journal.attempts(run.id) if each.is_in_flight]
    unfinished = [f"{said.get(step, step)}: under way" for step in going]
    unfinished += [f"`{thing}` is partly done" for thing in did.half_way]
    if state is not run.state:
        unfinished.append(f"its worker `{run.worker}` has died")
    return state, tuple(unfinished)


def _undoer(journal: Journal, run: Run, but: str | None) -> Undoer | None:
    if run.undone_by is None or run.undone_by == but:
        return None
    return Undoer(run=run.undone_by, state=journal.run(run.undone_by).state)


def _with_parts(  # noqa: PLR0913, PLR0917 # whose memory, and of which run
    known: Undoing,
    back: Sequence[Request],
    world: World,
    journal: Journal,
    did: Did,
    run_id: str | None,
    only: str | None,
) -> Undoing:
    """Return what each request that takes the run back is planned by."""
    ways, node_gone = list[WayBack](), list[tuple[MovedServer, str]]()
    for request in back:
        match request:
            case ReturnRequest():
                if not only:
                    node = read_returning_node(world, journal, KINDS, request, but=run_id)
                    known = _with_node(known, node, world, journal, did)
            case BringBackRequest():
                left = _left(did, request, only)
                if not left.servers:
                    continue
                try:
                    home = read_way_back(world, journal, request.node, left, only=only)
                    ways.append(WayBack(request=request, home=home))
                except BadInput as error:
                    node_gone += [(each, error.message) for each in left.servers]
            case _:  # alone: `judge_undo` refuses others next to it
                facts = operation(request.kind).read(world, journal, request, run_id)
                known = replace(known, whole=Part(request=request, facts=facts))
    unproved = () if only is not None else tuple(_unproved_moves(world, did))
    return replace(known, ways_back=tuple(ways), node_gone=tuple(node_gone), unproved=unproved)


# --- the node that it took out of service -------------------------------------------------------


def _with_node(
    known: Undoing, node: ReturningNode, world: World, journal: Journal, did: Did
) -> Undoing:
    marks = [attempt.mark for attempt in did.attempts_at(Cordon.kind) if attempt.mark]
    before = next((mark.get("reason") for mark in marks if not mark.get("is_enabled")), None)
    told_ha = read_told_ha(journal, world.cloud.identity().id, node.host)
    return replace(
        known,
        returning=node,
        provider=world.placement.provider(node.hypervisor.id),
        own_claims=frozenset({known.run, *_stands_for(node.claim, known.run, journal)}),
        has_kept_off=any(map(has_begun, did.attempts_at(KeepOff.kind))),
        has_told_ha=node.is_ha_ours and told_ha == known.run,
        claimed_before=str(before) if before else None,
    )


def _stands_for(claim: Claim | None, run: str, journal: Journal) -> Iterator[str]:
    """Return the claiming run if it only closed the node again, having failed to open it.

    It is a return from this drain, or an earlier try to undo it.
    """
    claiming = known_run(journal, claim.run) if claim else None
    asked = takes_back(claiming, KINDS) if claiming else None
    if claiming and asked and asked.run == run:
        yield claiming.id


# --- the servers that it moved ------------------------------------------------------------------


def _left(did: Did, asked: BringBackRequest, only: str | None) -> MovedServers:
    """Return the servers that left a host by the run; `only` that of an id, if given."""
    servers = tuple(
        each
        for each in did.moved()
        if (each.source or "") == asked.node and (only is None or each.id == only)
    )
    return MovedServers(run=did.run.id, servers=servers, by="run", consents=did.consents)


def _unproved_moves(world: World, did: Did) -> Iterator[UnprovedMove]:
    """Return the servers that are not where they were though no move of them was proved."""
    proved = {each.id for each in did.moved()}
    for stage, move in did.plan.moves():
        if not move.thing_id or move.key in proved:
            continue
        if not any(map(has_begun, did.attempts_of(stage, move))):
            continue
        server = world.nova.server(move.key)
        is_off = _was_stopped(stage, move, did) and server and server.vm_state == "stopped"
        if server and (server.host != source_of(move) or server.task_state or is_off):
            status = server.task_state or server.status
            status += ", stopped by the run," if is_off else ""
            yield UnprovedMove(name=move.thing, host=server.host, status=status)


def _was_stopped(stage: Stage, move: Move, did: Did) -> bool:
    """Say whether the run itself has stopped the server, to move it another way."""
    return any(
        each.settled is Settled.DONE and has_begun(each)
        for each in did.attempts_of(stage, move, StopServer.kind)
    )
