"""A yard of boxes: a world small enough to hold in the head, which outlives its process.

Boxes are carried from shelf to shelf. As with Nova, a carry cannot be named by who asks for it, is
accepted at once and takes a while, is recorded with a number, and is refused while another goes on.
"""

import fcntl
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from killing import DyingJournal, Fate, Operation, copied
from stackward.adapters.store.database import open_database, url_of
from stackward.adapters.store.journal import SqlJournal
from stackward.adapters.store.listing import FILE
from stackward.engine import Brakes, Pace, WorkerContext, approve, ask_cancel, carry_out
from stackward.engine.cancel import give_up
from stackward.errors import Refused, StepFailed, Uncertain, Unreachable
from stackward.model.run import Approval, Run
from stackward.plan import (
    GIVEN_UP,
    Blocked,
    CheckResult,
    Holds,
    Kinds,
    Look,
    Mark,
    Move,
    Plan,
    Progress,
    Refuted,
    Stage,
    Standing,
    Unverified,
    Warned,
)
from stackward.ports.haste import confirm_order


@dataclass
class FakeClock:
    """Time that passes only by waiting."""

    passed: float = 0.0
    on_wait: list[Any] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    def wait(self, seconds: float) -> None:
        self.passed += seconds
        for each in self.on_wait:
            each()


@dataclass
class Yard:
    """The boxes, in a file, so that they outlive whoever carries them."""

    path: Path
    fate: Fate = field(default_factory=Fate)
    on_way: list[Any] = field(default_factory=list)  # what happens before an order is there

    @contextmanager
    def open(self) -> Iterator[dict[str, Any]]:
        with self.path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yard = json.load(file)
            yield yard
            file.seek(0)
            file.truncate()
            json.dump(yard, file)

    def set(self, **values: Any) -> None:
        with self.open() as yard:
            yard.update(values)

    def seen(self) -> dict[str, Any]:
        with self.open() as yard:
            return dict(yard)

    @property
    def changes(self) -> list[str]:
        return list(self.seen()["changes"])

    def ask(self, box: str, by: str = "us") -> None:
        """Accept a carry of a box, unless one goes on."""
        for each in self.on_way:
            each()
        confirm_order()
        with self.fate.around(f"carry {box}"), self.open() as yard:
            match yard["trouble"]:
                case "down":
                    raise Unreachable("no answer from the yard")
                case "limits":
                    limited = Unreachable("the yard takes one order at a time")
                    limited.after_s = yard["rest"]
                    raise limited
                case "refuses":
                    raise StepFailed("the yard says no", service="Yard", says="no room")
            if any(each["box"] == box and each["state"] == "going" for each in yard["carries"]):
                raise Uncertain(f"`{box}` is being carried already")
            if yard["boxes"][box] != "old":
                raise Uncertain(f"`{box}` is not where it was")
            yard["carries"].append({"box": box, "by": by, "state": "going", "left": yard["takes"]})
            yard["changes"].append(f"carry {box}")
            lost = yard["trouble"] == "loses answers"
        if lost:
            raise Uncertain("the connection broke before the answer")

    def advance(self, box: str) -> dict[str, Any]:
        """Let the carries of a box go on a little; return them with where the box is."""
        with self.open() as yard:
            if yard["trouble"] == "down":
                raise Unreachable("no answer from the yard")
            mine = [dict(each, id=n) for n, each in enumerate(yard["carries"], 1)]
            for number, each in enumerate(yard["carries"]):
                is_going = each["box"] == box and each["state"] == "going"
                if is_going and box not in yard["standing"]:
                    each["left"] -= 1
                    if each["left"] == 0:
                        each["state"] = "failed" if box in yard["fails"] else "done"
                        if each["state"] == "done":
                            yard["boxes"][box] = "new"
                    mine[number] = dict(each, id=number + 1)
            of_box = [each for each in mine if each["box"] == box]
            return {"at": yard["boxes"][box], "carries": of_box, "sealed": box in yard["sealed"]}


