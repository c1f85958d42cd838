"""Read a node that was taken out of service: what keeps it off, whose it is, what left it."""

import json
from dataclasses import replace

from stackward.answers import understood
from stackward.errors import BadInput, Uncertain, Unreachable
from stackward.facts.compute import read_compute_node, read_guarded
from stackward.facts.named import find_node
from stackward.facts.observed import read_remembered
from stackward.model.claim import read_claim
from stackward.model.compute import Unread
from stackward.model.maintenance import (
    DROP_IN,
    HA_OFF,
    HA_ON,
    MAINTENANCE,
    MASKED,
    UNIT,
    Away,
    Drained,
    DrainedAway,
    Holder,
    Homecoming,
    Marks,
    ReturningNode,
)
from stackward.model.run import Run, RunState, Settled
from stackward.model.wish import Consent
from stackward.plan import Kinds, Move, Plan, from_json, with_caught_up
from stackward.plan.path import stage_of
from stackward.ports.compute_process import read_running_as
from stackward.ports.journal import Journal
from stackward.ports.shell import Shell
from stackward.ports.systemd import read_enabled
from stackward.ports.world import World

_GOING = (RunState.QUEUED, RunState.RUNNING)
_LATEST = 1000  # runs in which a node's last drain is looked for
_DRAIN, _RETURN, _UNDO = "drain-compute-node", "return-compute-node", "undo-run"
_NOT_DONE = (Settled.UNSENT, Settled.FAILED, Settled.FOREIGN)


def read_returning_node(  # noqa: PLR0913  # what was asked for, and the two memories
    world: World,
    journal: Journal,
    kinds: Kinds,
    name: str,
    *,
    run: str | None,
    image: str | None,
    network: str | None,
    but: str | None,
) -> ReturningNode:
    """Return all that the node's return to service has to know, read now.

    `run` is the drain that it returns from, `but` the run that asks: it does not hold itself up.
    """
    cloud, here = world.cloud, world.cloud.identity().id
    found = find_node(world, cloud.services(), name, read_remembered(world, journal))
    service, node = found.service, found.match.node
    claim = read_claim(service.disabled_reason)
    guarded = read_guarded(cloud, service.host)
    return ReturningNode(
        name=node or service.host,
        host=service.host,
        read_at=world.clock.now(),
        service=service,
        hypervisor=found.hypervisor,
        marks=read_marks(world.shell, node) if node else Unread(found.match.why),
        running_as=read_running_as(world.shell, node) if node else None,
        is_claim_known=claim is None or known_run(journal, claim.run) is not None,
        holders=read_holders(journal, here, service.host, but=but),
        drained=read_drained(
            journal, kinds, here, service.host, run=run, text=service.disabled_reason
        ),
        images=cloud.images_called(image) if image else cloud.public_images(),
        flavors=cloud.flavors(),
        networks=cloud.networks_called(network) if network else (),
        guarded=guarded,
        is_ha_ours=bool(guarded) and read_told_ha(journal, here, service.host) is not None,
        identified_at=found.match.seen_at,
    )


def read_told_ha(journal: Journal, cloud: str, host: str) -> str | None:
    """Return the run of ours that told the instance-HA service of maintenance last, if one did.

    A run that found it told already has not done it; one whose answer was lost may have.
    """
    for run in journal.runs(limit=_LATEST, cloud=cloud):
        if host not in run.holds:
            continue
        for attempt in reversed(journal.attempts(run.id)):
            is_started = attempt.mark is not None and attempt.settled not in _NOT_DONE
            if is_started and (stage := stage_of(attempt.step)) in {HA_OFF, HA_ON}:
                return run.id if stage == HA_OFF else None
    return None


def read_homecoming(  # noqa: PLR0913  # what was asked for, and the two memories
    world: World,
    journal: Journal,
    kinds: Kinds,
    name: str,
    *,
    run: str,
    only: str | None = None,
) -> Homecoming:
    """Return what a drain of the node moved away and how it stands; `only` the server of an id.

    The calls grow with the servers that were moved.
    """
    remembered = read_remembered(world, journal)
    host = find_node(world, world.cloud.services(), name, remembered).service.host
    drained = read_drained_by(journal, kinds, world.cloud.identity().id, host, run)
    return read_way_back(world, journal, host, drained, only=only)


