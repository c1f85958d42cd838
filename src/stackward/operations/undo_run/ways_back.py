"""How servers come back to a node that they left by a run, also to one that is opened before."""

from collections.abc import Iterator
from dataclasses import replace

from stackward.model.maintenance import BringBackFacts
from stackward.moving.once_open import once_open
from stackward.operations import operation
from stackward.operations.undo_run.rules import NOT_MOVED_BACK
from stackward.operations.undo_run.undoing import Undoing, WayBack
from stackward.plan import Plan, Warned
from stackward.policy.maintenance import SETTLE, STAYS_AWAY, why_it_stays
from stackward.ports.world import World
from stackward.requests.undo_run import UndoRequest


def plan_way_back(
    way: WayBack, facts: Undoing, asked: UndoRequest, *, is_opened: bool
) -> Plan[World]:
    """Return how servers come back to a node that they left; its notices name who stays."""
    request, home = way.request, way.home
    if not (is_opened or _is_open(home)):
        return Plan(title="", request=request, warnings=tuple(_shut_out(home, facts, asked)))
    home = _once_open(home, facts) if is_opened else home
    found = replace(home, way=_way(home, facts))
    plan = operation(request.kind).plan(found, request)
    [stage] = plan.stages
    return replace(
        plan,
        blockers=(),  # that the node is closed: it is opened before
        warnings=tuple(map(_told, plan.warnings)),
        notices=tuple(_stays(home, asked)),
        stages=(replace(stage, name=f"back to {home.name}"),) if stage.moves else (),
        verify=plan.verify if stage.moves else (),
    )


def _stays(home: BringBackFacts, asked: UndoRequest) -> Iterator[str]:
    for away in home.away:
        if (why := why_it_stays(away, home, asked.how.leave_behind)) is not None:
            yield f"`{away.drained.name}` is left alone: {why}"


def _shut_out(home: BringBackFacts, facts: Undoing, asked: UndoRequest) -> Iterator[Warned]:
    for away in home.away:
        if away.server and why_it_stays(away, home, asked.how.leave_behind) is None:
            yield NOT_MOVED_BACK.warns(
                away.server.label,
                away.server.id,
                host=away.server.host,
                because=f"`{home.name}` is not in service",
                advice=SETTLE,
                way=_way(home, facts),
            )


def _told(warned: Warned) -> Warned:
    """Call who stays by the word of an undo."""
    if warned.worry != STAYS_AWAY.name:
        return warned
    return replace(warned, worry=NOT_MOVED_BACK.name)


def _way(home: BringBackFacts, facts: Undoing) -> str:
    if facts.returning:
        way = f"`stackward node return {home.name} --bring-back --run {facts.run}`"
        return f"plan again; or later {way}"
    return "plan again"


def _is_open(home: BringBackFacts) -> bool:
    """Say whether servers could go there now."""
    return home.service.is_enabled and home.service.is_up


def _once_open(home: BringBackFacts, facts: Undoing) -> BringBackFacts:
    if facts.provider is None or facts.returning is None:
        return home
    return once_open(home, facts.provider, facts.returning.service.zone)
