"""What is asked of a node's boot gate."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRequest:
    """What the operator asked for."""

    kind: ClassVar[str] = "change-boot-gate"

    node: str
    to: str  # "installed", "removed" or "open"