@dataclass(frozen=True)
class YardWorld:
    """All that a step of the yard is given."""

    clock: Any
    yard: Yard
    run: Run | None = None
    children: Any = None


@dataclass(frozen=True, slots=True)
class Carry:
    """Carry a box to the new shelf."""

    box: str
    kind: ClassVar[str] = "carry"

    @property
    def summary(self) -> str:
        return f"carry `{self.box}`"

    @property
    def undo(self) -> str:
        return "carry it back"

    def mark(self, world: YardWorld) -> Mark:
        ids = [each["id"] for each in world.yard.advance(self.box)["carries"]]
        return {"newest": max(ids, default=0)}

    def look(self, world: YardWorld, mark: Mark | None) -> Look:
        if world.yard.seen()["trouble"] == "mist":
            return Look(Standing.UNKNOWN, reason="the shelves cannot be seen")
        return self._look(world, mark)

    def _look(self, world: YardWorld, mark: Mark | None) -> Look:
        box = world.yard.advance(self.box)
        newest = 0 if mark is None else mark["newest"]
        newer = [each for each in box["carries"] if each["id"] > newest]
        going = [each for each in newer if each["state"] == "going"]
        theirs = [each for each in newer if each["by"] != "us" and mark is not None]
        if theirs or (mark is None and going):
            return Look(Standing.FOREIGN, reason=f"`{self.box}` is carried by somebody else")
        if box["at"] == "new" and world.yard.seen()["trouble"] == "dust":
            return Look(Standing.UNDERWAY, reason="it is dusty", is_over=True)
        if box["at"] == "new":
            return Look(Standing.DONE, saw={"at": "new"})
        if mark is None or not newer:
            return Look(Standing.TODO)
        if going:
            return Look(Standing.UNDERWAY, progress=Progress(fraction=1 / (1 + going[-1]["left"])))
        return Look(
            Standing.FAILED,
            reason="it came back",
            saw={GIVEN_UP: True} if newer[-1]["state"] == "called off" else {},
            service="Yard",
            says="the shelf is full",
            request_id=f"req-{newer[-1]['id']}",
        )

    def start(self, world: YardWorld) -> None:
        world.yard.ask(self.box)

    def examine(self, world: YardWorld, mark: Mark | None, quiet_s: float) -> Look | None:
        if world.yard.seen()["trouble"] == "fog":
            return Look(Standing.UNKNOWN, reason="it cannot be seen for fog", remedy="wait for sun")
        if self.box not in world.yard.seen()["dropped"]:
            return None
        reason = f"it was dropped {quiet_s:.0f} s ago"
        return Look(Standing.FAILED, reason=reason, remedy="pick it up")


@dataclass(frozen=True, slots=True)
class Seal:
    """Seal a box: done at once."""

    box: str
    kind: ClassVar[str] = "seal"
    undo: ClassVar[str] = "break the seal"

    @property
    def summary(self) -> str:
        return f"seal `{self.box}`"

    def mark(self, world: YardWorld) -> Mark:
        return {}

    def look(self, world: YardWorld, mark: Mark | None) -> Look:
        is_sealed = world.yard.advance(self.box)["sealed"]
        return Look(Standing.DONE if is_sealed else Standing.TODO)

    def start(self, world: YardWorld) -> None:
        with world.yard.fate.around(f"seal {self.box}"), world.yard.open() as yard:
            if self.box in yard["sealed"]:
                raise Uncertain(f"`{self.box}` is sealed already")
            if yard["trouble"] == "no wax":
                raise StepFailed("no wax is left")
            yard["sealed"].append(self.box)
            yard["changes"].append(f"seal {self.box}")


