"""Begin a run of a chain, and wait for its end; undone by undoing that run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from stackward.model.run import Run, RunState
from stackward.plan import Look, Mark, Standing
from stackward.ports.children import Children, InItem
from stackward.ports.world import World

_REMEDY = "remedy: "  # so begins the line of an ending that says what to do


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryOutRun:
    """Plan a request from fresh facts, begin a run of it, and wait until it has ended well."""

    kind: ClassVar[str] = "carry-out-run"

    item: str  # what it is known by in its chain
    title: str  # of its plan, as it was approved
    asked: dict[str, Any]  # the request, as it is stored
    decisions: dict[str, str] = field(default_factory=dict)  # of the approved plan
    part: int = 0  # how many runs of the item come before it
    is_last: bool = True  # of the runs of its item
    how: str = ""  # what it does, in a word; empty: what the chain does
    domain: str = ""  # the failure domain of its item; no other one goes on with it
    apart: tuple[str, ...] = ()  # items that never go on together with its own
    needs_well: bool = False  # its item is started only while the cloud is well

    @property
    def place(self) -> InItem:
        """Return where in its chain the run is."""
        return InItem(item=self.item, part=self.part, is_last=self.is_last)

    @property
    def summary(self) -> str:
        """Say what it does."""
        return self.title

    @property
    def undo(self) -> str:
        """Say how it is taken back."""
        return "`stackward run undo` of that run"

    def mark(self, world: World, /) -> Mark:
        """Note the last run of the item, and its epoch: how often a worker has taken it."""
        last = _children(world).newest(self.place)
        return {"run": last.id, "epoch": last.epoch} if last else {"run": None, "epoch": None}

    def look(self, world: World, mark: Mark | None, /) -> Look:
        """Say how its run is: one that was started, or resumed, since the mark."""
        children = _children(world)
        run = children.newest(self.place)
        if run is None or (mark and (run.id, run.epoch) == (mark["run"], mark["epoch"])):
            return Look(Standing.TODO)
        if run.state is RunState.SUCCEEDED:
            return Look(Standing.DONE, saw=_saw(run))
        if run.state in {RunState.QUEUED, RunState.RUNNING}:
            children.see_to(run)
            return Look(Standing.UNDERWAY, reason=f"run `{run.id}` is {run.state}")
        if mark is None:
            return Look(Standing.TODO)  # it is resumed, or planned again
        return Look(
            Standing.FAILED,
            reason=_how_it_ended(run),
            remedy="; ".join(_remedies(run)) or None,
            service=run.ending.service,
            says=run.ending.says,
            request_id=run.ending.request_id,
            saw=_saw(run),
        )

    def start(self, world: World, /) -> str | None:
        """Plan the run and begin it; or go on with it, where it has stopped."""
        children = _children(world)
        children.begin(self.place, self.asked, self.decisions, needs_well=self.needs_well)
        return None


def _children(world: World) -> Children:
    assert world.children is not None, "only a chain begins runs"  # noqa: S101  # a slip of ours
    return world.children


def _saw(run: Run) -> Mapping[str, str]:
    return {"run": run.id, "state": run.state.value}


def _how_it_ended(run: Run) -> str:
    by = f" by {run.cancel_asked_by}" if run.cancel_asked_by else ""
    if run.state is RunState.CANCELLED:
        return f"run `{run.id}` was cancelled{by}"
    said = [each for each in run.ending.details if not each.startswith(_REMEDY)]
    why = f": {'; '.join([run.ending.reason, *said])}" if run.ending.reason else ""
    return f"run `{run.id}` is {run.state}{why}"


def _remedies(run: Run) -> Iterator[str]:
    """Return what its ending says must be done: it is said once, not in each row."""
    for each in run.ending.details:
        if each.startswith(_REMEDY):
            yield each.removeprefix(_REMEDY)
