"""What stands written in an inventory, and where."""

from dataclasses import dataclass

from typing_extensions import override

from stackward.errors import BadInput


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file."""

    source: str
    line: int

    @override
    def __str__(self) -> str:
        return f"`{self.source}`, line {self.line}"


@dataclass(frozen=True, slots=True)
class Variable:
    """A value as it is written, and where."""

    text: str
    place: Place


def cannot_read(place: Place, why: str, hint: str | None = None) -> BadInput:
    """Return the error for a line that cannot be understood."""
    return BadInput(f"cannot read the inventory: {place}: {why}", hint=hint)
