"""How servers move, in any operation: part of each request that moves servers."""

from dataclasses import dataclass

from stackward.model.server import Server
from stackward.model.wish import Consent


@dataclass(frozen=True, slots=True, kw_only=True)
class HowToMove:
    """What the operator allows, what owners agree to, and how fast; stored flat in a request."""

    allow_downtime: bool = False  # stop what cannot move live
    leave_behind: tuple[str, ...] = ()  # ids of servers that stay where they are
    consents: tuple[Consent, ...] = ()  # of owners who wish to be asked
    at_once: int = 2
    slow_after_s: float = 1800.0
    when_slow: str = "wait"  # or "force-complete", "abort", "stop-server"

    def consent_to(self, server: Server) -> Consent | None:
        """Return the owner's consent to move the server, if there is one."""
        return next((each for each in self.consents if each.server == server.id), None)
