"""What of a plan has to be run as root, and where."""

from collections.abc import Iterator
from typing import Any

from stackward.plan.check import Check
from stackward.plan.plan import Plan
from stackward.plan.step import Step
from stackward.ports.root import NeedsRoot, Words


def needs_root(plan: Plan[Any]) -> dict[str, tuple[Words, ...]]:
    """Return, by node, every command that a step or a check of the plan may run as root there."""
    needed: dict[str, dict[Words, None]] = {}
    for each in _parts(plan):
        if isinstance(each, NeedsRoot):
            needed.setdefault(each.node, {}).update(dict.fromkeys(each.as_root))
    return {node: tuple(commands) for node, commands in needed.items() if commands}


def _parts(plan: Plan[Any]) -> Iterator[Step[Any] | Check[Any]]:
    for stage in plan.stages:
        yield from stage.needs
        for move in stage.moves:
            yield from (*move.steps, *move.on_slow, *move.instead, *move.on_failed)
    yield from plan.verify