@dataclass(frozen=True, slots=True)
class Shut:
    """Shut the gate, as long as boxes are carried; shut once the order is answered."""

    kind: ClassVar[str] = "shut"
    is_prompt: ClassVar[bool] = True
    undo: ClassVar[str] = "open it"
    summary: ClassVar[str] = "shut the gate"

    def mark(self, world: YardWorld) -> Mark:
        return {}

    def look(self, world: YardWorld, mark: Mark | None) -> Look:
        match self._gate(world):
            case "shut":
                return Look(Standing.DONE)
            case "barred":
                return Look(Standing.FOREIGN, reason="it is barred by carol")
            case "creaking":
                world.yard.set(gate="shut")
                return Look(Standing.UNDERWAY)
            case _:
                return Look(Standing.TODO)

    def start(self, world: YardWorld) -> None:
        with world.yard.fate.around("shut"), world.yard.open() as yard:
            yard["gate"] = "creaking" if yard["trouble"] == "rust" else "shut"
            yard["changes"].append("shut")

    def lost(self, world: YardWorld) -> Look | None:
        if self._gate(world) == "shut":
            return None
        return Look(Standing.FOREIGN, reason="was opened by bob", remedy="ask bob")

    def _gate(self, world: YardWorld) -> str:
        yard = world.yard.seen()
        match yard["trouble"]:
            case "dark":
                raise Unreachable("the gate cannot be seen")
            case "forbidden":
                raise Refused("nobody may look at the gate")
        return str(yard["gate"])


@dataclass(frozen=True, slots=True)
class Hurry:
    """End a carry that takes long: well, or by calling it off."""

    box: str
    well: bool
    kind: ClassVar[str] = "hurry"
    undo: ClassVar[str] = "none is needed"

    @property
    def summary(self) -> str:
        return f"hurry `{self.box}`"

    def mark(self, world: YardWorld) -> Mark:
        return {}

    def look(self, world: YardWorld, mark: Mark | None) -> Look:
        if f"hurry {self.box}" not in world.yard.changes:
            return Look(Standing.TODO)
        # Its own proof may come later than the end of the move.
        return Look(Standing.UNDERWAY if world.yard.seen()["slow_help"] else Standing.DONE)

    def start(self, world: YardWorld) -> None:
        with world.yard.fate.around(f"hurry {self.box}"), world.yard.open() as yard:
            yard["changes"].append(f"hurry {self.box}")
            [going] = [each for each in yard["carries"] if each["state"] == "going"]
            going["state"] = "done" if self.well else "called off"
            if self.well:
                yard["boxes"][self.box] = "new"


@dataclass(frozen=True, slots=True)
class Push:
    """Push a sealed box to the new shelf: done at once."""

    box: str
    kind: ClassVar[str] = "push"
    undo: ClassVar[str] = "push it back"

    @property
    def summary(self) -> str:
        return f"push `{self.box}`"

    def mark(self, world: YardWorld) -> Mark:
        return {}

    def look(self, world: YardWorld, mark: Mark | None) -> Look:
        is_new = world.yard.advance(self.box)["at"] == "new"
        return Look(Standing.DONE if is_new else Standing.TODO)

    def start(self, world: YardWorld) -> None:
        with world.yard.fate.around(f"push {self.box}"), world.yard.open() as yard:
            if yard["trouble"] == "stuck":
                raise StepFailed("it is stuck")
            yard["boxes"][self.box] = "new"
            yard["changes"].append(f"push {self.box}")


@dataclass(frozen=True, slots=True)
class IsAt:
    """Each box is on the new shelf."""

    boxes: tuple[str, ...]
    kind: ClassVar[str] = "is-at"
    summary: ClassVar[str] = "every box is on the new shelf"

    def ask(self, world: YardWorld) -> CheckResult:
        yard = world.yard.seen()
        if yard["trouble"] == "fog":
            return Unverified("yard", "cannot be seen", "wait for the fog to lift")
        if yard["trouble"] == "rush":
            return Unverified("yard", "nobody answers in time", "ask again", passes=True)
        for box in self.boxes:
            if box in yard["boxes"] and (yard["boxes"][box] != "new" or yard["haunted"]):
                return Refuted(box, "is not on the new shelf", "carry it")
        return Holds("the new shelf")


