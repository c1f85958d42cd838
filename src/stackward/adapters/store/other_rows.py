"""Workers and observations as rows, and back: what a list of runs need not load."""

import json
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from stackward.adapters.store.rows import at_of, stamp, words_of
from stackward.model.observation import Observation
from stackward.model.worker import Worker


def to_worker(fields: Mapping[str, Any]) -> Worker:
    """Return the worker of a row."""
    return Worker(
        name=fields["name"],
        life=fields["life"],
        machine=fields["machine"],
        pid=fields["pid"],
        since=at_of(fields["since"]),
        cloud=fields["cloud"],
        beats=fields["beats"],
        beat_at=at_of(fields["beat_at"]),
    )


def observation_row(seen: Observation) -> dict[str, Any]:
    """Return an observation as a row; its time may have any zone, its text sorts."""
    return {
        "cloud": seen.cloud,
        "node": seen.node,
        "subject": seen.subject,
        "source": seen.source,
        "value": words_of(seen.value),
        "at": stamp(seen.at.astimezone(UTC)),
    }


def to_observation(fields: Mapping[str, Any]) -> Observation:
    """Return the observation of a row."""
    return Observation(
        cloud=fields["cloud"],
        node=fields["node"],
        subject=fields["subject"],
        source=fields["source"],
        value=json.loads(fields["value"]),
        at=at_of(fields["at"]),
    )
