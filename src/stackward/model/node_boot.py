"""A boot of a node."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeBoot:
    """One boot of a node: two are the same by what the kernel tells of it, whatever its clock says.

    Containers may have the name of their host's boot: then their first process tells.
    """

    id: str
    first_process: int  # when it began, in ticks since the machine did
    at: datetime = field(compare=False)  # by a clock, which may be set at any time
