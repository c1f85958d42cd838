"""How sure a cause is, and the rules that say so."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

Known = TypeVar("Known")


class Sureness(StrEnum):
    """How sure a cause is."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"


@dataclass(frozen=True, kw_only=True)
class SurenessRule(Generic[Known]):
    """A rule of how sure a cause is, by what is known of it."""

    holds: Callable[[Known], bool]
    sureness: Sureness
    says: str  # why
    raises: str  # what would make it surer


def first_that_holds(rules: Iterable[SurenessRule[Known]], known: Known) -> SurenessRule[Known]:
    """Return the first rule that holds: the last one of each table always does."""
    return next(rule for rule in rules if rule.holds(known))
