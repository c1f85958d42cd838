"""Nova's record of a move."""

from dataclasses import dataclass

# Every status of a migration in which something may still happen (nova 31.0,
# objects/migration.py and compute/manager.py). `finished` is a resize that awaits confirmation.
IN_PROGRESS = (
    "accepted",
    "queued",
    "preparing",
    "pre-migrating",
    "running",
    "migrating",
    "post-migrating",
    "confirming",
    "reverting",
)


AWAITS_CONFIRMATION = "finished"  # a resize or a cold migration, while its server is VERIFY_RESIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """Nova's record of a move."""

    id: int
    uuid: str
    server: str
    kind: str  # live-migration, migration (cold), resize, evacuation
    status: str
    source: str
    target: str | None
    created: str = ""
    updated: str | None = None
    user: str | None = None
