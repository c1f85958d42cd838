"""A boot of a node."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeBoot:
    """One boot of a node: what the kernel says decides whether two are the same, not the clock.

    Containers may have the name of their host's boot: then their first process decides.
    """

    id: str
    first_process: int  # when it began, in ticks since the machine did
    at: datetime = field(compare=False)  # by a clock, which may be set at any time
