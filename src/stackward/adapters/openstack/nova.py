"""Nova's JSON as values. A field left out for want of rights is an error, not a guess."""

from datetime import UTC, datetime
from typing import Any

from stackward.masking import masked
from stackward.model.compute import (
    ActionEvent,
    Aggregate,
    ComputeService,
    Flavor,
    Hypervisor,
    Migration,
    Server,
    ServerAction,
    ServerGroup,
)

Json = dict[str, Any]


def to_server(given: Json) -> Server:
    """Read an element of `GET /servers/detail`, or the server of `GET /servers/{id}`."""
    image = given.get("image") or {}
    return Server(
        id=given["id"],
        name=given["name"],
        status=given["status"],
        vm_state=given["OS-EXT-STS:vm_state"],
        task_state=given["OS-EXT-STS:task_state"],
        power_state=given["OS-EXT-STS:power_state"],
        host=given["OS-EXT-SRV-ATTR:host"] or None,
        flavor=to_flavor(given["flavor"]),
        project=given["tenant_id"],
        user=given.get("user_id") or "",
        is_locked=bool(given["locked"]),
        locked_reason=_words(given.get("locked_reason")),
        pinned_zone=given.get("pinned_availability_zone"),
        has_image=bool(image.get("id")),
        metadata=_pairs(given.get("metadata") or {}),
        image_properties=_pairs(image["properties"]) if "properties" in image else None,
        volume_ids=tuple(one["id"] for one in given["os-extended-volumes:volumes_attached"]),
        group_id=next(iter(given.get("server_groups") or ()), None),
        updated=given.get("updated"),
        fault=_words((given.get("fault") or {}).get("message")),
    )


def to_flavor(given: Json) -> Flavor:
    """Read the flavor that Nova embeds in a server (2.47 and later)."""
    return Flavor(
        name=given["original_name"],
        vcpus=given["vcpus"],
        ram_mib=given["ram"],
        disk_gib=given["disk"],
        ephemeral_gib=given["ephemeral"],
        swap_mib=given["swap"],
        extra_specs=_pairs(given["extra_specs"]),
    )


def to_service(given: Json) -> ComputeService:
    """Read an element of `GET /os-services`."""
    return ComputeService(
        id=given["id"],
        binary=given["binary"],
        host=given["host"],
        is_enabled=given["status"] == "enabled",
        is_up=given["state"] == "up",
        zone=given["zone"],
        disabled_reason=_words(given["disabled_reason"]),
        is_forced_down=given["forced_down"],
        updated=given["updated_at"],
    )


def to_hypervisor(given: Json) -> Hypervisor:
    """Read an element of `GET /os-hypervisors/detail` at 2.87, the last with `cpu_info`."""
    cpu = given.get("cpu_info") or {}
    return Hypervisor(
        id=given["id"],
        name=given["hypervisor_hostname"],
        host=given["service"]["host"],
        kind=given["hypervisor_type"],
        address=given.get("host_ip"),
        version=given["hypervisor_version"],
        cpu_model=cpu.get("model"),
    )


def to_migration(given: Json) -> Migration:
    """Read an element of `GET /os-migrations`."""
    return Migration(
        id=given["id"],
        uuid=given["uuid"],
        server=given["instance_uuid"],
        kind=given["migration_type"],
        status=given["status"],
        source=given["source_compute"],
        target=given["dest_compute"],
        created=given["created_at"],
        updated=given.get("updated_at"),
        user=given.get("user_id"),
    )


def to_action(given: Json) -> ServerAction:
    """Read an element of `GET /servers/{id}/os-instance-actions`."""
    return ServerAction(
        action=given["action"],
        request_id=given["request_id"],
        user=given["user_id"],
        started=given["start_time"],
        message=given["message"],
    )


def to_events(given: Json) -> tuple[ActionEvent, ...]:
    """Read the events of `GET /servers/{id}/os-instance-actions/{request}`, the earliest first."""
    events = [
        ActionEvent(
            name=one["event"],
            started=_time(one["start_time"]),
            finished=_time(one["finish_time"]) if one["finish_time"] else None,
        )
        for one in given["events"]
    ]
    return tuple(sorted(events, key=lambda event: event.started))


def to_group(given: Json) -> ServerGroup:
    """Read a server group (2.64 and later)."""
    return ServerGroup(
        id=given["id"],
        name=given["name"],
        policy=given["policy"],
        members=tuple(given["members"]),
        max_per_host=int(given["rules"].get("max_server_per_host", 1)),
    )


def to_aggregate(given: Json) -> Aggregate:
    """Read an element of `GET /os-aggregates` (2.41 and later have the uuid)."""
    return Aggregate(
        uuid=given["uuid"],
        name=given["name"],
        hosts=tuple(given["hosts"]),
        metadata=_pairs(given["metadata"]),
    )


def _words(said: str | None) -> str | None:
    """Return words that anybody may have written."""
    return masked(said) if said else said


def _time(given: str) -> datetime:
    # Nova tells UTC without saying so.
    return datetime.fromisoformat(given.removesuffix("Z")).replace(tzinfo=UTC)


def _pairs(given: Json) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((str(name), str(value)) for name, value in given.items()))
