"""Nova's JSON as values. A field left out because of missing rights is an error, not a guess."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from stackward.adapters.openstack.answers import Json, text
from stackward.masking import masked
from stackward.model.acceptance import NewServer
from stackward.model.aggregate import Aggregate
from stackward.model.flavor import Flavor, OfferedFlavor
from stackward.model.hypervisor import Hypervisor
from stackward.model.migration import Migration
from stackward.model.server import IN_DOWN_CELL, ActionEvent, Server, ServerAction, ServerGroup
from stackward.model.service import ComputeService
from stackward.model.volume import NovaAttachment


def to_server(given: Json) -> Server:
    """Read an element of `GET /servers/detail`, or the server of `GET /servers/{id}`."""
    if given["status"] == IN_DOWN_CELL and "OS-EXT-STS:vm_state" not in given:
        return _of_down_cell(given)
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
        is_zone_known="pinned_availability_zone" in given,
        has_image=bool(image.get("id")),
        metadata=_pairs(given.get("metadata") or {}),
        image_properties=_pairs(image["properties"]) if "properties" in image else None,
        volume_ids=tuple(one["id"] for one in given["os-extended-volumes:volumes_attached"]),
        root_device=given.get("OS-EXT-SRV-ATTR:root_device_name") or None,
        group_id=next(iter(given.get("server_groups") or ()), None),
        updated=_written(given.get("updated")) or None,
        launched=_written(given.get("OS-SRV-USG:launched_at")) or None,
        fault=_words((given.get("fault") or {}).get("message")),
    )


def _of_down_cell(given: Json) -> Server:
    """Read what Nova still knows of a server whose cell is down (2.69 and later)."""
    return Server(
        id=given["id"],
        name=given.get("name") or "",
        status=IN_DOWN_CELL,
        vm_state=IN_DOWN_CELL,
        task_state=None,
        power_state=0,
        host=None,
        flavor=Flavor(name="", vcpus=0, ram_mib=0),
        project=given["tenant_id"],
        user=given.get("user_id") or "",
        is_zone_known=False,
        group_id=next(iter(given.get("server_groups") or ()), None),
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


def to_nova_attachment(given: Json) -> NovaAttachment:
    """Read an element of `GET /servers/{id}/os-volume_attachments` (2.79; its id since 2.89)."""
    return NovaAttachment(
        volume=given["volumeId"],
        # Nova leaves the device out where it has chosen none: nova 31.0 api/openstack/compute/
        # volumes.py, _translate_attachment_detail_view.
        device=given.get("device") or None,
        id=given.get("attachment_id") or None,
        tag=given.get("tag") or None,
        is_deleted_with_server=bool(given["delete_on_termination"]),
    )


def to_service(given: Json) -> ComputeService:
    """Read an element of `GET /os-services`."""
    if given["status"] == IN_DOWN_CELL:
        return ComputeService(
            id="",
            binary=given["binary"],
            host=given["host"],
            is_enabled=False,
            is_up=False,
            zone="",
            is_known=False,
        )
    return ComputeService(
        id=given["id"],
        binary=given["binary"],
        host=given["host"],
        is_enabled=_one_of(given["status"], "enabled", "disabled"),
        is_up=_one_of(given["state"], "up", "down"),
        zone=given["zone"],
        disabled_reason=_words(given["disabled_reason"]),
        is_forced_down=given["forced_down"],
        updated=_written(given["updated_at"]) or None,
    )


def to_offered_flavor(given: Json) -> OfferedFlavor:
    """Read an element of `GET /flavors/detail` (2.61 and later have the extra specs)."""
    return OfferedFlavor(
        id=given["id"],
        name=given["name"],
        vcpus=given["vcpus"],
        ram_mib=given["ram"],
        disk_gib=given["disk"],
        is_public=given["os-flavor-access:is_public"],
        is_disabled=given["OS-FLV-DISABLED:disabled"],
        extra_specs=tuple(
            sorted((text(name), text(value)) for name, value in given["extra_specs"].items())
        ),
    )


def to_new_server(wanted: NewServer) -> Json:
    """Return the body of `POST /servers` (2.74 and later take the host)."""
    return {
        "server": {
            "name": wanted.name,
            "imageRef": wanted.image,
            "flavorRef": wanted.flavor,
            "networks": [{"uuid": wanted.network}] if wanted.network else "none",
            "availability_zone": wanted.zone,
            "host": wanted.host,
            "metadata": dict(wanted.metadata),
        }
    }


def to_wanted_attachment(wanted: NovaAttachment) -> Json:
    """Return the body of `POST /servers/{id}/os-volume_attachments`; libvirt takes no device."""
    given: Json = {
        "volumeId": wanted.volume,
        "delete_on_termination": wanted.is_deleted_with_server,
    }
    return {"volumeAttachment": {**given, **({"tag": wanted.tag} if wanted.tag else {})}}


class _Reports(Protocol):
    """What reports to Nova from a host."""

    @property
    def binary(self) -> str: ...

    @property
    def host(self) -> str: ...

    @property
    def is_known(self) -> bool: ...


Reporting = TypeVar("Reporting", bound=_Reports)


def once(found: Sequence[Reporting]) -> tuple[Reporting, ...]:
    """Return the rows without those of a down cell whose service another cell knows.

    A host that was renamed, or that went to another cell, is still mapped to the old one.
    """
    known = {(one.binary, one.host) for one in found if one.is_known}
    unknown = {(one.binary, one.host): one for one in found if not one.is_known}
    left = (one for where, one in unknown.items() if where not in known)
    return (*(one for one in found if one.is_known), *left)


def to_hypervisor(given: Json) -> Hypervisor:
    """Read an element of `GET /os-hypervisors/detail` at 2.87, the last with `cpu_info`."""
    cpu = given.get("cpu_info") or {}
    if isinstance(cpu, str):  # the driver's own text, which is not always JSON
        cpu = {}
    return Hypervisor(
        id=given["id"],
        name=given["hypervisor_hostname"],
        host=given["service"]["host"],
        kind=given["hypervisor_type"],
        address=given.get("host_ip"),
        version=given["hypervisor_version"],
        cpu_model=cpu.get("model"),
    )


def to_uptime(given: Json) -> str | None:
    """Read the uptime of `GET /os-hypervisors/{id}` at 2.88, or of its `/uptime` before."""
    says = given["hypervisor"]["uptime"]
    return None if says is None else text(says)


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
        created=_written(given["created_at"]),
        updated=_written(given.get("updated_at")) or None,
        user=given.get("user_id"),
    )


def to_action(given: Json) -> ServerAction:
    """Read an element of `GET /servers/{id}/os-instance-actions`."""
    return ServerAction(
        action=given["action"],
        request_id=given["request_id"],
        user=given["user_id"],
        started=_written(given["start_time"]),
        message=given["message"],
    )


def to_failure(given: Json) -> str | None:
    """Read why an action failed of `GET /servers/{id}/os-instance-actions/{request}`."""
    events = given["instanceAction"]["events"]
    failed = [event for event in events if event.get("result") == "Error"]
    said = [text(event["details"]) for event in failed if event.get("details")]
    return _words(said[-1]) if said else None


def to_console(given: Json) -> str:
    """Read the answer to `os-getConsoleOutput`: any text that the guest has written."""
    return text(given["output"] or "")


def to_remaining(given: Json) -> int | None:
    """Read what is left to copy of `GET /servers/{id}/migrations/{id}`."""
    one = given["migration"]
    figures = (one.get("memory_remaining_bytes"), one.get("disk_remaining_bytes"))
    known = [int(figure) for figure in figures if figure is not None]
    return sum(known) if known else None


def to_events(given: Json) -> tuple[ActionEvent, ...]:
    """Read the events of `GET /servers/{id}/os-instance-actions/{request}`, the earliest first."""
    events = [
        ActionEvent(
            name=one["event"],
            started=_time(one["start_time"]),
            finished=_time(one["finish_time"]) if one["finish_time"] else None,
        )
        for one in given["instanceAction"]["events"]
    ]
    return tuple(sorted(events, key=lambda event: event.started))


def to_group(given: Json) -> ServerGroup:
    """Read a server group (2.64 and later)."""
    return ServerGroup(
        id=given["id"],
        name=given["name"],
        policy=given["policy"],
        members=tuple(map(text, given["members"])),
        max_per_host=int(given["rules"].get("max_server_per_host", 1)),
    )


def to_aggregate(given: Json) -> Aggregate:
    """Read an element of `GET /os-aggregates` (2.41 and later have the uuid)."""
    return Aggregate(
        uuid=given["uuid"],
        name=given["name"],
        hosts=tuple(map(text, given["hosts"])),
        metadata=_pairs(given["metadata"]),
    )


def _words(said: str | None) -> str | None:
    """Return words that anybody may have written."""
    return masked(said) if said else said


def _one_of(word: object, yes: str, no: str) -> bool:
    """Return whether a word says so; one that is neither makes no sense."""
    if word not in {yes, no}:
        raise ValueError(f"`{word}` is neither `{yes}` nor `{no}`")
    return word == yes


def _written(given: str | None) -> str:
    """Return a time as it was written, once it is certain that it is one."""
    if given is None:
        return ""
    datetime.fromisoformat(given.removesuffix("Z"))
    return given


def _time(given: str) -> datetime:
    # Nova gives UTC without saying so.
    return datetime.fromisoformat(given.removesuffix("Z")).replace(tzinfo=UTC)


def _pairs(given: Json) -> tuple[tuple[str, str], ...]:
    """Return names with their values as text, sorted."""
    return tuple(sorted((str(name), str(value)) for name, value in given.items()))
