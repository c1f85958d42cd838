"""Times as the services of OpenStack give them: in UTC, which they do not always say."""

from datetime import UTC, datetime


def utc_time(said: str) -> datetime:
    """Read such a time. Raises ValueError where it has another form."""
    at = datetime.fromisoformat(said)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def utc_time_or_none(said: str | None) -> datetime | None:
    """Read such a time; None: no time is given, or it has no known form."""
    try:
        return utc_time(said or "")
    except ValueError:
        return None
