"""Whether three witnesses agree on a volume of a server."""

from collections.abc import Iterator

from stackward.model.attached_volume import AttachedVolume
from stackward.model.server import Server
from stackward.model.volume import IN_USE, device_name
from stackward.model.witness import Sign
from stackward.wording import count_of, has_and_not


def disagreements(row: AttachedVolume, server: Server | None) -> tuple[str, ...]:
    """Return what the witnesses do not agree on, in words; what is unknown is none of it."""
    return tuple(_disagreements(row, server))


def is_known(row: AttachedVolume) -> bool:
    """Say whether each witness that can say something has said it."""
    return all(one.has is not Sign.UNKNOWN for one in row.told.values())


def _disagreements(row: AttachedVolume, server: Server | None) -> Iterator[str]:
    says = [
        (who.value, one.has is Sign.YES)
        for who, one in row.told.items()
        if one.has is not Sign.UNKNOWN
    ]
    if not any(has for _, has in says):
        held = ", ".join(one.status for one in row.attachments)
        yield (
            f"Cinder holds it for the server ({held}), and nobody has it"
            if held
            else ("nobody is known to have it")
        )
    elif len({has for _, has in says}) > 1:
        yield has_and_not(says)
    volume = row.of_cinder
    if volume is not None and row.cinder.has is Sign.YES and volume.status != IN_USE:
        yield f"it is `{volume.status}` to Cinder"
    if row.cinder.has is Sign.YES and len(row.attachments) > 1:
        yield f"Cinder has {count_of(len(row.attachments), 'attachment')} of it to the server"
    if server is not None and (strange := [one for one in row.hosts if one != server.host]):
        yield f"Cinder has it on `{strange[0]}`, and the server is on `{server.host or 'no host'}`"
    letters = {device_name(one.device) for one in row.told.values() if one.device}
    if len(letters) > 1:
        yield f"its device is {' or '.join(sorted(letters))}"
