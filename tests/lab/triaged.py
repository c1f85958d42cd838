"""What the product's own triage tells of servers of a real lab."""

import json
from dataclasses import dataclass
from typing import Any

from lab.drains import Drains
from lab.logs import Reader


@dataclass(frozen=True, kw_only=True)
class Triaged:
    """What was told of some servers."""

    code: int
    servers: list[dict[str, Any]]

    @property
    def first(self) -> list[tuple[str | None, str | None, str]]:
        """Return the first cause of each, its certainty, and whether it boots."""
        causes = [(each["causes"] or [{}])[0] for each in self.servers]
        return [
            (cause.get("signature"), cause.get("certainty"), each["boots"])
            for each, cause in zip(self.servers, causes, strict=True)
        ]

    @property
    def evidence(self) -> list[list[dict[str, Any]]]:
        """Return that of the first cause of each."""
        return [each["causes"][0]["evidence"] for each in self.servers]


def triaged(drains: Drains, *servers: str) -> Triaged:
    """Ask why servers do not boot, with a login that may read all that tells it."""
    ended = drains.call("server", "triage", *servers, "-f", "json", *Reader(drains).flags)
    assert ended.stdout, ended.stderr
    return Triaged(code=ended.returncode, servers=json.loads(ended.stdout)["servers"])
