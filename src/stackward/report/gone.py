"""A thing for which nothing was left to do: a server that was deleted, or moved by others."""

from collections.abc import Mapping

from stackward.model.values import Json
from stackward.wording import in_utc

GONE = "gone"


def is_gone(saw: Mapping[str, Json]) -> bool:
    """Say whether a step was settled because its thing is not there any more."""
    return bool(saw.get(GONE))


def how_it_went(saw: Mapping[str, Json]) -> str:
    """Say when it was deleted and which user did it, as far as the service says."""
    if host := saw.get("host"):
        return f"it is on `{host}` already, not through this run"
    if "deleted_at" not in saw:  # written by an older version
        return "there was nothing left to do for it"
    at, by, request = (saw.get(name) for name in ("deleted_at", "deleted_by", "deleted_request"))
    if not at:
        return "it was deleted; Nova does not show when, or by which user"
    when = in_utc(str(at))
    return f"it was deleted at {when} by user {by or 'unknown'}{f' ({request})' if request else ''}"
