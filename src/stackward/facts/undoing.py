"""Read what a run has changed, and how that stands now: from its journal, then from the cloud."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from stackward.errors import BadInput
from stackward.facts.maintenance import read_returning_node, read_told_ha, read_way_back
from stackward.facts.moved import Did, has_begun, known_run, read_did, source_of, takes_back
from stackward.model.claim import Claim, read_claim
from stackward.model.maintenance import Drained, DrainedAway, Homecoming, ReturningNode
from stackward.model.run import Run, RunState, Settled
from stackward.model.undoing import Returned, Stray, Undoer, Undoing
from stackward.plan import Kinds, Move, Stage
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.bring_back_servers import BringBackRequest
from stackward.requests.drain_compute_node import DrainRequest
from stackward.requests.return_compute_node import ReturnRequest

_CORDON, _KEEP_OFF, _UNCORDON = "cordon", "keep-off", "uncordon"
_STOP_SERVER = "stop-server"


def read_undoing(  # noqa: PLR0913  # what was asked for, and the two memories
    world: World,
    journal: Journal,
    kinds: Kinds,
    run_id: str,
    *,
    image: str | None,
    network: str | None,
    but: str | None,
    only: str | None = None,
) -> Undoing:
    """Return what a run did and how that stands; of its servers `only` the one of an id, if given.

    `but` is the run that undoes it. The cloud is asked only where there may be something to undo.
    """
    run = journal.run(run_id)
    did = _read_did(journal, run, kinds)
    asked = did.plan.request
    known = Undoing(
        run=run.id,
        title=run.title,
        kind=asked.kind,
        state=run.state,
        read_at=world.clock.now(),
        is_of_one=only is not None,
        has_changed=did.has_changed,
        undone_by=_undoer(journal, run, but),
    )
    if run.state in {RunState.QUEUED, RunState.RUNNING} or not known.has_changed:
        return known
    if isinstance(asked, ReturnRequest):
        return replace(known, returned=_returned(did))
    if not isinstance(asked, DrainRequest | BringBackRequest):
        return known
    if isinstance(asked, DrainRequest) and not only:
        [host] = run.holds
        node = read_returning_node(
            world, journal, kinds, host, run=run.id, image=image, network=network, but=but
        )
        known = _with_node(known, node, world, journal, did)
        known = replace(
            known,
            own_claims=frozenset({run.id, *_stands_for(node.claim, run.id, journal, kinds)}),
        )
    moved = did.moved()
    homes, homeless = _homes(world, journal, did, moved, only)
    strays = () if only is not None else tuple(_strays(world, did, moved))
    return replace(known, homes=homes, homeless=homeless, strays=strays)


def _read_did(journal: Journal, run: Run, kinds: Kinds) -> Did:
    try:
        return read_did(journal, run, kinds)
    except BadInput as error:
        raise BadInput(
            f"run `{run.id}` cannot be undone by this version: {error.message}",
            hint="use the version of Stackward that has made it; "
            f"`stackward run show {run.id} --events` tells what it has changed",
        ) from error


def _undoer(journal: Journal, run: Run, but: str | None) -> Undoer | None:
    if run.undone_by is None or run.undone_by == but:
        return None
    return Undoer(run=run.undone_by, state=journal.run(run.undone_by).state)


# --- the node that it took out of service -------------------------------------------------------


def _with_node(
    known: Undoing, node: ReturningNode, world: World, journal: Journal, did: Did
) -> Undoing:
    marks = [attempt.mark for attempt in did.attempts_at(_CORDON) if attempt.mark]
    before = next((mark.get("reason") for mark in marks if not mark.get("is_enabled")), None)
    told_ha = read_told_ha(journal, world.cloud.identity().id, node.host)
    return replace(
        known,
        returning=node,
        provider=world.cloud.provider(node.hypervisor.id),
        has_kept_off=any(map(has_begun, did.attempts_at(_KEEP_OFF))),
        has_told_ha=node.is_ha_ours and told_ha == known.run,
        claimed_before=str(before) if before else None,
    )


def _stands_for(claim: Claim | None, run: str, journal: Journal, kinds: Kinds) -> Iterator[str]:
    """Return the claiming run if it only closed the node again, having failed to open it.

    It is a return from this drain, or an earlier try to undo it.
    """
    claiming = known_run(journal, claim.run) if claim else None
    asked = takes_back(claiming, kinds) if claiming else None
    if claiming and asked and asked.run == run:
        yield claiming.id


def _returned(did: Did) -> Returned:
    kept = did.plan.facts.get("kept off by")
    uncordons = list(did.attempts_at(_UNCORDON))
    texts = [attempt.mark.get("reason") for attempt in uncordons if attempt.mark]
    claim = read_claim(next((text for text in texts if isinstance(text, str)), None))
    is_open = any(attempt.settled is Settled.DONE for attempt in uncordons)
    was_closed_again = any(did.attempts_at(_CORDON))
    return Returned(
        node=str(did.plan.facts.get("node")),
        is_uncordoned=is_open and not was_closed_again,
        reason=claim.reason if claim else None,
        kept_off_by=tuple(map(str, kept)) if isinstance(kept, list | tuple) else (),
    )


# --- whom it moved ------------------------------------------------------------------------------


def _homes(
    world: World, journal: Journal, did: Did, moved: tuple[Drained, ...], only: str | None
) -> tuple[tuple[Homecoming, ...], tuple[tuple[Drained, str], ...]]:
    """Return the nodes that servers left, with those servers; and whose node is no more."""
    by_source: dict[str, list[Drained]] = defaultdict(list)
    for each in moved:
        if only is None or each.id == only:
            by_source[each.source or ""].append(each)
    homes, homeless = [], list[tuple[Drained, str]]()
    for source, servers in by_source.items():
        left = DrainedAway(run=did.run.id, servers=tuple(servers), by="run", consents=did.consents)
        try:
            homes.append(read_way_back(world, journal, source, left, only=only))
        except BadInput as error:
            homeless += [(each, error.message) for each in servers]
    return tuple(homes), tuple(homeless)


def _strays(world: World, did: Did, moved: tuple[Drained, ...]) -> Iterator[Stray]:
    """Return the servers that are not where they were though no move of them was proved."""
    proved = {each.id for each in moved}
    for stage, move in did.plan.moves():
        if not move.thing_id or move.key in proved:
            continue
        if not any(map(has_begun, did.attempts_of(stage, move))):
            continue
        server = world.cloud.server(move.key)
        is_off = _was_stopped(stage, move, did) and server and server.vm_state == "stopped"
        if server and (server.host != source_of(move) or server.task_state or is_off):
            status = server.task_state or server.status
            status += ", stopped by the run," if is_off else ""
            yield Stray(name=move.thing, host=server.host, status=status)


def _was_stopped(stage: Stage, move: Move, did: Did) -> bool:
    """Say whether the run itself has stopped the server, to move it another way."""
    return any(
        each.settled is Settled.DONE and has_begun(each)
        for each in did.attempts_of(stage, move, _STOP_SERVER)
    )