def read_way_back(
    world: World, journal: Journal, name: str, drained: DrainedAway, *, only: str | None = None
) -> Homecoming:
    """Return how servers stand that a run moved off the node; `only` the server of an id."""
    found = find_node(world, world.cloud.services(), name, read_remembered(world, journal))
    return Homecoming(
        name=found.match.node or found.service.host,
        host=found.service.host,
        service=found.service,
        hypervisor=found.hypervisor,
        drained=drained,
        away=tuple(
            _away(world, journal, each)
            for each in drained.servers
            if only is None or each.id == only
        ),
        is_of_one=only is not None,
    )


def _away(world: World, journal: Journal, drained: Drained) -> Away:
    server = world.cloud.server(drained.id)
    if server is None or server.host is None or server.host != drained.target:
        return Away(drained=drained, server=server)
    node = read_compute_node(world, server.host, only=server.id)
    if node.claim and (claiming := known_run(journal, node.claim.run)):
        node = replace(node, claiming_run=claiming.state)
    # It may have gone between the two looks.
    return (
        Away(drained=drained, server=server, node=node)
        if node.servers
        else Away(drained=drained, server=world.cloud.server(drained.id))
    )


def read_marks(shell: Shell, node: str) -> Marks | Unread:
    """Return what on the node keeps its nova-compute off; or why that could not be read."""
    try:
        enabled = shell.run(node, ["systemctl", "is-enabled", UNIT])
        return Marks(
            has_file=_is_there(shell, node, MAINTENANCE),
            has_drop_in=_is_there(shell, node, DROP_IN),
            is_masked=read_enabled(enabled.out) in MASKED,
        )
    except (Unreachable, Uncertain) as error:
        return Unread(f"{error.message}: {error.says}" if error.says else error.message)


def _is_there(shell: Shell, node: str, path: str) -> bool:
    answer = shell.run(node, ["test", "-e", path])
    with understood(f"`test -e {path}`", answer.err):
        return {0: True, 1: False}[answer.code]


def read_holders(journal: Journal, cloud: str, host: str, *, but: str | None) -> tuple[Holder, ...]:
    """Return the runs that are going on and have the node for themselves."""
    return tuple(
        Holder(run=run.id, title=run.title, state=run.state.value)
        for run in journal.runs(limit=_LATEST, cloud=cloud)
        if host in run.holds and run.id != but and _is_going_on(journal, run)
    )


def _is_going_on(journal: Journal, run: Run) -> bool:
    if run.state is RunState.STOPPED:
        return any(attempt.is_in_flight for attempt in journal.attempts(run.id))
    return run.state in _GOING


def read_drained(  # noqa: PLR0913  # what was asked for, and whose memory
    journal: Journal, kinds: Kinds, cloud: str, host: str, *, run: str | None, text: str | None
) -> DrainedAway | None:
    """Return what a drain of the node moved: the one named, else the one whose claim it bears.

    The claim of a return, or of an undo, leads to the drain that it returned from; one of a run
    that this journal does not know leads nowhere, also where it is the run named: what it moved is
    not known here.
    Without a claim it is the newest drain that moved anything, however it ended.
    """
    claim = read_claim(text)
    claiming = known_run(journal, claim.run) if claim else None
    if claim and claiming is None and run in {None, claim.run}:
        return None
    if run is not None:
        return read_drained_by(journal, kinds, cloud, host, run)
    if claiming and (plan := _plan_of(journal, claiming, kinds, cloud, host)):
        return _moved_by(journal, claiming, plan)
    for kind in (_RETURN, _UNDO):
        if claiming and (returned := _plan_of(journal, claiming, kinds, cloud, host, kind=kind)):
            drain = getattr(returned.request, "run", None)
            return _returned_from(journal, kinds, cloud, host, drain)
    return _newest_drain(journal, kinds, cloud, host)


