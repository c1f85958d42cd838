"""Masakari's API as the port `Masakari`, and its JSON as values."""

from collections.abc import Callable
from typing import TypeVar

from stackward.adapters.openstack.answers import Json, text
from stackward.adapters.openstack.http import Api
from stackward.adapters.openstack.paths import at
from stackward.errors import StackwardError
from stackward.model.identity import Hosts
from stackward.model.instance_ha import HaHost, HaNotification
from stackward.ports.cloud import Cloud

Parsed = TypeVar("Parsed")

INSTANCE_HA = "instance-ha"  # its type in the catalog
_PAGE = 500  # half of what it gives at most, unless its `osapi_max_limit` says less


class MasakariApi:
    """Masakari, behind openstacksdk."""

    def __init__(self, api: Api, cloud: Cloud) -> None:
        self._api, self._cloud = api, cloud

    def ha_hosts(self, host: str, /) -> tuple[HaHost, ...]:
        """Return a host's entries in the instance-HA service.

        Raises StackwardError where they may be those of two machines.
        """
        if not self._cloud.has_service(INSTANCE_HA):
            return ()
        segments = self._every("/segments", "segments", lambda one: text(one["uuid"]))
        entries = [
            entry
            for segment in segments
            for entry in self._every(at("/segments/{}/hosts", segment), "hosts", to_ha_host)
        ]
        names = set(Hosts({entry.host for entry in entries}).called(host))
        if len(names) > 1:
            listed = ", ".join(f"`{name}`" for name in sorted(names))
            raise StackwardError(
                f"the instance-HA service has several hosts for `{host}`: {listed}"
            )
        return tuple(entry for entry in entries if entry.host in names)

    def notifications_of(self, entry: HaHost, /) -> tuple[HaNotification, ...]:
        """Return the notifications that the service has of a host that it looks after."""
        query = [("source_host_uuid", entry.id), ("limit", str(_PAGE))]
        return self._api.every(
            "/notifications", "notifications", to_notification, query, marker="id"
        )

    # --- changing ---

    def set_ha_host(self, entry: HaHost, /, *, is_in_maintenance: bool) -> str | None:
        """Set for the instance-HA service whether a host is in maintenance."""
        path = at("/segments/{}/hosts/{}", entry.segment, entry.id)
        body = {"host": {"on_maintenance": is_in_maintenance}}
        return self._api.change("PUT", path, body)

    def _every(self, path: str, name: str, parse: Callable[[Json], Parsed]) -> tuple[Parsed, ...]:
        # Its pages do not say whether another follows. Its marker is the number of a row, not a
        # UUID (masakari 19, db/sqlalchemy/api.py): by a UUID it answers 400.
        query = [("limit", str(_PAGE))]
        return self._api.every(path, name, parse, query, marker="id")


def to_ha_host(given: Json) -> HaHost:
    """Read an element of `GET /segments/{uuid}/hosts`."""
    return HaHost(
        id=given["uuid"],
        segment=given["failover_segment_id"],
        host=given["name"],
        is_in_maintenance=given["on_maintenance"],
    )


def to_notification(given: Json) -> HaNotification:
    """Read an element of `GET /notifications`."""
    return HaNotification(
        id=text(given["notification_uuid"]), kind=text(given["type"]), status=text(given["status"])
    )
