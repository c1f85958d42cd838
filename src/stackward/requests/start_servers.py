"""What is asked of a start of servers."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRequest:
    """What the operator asked for."""

    kind: ClassVar[str] = "start-servers"

    servers: tuple[str, ...]  # their names or ids; in a plan their ids
    tiers: tuple[str, ...] = ()  # in the order of their start
    at_once: int = 2
    within_s: float = 300.0  # of each, from its start to its proof
