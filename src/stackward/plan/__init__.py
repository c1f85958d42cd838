"""What a plan is made of: steps, checks, moves, stages, verdicts. Values only; no I/O."""

from stackward.model.values import Json, Mark
from stackward.plan.caught_up import CAUGHT_UP, with_caught_up
from stackward.plan.chain import (
    APART,
    AS_OF_NOW,
    DOMAIN,
    NOT_UNDONE,
    PAST_RUNS,
    BeginsRun,
    are_together,
    begins_runs,
    is_chain,
)
from stackward.plan.check import Check, CheckResult, Holds, NotApplicable, Refuted, Unverified
from stackward.plan.columns import Columns
from stackward.plan.decisions import Differences, differences
from stackward.plan.kinds import ByKind, Kinds
from stackward.plan.of_cloud import (
    cloud_of,
    left_to_operators,
    of_cloud,
    refuse_another,
    refuse_unsaid,
)
from stackward.plan.operation import OperationInRun
from stackward.plan.path import Part
from stackward.plan.plan import ASKED_BY, Blocked, Move, Plan, Request, Stage, Verdict, Warned
from stackward.plan.rights import needs_root
from stackward.plan.step import (
    GIVEN_UP,
    Examined,
    FromHost,
    Lasting,
    Lifting,
    Look,
    Progress,
    Prompt,
    Standing,
    Step,
    Traced,
    Waiting,
)
from stackward.plan.stored import (
    FLAT,
    VOLATILE,
    dump,
    dump_move,
    from_json,
    from_mapping,
    load_request,
    to_json,
    to_mapping,
)

__all__ = [
    "APART",
    "ASKED_BY",
    "AS_OF_NOW",
    "CAUGHT_UP",
    "DOMAIN",
    "FLAT",
    "GIVEN_UP",
    "NOT_UNDONE",
    "PAST_RUNS",
    "VOLATILE",
    "BeginsRun",
    "Blocked",
    "ByKind",
    "Check",
    "CheckResult",
    "Columns",
    "Differences",
    "Examined",
    "FromHost",
    "Holds",
    "Json",
    "Kinds",
    "Lasting",
    "Lifting",
    "Look",
    "Mark",
    "Move",
    "NotApplicable",
    "OperationInRun",
    "Part",
    "Plan",
    "Progress",
    "Prompt",
    "Refuted",
    "Request",
    "Stage",
    "Standing",
    "Step",
    "Traced",
    "Unverified",
    "Verdict",
    "Waiting",
    "Warned",
    "are_together",
    "begins_runs",
    "cloud_of",
    "differences",
    "dump",
    "dump_move",
    "from_json",
    "from_mapping",
    "is_chain",
    "left_to_operators",
    "load_request",
    "needs_root",
    "of_cloud",
    "refuse_another",
    "refuse_unsaid",
    "to_json",
    "to_mapping",
    "with_caught_up",
]
