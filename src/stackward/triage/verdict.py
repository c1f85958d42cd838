"""What is found: causes, the first the likeliest; what was ruled out; what is not known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from stackward.model.boot_attempt import BootAttempt
from stackward.model.server import Server
from stackward.model.sureness import Sureness
from stackward.signatures.form import Match, Seen, Signature


class Boots(StrEnum):
    """Whether the guest is up, as far as that is known."""

    YES = "yes"
    NO = "no"
    STOPPED = "stopped"  # by request, and nothing is known that would keep it from starting
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A signature that was found, and all by which it was."""

    signature: Signature
    sureness: Sureness
    says: str  # in one sentence
    because: str  # the rule of the sureness
    raises: str  # what would make it surer
    remedy: str
    evidence: Sequence[Match]
    shared_by: int = 1  # servers of the node that suffer from it, as far as that is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Why a server does not boot."""

    server: Server
    node: str | None  # of the inventory; if it has none, Nova's host
    at: datetime
    boots: Boots
    attempt: BootAttempt | None
    causes: Sequence[Cause]
    consequences: Sequence[Cause]
    last_words: Seen | None  # the last error of the attempt, where no cause is known
    ruled_out: Sequence[str]
    unread: Sequence[str]
    notes: Sequence[str] = ()  # what else is known: it was deleted since, stopped by request

    @property
    def is_whole(self) -> bool:
        """Say whether all that matters of it could be read."""
        return not self.unread
