"""What processes answer over HTTP where they listen on their own nodes."""

from collections.abc import Mapping

from stackward.anatomy import Anatomy
from stackward.answers import mapping, rows, text, truth, whole
from stackward.masking import masked
from stackward.model.survey import WebReply

_LATE = "no answer in time"


def as_asked(anatomy: Anatomy) -> list[dict[str, object]]:
    """Return all that is asked over HTTP as the script on a node reads it."""
    return [
        {
            "name": component.name,
            "ports": list(component.ports),
            "paths": list(component.http.paths),
            "own": component.http.own,
            "units": sorted({each for one in component.flavours.values() for each in one.units}),
            "containers": sorted(
                {each for one in component.flavours.values() for each in one.containers}
            ),
            "sites": sorted({each for one in component.flavours.values() for each in one.sites}),
        }
        for component in anatomy.components.values()
        if component.http
    ]


def parse_web(told: object) -> dict[str, tuple[WebReply, ...]]:
    """Return what came of each request, by component."""
    found: dict[str, tuple[WebReply, ...]] = {}
    for one in map(mapping, rows(told)):
        name = text(one["name"])
        found[name] = (*found.get(name, ()), _reply(one))
    return found


def _reply(one: Mapping[str, object]) -> WebReply:
    came, address = mapping(one["came"]), text(one["address"])
    place = f"[{address}]" if ":" in address else address
    error = text(came["error"]) if "error" in came else ""
    return WebReply(
        place=f"{place}:{whole(one['port'])}",
        path=text(one["path"]),
        status=None if error else whole(came["status"]),
        is_own=not error and truth(came["is_own"]),
        has_request_id=not error and truth(came["has_request_id"]),
        says=error or masked(text(came["says"])),
        is_silent=error == _LATE,
    )
