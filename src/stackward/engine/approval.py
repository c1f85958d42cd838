"""Approve a plan: after that it is a run, and has its nodes for itself."""

from dataclasses import dataclass
from random import SystemRandom
from typing import Any

from stackward.errors import Refused
from stackward.model.run import Approval, Run, Turn, new_run_id
from stackward.plan import Kinds, Plan, cloud_of, is_chain, to_json
from stackward.ports.children import InItem
from stackward.ports.journal import Journal
from stackward.status.half_way import left_half_way
from stackward.status.turn import refuse_if_passed


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunBy:
    """The chain that begins a run, for which of its items, and the epoch of the chain's worker."""

    chain: str
    place: InItem
    epoch: int
    after: str  # the id of the newest run of the chain, or of the chain itself


def approve(  # noqa: PLR0913  # what is approved, and for when
    plan: Plan[Any],
    approval: Approval,
    journal: Journal,
    *,
    kinds: Kinds | None = None,
    for_workers: bool = False,
    turn: Turn | None = None,
    begun_by: BegunBy | None = None,
) -> Run:
    """Make a run of the plan, unchanged; refuse one that has blockers or nothing to do.

    With a turn, the run is for the workers: they begin it then, and no later. `kinds`, of a plan
    that undoes a run: those of that run's plan. A run of a chain says for which item it is.
    """
    if plan.blockers:
        raise Refused(
            f"cannot {plan.title}: {len(plan.blockers)} blocked",
            details=[f"{each.thing}  {each.reason}  {each.remedy}" for each in plan.blockers],
            hint="do what the lines above advise, then plan again",
        )
    if turn is not None:
        refuse_if_passed(turn, approval.at)
    run = Run(
        id=new_run_id(approval.at, SystemRandom(), after=begun_by.after if begun_by else None),
        title=plan.title,
        plan=to_json(plan),
        approval=approval,
        cloud=cloud_of(plan).id,
        # A chain has nothing for itself: each of its runs takes its nodes when its turn comes.
        holds=() if is_chain(plan) else plan.holds,
        comes_to=plan.holds if is_chain(plan) else (),
        chain=begun_by.chain if begun_by else None,
        item=begun_by.place.item if begun_by else "",
        part=begun_by.place.part if begun_by else 0,
        passes_on=begun_by is not None and not begun_by.place.is_last,
        for_workers=for_workers or turn is not None,
        turn=turn,
    )
    epoch = begun_by.epoch if begun_by else None
    if plan.undoes is None:
        journal.add(run, chain_epoch=epoch)
    else:
        left = left_half_way(journal, journal.run(plan.undoes), kinds or Kinds())
        journal.add(
            run,
            undoes=plan.undoes,
            must_go_on=lambda made: bool(left(made)),
            chain_epoch=epoch,
        )
    return run
