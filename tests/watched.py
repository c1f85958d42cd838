"""Every write to every journal that a test opens is followed by asking all invariants.

They are asked on the very connection, just before the commit: what breaks one is not committed.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Engine, event, inspect

from stackward.adapters.store.kept import histories
from stackward.engine.invariants import INVARIANTS, Broken, broken_in
from stackward.model.history import History

NO_PLAN = "{}"  # of a run in a test that is about the journal alone: no step of it is planned
_OF_THE_JOURNAL = tuple(each for each in INVARIANTS if not each.needs_plan)

LOOKS = 5
found: list[str] = []  # in this process, until a test is told
by_hand = False  # this test writes what a run would, without one: only the journal's own are asked


class InvariantBroken(BaseException):
    """A write broke an invariant; no `except Exception` may take it for anything else."""


def watch() -> None:
    """Ask the invariants before each commit of this process from now on."""
    event.listen(Engine, "commit", _ask)


def broken_by(history: History) -> list[Broken]:
    """Return what is broken; a run without a plan cannot be compared with one."""
    is_alone = by_hand or history.run.plan == NO_PLAN
    return broken_in(history, _OF_THE_JOURNAL if is_alone else INVARIANTS)


def _ask(connection: Connection) -> None:
    asked: dict[str, Any] = connection.engine.__dict__.setdefault("stackward_asked", {})
    if not asked.get("is_journal"):
        asked["is_journal"] = inspect(connection).has_table("events")
        if not asked["is_journal"]:
            return
    # In PostgreSQL each statement here sees what others have committed by then: what looks broken
    # because a worker wrote between two of them does not at the next look. What is broken stays.
    lines = list[str]()
    for _ in range(LOOKS):
        lines = list(_broken_in_all(connection))
        if not lines:
            return
    found.extend(lines)
    raise InvariantBroken("\n".join(lines))


def _broken_in_all(connection: Connection) -> Iterator[str]:
    for history in histories(connection):
        for each in broken_by(history):
            yield f"{each.run}: {each.invariant.name}: {each.found}"
