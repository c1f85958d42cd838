"""Which part of the catalog is ours: the region, and the interfaces."""

from collections.abc import Mapping, Sequence
from typing import Any

from stackward.errors import BadInput

NAME_ONE = "name one: `region_name` in its entry in clouds.yaml, or OS_REGION_NAME"
_USUAL = "public"


def region_of(catalog: Sequence[Mapping[str, Any]], named: str | None) -> str:
    """Return the region that is meant; refuse one that is not there, and a choice of several."""
    there = regions_in(catalog)
    if not there:
        return named or ""
    known = ", ".join(f"`{each}`" for each in there)
    if not named:
        if len(there) > 1:
            raise several(there)
        return there[0]
    if named not in there:
        raise BadInput(
            f"there is no region `{named}` in the catalog",
            details=[f"it has {known}"],
            stands="nothing was asked of its APIs",
            hint=f"{NAME_ONE}; upper and lower case are not the same",
        )
    return named


def regions_in(catalog: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the regions of a catalog, each once, in order of their names."""
    found = {region_at(one) for service in catalog for one in service.get("endpoints") or ()}
    return tuple(sorted(found - {""}))


def region_at(endpoint: Mapping[str, Any]) -> str:
    """Return the region of an endpoint, by its id as the clients take it."""
    return endpoint.get("region_id") or endpoint.get("region") or ""


def several(regions: Sequence[str]) -> BadInput:
    """Return the refusal of a choice that only the operator can make."""
    return BadInput(
        "cannot find out which region is meant: there are several, and none is named",
        details=[f"there are {', '.join(f'`{each}`' for each in regions)}"],
        stands="nothing was asked of their APIs",
        hint=NAME_ONE,
    )


def interfaces_of(setting: object) -> tuple[str, ...]:
    """Return the interfaces that a setting means, the best first: `internalURL` is `internal`."""
    given = [setting] if isinstance(setting, str) else setting
    named = given if isinstance(given, Sequence) else ()
    meant = (interface_of(one) for one in named if isinstance(one, str))
    return tuple(dict.fromkeys(filter(None, meant))) or (_USUAL,)


def interface_of(word: str) -> str:
    """Return an interface by its usual name."""
    return word.strip().removesuffix("URL")
