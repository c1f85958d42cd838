"""Whether Nova has heard from a service since a moment: what it knows from before is no sign."""

from datetime import datetime

from stackward.model.service import ComputeService
from stackward.model.utc_time import utc_time_or_none


def has_reported_since(service: ComputeService, since: datetime) -> bool | None:
    """Say whether a service has reported since then; None: Nova does not say when it reported."""
    at = utc_time_or_none(service.updated)
    return None if at is None else at > since
