"""A return after which servers are brought back: one plan, or two, one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass

from stackward.errors import BadInput
from stackward.operations import plan_request
from stackward.operations.return_compute_node.rules import NOTHING_TO_RETURN
from stackward.plan import Blocked, Plan
from stackward.ports.journal import Journal
from stackward.ports.world import World
from stackward.requests.bring_back_servers import BringBackRequest, bring_back_request
from stackward.requests.how_to_move import HowToMove
from stackward.requests.return_compute_node import ReturnRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnAndBack:
    """A plan, and how servers come back by a second one, made of fresh facts once it succeeded."""

    plan: Plan[World]
    then: HowToMove | None = None  # None: no other plan follows

    def request_after(self, how: HowToMove) -> BringBackRequest:
        """Return what is planned next; `Refused` where no drain of the node is known."""
        return bring_back_request(self.plan.request, how)

    def refuse_to_queue(self) -> None:
        """Refuse to leave two plans to the workers: the second is of facts that are not so yet."""
        if self.then is None:
            return
        asked = self.plan.request
        run = asked.run if isinstance(asked, ReturnRequest) else None
        both = f"; or `stackward run undo {run} --queue` does both under one approval"
        raise BadInput(
            "`--bring-back` is planned once the node serves again: it cannot be queued with that",
            stands="nothing was changed",
            hint="queue the return alone; when it has succeeded, queue it with `--bring-back`"
            + (both if run else ""),
        )


def plan_return_and_back(
    world: World, journal: Journal, asked: ReturnRequest, how: HowToMove | None
) -> ReturnAndBack:
    """Plan the return; servers come back by a second plan, or by this one if the node serves.

    `how` they come back; None: they do not.
    """
    plan = plan_request(world, journal, asked)
    if how is not None and _is_in_service(plan.blockers):
        back = bring_back_request(plan.request, how)
        return ReturnAndBack(plan=plan_request(world, journal, back))
    return ReturnAndBack(plan=plan, then=how)


def _is_in_service(blockers: Sequence[Blocked]) -> bool:
    """Say whether all that stands against a return is that there is nothing to return."""
    return {each.worry for each in blockers} == {NOTHING_TO_RETURN.name}
