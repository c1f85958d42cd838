"""What is asked of a drain."""

from dataclasses import dataclass, field
from typing import ClassVar

from stackward.model.project import Project
from stackward.model.server import Server
from stackward.plan import FLAT
from stackward.requests.how_to_move import HowToMove


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainRequest:
    """What the operator asked for."""

    kind: ClassVar[str] = "drain-compute-node"

    node: str
    reason: str
    how: HowToMove = field(default=HowToMove(), metadata=FLAT)
    projects: tuple[Project, ...] = ()  # only their servers move; none: all do
    target: str | None = None  # all go there
    keep_service: bool = False  # leave nova-compute running afterwards
    with_mask: bool = True  # of the unit that is kept off
    # Of a chain whose nodes come back: so many are out of service together. 0: none comes back.
    away_at_once: int = 0

    def takes(self, server: Server) -> bool:
        """Say whether the server is to leave: here, and nowhere else, that is decided."""
        if server.id in self.how.leave_behind:
            return False
        return not self.projects or server.project in self.project_ids

    @property
    def project_ids(self) -> tuple[str, ...]:
        """Return the ids of the projects whose servers move; none: of all."""
        return tuple(each.id for each in self.projects)

    @property
    def keeps_off(self) -> bool:
        """Say whether nova-compute is kept off afterwards."""
        return not self.keep_service and self.empties_the_node

    @property
    def empties_the_node(self) -> bool:
        """Say whether nothing is to stay: only then may the node be powered off."""
        return not (self.how.leave_behind or self.projects)
