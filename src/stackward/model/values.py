"""Plain values that survive JSON: what may be in a plan and in the journal."""

from collections.abc import Mapping
from typing import TypeAlias

Json: TypeAlias = (
    "bool | int | float | str | list[Json] | tuple[Json, ...] | Mapping[str, Json] | None"
)

Mark: TypeAlias = Mapping[str, Json]
"""What was newest just before a start: whatever is newer is ours, or somebody else's."""
