"""Approve a plan: from then on it is a run, and has its nodes for itself."""

from random import SystemRandom
from typing import Any

from stackward.errors import Refused
from stackward.model.run import Approval, Run, new_run_id
from stackward.plan import Plan, to_json
from stackward.ports.journal import Journal


def approve(plan: Plan[Any], approval: Approval, journal: Journal) -> Run:
    """Make a run of the plan, as it stands; refuse one that has blockers or nothing to do."""
    if plan.blockers:
        raise Refused(
            f"cannot {plan.title}: {len(plan.blockers)} blocked",
            details=[f"{each.thing}  {each.reason}  {each.remedy}" for each in plan.blockers],
            hint="do what the lines above advise, then plan again",
        )
    run = Run(
        id=new_run_id(approval.at, SystemRandom()),
        title=plan.title,
        plan=to_json(plan),
        approval=approval,
        holds=plan.holds,
    )
    journal.add(run, undoes=plan.undoes)
    return run
