"""What is asked of a return to service."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnRequest:
    """What the operator asked for; what is None is chosen: the smallest that will do."""

    kind: ClassVar[str] = "return-compute-node"

    node: str
    image: str | None = None  # by name or id, as the next two
    flavor: str | None = None
    network: str | None = None  # None: the acceptance server has no port
    run: str | None = None  # the drain whose servers are to come home
    discard_old_disks: bool = False  # of servers that were evacuated from there
    boot_within_s: float = 600.0  # where it has no power: until it answers
    over: str | None = None  # a run of another machine's journal, whose claim may be lifted
