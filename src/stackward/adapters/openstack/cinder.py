"""Cinder's JSON as values."""

from stackward.adapters.openstack.answers import Json, text
from stackward.model.volume import Volume


def to_volume(given: Json) -> Volume:
    """Read `GET /volumes/{id}`."""
    one = given["volume"]
    return Volume(
        id=one["id"],
        status=one["status"],
        migration_status=one.get("migration_status"),
        name=one.get("name") or "",
        attached=tuple((each["server_id"], each.get("host_name")) for each in one["attachments"]),
    )


def to_attachment(given: Json) -> tuple[str, str]:
    """Read an element of `GET /attachments` (3.27 and later): its id, and that of its volume."""
    return text(given["id"]), text(given["volume_id"])


def to_host(given: Json) -> str:
    """Read the host of an element of `GET /os-services`: `host@backend`."""
    return text(given["host"])
