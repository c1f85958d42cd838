"""What is asked of a reboot of a compute node."""

from dataclasses import dataclass
from typing import ClassVar

from stackward.model.server import Server
from stackward.model.wish import Consent


@dataclass(frozen=True, slots=True, kw_only=True)
class RebootNodeRequest:
    """What the operator asked for: its servers are stopped on it, and started again.

    Or, of a node that was drained just before: it is empty.
    """

    kind: ClassVar[str] = "reboot-compute-node"

    node: str
    reason: str
    consents: tuple[Consent, ...] = ()  # of owners who wish to be asked
    tiers: tuple[str, ...] = ()  # in the order of their start
    at_once: int = 2  # servers that stop, or start, at a time
    within_s: float = 300.0  # of each, from its start to its proof
    boot_within_s: float = 900.0  # from the order until the node has booted
    is_drained: bool = False  # it is empty and out of service, and stays so
    nodes_at_once: int = 1  # of its chain: so many may be down together

    def consent_to(self, server: Server) -> Consent | None:
        """Return the owner's consent to the downtime of a server, if there is one."""
        return next((each for each in self.consents if each.server == server.id), None)
