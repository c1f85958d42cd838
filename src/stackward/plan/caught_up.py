"""What came to a plan while it was carried out, as the journal remembers it."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from stackward.model.run import Event
from stackward.plan.kinds import Kinds
from stackward.plan.plan import Plan
from stackward.plan.stored import load_move

CAUGHT_UP = "caught up"  # the event: its step is the stage, and it says the moves


def with_caught_up(plan: Plan[Any], events: Iterable[Event], kinds: Kinds) -> Plan[Any]:
    """Return the plan with the moves that its stages caught up with."""
    found: dict[str, list[Any]] = {}
    for event in events:
        stored = event.says.get("moves")
        if event.what == CAUGHT_UP and isinstance(stored, list | tuple):
            found[event.step] = [load_move(each, kinds) for each in stored]
    stages = (replace(each, moves=(*each.moves, *found.get(each.name, ()))) for each in plan.stages)
    return replace(plan, stages=tuple(stages)) if found else plan
