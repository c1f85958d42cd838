"""What tables show of the moves of a plan, and of what came of them; each operation has its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stackward.model.values import Json
from stackward.plan.plan import Move


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The names of the columns, and the row of a move in them; `outcome`: those of its account."""

    names: tuple[str, ...]
    row: Callable[[Move[Any]], tuple[Json, ...]]
    outcome: tuple[str, ...]  # of `report/account.py`, in the order in which they are shown
    each: str = "server"  # what a row of the plan is
    gives_way: tuple[str, ...] = ()  # those that a narrow terminal may miss, the first first
