"""What is asked of a drain."""

from dataclasses import dataclass
from typing import ClassVar

from stackward.model.compute import Server
from stackward.model.project import Project
from stackward.model.wish import Consent


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainRequest:
    """What the operator asked for."""

    kind: ClassVar[str] = "drain-compute-node"

    node: str
    reason: str
    allow_downtime: bool = False  # stop what cannot move live
    leave_behind: tuple[str, ...] = ()  # ids of servers that stay
    projects: tuple[Project, ...] = ()  # only their servers move; none: all do
    consents: tuple[Consent, ...] = ()  # of owners who wish to be asked
    target: str | None = None  # all go there
    at_once: int = 2
    slow_after_s: float = 1800.0
    when_slow: str = "wait"  # or "force-complete", "abort", "stop-server"
    keep_service: bool = False  # leave nova-compute running afterwards
    with_mask: bool = True  # of the unit that is kept off

    def takes(self, server: Server) -> bool:
        """Say whether the server is to leave: here, and nowhere else, that is decided."""
        if server.id in self.leave_behind:
            return False
        return not self.projects or server.project in self.project_ids

    def consent_to(self, server: Server) -> Consent | None:
        """Return the owner's consent to move the server, if there is one."""
        return next((each for each in self.consents if each.server == server.id), None)

    @property
    def project_ids(self) -> tuple[str, ...]:
        """Return the ids of the projects whose servers move; none: of all."""
        return tuple(each.id for each in self.projects)

    @property
    def empties_the_node(self) -> bool:
        """Say whether nothing is to stay: only then may the node be powered off."""
        return not (self.leave_behind or self.projects)
