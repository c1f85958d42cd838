"""Every runbook with its facts: planned from fresh ones, and one of its moves judged again.

A runbook is a pure function of facts; here is where they are read for it.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from platform import node

from stackward.facts.durations import read_past_moves
from stackward.facts.maintenance import (
    read_homecoming,
    read_returning_node,
)
from stackward.facts.observed import keep_names
from stackward.facts.rights import read_rights
from stackward.facts.undoing import read_undoing
from stackward.kinds import KINDS
from stackward.model.cloud import known_cloud
from stackward.model.compute import Unread
from stackward.model.run import Run, RunState
from stackward.moving.foretold import foretold
from stackward.operations import operation
from stackward.plan import (
    Blocked,
    Move,
    Plan,
    Request,
    Runbook,
    Warned,
    needs_root,
    of_cloud,
    refuse_another,
)
from stackward.policy.rights import is_silent, judge_rights
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.bring_back_servers import BringBackRequest
from stackward.requests.drain_compute_node import DrainRequest
from stackward.requests.return_compute_node import ReturnRequest
from stackward.requests.undo_run import UndoRequest
from stackward.runbooks import bring_back_servers, return_compute_node, undo_run
from stackward.runbooks.return_compute_node import TELL
from stackward.status.half_way import left_half_way
from stackward.status.run import state_now


def plan_drain(world: World, journal: Journal, asked: DrainRequest) -> Plan[World]:
    """Read the node as it is now, and plan how to empty it."""
    return _planned(world, journal, asked, None)


def _planned(world: World, journal: Journal, asked: Request, run_id: str | None) -> Plan[World]:
    """Plan a request from fresh facts; `run_id` is the run that asks."""
    found = operation(asked.kind)
    plan = found.plan(found.read(world, journal, asked, run_id), asked)
    return _foretold(_with_rights(plan, world), world, journal)


def _with_rights(plan: Plan[World], world: World) -> Plan[World]:
    """Return the plan with what stands against it where a right is missing on a node.

    Not where it is said already that the node does not answer: asking again would take as long.
    """
    if is_silent(each.worry for each in plan.blockers):
        return plan
    verdicts = [
        verdict
        for node, commands in needs_root(plan).items()
        for verdict in judge_rights(node, read_rights(world.shell, node, commands))
    ]
    return replace(
        plan,
        blockers=(*plan.blockers, *(each for each in verdicts if isinstance(each, Blocked))),
        warnings=(*plan.warnings, *(each for each in verdicts if isinstance(each, Warned))),
    )


def _foretold(plan: Plan[World], world: World, journal: Journal) -> Plan[World]:
    """Return the plan with its cloud, and how long its moves will take by those seen there."""
    cloud = world.cloud.identity()
    return of_cloud(foretold(plan, read_past_moves(journal, cloud)), cloud)


def plan_return(
    world: World, journal: Journal, asked: ReturnRequest, run_id: str | None = None
) -> Plan[World]:
    """Read the node as it is now, and plan how it comes back; `run_id` is the run that asks."""
    facts = read_returning_node(
        world,
        journal,
        KINDS,
        asked.node,
        run=asked.run,
        image=asked.image,
        network=asked.network,
        but=run_id,
    )
    if not isinstance(facts.marks, Unread):
        keep_names(world, journal, facts.name, facts.host)
    plan = _with_rights(return_compute_node.plan_return(facts, asked), world)
    return of_cloud(plan, world.cloud.identity())


def plan_bring_back(
    world: World, journal: Journal, asked: BringBackRequest, only: str | None = None
) -> Plan[World]:
    """Read where the servers are that a drain moved, and plan how they come home."""
    facts = read_homecoming(world, journal, KINDS, asked.node, run=asked.run, only=only)
    plan = bring_back_servers.plan_bring_back(facts, asked)
    return plan if only else _foretold(plan, world, journal)


def plan_undo(
    world: World,
    journal: Journal,
    asked: UndoRequest,
    run_id: str | None = None,
    only: str | None = None,
) -> Plan[World]:
    """Read what a run has changed and how that stands, and plan how it is undone.

    `run_id` is the run that asks; `only` is the server whose way back alone is planned.
    """
    is_known = _refuse_another_cloud(journal.run(asked.run), world)
    facts = read_undoing(
        world,
        journal,
        KINDS,
        asked.run,
        image=asked.image,
        network=asked.network,
        but=run_id,
        only=only,
    )
    facts = replace(facts, is_cloud_known=is_known)
    state, unfinished = _left_by(journal, facts.run, world.clock.now())
    facts = replace(facts, state=state, unfinished=unfinished)
    if (again := undo_run.drain_again(facts, asked)) is not None:
        return undo_run.as_undo(plan_drain(world, journal, again), facts)
    plan = undo_run.plan_undo(facts, asked)
    return plan if only else _foretold(_with_rights(plan, world), world, journal)


def _refuse_another_cloud(run: Run, world: World) -> bool:
    """Refuse to undo here what was done in another cloud; say whether that is known at all."""
    stored = json.loads(run.plan)
    known = known_cloud(stored["decisions"], stored["facts"])
    return refuse_another(f"run `{run.id}`, {run.title},", known, world.cloud.identity())


def _left_by(journal: Journal, run_id: str, now: datetime) -> tuple[RunState, tuple[str, ...]]:
    """Return how a run stands now, and what of it nobody has brought to an end."""
    run, attempts = journal.run(run_id), journal.attempts(run_id)
    left = left_half_way(journal, run, KINDS)(attempts)
    state = state_now(run, node(), now)
    unfinished = [f"`{each.step}` is under way" for each in attempts if each.is_in_flight]
    unfinished += [f"`{thing}` is half-way" for thing in left]
    if state is not run.state:
        unfinished.append(f"its worker `{run.worker}` has died")
    return state, tuple(unfinished)


def _objection(fresh: Plan[World], move: Move[World]) -> Blocked | None:
    """Say what stands against a move now, by a fresh plan for its server alone."""
    if fresh.blockers:
        return fresh.blockers[0]
    moves = [each for _, each in fresh.moves() if each.thing_id == move.thing_id]
    now = [each.how for each in moves]
    if any(each.how == move.how and (each.instead or not move.instead) for each in moves):
        return None
    why = "; ".join([*(each.reason for each in fresh.warnings), *fresh.notices])
    if now:
        why = f"it was to be moved {move.how}, and would now be moved {now[0]}"
        why += ", and not be stopped where that is slow" if move.instead else ""
    return Blocked(move.thing, f"may not move now: {why}", "plan again", move.thing_id)


@dataclass(frozen=True)
class OperationRunbook:
    """How a request of an operation is planned again, and one of its moves judged again."""

    journal: Journal

    def plan(self, world: World, request: Request, run_id: str | None, /) -> Plan[World]:
        """Plan the request from fresh facts."""
        return _planned(world, self.journal, request, run_id)

    def judge(self, world: World, request: Request, move: Move[World], /) -> Blocked | None:
        """Judge one thing again on fresh facts."""
        return operation(request.kind).judge(world, self.journal, request, move)


@dataclass(frozen=True)
class ReturnRunbook:
    """How a return is planned again; the journal tells who holds the node, and what left it."""

    journal: Journal

    def plan(self, world: World, request: ReturnRequest, run_id: str | None, /) -> Plan[World]:
        """Plan the request from fresh facts."""
        return plan_return(world, self.journal, request, run_id)

    def judge(self, world: World, request: ReturnRequest, move: Move[World], /) -> Blocked | None:
        """Judge the node again on fresh facts; not once it serves, when that is only told."""
        if move.how == TELL:
            return None
        run = world.acting.run if world.acting else None
        return next(iter(plan_return(world, self.journal, request, run).blockers), None)


@dataclass(frozen=True)
class BringBackRunbook:
    """How a homecoming is planned again, and one server judged again."""

    journal: Journal

    def plan(
        self,
        world: World,
        request: BringBackRequest,
        run_id: str | None,  # noqa: ARG002  # it claims nothing
        /,
    ) -> Plan[World]:
        """Plan the request from fresh facts."""
        return plan_bring_back(world, self.journal, request)

    def judge(
        self, world: World, request: BringBackRequest, move: Move[World], /
    ) -> Blocked | None:
        """Judge one server again on fresh facts."""
        return _objection(plan_bring_back(world, self.journal, request, only=move.thing_id), move)


@dataclass(frozen=True)
class UndoRunbook:
    """How an undo is planned again, and one of its moves judged again."""

    journal: Journal

    def plan(self, world: World, request: UndoRequest, run_id: str | None, /) -> Plan[World]:
        """Plan the request from fresh facts."""
        return plan_undo(world, self.journal, request, run_id)

    def judge(self, world: World, request: UndoRequest, move: Move[World], /) -> Blocked | None:
        """Judge one server again on fresh facts, or the node; not once that serves, as a return."""
        if move.how == TELL and not move.thing_id:
            return None
        run = world.acting.run if world.acting else None
        fresh = plan_undo(world, self.journal, request, run, only=move.thing_id)
        return _objection(fresh, move) if move.thing_id else next(iter(fresh.blockers), None)


def runbooks(journal: Journal) -> dict[str, Runbook[World]]:
    """Return every runbook by the kind of its request."""
    return {
        DrainRequest.kind: OperationRunbook(journal),
        ReturnRequest.kind: ReturnRunbook(journal),
        BringBackRequest.kind: BringBackRunbook(journal),
        UndoRequest.kind: UndoRunbook(journal),
    }
