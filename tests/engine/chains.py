"""Chains in a place of several yards: each is tidied by a run of its own, in its turn.

Their runs go on in threads of one process, so time is real here: it is short.
"""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from platform import node
from typing import Any, ClassVar

from engine.fakes import EMPTY, House, Shut, Tidy, TidyOperation, Yard, YardWorld
from engine.killed import PACE, Watch
from killing import DyingJournal, Fate, Operation, copied
from stackward.adapters.store.database import url_of
from stackward.adapters.store.listing import FILE
from stackward.engine import Brakes, Pace, WorkerContext, approve, ask_cancel, carry_out
from stackward.engine.approval import BegunBy
from stackward.engine.children import ChildRuns
from stackward.engine.in_chain import New, approve_more, what_is_new
from stackward.engine.interpreter import carry_out_taken
from stackward.errors import BadInput
from stackward.model.health import Unwell
from stackward.model.run import Approval, Run, Turn
from stackward.operations.chain.plan import plan_chain
from stackward.plan import (
    APART,
    AS_OF_NOW,
    DOMAIN,
    Blocked,
    Kinds,
    Move,
    Plan,
    Stage,
    Warned,
    dump,
    from_json,
    from_mapping,
    load_request,
)
from stackward.ports.children import InItem
from stackward.ports.journal import Journal
from stackward.requests.chain import ChainItem, ChainRequest
from stackward.status.run import worker_here
from stackward.steps.chain import CarryOutRun

