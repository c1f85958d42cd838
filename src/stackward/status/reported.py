"""Whether Nova has heard from a service since a moment: what it knows from before is no sign."""

from datetime import UTC, datetime

from stackward.model.service import ComputeService


def has_reported_since(service: ComputeService, since: datetime) -> bool | None:
    """Say whether a service has reported since then; None where Nova does not tell when it has."""
    if service.updated is None:
        return None
    try:
        at = datetime.fromisoformat(service.updated.removesuffix("Z"))
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)) > since
