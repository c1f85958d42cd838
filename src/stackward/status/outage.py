"""Whether more has failed than one node: then a fence may cut the power of what is well.

Where most nodes are silent, what is broken is more often the network or the control plane.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stackward.model.aggregate import Aggregate

SMALLEST = 4  # nodes of a zone or an aggregate that is judged by itself
FEWEST = 2  # nodes that are down


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute:
    """A compute node, as Nova sees it."""

    host: str
    zone: str
    is_up: bool
    is_kept_off: bool = False  # a run has taken it out of service: it is meant to be off


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """More than half of something is down."""

    of: str  # in words
    down: tuple[str, ...]
    count: int


def find_outage(
    computes: Sequence[Compute], aggregates: Sequence[Aggregate], fenced: str
) -> Outage | None:
    """Return the smallest part of the cloud of which more than half is down, if there is one.

    The node to fence counts as down, even if Nova still believes that it is up.
    """
    known = [one for one in computes if not one.is_kept_off or one.host == fenced]
    found = [
        Outage(of=name, down=down, count=len(those))
        for name, those in _parts(known, aggregates)
        for down in [tuple(one.host for one in those if not one.is_up or one.host == fenced)]
        if len(down) >= FEWEST and 2 * len(down) > len(those)
    ]
    return min(found, key=lambda one: one.count, default=None)


def all_down(computes: Sequence[Compute], fenced: str) -> tuple[str, ...]:
    """Return every node that is down and is not meant to be, the one to be fenced included."""
    return tuple(
        one.host for one in computes if one.host == fenced or not (one.is_up or one.is_kept_off)
    )


def _parts(
    computes: Sequence[Compute], aggregates: Sequence[Aggregate]
) -> Iterator[tuple[str, list[Compute]]]:
    yield "the cloud", [*computes]
    zones: Mapping[str, list[Compute]] = {one.zone: [] for one in computes}
    for one in computes:
        zones[one.zone].append(one)
    for zone, those in zones.items():
        if len(those) >= SMALLEST:
            yield f"the zone `{zone}`", those
    for aggregate in aggregates:
        those = [one for one in computes if one.host in aggregate.hosts]
        if len(those) >= SMALLEST:
            yield f"the aggregate `{aggregate.name}`", those
