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
    over: str | None = None  # a run of another machine's journal, whose claim may be lifted
