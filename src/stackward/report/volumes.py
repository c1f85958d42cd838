"""The volumes of servers as Nova, Cinder and libvirt know them, as rows and as data."""

from collections.abc import Iterator, Sequence

from stackward.model.attached_volume import AttachedVolume, AttachedVolumes, Told
from stackward.model.testimony import Source
from stackward.model.witness import Sign
from stackward.policy.attached_volumes import disagreements, is_known
from stackward.report.tables import Cell, Form, Table, render_rows
from stackward.report.text import as_json, as_text, wrap
from stackward.report.times import utc
from stackward.wording import count_of

COLUMNS = (
    "Server",
    "Volume",
    "Nova",
    "Cinder",
    "libvirt",
    "Serial",
    "Says",
    "Server ID",
    "Volume ID",
)

# What programs read, by `-f json`: one object. These names do not change.
VOLUMES_FIELDS = {
    "volumes": "one for each volume of each server; each as below",
    "unknown": "what could not be read: `witness`, `of` (a host or a server, null: all), `why`",
    "at": "when it was read",
}
VOLUME_FIELDS = {
    "server": "the name of the server; null where Nova does not have it",
    "server_id": "its id",
    "volume": "the name of the volume; null where it has none, or it is not known",
    "volume_id": "its id",
    "nova": "what Nova says: `has` (yes, no, unknown), `device`, `why`",
    "cinder": "what Cinder says, in the same form",
    "libvirt": "what libvirt says, in the same form; null where the hypervisor has no domains",
    "serial": "the serial of the disk in the domain: Nova gives it the id of the volume",
    "status": "the status of the volume to Cinder, or null",
    "attachments": "the ids of Cinder's attachments of this volume to this server",
    "agree": "true, false, or null where a witness is unknown and the others agree",
    "says": "what they do not agree on, each in words",
}


def render_volumes(
    found: AttachedVolumes, form: Form, columns: Sequence[str] = (), width: int | None = None
) -> str:
    """Return all rows: for people with a summary, for programs as one object."""
    if form is Form.JSON and not columns:
        return f"{as_json(volumes_record(found), indent=2)}\n"
    table = Table(
        columns=COLUMNS,
        rows=tuple(_row(found, one) for one in found.rows),
        gives_way=("Volume ID", "Server ID", "Serial", "Volume", "Says"),
    )
    if form is not Form.TABLE or columns:
        return render_rows(table.only(columns), form, width)
    shown = render_rows(table, form, width) if found.rows else ""
    return shown + as_text(_lines(found, width))


def volumes_record(found: AttachedVolumes) -> dict[str, object]:
    """Return all of it as data."""
    return {
        "volumes": [_record(found, one) for one in found.rows],
        "unknown": [
            {"witness": who.value, "of": of or None, "why": unread.why}
            for who, of, unread in found.unread
        ],
        "at": utc(found.at, "seconds"),
    }


def _record(found: AttachedVolumes, row: AttachedVolume) -> dict[str, object]:
    server = found.servers.get(row.server)
    says = disagreements(row, server)
    return {
        "server": server.label if server else None,
        "server_id": row.server,
        "volume": (row.of_cinder.name or None) if row.of_cinder else None,
        "volume_id": row.volume,
        "nova": _said(row.nova),
        "cinder": _said(row.cinder),
        "libvirt": _said(row.libvirt) if row.libvirt else None,
        "serial": row.serial,
        "status": row.of_cinder.status if row.of_cinder else None,
        "attachments": [one.id for one in row.attachments],
        "agree": False if says else True if is_known(row) else None,
        "says": [*says],
    }


def _said(told: Told) -> dict[str, object]:
    return {"has": told.has.value, "device": told.device, "why": told.why or None}


def _row(found: AttachedVolumes, row: AttachedVolume) -> tuple[Cell, ...]:
    server = found.servers.get(row.server)
    volume = row.of_cinder.name if row.of_cinder and row.of_cinder.name else row.volume
    says = disagreements(row, server)
    return (
        server.label if server else row.server,
        volume,
        _cell(row.nova),
        _cell(row.cinder),
        "does not apply" if row.libvirt is None else _cell(row.libvirt),
        row.serial or "",
        "; ".join(says) if says else "they agree" if is_known(row) else "",
        row.server,
        row.volume,
    )


def _cell(told: Told) -> str:
    match told.has:
        case Sign.YES:
            return told.device or "yes"
        case Sign.NO:
            return "no"
        case _:
            return "unknown"


def _lines(found: AttachedVolumes, width: int | None) -> Iterator[str]:
    for row in found.rows:
        server = found.servers.get(row.server)
        if says := disagreements(row, server):
            name = server.label if server else row.server
            yield from wrap(f"`{name}`, volume {row.volume}: {'; '.join(says)}", width, rest="  ")
    for who, of, unread in found.unread:
        where = f" of {of}" if of else ""
        yield from wrap(f"unknown: {who.value}{where}: {unread.why}", width, rest="  ")
    yield from wrap(_summary(found), width, rest="  ")


def _summary(found: AttachedVolumes) -> str:
    count = count_of(len(found.rows), "attachment")
    apart = sum(bool(disagreements(one, found.servers.get(one.server))) for one in found.rows)
    if apart:
        return f"{count}; the witnesses do not agree on {apart}"
    if found.unread or not all(map(is_known, found.rows)):
        return f"{count}; what could be read agrees"
    witnesses = f"{Source.NOVA.value}, {Source.CINDER.value} and {Source.LIBVIRT.value}"
    return f"{count}; {witnesses} agree" if found.rows else "no volumes"
