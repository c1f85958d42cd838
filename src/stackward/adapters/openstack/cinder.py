"""Cinder's API as the port `Cinder`, and its JSON as values."""

from stackward.adapters.openstack.answers import Json, text
from stackward.adapters.openstack.http import Api
from stackward.adapters.openstack.paths import at
from stackward.model.volume import Attachment, Volume


class CinderApi:
    """Cinder, behind openstacksdk."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def volume(self, volume: str, /) -> Volume | None:
        """Return a volume; None where there is none."""
        return self._api.find(at("/volumes/{}", volume), to_volume)

    def every_volume(self) -> tuple[Volume, ...]:
        """Return the volumes of all projects."""
        query = [("all_tenants", "true")]
        return self._api.every("/volumes/detail", "volumes", to_listed_volume, query)

    def every_attachment(self, server: str | None = None, /) -> tuple[Attachment, ...]:
        """Return the attachments of all projects; with `server`, those of it."""
        query = [("all_tenants", "true"), *([("instance_id", server)] if server else [])]
        return self._api.every("/attachments", "attachments", to_whole_attachment, query)

    def attachments_of(self, server: str, /) -> tuple[tuple[str, str], ...]:
        """Return Cinder's attachments of a server, (id, volume)."""
        query = [("all_tenants", "true"), ("instance_id", server)]
        return self._api.every("/attachments", "attachments", to_attachment, query)

    def remove_attachment(self, attachment: str, /) -> str | None:
        """Remove an attachment that Nova does not use."""
        return self._api.change("DELETE", at("/attachments/{}", attachment))

    def unreserve(self, volume: str, /) -> str | None:
        """Give a volume free that is `attaching`."""
        return self._api.change("POST", at("/volumes/{}/action", volume), {"os-unreserve": {}})

    def roll_detaching(self, volume: str, /) -> str | None:
        """Call a volume `in-use` again that is `detaching`."""
        return self._api.change("POST", at("/volumes/{}/action", volume), {"os-roll_detaching": {}})

    def volume_services(self) -> tuple[str, ...]:
        """Return the hosts of all cinder-volume services."""
        query = [("binary", "cinder-volume")]
        return self._api.every("/os-services", "services", to_host, query)


def to_volume(given: Json) -> Volume:
    """Read `GET /volumes/{id}`."""
    return to_listed_volume(given["volume"])


def to_listed_volume(one: Json) -> Volume:
    """Read an element of `GET /volumes/detail`."""
    return Volume(
        id=one["id"],
        status=one["status"],
        migration_status=one.get("migration_status"),
        name=one.get("name") or "",
        backend=one.get("os-vol-host-attr:host"),
        attached=tuple((each["server_id"], each.get("host_name")) for each in one["attachments"]),
        attachment_ids=tuple(each.get("attachment_id") or "" for each in one["attachments"]),
        devices=tuple(each.get("device") or "" for each in one["attachments"]),
        updated=one.get("updated_at") or one.get("created_at"),
        project=one.get("os-vol-tenant-attr:tenant_id") or "",
        is_multiattach=bool(one.get("multiattach")),
        is_encrypted=bool(one.get("encrypted")),
    )


def to_whole_attachment(given: Json) -> Attachment:
    """Read an element of `GET /attachments` (3.27 and later)."""
    return Attachment(
        id=text(given["id"]),
        volume=text(given["volume_id"]),
        server=text(given["instance"]) if given.get("instance") else None,
        status=text(given["status"]),
    )


def to_attachment(given: Json) -> tuple[str, str]:
    """Read an element of `GET /attachments` (3.27 and later): its id, and that of its volume."""
    return text(given["id"]), text(given["volume_id"])


def to_host(given: Json) -> str:
    """Read the host of an element of `GET /os-services`: `host@backend`."""
    return text(given["host"])
