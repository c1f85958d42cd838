"""What a plan is made of: steps, checks, moves, stages, verdicts. Values only; no I/O."""

from stackward.plan.check import Answer, Check, Finding, NotApplicable, Unverified
from stackward.plan.decisions import Differences, differences
from stackward.plan.kinds import Kinds
from stackward.plan.plan import Blocked, Move, Plan, Request, Stage, Verdict, Warned
from stackward.plan.step import Look, Progress, Standing, Step
from stackward.plan.stored import VOLATILE, from_json, to_json
from stackward.plan.values import Json, Mark

__all__ = [
    "VOLATILE",
    "Answer",
    "Blocked",
    "Check",
    "Differences",
    "Finding",
    "Json",
    "Kinds",
    "Look",
    "Mark",
    "Move",
    "NotApplicable",
    "Plan",
    "Progress",
    "Request",
    "Stage",
    "Standing",
    "Step",
    "Unverified",
    "Verdict",
    "Warned",
    "differences",
    "from_json",
    "to_json",
]
