"""How far a node's clock is from ours."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """How far a node's clock is ahead of ours, and how exactly that is known."""

    ahead_s: float
    error_s: float
