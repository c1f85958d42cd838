"""What the table of a plan shows of each of its moves; each operation has its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stackward.model.values import Json
from stackward.plan.plan import Move


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The names of the columns, and the row of a move in them."""

    names: tuple[str, ...]
    row: Callable[[Move[Any]], tuple[Json, ...]]
    gives_way: tuple[str, ...] = ()  # those that a narrow terminal may miss, the first first
