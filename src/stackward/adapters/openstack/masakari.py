"""Masakari's JSON as values."""

from stackward.adapters.openstack.answers import Json
from stackward.model.instance_ha import Guarded


def to_guarded(given: Json) -> Guarded:
    """Read an element of `GET /segments/{uuid}/hosts`."""
    return Guarded(
        id=given["uuid"],
        segment=given["failover_segment_id"],
        host=given["name"],
        is_in_maintenance=given["on_maintenance"],
    )
