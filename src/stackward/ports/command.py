"""A command of the operator, run on this machine, and what it reported."""

import re
from dataclasses import dataclass
from datetime import datetime

_REQUEST = re.compile(r"req-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command went."""

    program: str  # its arguments may hold secrets
    began: datetime
    ended: datetime
    code: int | None  # None: it was stopped, as its time was over or by Ctrl-C
    said: str  # the end of what it wrote, on both channels

    @property
    def request(self) -> str | None:
        """Return the last request that it named; None where it named none."""
        found = _REQUEST.findall(self.said)
        return found[-1] if found else None
