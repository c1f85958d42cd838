"""What a move and a step are called in the journal; nothing else spells or reads these paths.

A move is `STAGE/THING`, a step `STAGE/THING/0`. The number is the place of the step among the steps
of its part of the move. Any part except the ordinary one is named before the number, as in
`move/web-3/slow-0`. This is a stored format.
"""

from enum import StrEnum

_SEPARATOR = "/"
_DIGITS = "0123456789"


class Part(StrEnum):
    """Which steps of a move a step is among; the value is written before its number."""

    STEPS = ""
    SLOW = "slow-"  # started next to a step that is slow
    INSTEAD = "instead-"  # carried out in place of the first ones
    FAILED = "failed-"  # take back what a failed move left behind


def path_of_move(stage: str, key: str) -> str:
    """Return what a move is called, by the name of its stage and its key in it."""
    return f"{stage}{_SEPARATOR}{key}"


def path_of_step(move: str, place: int, part: Part = Part.STEPS) -> str:
    """Return what a step is called, by the path of its move and its place in a part of it."""
    return f"{move}{_SEPARATOR}{part}{place}"


def stage_of(path: str) -> str:
    """Return the name of the stage of a move or a step."""
    return path.partition(_SEPARATOR)[0]


def move_of(step: str) -> str:
    """Return the path of the move of a step."""
    return step.rpartition(_SEPARATOR)[0]


def last_of(step: str) -> str:
    """Return what a step is called within its move: its part and its number."""
    return step.rpartition(_SEPARATOR)[2]


def part_of(step: str) -> Part | None:
    """Return the part of its move that a step is in; None where this version knows no such part."""
    name = last_of(step)
    word = name.rstrip(_DIGITS)
    return Part(word) if word != name and word in set(Part) else None


def is_of(step: str, move: str) -> bool:
    """Say whether the path of a step is one of this move's."""
    return step.startswith(f"{move}{_SEPARATOR}")
