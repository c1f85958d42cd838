"""Read what a run has changed, and how that stands now: from its journal, then from the cloud."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from stackward.errors import BadInput
from stackward.facts.maintenance import (
    consents_of,
    known_run,
    read_moved,
    read_returning_node,
    read_told_ha,
    read_way_back,
    source_of,
)
from stackward.model.claim import Claim, read_claim
from stackward.model.maintenance import Drained, DrainedAway, Homecoming, ReturningNode
from stackward.model.run import Attempt, Run, RunState, Settled
from stackward.model.undoing import Returned, Stray, Undoer, Undoing
from stackward.plan import Kinds, Move, Part, Plan, Stage, Step, from_json, with_caught_up
from stackward.ports.journal import Journal
from stackward.ports.world import World

DRAIN, RETURN, BRING_BACK = "drain-compute-node", "return-compute-node", "bring-back-servers"
UNDO = "undo-run"
_CORDON, _KEEP_OFF, _UNCORDON = "cordon", "keep-off", "uncordon"
_STOP_SERVER = "stop-server"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Memory:
    """What the journal has of the run, with the last attempt at each step."""

    journal: Journal
    kinds: Kinds
    run: Run
    plan: Plan
    last: Mapping[str, Attempt]

    def attempts_at(self, kind: str) -> Iterator[Attempt]:
        """Return the last attempt at each step of a kind, if there was one."""
        for stage, move in self.plan.moves():
            for path, step in _paths(stage, move):
                if step.kind == kind and path in self.last:
                    yield self.last[path]


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
    memory = _Memory(
        journal=journal,
        kinds=kinds,
        run=run,
        plan=_plan_of(journal, run, kinds),
        last={attempt.step: attempt for attempt in journal.attempts(run.id)},
    )
    known = Undoing(
        run=run.id,
        title=run.title,
        kind=memory.plan.request.kind,
        state=run.state,
        read_at=world.clock.now(),
        is_of_one=only is not None,
        has_changed=any(map(_has_begun, memory.last.values())),
        undone_by=_undoer(journal, run, but),
    )
    if run.state in {RunState.QUEUED, RunState.RUNNING} or not known.has_changed:
        return known
    if known.kind == RETURN:
        return replace(known, returned=_returned(memory))
    if known.kind not in {DRAIN, BRING_BACK}:
        return known
    if known.kind == DRAIN and not only:
        [host] = run.holds
        node = read_returning_node(
            world, journal, kinds, host, run=run.id, image=image, network=network, but=but
        )
        known = _with_node(known, node, world, memory)
    moved = read_moved(journal, run, memory.plan)
    homes, homeless = _homes(world, memory, moved, only)
    strays = () if only is not None else tuple(_strays(world, memory, moved))
    return replace(known, homes=homes, homeless=homeless, strays=strays)


def _plan_of(journal: Journal, run: Run, kinds: Kinds) -> Plan:
    try:
        return with_caught_up(from_json(run.plan, kinds), journal.events(run.id), kinds)
    except BadInput as error:
        raise BadInput(
            f"run `{run.id}` cannot be undone by this version: {error.message}",
            hint="use the version of Stackward that has made it; "
            f"`stackward run show {run.id} --events` tells what it has changed",
        ) from error


def _has_begun(attempt: Attempt) -> bool:
    return attempt.mark is not None and attempt.settled is not Settled.UNSENT


def _undoer(journal: Journal, run: Run, but: str | None) -> Undoer | None:
    if run.undone_by is None or run.undone_by == but:
        return None
    return Undoer(run=run.undone_by, state=journal.run(run.undone_by).state)


# --- the node that it took out of service -------------------------------------------------------


def _with_node(known: Undoing, node: ReturningNode, world: World, memory: _Memory) -> Undoing:
    marks = [attempt.mark for attempt in memory.attempts_at(_CORDON) if attempt.mark]
    before = next((mark.get("reason") for mark in marks if not mark.get("is_enabled")), None)
    told_ha = read_told_ha(memory.journal, world.cloud.identity().id, node.host)
    return replace(
        known,
        returning=node,
        provider=world.cloud.provider(node.hypervisor.id),
        own_claims=frozenset({known.run, *_stands_for(node.claim, memory)}),
        has_kept_off=any(map(_has_begun, memory.attempts_at(_KEEP_OFF))),
        has_told_ha=node.is_ha_ours and told_ha == known.run,
        claimed_before=str(before) if before else None,
    )


def _stands_for(claim: Claim | None, memory: _Memory) -> Iterator[str]:
    """Return the claiming run if it only closed the node again, having failed to open it.

    It is a return from this drain, or an earlier try to undo it.
    """
    claiming = known_run(memory.journal, claim.run) if claim else None
    if claiming is None:
        return
    try:
        request = from_json(claiming.plan, memory.kinds).request
    except BadInput:
        return
    if request.kind in {RETURN, UNDO} and getattr(request, "run", None) == memory.run.id:
        yield claiming.id


def _returned(memory: _Memory) -> Returned:
    kept = memory.plan.facts.get("kept off by")
    uncordons = list(memory.attempts_at(_UNCORDON))
    texts = [attempt.mark.get("reason") for attempt in uncordons if attempt.mark]
    claim = read_claim(next((text for text in texts if isinstance(text, str)), None))
    is_open = any(attempt.settled is Settled.DONE for attempt in uncordons)
    was_closed_again = any(memory.attempts_at(_CORDON))
    return Returned(
        node=str(memory.plan.facts.get("node")),
        is_uncordoned=is_open and not was_closed_again,
        reason=claim.reason if claim else None,
        kept_off_by=tuple(map(str, kept)) if isinstance(kept, list | tuple) else (),
    )


def _paths(stage: Stage, move: Move) -> Iterator[tuple[str, Step]]:
    return move.steps_at(stage.path_of(move), Part.STEPS, Part.INSTEAD, Part.FAILED)


# --- whom it moved ------------------------------------------------------------------------------


def _homes(
    world: World, memory: _Memory, moved: tuple[Drained, ...], only: str | None
) -> tuple[tuple[Homecoming, ...], tuple[tuple[Drained, str], ...]]:
    """Return the nodes that servers left, with those servers; and whose node is no more."""
    by_source: dict[str, list[Drained]] = defaultdict(list)
    for each in moved:
        if only is None or each.id == only:
            by_source[each.source or ""].append(each)
    homes, homeless = [], list[tuple[Drained, str]]()
    for source, servers in by_source.items():
        left = DrainedAway(
            run=memory.run.id,
            servers=tuple(servers),
            by="run",
            consents=consents_of(memory.plan),
        )
        try:
            homes.append(read_way_back(world, memory.journal, source, left, only=only))
        except BadInput as error:
            homeless += [(each, error.message) for each in servers]
    return tuple(homes), tuple(homeless)


def _strays(world: World, memory: _Memory, moved: tuple[Drained, ...]) -> Iterator[Stray]:
    """Return the servers that are not where they were though no move of them was proved."""
    proved = {each.id for each in moved}
    for stage, move in memory.plan.moves():
        begun = [memory.last[path] for path, _ in _paths(stage, move) if path in memory.last]
        if not move.thing_id or move.key in proved or not any(map(_has_begun, begun)):
            continue
        server = world.cloud.server(move.key)
        is_off = _was_stopped(stage, move, memory) and server and server.vm_state == "stopped"
        if server and (server.host != source_of(move) or server.task_state or is_off):
            status = server.task_state or server.status
            status += ", stopped by the run," if is_off else ""
            yield Stray(name=move.thing, host=server.host, status=status)


def _was_stopped(stage: Stage, move: Move, memory: _Memory) -> bool:
    """Say whether the run itself has stopped the server, to move it another way."""
    attempts = (
        memory.last.get(path) for path, step in _paths(stage, move) if step.kind == _STOP_SERVER
    )
    return any(each and each.settled is Settled.DONE and _has_begun(each) for each in attempts)
