"""A fact that could not be read, and why."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from stackward.answers import why
from stackward.errors import NotUnderstood, StackwardError, Uncertain

Fact = TypeVar("Fact")


class Hindrance(StrEnum):
    """What kept a fact from being read, where it was not what answered; each has its remedy."""

    WAY = "no way"  # nothing leads to the node, or it does not let us in
    LATE = "late"  # it was asked, and gave no answer
    UNNAMED = "unnamed"  # no node of the inventory is known to be it
    LACKING = "lacking"  # the program that would answer is not there


@dataclass(frozen=True, slots=True)
class Unread:
    """A fact that could not be read, and why: not the same as a fact that says no."""

    why: str
    by: Hindrance | None = None  # None: an answer came, which says so or is not understood
    hint: str | None = None  # the way on, of who could not reach it

    @classmethod
    def of(cls, error: StackwardError) -> "Unread":
        """Return what could not be read because of an error on the way."""
        if isinstance(error, NotUnderstood):
            return cls(why(error), None, error.hint)
        by = Hindrance.LATE if isinstance(error, Uncertain) else Hindrance.WAY
        return cls(why(error), by, error.hint)

    @property
    def may_be_dead(self) -> bool:
        """Say whether nothing was heard of the node."""
        return self.by in {Hindrance.WAY, Hindrance.LATE, Hindrance.UNNAMED}


def or_unread(ask: Callable[[], Fact]) -> Fact | Unread:
    """Return what was asked for; or why it could not be read."""
    try:
        return ask()
    except StackwardError as error:
        return Unread.of(error)