UNHURRIED = replace(
    PACE, grace_s=0.2, late_s=30, look_again_s=PACE.poll_s
)  # no point more where the machine is busy
SMALL = {"boxes": {"a": "old"}, "takes": 1}
THREE = ("y1", "y2", "y3")
WHOLE = ["carry a", "seal a", "carry b", "seal b"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TidyYard:
    """Carry every box of one yard to the new shelf."""

    kind: ClassVar[str] = "tidy-yard"
    yard: str


class TidyYardOperation:
    """Plans how one yard of several is tidied."""

    def plan(self, world: YardWorld, request: TidyYard, run_id: str | None) -> Plan[YardWorld]:
        path = world.yard.path.parent / request.yard
        if not path.exists():
            raise BadInput(f"there is no yard `{request.yard}`")
        there = replace(world, yard=Yard(path, world.yard.fate))
        plan = TidyOperation().plan(there, Tidy(), run_id)
        seen = there.yard.seen()
        beside = {name: seen[name] for name in (DOMAIN, APART) if name in seen}
        facts = {**plan.facts, **beside}
        return replace(plan, title=f"tidy `{request.yard}`", request=request, facts=facts)

    def judge(self, world: YardWorld, request: TidyYard, move: Move[YardWorld]) -> Blocked | None:
        return TidyOperation().judge(world, Tidy(), move)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShutYard:
    """Shut the gate of one yard of several: what follows once it is tidy."""

    kind: ClassVar[str] = "shut-yard"
    yard: str


class ShutYardOperation:
    """Plans how one yard of several is shut."""

    def plan(self, world: YardWorld, request: ShutYard, run_id: str | None) -> Plan[YardWorld]:
        yard = Yard(world.yard.path.parent / request.yard).seen()
        shut = Move[YardWorld](thing="gate", how="shut", steps=(Shut(),))
        return Plan(
            title=f"shut `{request.yard}`",
            request=request,
            holds=(request.yard,),
            warnings=tuple(Warned(each, "is rusty") for each in yard["rusty"]),
            blockers=tuple(Blocked(each, "is bent", "mend it") for each in yard["bent"]),
            stages=(Stage(name="shut", moves=(shut,)),),
        )

    def judge(self, world: YardWorld, request: ShutYard, move: Move[YardWorld]) -> None:
        return None


TIDY = TidyYardOperation()
SHUT = ShutYardOperation()
KINDS = Kinds(
    steps={**TidyOperation.kinds.steps, CarryOutRun.kind: CarryOutRun},
    checks=TidyOperation.kinds.checks,
    requests={
        **TidyOperation.kinds.requests,
        "tidy-yard": TidyYard,
        "shut-yard": ShutYard,
        "chain": ChainRequest,
    },
)
OPERATIONS: dict[str, Any] = {"tidy-yard": TIDY, "shut-yard": SHUT}


@dataclass(frozen=True)
class ChainOfYards:
    """Plans a chain as the real operation does: while it goes on, by what was approved."""

    journal: Journal

    def plan(self, world: YardWorld, request: ChainRequest, run_id: str | None) -> Plan[Any]:
        if run_id is not None:
            stored = json.loads(self.journal.run(run_id).plan)["facts"][AS_OF_NOW]
            return plan_chain([from_mapping(each, KINDS) for each in stored], request)
        asked = [load_request(each, KINDS) for item in request.items for each in item.requests]
        plans = [OPERATIONS[each.kind].plan(world, each, None) for each in asked]
        return plan_chain(plans, request)

    def judge(self, world: YardWorld, request: ChainRequest, move: Move[Any]) -> None:
        return None


def yard_at(place: Path, run: Run, fate: Fate) -> Yard:
    return Yard(place / (run.holds[0] if run.holds else "yard"), fate)


def context_of(  # noqa: PLR0913, PLR0917  # what a worker has
    place: Path, journal: Journal, clock: Any, fate: Fate, worker: str, pace: Pace
) -> WorkerContext[YardWorld]:
    return WorkerContext(
        journal=journal,
        operations={**OPERATIONS, "chain": ChainOfYards(journal)},
        kinds=KINDS,
        clock=clock,
        world_of=lambda run: YardWorld(clock, yard_at(place, run, fate), run),
        with_children=lambda world, children: replace(world, children=children),
        worker=worker,
        pace=pace,
    )


@dataclass
class Place:
    """Several yards, their journal, and a process that carries chains out."""

    place: Path
    database: str = ""
    pace: Pace = UNHURRIED
    brakes: Brakes = field(default_factory=Brakes)
    yards: tuple[str, ...] = THREE
    ill: dict[str, Unwell] = field(default_factory=dict)  # by yard, as a look at all of them tells
    asked_but: list[frozenset[str]] = field(default_factory=list)
    before_look: Callable[[], object] = lambda: None
    looks: bool = True

    def __post_init__(self) -> None:
        self.house = House(self.place, clock=Watch(), pace=self.pace, database=self.database)
        self.journal = self.house.journal
        for yard in self.yards:
            path = self.place / yard
            if not path.exists():
                path.write_text(json.dumps({**EMPTY, "rusty": [], "bent": []}))

    def yard(self, name: str) -> Yard:
        return Yard(self.place / name)

    def changes(self, name: str) -> list[str]:
        return self.yard(name).changes

    @property
    def url(self) -> str:
        return self.database or url_of(self.place)

    @property
    def now(self) -> datetime:
        now: datetime = self.house.clock.now()
        return now

    def approved(  # noqa: PLR0913  # how it goes on
        self,
        *yards: str,
        for_workers: bool = False,
        turn: Turn | None = None,
        at_once: int = 1,
        canary: int = 0,
        then_shut: Sequence[str] = (),
        needs_well: bool = False,
    ) -> Run:
        items = tuple(
            ChainItem(
                name=each,
                asked=dump(TidyYard(yard=each)),
                then=(dump(ShutYard(yard=each)),) if each in then_shut else (),
            )
            for each in yards or self.yards
        )
        asked = ChainRequest(
            what="tidy", items=items, at_once=at_once, canary=canary, needs_well=needs_well
        )
        plan = ChainOfYards(self.journal).plan(self.house.world(), asked, None)
        approval = Approval(by="ann", at=self.now, how="--yes")
        return approve(plan, approval, self.journal, for_workers=for_workers, turn=turn)

    def approved_alone(self, yard: str, **how: Any) -> Run:
        plan = TIDY.plan(self.house.world(), TidyYard(yard=yard), None)
        approval = Approval(by="bea", at=self.now, how="--yes")
        return approve(plan, approval, self.journal, **how)

    def approved_in(self, chain: Run, yard: str) -> Run:
        """Have a run of a chain approved by the worker that has, or had, the chain."""
        place = InItem(item=yard)
        begun_by = BegunBy(chain=chain.id, place=place, epoch=chain.epoch, after=chain.id)
        return self.approved_alone(yard, begun_by=begun_by)

    def children_of(self, taken: Run) -> ChildRuns:
        """Return the runs of a chain as the worker sees them that took it up."""
        approved = from_json(taken.plan, KINDS)
        return ChildRuns(taken, approved, self.context(), self.brakes, carry_out_taken)

    def context(self, fate: Fate | None = None) -> WorkerContext[YardWorld]:
        fate = fate or Fate()
        journal = DyingJournal(self.journal, fate)
        context = context_of(
            self.place,
            journal,
            self.house.clock,
            fate,
            worker_here(node()),
            self.pace,
        )
        return replace(context, looks=self.look) if self.looks else context

    def look(self, _world: YardWorld, but: Collection[str]) -> Sequence[Unwell]:
        self.before_look()
        self.asked_but.append(frozenset(but))
        return [each for yard, each in self.ill.items() if yard not in but]

    def carry_out(self, run: Run, fate: Fate | None = None) -> Run:
        return carry_out(run.id, self.context(fate), self.brakes)

    def cancel(self, run: Run, by: str = "bob") -> Run:
        return ask_cancel(run.id, by, self.now, self.journal, KINDS)[0]

    def new_in(self, run: Run) -> list[New]:
        """Return what a stopped chain asks for, as resuming it would show."""
        world = self.context().world_of(run)
        return list(what_is_new(run, self.journal, OPERATIONS, KINDS, world))

    def approve_more(self, run: Run, new: New, by: str = "ann") -> None:
        approve_more(run, new, Approval(by=by, at=self.now, how="prompt"), self.journal)

    def children(self, run: Run) -> dict[str, list[Run]]:
        found: dict[str, list[Run]] = {}
        for each in self.journal.children(run.id):
            found.setdefault(each.item, []).append(each)
        return found

    def states(self, run: Run) -> dict[str, list[str]]:
        return {
            item: [each.state.value for each in each_of]
            for item, each_of in self.children(run).items()
        }

    def told(self, run: Run) -> list[str]:
        return [event.what for event in self.journal.events(run.id)]

    def left_at(self, place: Path) -> Callable[[], "Place"]:
        """Copy all that there is now to a folder, while others write; return how it is opened."""
        for yard in self.yards:
            (place / yard).write_text(json.dumps(self.yard(yard).seen()))
        copied(self.place / FILE, place / FILE)
        return lambda: Place(place, pace=self.pace, yards=self.yards)

    def close(self) -> None:
        self.house.close()


def chain_of_three(
    *,
    ends: object,
    stands: Callable[[Place, Run], object],
    database: Callable[[], str] = lambda: "",
    at_once: int = 1,
    then_shut: Sequence[str] = (),
) -> Operation[Place]:
    """Return a chain of three yards, to be killed."""

    def begin(place: Path) -> tuple[Place, Run]:
        there = Place(place, database=database())
        for each in THREE:
            there.yard(each).set(**SMALL)
        return there, there.approved(at_once=at_once, then_shut=then_shut)

    left = None if database() else Place.left_at
    return Operation(begin=begin, stands=stands, ends=ends, left=left)
