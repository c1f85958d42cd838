"""Which cloud a login leads to, by the catalog that it brings."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from stackward.adapters.openstack.regions import interface_of, region_at, regions_in
from stackward.model.cloud import CloudIdentity

_NOVA = "compute"
_ANYBODYS_FIRST = ("public", "internal", "admin")  # all users see the same, through each of them
_PORTS = {"http": 80, "https": 443}


def identity_in(catalog: Sequence[Mapping[str, Any]], region: str, auth_url: str) -> CloudIdentity:
    """Return the cloud: Nova's service in the catalog, and the region.

    The ids of services do not depend on the interface that is used. A catalog without ids leaves
    the URL of Nova, and that is said.
    """
    name = name_of(auth_url, region)
    formerly = [name]
    if len(regions_in(catalog)) <= 1:
        formerly.append(name_of(auth_url, None))  # the name of the only region could be left out
    ours = list(_nova_in(catalog, region))
    ids = sorted(str(service["id"]) for service, _ in ours if service.get("id"))
    if ids:
        id_ = ids[0]
    else:
        id_ = _url_of(ours) or place_of(auth_url)
        name += f" (told from others by the URL {id_}: its catalog has no ids)"
    return CloudIdentity(
        id=f"{id_} {region}".rstrip(), name=name, formerly=tuple(dict.fromkeys(formerly))
    )


def name_of(auth_url: str, region: str | None) -> str:
    """Return what an operator knows a cloud by; in clouds.yaml each operator has another name."""
    place = place_of(auth_url)
    return f"{place} {region}" if region else place


def place_of(url: str) -> str:
    """Return a URL without login and version."""
    at = urlsplit(url)
    path = at.path.rstrip("/").removesuffix("/v3")
    return f"{at.scheme}://{at.netloc.rpartition('@')[2]}{path}"


def _nova_in(
    catalog: Sequence[Mapping[str, Any]], region: str
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for service in catalog:
        for endpoint in service.get("endpoints") or ():
            if service.get("type") == _NOVA and region_at(endpoint) == region:
                yield service, endpoint


def _url_of(ours: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> str | None:
    """Return Nova's URL, of the interface that everybody may see before others."""
    urls = {interface_of(str(one.get("interface"))): str(one.get("url")) for _, one in ours}
    best = next((urls[each] for each in _ANYBODYS_FIRST if each in urls), None)
    if best is None:
        return None
    at = urlsplit(best)
    port = f":{at.port}" if at.port and at.port != _PORTS.get(at.scheme) else ""
    first = at.path.strip("/").partition("/")[0]
    path = f"/{first}" if first and not first.startswith("v") else ""
    return f"{at.scheme}://{at.hostname or ''}{port}{path}"