@dataclass(frozen=True, slots=True)
class IsOpen:
    """The yard is open."""

    kind: ClassVar[str] = "is-open"
    summary: ClassVar[str] = "the yard is open"

    def ask(self, world: YardWorld) -> CheckResult:
        closed = world.yard.seen()["trouble"] == "closed"
        return Refuted("yard", "is closed", "open it") if closed else Holds("the gate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tidy:
    """Carry every box to the new shelf."""

    kind: ClassVar[str] = "tidy"
    at_once: int = 1
    when_slow: str = "wait"
    seal: bool = True
    goes_on: bool = False
    sets_aside: bool = False  # boxes are sealed in a stage of their own, without what failed
    seal_failed: bool = False
    catch_up: bool = False
    shut: bool = False


_SHUTTING = Stage[YardWorld](
    name="shut", moves=(Move[YardWorld](thing="gate", how="shut", steps=(Shut(),)),)
)


def _sealing(carries: Sequence[Move[YardWorld]]) -> Stage[YardWorld]:
    moves = (replace(each, steps=(Seal(each.thing),)) for each in carries)
    return Stage(name="seal", moves=tuple(moves), goes_on=True)


class TidyOperation:
    """Plans how the yard is tidied."""

    kinds = Kinds.of(
        steps=(Carry, Seal, Hurry, Push, Shut), checks=(IsAt, IsOpen), requests=(Tidy,)
    )

    def plan(self, world: YardWorld, request: Tidy, run_id: str | None) -> Plan[YardWorld]:
        yard = world.yard.seen()
        left = [box for box, at in yard["boxes"].items() if at == "old"]
        carries = tuple(
            Move[YardWorld](
                thing=box,
                how="by hand",
                steps=(Carry(box), Seal(box))
                if request.seal and not request.sets_aside
                else (Carry(box),),
                on_slow=on_slow(request, box),
                slow_after_s=30,
                instead=(Seal(box), Push(box)) if request.when_slow == "push" else (),
                on_failed=(Seal(box),) if request.seal_failed else (),
                expects={"load": yard["load"]},
            )
            for box in left
            if box not in yard["heavy"]
        )
        return Plan(
            title="tidy the yard",
            request=request,
            holds=(world.yard.path.name,),
            decisions={"gate": yard["gate"]},
            facts={"load": yard["load"]},
            blockers=tuple(Blocked(b, "is heavy", "lift it", worry="heavy") for b in yard["heavy"]),
            warnings=tuple(Warned(b, "is fragile") for b in yard["fragile"]),
            stages=(
                *((_SHUTTING,) if request.shut else ()),
                Stage(
                    name="carry",
                    moves=carries,
                    at_once=request.at_once,
                    needs=(IsOpen(),),
                    goes_on=request.goes_on or request.sets_aside,
                    sets_aside=request.sets_aside,
                ),
                *((_sealing(carries),) if request.sets_aside else ()),
                *(
                    (Stage(name="late", moves=(), catches_up=True, needs=(IsOpen(),)),)
                    if request.catch_up
                    else ()
                ),
            ),
            verify=(IsAt(("a", "b")),),
        )

    def judge(self, world: YardWorld, request: Tidy, move: Move[YardWorld]) -> Blocked | None:
        if move.thing in world.yard.seen()["hot"]:
            return Blocked(move.thing, "is hot", "let it cool")
        return None


def on_slow(request: Tidy, box: str) -> tuple[Hurry, ...]:
    match request.when_slow:
        case "force":
            return (Hurry(box, well=True),)
        case "abort" | "push":
            return (Hurry(box, well=False),)
        case _:
            return ()


EMPTY = {
    "boxes": {"a": "old", "b": "old"},
    "carries": [],
    "changes": [],
    "sealed": [],
    "takes": 3,
    "fails": [],
    "standing": [],
    "dropped": [],
    "heavy": [],
    "fragile": [],
    "hot": [],
    "trouble": "",
    "rest": None,
    "slow_help": False,
    "haunted": False,
    "load": 1,
    "gate": "open",
}

QUICK = Pace(poll_s=1, grace_s=5, accepted_s=20, patience_s=60, verify_s=5)


@dataclass
class House:
    """A yard, a journal and a worker: what a test needs to make runs and carry them out."""

    place: Path
    clock: Any = field(default_factory=FakeClock)
    pace: Pace = QUICK
    brakes: Brakes = field(default_factory=Brakes)
    polls: list[int] = field(default_factory=list)
    database: str = ""  # a URL; else the usual file in its place

    def __post_init__(self) -> None:
        self.yard = Yard(self.place / "yard")
        if not self.yard.path.exists():
            self.yard.path.write_text(json.dumps(EMPTY))
        self.journal = SqlJournal(open_database(self.database or url_of(self.place)))

    def world(self, fate: Fate | None = None) -> YardWorld:
        return YardWorld(self.clock, replace(self.yard, fate=fate or Fate()))

    def plan(self, **asked: Any) -> Plan[YardWorld]:
        return TidyOperation().plan(self.world(), Tidy(**asked), None)

    def approved(self, **asked: Any) -> Run:
        approval = Approval(by="ann", at=self.clock.now(), how="--yes")
        return approve(self.plan(**asked), approval, self.journal)

    def context(self, fate: Fate | None = None, worker: str = "one") -> WorkerContext[YardWorld]:
        fate = fate or Fate()

        def poll(world: YardWorld) -> YardWorld:
            self.polls.append(1)
            return world

        return WorkerContext(
            journal=DyingJournal(self.journal, fate),
            operations={"tidy": TidyOperation()},
            kinds=TidyOperation.kinds,
            clock=self.clock,
            world_of=lambda run: replace(self.world(fate), run=run),
            worker=worker,
            poll=poll,
            pace=self.pace,
        )

    def carry_out(self, run: Run, fate: Fate | None = None) -> Run:
        return carry_out(run.id, self.context(fate), self.brakes)

    def cancel(self, run: Run, by: str = "bob") -> Run:
        kinds = TidyOperation.kinds
        return ask_cancel(run.id, by, self.clock.now(), self.journal, kinds)[0]

    def give_up(self, run: Run, why: str) -> Run:
        kinds = TidyOperation.kinds
        return give_up(run.id, "bob", why, "here", self.journal, kinds, self.clock)

    def told(self, run: Run) -> list[str]:
        return [event.what for event in self.journal.events(run.id)]

    def left_at(self, place: Path) -> Callable[[], "House"]:
        """Copy all that there is now to a folder, while others write; return how it is opened."""
        (place / "yard").write_text(json.dumps(self.yard.seen()))
        copied(self.place / FILE, place / FILE)
        clock = FakeClock(self.clock.passed)
        return lambda: House(place, clock=clock, pace=self.pace)

    def close(self) -> None:
        self.journal.close()


def tidying(  # noqa: PLR0913  # each has its usual value
    *,
    ends: object,
    in_order: bool = True,
    yard: Mapping[str, object] | None = None,
    before: Callable[[House], object] | None = None,
    stands: Callable[[House, Run], object] | None = None,
    database: Callable[[], str] = lambda: "",
    pace: Pace = QUICK,
    **asked: Any,
) -> Operation[House]:
    """Return the tidying of a yard, to be killed; it ends with its state and what was changed."""

    def begin(place: Path) -> tuple[House, Run]:
        house = House(place, database=database(), pace=pace)
        house.yard.set(**(yard or {}))
        run = house.approved(**asked)
        if before is not None:
            before(house)
        return house, run

    def changed(house: House, run: Run) -> object:
        return run.state, house.yard.changes if in_order else sorted(house.yard.changes)

    # What is prepared `before` a run is remembered by its house alone.
    left = None if before is not None or database() else House.left_at
    return Operation(begin=begin, stands=stands or changed, ends=ends, left=left)
