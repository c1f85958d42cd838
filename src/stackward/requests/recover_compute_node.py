"""What is asked of a recovery: a node is back after it was lost."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoverRequest:
    """What the operator asked for."""

    kind: ClassVar[str] = "recover-compute-node"

    node: str
    only: tuple[str, ...] = ()  # ids: no other is brought up
    start: tuple[str, ...] = ()  # ids that run again, no matter what witnesses say
    leave_off: tuple[str, ...] = ()  # ids that stay as they are
    tiers: tuple[str, ...] = ()  # in the order of their start
    at_once: int = 2
    within_s: float = 300.0  # of each, from its start to its proof
