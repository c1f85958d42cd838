"""The claim on a node: what a compute service's `disabled_reason` says when Stackward disabled it.

It is in the cloud itself, so that everybody sees it, with or without our database. Nova keeps 255
characters: only the reason is cut, never the rest.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from stackward.overriding import override

LIMIT = 255

_FORM = re.compile(
    r"^stackward (?P<run>\S+)(?: of chain (?P<chain>\S+))? "
    r"by (?P<operator>\S+) on (?P<machine>\S+) since (?P<since>\S+): (?P<reason>.*)$",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Which run holds a node, for which user, since when and why."""

    run: str
    operator: str
    machine: str
    since: str  # ISO 8601, UTC
    reason: str
    chain: str | None = None  # that started the run

    @override
    def __str__(self) -> str:
        run = f"{self.run} of chain {self.chain}" if self.chain else self.run
        said = f"stackward {run} by {self.operator} on {self.machine} since {self.since}: "
        room = LIMIT - len(said)
        reason = self.reason if len(self.reason) <= room else f"{self.reason[: room - 3]}..."
        return said + reason


def read_claim(text: str | None) -> Claim | None:
    """Read a claim; None where the text is not one of ours."""
    found = _FORM.match(text or "")
    return Claim(**found.groupdict()) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """A node that is out of service, by whose word."""

    node: str  # as the inventory calls the machine, else as Nova does
    claim: Claim | None  # None: it was not Stackward that disabled it
    text: str  # the whole reason, as Nova keeps it
    identified_at: datetime | None = None  # when it last said who it is, where that was needed
    is_known: bool = True  # False: its cell is down, and Nova does not say whether it is disabled
