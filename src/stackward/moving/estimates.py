"""Write into a plan how long its moves are expected to take: shown, never compared."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median

from stackward.model.duration import SECONDS, PastMove
from stackward.moving.duration import carried_gib, expect
from stackward.plan import PAST_RUNS, Json, Move, Plan
from stackward.ports.world import World

_GIB = "gib"


def with_estimates(plan: Plan[World], past: Sequence[PastMove]) -> Plan[World]:
    """Return the plan with what each server carries, and with its time if past moves show it."""
    stages = (
        replace(stage, moves=tuple(_with_estimate(move, past) for move in stage.moves))
        for stage in plan.stages
    )
    return replace(plan, stages=tuple(stages))


def _with_estimate(move: Move[World], past: Sequence[PastMove]) -> Move[World]:
    needs, copied = move.expects.get("needs"), move.expects.get("bytes")
    if not (move.thing_id and isinstance(needs, Mapping)):
        return move
    memory = needs.get("MEMORY_MB")
    gib = carried_gib(
        move.how,
        memory if isinstance(memory, int) else 0,
        copied if isinstance(copied, int) else 0,
    )
    span = expect(move.how, gib, past)
    times: dict[str, Json] = (
        {SECONDS: [round(each, 1) for each in (span.low, span.likely, span.high)]} if span else {}
    )
    return replace(move, expects={**move.expects, _GIB: round(gib, 3), **times})


def with_past_runs(plan: Plan[World], way: str, past: Sequence[float]) -> Plan[World]:
    """Return the plan with how long runs like it took; without them it says nothing of that."""
    if not past:
        return plan
    told: Json = {
        "of": way,
        "runs": len(past),
        SECONDS: [round(each, 1) for each in (min(past), median(past), max(past))],
    }
    return replace(plan, facts={**plan.facts, PAST_RUNS: told})
