"""What a plan is made of: steps, checks, moves, stages, verdicts. Values only; no I/O."""

from stackward.model.values import Json, Mark
from stackward.plan.check import Answer, Check, Finding, NotApplicable, Unverified
from stackward.plan.decisions import Differences, differences
from stackward.plan.kinds import Kinds
from stackward.plan.plan import Blocked, Move, Plan, Request, Stage, Verdict, Warned
from stackward.plan.runbook import Runbook, Runbooks, kinds_of
from stackward.plan.step import Look, Progress, Standing, Step
from stackward.plan.stored import VOLATILE, dump_move, from_json, load_move, to_json

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
    "Runbook",
    "Runbooks",
    "Stage",
    "Standing",
    "Step",
    "Unverified",
    "Verdict",
    "Warned",
    "differences",
    "dump_move",
    "from_json",
    "kinds_of",
    "load_move",
    "to_json",
]