def read_drained_by(journal: Journal, kinds: Kinds, cloud: str, host: str, run: str) -> DrainedAway:
    """Return what one run moved; `BadInput` where it is no drain of the node."""
    named = journal.run(run)
    plan = _plan_of(journal, named, kinds, cloud, host)
    if plan is None:
        raise BadInput(
            f"run `{named.id}` is no drain of `{host}`{_elsewhere(named, cloud)}: "
            f"it is {named.title}",
            hint="`stackward run list` shows the runs",
        )
    return _moved_by(journal, named, plan)


def _elsewhere(run: Run, cloud: str) -> str:
    return "" if run.is_in(cloud) else " in this cloud"


def _returned_from(
    journal: Journal, kinds: Kinds, cloud: str, host: str, run: str | None
) -> DrainedAway | None:
    drain = known_run(journal, run) if run else None
    plan = _plan_of(journal, drain, kinds, cloud, host) if drain else None
    return _moved_by(journal, drain, plan) if drain and plan else None


def _newest_drain(journal: Journal, kinds: Kinds, cloud: str, host: str) -> DrainedAway | None:
    for run in journal.runs(limit=_LATEST, cloud=cloud):
        if plan := _plan_of(journal, run, kinds, cloud, host):
            moved = _moved_by(journal, run, plan)
            if moved.servers:
                return moved
    return None


def known_run(journal: Journal, run_id: str) -> Run | None:
    """Return the run of exactly this id; None where it is in another machine's journal."""
    try:
        found = journal.run(run_id)
    except BadInput:
        return None
    return found if found.id == run_id else None


def leaves_servers(run: Run) -> bool:
    """Say whether a drain was approved to leave servers on its node."""
    ends = json.loads(run.plan)["decisions"].get("ends", "empty")
    return bool(ends != "empty")


def _plan_of(  # noqa: PLR0913  # which run, of which node
    journal: Journal, run: Run, kinds: Kinds, cloud: str, host: str, *, kind: str = _DRAIN
) -> Plan | None:
    """Return the run's plan, with what it caught up with, if it is of that kind and of the node.

    One that we cannot read is none.
    """
    if host not in run.holds or not run.is_in(cloud):
        return None
    try:
        plan = from_json(run.plan, kinds)
        if plan.request.kind == kind:
            return with_caught_up(plan, journal.events(run.id), kinds)
    except BadInput:
        pass
    return None


def _moved_by(journal: Journal, run: Run, plan: Plan) -> DrainedAway:
    return DrainedAway(
        run=run.id, servers=read_moved(journal, run, plan), consents=consents_of(plan)
    )


def read_moved(journal: Journal, run: Run, plan: Plan) -> tuple[Drained, ...]:
    """Return the servers whose every step this run began itself and proved done."""
    last = {attempt.step: attempt for attempt in journal.attempts(run.id)}
    servers = {}
    for stage, move in plan.moves():
        way = move.way(stage.path_of(move), last)
        attempts = [last.get(at) for at, _ in way]
        if not move.thing_id or not all(
            each and each.settled is Settled.DONE and each.mark is not None for each in attempts
        ):
            continue
        saw = attempts[-1].saw if attempts[-1] else {}
        target = saw.get("target") or move.expects.get("target")
        servers[move.key] = Drained(
            id=move.key,
            name=move.thing,
            target=str(target) if target else None,
            source=source_of(move),
        )
    return tuple(servers.values())


def consents_of(plan: Plan) -> tuple[Consent, ...]:
    """Return what the owners of servers have agreed to, by the request of the plan."""
    return tuple(getattr(plan.request, "consents", ()))


def source_of(move: Move) -> str | None:
    """Return the host that a server was to leave; None where its steps do not tell."""
    sources = (getattr(step, "source", None) for step in move.steps)
    return next((each for each in sources if isinstance(each, str)), None)
