"""What is asked of a fence."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class FenceRequest:
    """What the operator asked for."""

    kind: ClassVar[str] = "fence-compute-node"
    is_of_now: ClassVar[bool] = True  # what it rests on may not hold any more once it has waited

    node: str
    kill_guests: int | None = None  # so many run there, and are to lose their power
    confirmed_off: str | None = (
        None  # a person's word that its device is the node's, as a reference
    )
    accept_outage: tuple[str, ...] = ()  # every node that is down, by name
