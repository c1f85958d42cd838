"""PLAN: one folder per operation, named by its verb phrase; none imports another.

Here is what an operation must answer, how it is found by the kind of a request, and how any request
is planned.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pkgutil import iter_modules
from typing import Any, Generic

from typing_extensions import TypeVar

from stackward import moving, policy, requests
from stackward.facts.durations import read_past_moves, read_past_runs, way_of
from stackward.facts.moved import Did, read_did
from stackward.facts.once import read_once
from stackward.facts.rights import read_rights
from stackward.kinds import KINDS
from stackward.model.cloud import CloudIdentity
from stackward.model.run import Run, RunState
from stackward.moving.estimates import with_estimates, with_past_runs
from stackward.plan import (
    Blocked,
    Columns,
    Json,
    Move,
    OperationInRun,
    Plan,
    Request,
    Warned,
    dump,
    needs_root,
    of_cloud,
)
from stackward.policy.rights import is_silent, judge_rights
from stackward.policy.rule import Rule
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.undo_run import UndoRequest
from stackward.wording import in_utc

# In the facts of a plan: runs that wait for its nodes, and runs that have them now.
WAITING = "waiting for the same node:"
HELD = "held by another run now:"

Asked = TypeVar("Asked", bound=Request)
Facts = TypeVar("Facts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[Asked, Facts]):
    """How one kind of request is planned: its facts are read, the rest is pure."""

    request: type[Asked]
    read: Callable[[World, Journal, Asked, str | None], Facts]
    """Read the facts now; the last is the run that asks: what it claims is its own."""
    plan: Callable[[Facts, Asked], Plan[World]]
    """Plan the request from facts alone: no reads, no changes."""
    judge: Callable[[World, Journal, Asked, Move[World]], Blocked | None]
    """Judge one thing again on its fresh facts, just before its move begins."""
    columns: Columns
    """What the table of a plan shows of each thing that is moved."""
    together: Callable[[Sequence[Facts], Sequence[Asked]], Sequence[Plan[World]]] | None = None
    """Plan several requests of the kind that are carried out one after the other, such as drains
    that share the room that there is. Without it each is planned as if it were alone.
    """
    read_after: Callable[[World, Journal, Asked, Request], Facts] | None = None
    """Read the facts as they will be once another request, the last, was carried out before.

    For an item of a chain that has several runs. Without it they are read as they are.
    """
    undo: Callable[[Did, UndoRequest], Sequence[Request] | Blocked] | None = None
    """Return what takes back what a run of it did, as requests, in their order; or why none does.

    They are a return and servers that come back, or one request of any other kind. They are planned
    only where the run is over; what of its doing is not its own any more is not taken back.
    """

    @property
    def kind(self) -> str:
        """Return the stored name of its requests; its folder is called so too."""
        return self.request.kind


def operation(kind: str) -> Operation[Any, Any]:
    """Return the operation that plans a kind of request; its folder alone is imported.

    The folder is named as the kind, so there is no table that a new one must be written into.
    """
    found: Operation[Any, Any] = import_module(f"{__name__}.{kind.replace('-', '_')}").OPERATION
    return found


def can_be_undone(journal: Journal, run: Run) -> bool:
    """Say whether anything takes back what a run did, by its own operation.

    A chain is taken back by what takes back its runs: nothing does if one of them is a reboot.
    """
    did = read_did(journal, run, KINDS)
    is_open = did.half_way or any(one.is_in_flight for one in did.last.values())
    if run.state is RunState.STOPPED and is_open:
        return False
    if did.begun:
        well = [each.run for each in did.begun if each.run.state is RunState.SUCCEEDED]
        return bool(well) and all(can_be_undone(journal, each) for each in well)
    if not did.has_changed:
        return False
    undo = operation(did.plan.request.kind).undo
    back = undo(did, UndoRequest(run=run.id)) if undo else None
    return bool(back) and not isinstance(back, Blocked)


def every_rule() -> tuple[Rule, ...]:
    """Return every rule by which a plan is judged: the shared ones, and those of each operation.

    The words of a rule are next to the code that finds it: in `policy/` and `moving/`, or in
    `rules.py` of the one operation that has it. All of them are imported: for pages and tests.
    """
    shared = [
        f"{room.__name__}.{each.name}"
        for room in (policy, moving)
        for each in iter_modules(room.__path__)
    ]
    own = [f"{__name__}.{each.name}.rules" for each in iter_modules(__path__)]
    found = [
        each
        for place in (*shared, *filter(find_spec, own))
        for each in vars(import_module(place)).values()
        if isinstance(each, Rule)
    ]
    return tuple(dict.fromkeys(found))


def plan_request(
    world: World, journal: Journal, asked: Request, run_id: str | None = None
) -> Plan[World]:
    """Plan a request from fresh facts; `run_id` is the run that asks.

    With what may not be run as root on the nodes, how long the moves will take, and its cloud.
    """
    found = operation(asked.kind)
    plan = found.plan(found.read(world, journal, asked, run_id), asked)
    return _finished(plan, world, journal, run_id)


def plan_items(
    world: World, journal: Journal, asked: Sequence[Sequence[Request]]
) -> Sequence[Plan[World]]:
    """Plan the requests of a chain from fresh facts, which they share; item by item, in order.

    Those of one kind that come first in their items are judged together, where its operation can.
    """
    shared = replace(world, nova=read_once(world.nova))
    first = _plan_first(shared, journal, [item[0] for item in asked])
    plans = list[Plan[World]]()
    for plan, item in zip(first, asked, strict=True):
        plans.append(plan)
        plans += [_plan_after(shared, journal, each, before) for before, each in pairwise(item)]
    past = read_past_runs(journal, world.cloud.identity())
    ways = [way_of(dump(plan.request)) for plan in plans]
    return [
        with_past_runs(plan, way, past.get(way, ())) for plan, way in zip(plans, ways, strict=True)
    ]


def _plan_first(world: World, journal: Journal, asked: Sequence[Request]) -> Sequence[Plan[World]]:
    kinds = {each.kind for each in asked}
    together = operation(*kinds).together if len(kinds) == 1 else None
    if together is None:
        return [plan_request(world, journal, each) for each in asked]
    read = operation(*kinds).read
    facts = [read(world, journal, each, None) for each in asked]
    return [_finished(plan, world, journal, None) for plan in together(facts, asked)]


def _plan_after(world: World, journal: Journal, asked: Request, before: Request) -> Plan[World]:
    """Plan a request as it will be once the one before it was carried out, as far as is known."""
    found = operation(asked.kind)
    if found.read_after is None:
        return plan_request(world, journal, asked)
    plan = found.plan(found.read_after(world, journal, asked, before), asked)
    return _finished(plan, world, journal, None)


def _finished(plan: Plan[World], world: World, journal: Journal, run_id: str | None) -> Plan[World]:
    """Return the plan with rights, times, its cloud, and the runs that wait for its nodes."""
    plan, cloud = with_rights(plan, world), world.cloud.identity()
    if any(move.thing_id for _, move in plan.moves()):
        plan = with_estimates(plan, read_past_moves(journal, cloud))
    plan = _with_holders(plan, journal, cloud, run_id)
    return of_cloud(_with_waiting(plan, journal, cloud, run_id, world.clock.now()), cloud)


def _with_holders(
    plan: Plan[World], journal: Journal, cloud: CloudIdentity, run_id: str | None
) -> Plan[World]:
    """Show which runs have nodes of the plan now: a chain passes over those that they keep."""
    if not plan.holds:
        return plan
    own = {run_id, journal.run(run_id).chain} if run_id is not None else {run_id}
    held: list[Json] = [
        f"`{run.id}`, {run.title} ({run.state})"
        for run in journal.holders(plan.holds, cloud.id)
        if run.id not in own
    ]
    return replace(plan, facts={**plan.facts, HELD: held}) if held else plan


def _with_waiting(
    plan: Plan[World], journal: Journal, cloud: CloudIdentity, run_id: str | None, now: datetime
) -> Plan[World]:
    """Show which runs wait for their time on the nodes of the plan; they hold them only then."""
    waiting: list[Json] = [
        f"`{run.id}`, {run.title}, from {in_utc(run.turn.at)}"
        for run in (journal.waiting(plan.holds, cloud.id) if plan.holds else ())
        if run.turn is not None and run.id != run_id and not run.is_late(now)
    ]
    return replace(plan, facts={**plan.facts, WAITING: waiting}) if waiting else plan


def with_rights(plan: Plan[World], world: World) -> Plan[World]:
    """Return the plan, with its blockers if a right is missing on a node.

    Not if a blocker already says that the node does not answer: asking again would take as long.
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


@dataclass(frozen=True)
class PlannedAgain:
    """How a run's request is planned again while it is carried out, and one thing judged again."""

    journal: Journal

    def plan(self, world: World, request: Request, run_id: str | None, /) -> Plan[World]:
        """Plan the request from fresh facts."""
        return plan_request(world, self.journal, request, run_id)

    def judge(self, world: World, request: Request, move: Move[World], /) -> Blocked | None:
        """Judge one thing again on fresh facts."""
        return operation(request.kind).judge(world, self.journal, request, move)


def operations_in_run(journal: Journal) -> Mapping[str, OperationInRun[World]]:
    """Return how each kind of request is planned again; nothing of it is imported yet."""
    return dict.fromkeys(requests.KINDS, PlannedAgain(journal))
