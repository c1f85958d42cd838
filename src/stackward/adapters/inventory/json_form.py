"""The output of a dynamic inventory, kept in a file: groups with lists, and `_meta` with variables.

Ansible itself reads this form from a program only, not from a file.
"""

import json
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from stackward.adapters.inventory.draft import Draft
from stackward.adapters.inventory.patterns import as_name
from stackward.adapters.inventory.written import Place, Variable, cannot_read

Json: TypeAlias = "Mapping[str, Json] | list[Json] | str | int | float | bool | None"

_MARK, _OF_HOSTS = "_meta", "hostvars"
_PARTS = ("hosts", "children", "vars")


def listed_in(given: bytes) -> Mapping[str, Json] | None:
    """Return what a dynamic inventory has printed, or None where a file holds something else."""
    if not given.lstrip().startswith(b"{") or f'"{_MARK}"'.encode() not in given:
        return None
    try:
        listed: Json = json.loads(given)
    except (ValueError, RecursionError):
        return None  # other readers say what is wrong with it
    return listed if isinstance(listed, Mapping) and _MARK in listed else None


def read_listed(listed: Mapping[str, Json], draft: Draft) -> None:
    """Read all groups, hosts and variables into the draft, as Ansible reads a program's output."""
    place = Place(draft.source)
    draft.warn(
        f"{place}: this is the saved output of a dynamic inventory, as `{_MARK}` shows; nodes that "
        "were added later are not in it"
    )
    for name, below in listed.items():
        if name != _MARK:
            draft.add_group(name)
            _read_group(name, below, draft, place)
    variables = hostvars(listed)
    if variables is None:
        raise cannot_read(place, f"`{_MARK}` has no mapping `{_OF_HOSTS}`")
    for host in draft.hosts:
        given = variables.get(host, {})
        if not isinstance(given, Mapping):
            raise cannot_read(place, f"`{_OF_HOSTS}` of `{host}` is not a mapping")
        for name, value in given.items():
            draft.set_for_host(host, name, as_variable(name, value, place))


def _read_group(group: str, below: Json, draft: Draft, place: Place) -> None:
    if isinstance(below, Mapping) and not any(part in below for part in _PARTS):
        below = {"hosts": [group], "vars": below}  # a host of that name, as it was long ago
    parts = below if isinstance(below, Mapping) else {"hosts": below}
    for host in _names(parts, "hosts", group, place):
        draft.add_host(as_name(host, place), group, None, place)
    variables = parts.get("vars", {})
    if not isinstance(variables, Mapping):
        raise cannot_read(place, f"`vars` of `{group}` is not a mapping")
    for name, value in variables.items():
        draft.set_for_group(group, name, as_variable(name, value, place))
    for child in _names(parts, "children", group, place):
        draft.add_group(child)
        draft.add_child(group, child, place)


def _names(parts: Mapping[str, Json], part: str, group: str, place: Place) -> Iterator[str]:
    found = parts.get(part, [])
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise cannot_read(place, f"`{part}` of `{group}` is not a list of names")
    for name in found:
        if isinstance(name, str):
            yield name


def hostvars(listed: Mapping[str, Json]) -> Mapping[str, Json] | None:
    """Return the variables of all hosts; None where they are not there."""
    meta = listed.get(_MARK)
    found = meta.get(_OF_HOSTS) if isinstance(meta, Mapping) else None
    return found if isinstance(found, Mapping) else None


def as_variable(name: str, value: Json, place: Place) -> Variable:
    """Return a value as text; what Ansible marks as encrypted is not known."""
    match value:
        case {"__ansible_unsafe": str(text)}:
            return Variable(text, place)
        case {"__ansible_vault": _}:
            return Variable(None, place, hidden=f"`{name}` is encrypted")
        case Mapping() | list():
            return Variable(None, place, hidden=f"`{name}` is not a text")
        case None:
            return Variable(None, place)
        case _:
            return Variable(str(value), place)
