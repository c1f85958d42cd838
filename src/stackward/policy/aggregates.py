"""Which nodes Nova's scheduler keeps a server off by what its aggregates say.

After nova 31.0 (2025.1): `scheduler/filters/` aggregate_multitenancy_isolation.py,
aggregate_instance_extra_specs.py with extra_specs_ops.py and utils.py, and
aggregate_image_properties_isolation.py; `scheduler/request_filter.py` isolate_aggregates and
require_tenant_aggregate.

All of these are off by Nova's default (`conf/scheduler.py`), and no API says which are on. So:

- What has no other use (`filter_tenant_id`, the scope `aggregate_instance_extra_specs:`) is taken
  to be in force: it blocks.
- What may be there for another reason (a key without a scope, an image's property, a trait)
  warns.
- What the node that the server is on does not fulfil either is not in force, or no longer: it
  counts one step less.
"""

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from stackward.model.aggregate import Aggregate
from stackward.model.placement import Need
from stackward.model.server import Server

Metadata = Mapping[str, frozenset[str]]
"""What all aggregates of a host say: each key with its values."""

_SCOPE = "aggregate_instance_extra_specs"
_PROJECT = "filter_tenant_id"
_TRAIT = "trait:"
_IMAGE_PREFIXES = ("hw_", "os_", "img_")
_FILTERS = {
    "projects": "AggregateMultiTenancyIsolation",
    "specs": "AggregateInstanceExtraSpecsFilter",
    "image": "AggregateImagePropertiesIsolation",
    "traits": "enable_isolated_aggregate_filtering",
    "own": "limit_tenants_to_placement_aggregate",
}

# nova 31.0 objects/image_meta.py: the names that an image may still use, and Nova's own ones.
_IMAGE_NAMES = {
    "architecture": "hw_architecture",
    "hypervisor_type": "img_hv_type",
    "hypervisor_version_requires": "img_hv_requested_version",
    "vm_mode": "hw_vm_mode",
    "owner_id": "img_owner_id",
}


class Force(IntEnum):
    """How sure it is that a rule is in force."""

    NONE = 0
    PERHAPS = 1
    CERTAIN = 2


@dataclass(frozen=True, slots=True)
class Kept:
    """A rule that keeps a server off a node."""

    why: str
    force: Force
    by: str = ""  # the filter or option that makes it a rule


class Aggregates:
    """What the aggregates of a cloud say, host by host."""

    def __init__(self, aggregates: Sequence[Aggregate]) -> None:
        self._all = aggregates
        self._merged: dict[str, Metadata] = {}

    def of(self, host: str | None) -> Metadata:
        """Return all values of each key; one aggregate may list several, parted by commas."""
        name = host or ""
        if name not in self._merged:
            found: dict[str, frozenset[str]] = {}
            for each in self._all:
                for key, values in each.metadata if name in each.hosts else ():
                    split = frozenset(value.strip() for value in values.split(","))
                    found[key] = found.get(key, frozenset()) | split
            self._merged[name] = found
        return self._merged[name]

    def keeping_off(
        self, server: Server, need: Need, hosts: Iterable[str | None]
    ) -> dict[str | None, Kept]:
        """Return, for each host that the server is kept off, the surest rule that does so."""
        here = {key for key, _ in self._failing(server, need, server.host)}
        found: dict[str | None, Kept] = {}
        for host in hosts:
            kept = [
                Kept(each.why, Force(each.force - 1), each.by) if key in here else each
                for key, each in self._failing(server, need, host)
            ]
            if in_force := [each for each in kept if each.force > Force.NONE]:
                found[host] = max(in_force, key=lambda each: each.force)
        return found

    def _failing(self, server: Server, need: Need, host: str | None) -> Iterator[tuple[str, Kept]]:
        its = self.of(host)
        yield from _projects(server, its)
        yield from _extra_specs(server, its)
        yield from _image_properties(server, its)
        yield from _isolated(need, its)
        own = [each for each in self._all if server.project in _projects_of(each)]
        if own and not any(host in each.hosts for each in own):
            names = ", ".join(f"`{each.name}`" for each in own)
            yield "own", _perhaps("own", f"its project has aggregates of its own ({names})")


def _perhaps(by: str, why: str) -> Kept:
    return Kept(why, Force.PERHAPS, _FILTERS[by])


def _projects_of(aggregate: Aggregate) -> list[str]:
    return [
        one.strip()
        for key, values in aggregate.metadata
        if key.startswith(_PROJECT)
        for one in values.split(",")
    ]


def _projects(server: Server, its: Metadata) -> Iterator[tuple[str, Kept]]:
    named = [values for key, values in its.items() if key.startswith(_PROJECT)]
    if named and not any(server.project in values for values in named):
        yield "projects", Kept("kept for other projects", Force.CERTAIN, _FILTERS["projects"])


def _extra_specs(server: Server, its: Metadata) -> Iterator[tuple[str, Kept]]:
    for name, wanted in server.flavor.extra_specs:
        scope, colon, rest = name.partition(":")
        if colon and scope != _SCOPE:
            continue
        key = rest if colon else name
        if not any(matches(value, wanted) for value in its.get(key, ())):
            force = Force.CERTAIN if colon else Force.PERHAPS
            yield name, Kept(f"its flavor wants `{key}={wanted}`", force, _FILTERS["specs"])


def _image_properties(server: Server, its: Metadata) -> Iterator[tuple[str, Kept]]:
    """Compare the properties that Nova itself knows; it passes over all others."""
    known = {_IMAGE_NAMES.get(key, key): value for key, value in server.image_properties or ()}
    for key, options in its.items():
        value = known.get(key)
        if not value or not key.startswith(_IMAGE_PREFIXES):
            continue
        # Nova has made a Boolean of some, and writes it `True`: either spelling may be meant.
        if value not in options and value.lower() not in {each.lower() for each in options}:
            yield f"image {key}", _perhaps("image", f"its image has `{key}={value}`")


def _isolated(need: Need, its: Metadata) -> Iterator[tuple[str, Kept]]:
    demanded = {
        key.removeprefix(_TRAIT)
        for key, values in its.items()
        if key.startswith(_TRAIT) and "required" in values
    }
    for trait in sorted(demanded - need.all_required) if demanded else ():
        yield trait, _perhaps("traits", f"kept for servers that require the trait {trait}")


_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "=": operator.ge,  # at least: so it has always been
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
}
_STRINGS: Mapping[str, Callable[[str, str], bool]] = {
    "s==": operator.eq,
    "s!=": operator.ne,
    "s<": operator.lt,
    "s<=": operator.le,
    "s>": operator.gt,
    "s>=": operator.ge,
    "<in>": operator.contains,
}


def matches(value: str, wanted: str) -> bool:
    """Say whether an aggregate's value is what a flavor's extra spec wants.

    Where Nova meets what it cannot compare, it fails the whole request: that is no match either.
    """
    operation, *words = wanted.split() or [""]
    if operation == "<or>":
        return value in words[::2]
    if operation == "<all-in>":
        return bool(words) and all(each in value for each in words)
    if operation in _STRINGS:
        return bool(words) and _STRINGS[operation](value, words[0])
    if operation in _COMPARISONS:
        return bool(words) and _compares(operation, value, words[0])
    return value == wanted


def _compares(operation: str, value: str, wanted: str) -> bool:
    try:
        return _COMPARISONS[operation](float(value), float(wanted))
    except ValueError:
        return False
