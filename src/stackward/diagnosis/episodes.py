"""Errors that belong together: what one component logs of one request or server is one episode."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from stackward.diagnosis.components import DEPTH, USUAL_DEPTH
from stackward.diagnosis.witnesses import Weight, Witness, one_of_each

# Clocks of several nodes, where their offsets were not measured: nodes that keep time by NTP.
CLOCKS_S = 0.25
_TOGETHER = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Episode:
    """What one component has logged of one thing, in the order of time."""

    witnesses: tuple[Witness, ...]
    told: Witness  # the one that says most

    @property
    def at(self) -> datetime:
        """Return when it began."""
        return self.witnesses[0].event.at

    @property
    def weight(self) -> Weight:
        """Return how much it counts."""
        return self.told.weight

    @property
    def component(self) -> str:
        """Return whose it is."""
        return self.told.component

    @property
    def node(self) -> str:
        """Return where it was logged."""
        return self.told.event.node

    @property
    def ids(self) -> frozenset[str]:
        """Return the requests and things that it names."""
        return frozenset().union(*(one.ids for one in self.witnesses))

    @property
    def depth(self) -> int:
        """Return how deep in a request its component is."""
        return DEPTH.get(self.component, USUAL_DEPTH)


def episodes_of(witnesses: Iterable[Witness]) -> list[Episode]:
    """Put witnesses together: of one component and node, of one request, server or error."""
    found: dict[tuple[object, ...], list[list[Witness]]] = {}
    for one in witnesses:
        event = one.event
        thing = event.request or event.server or (event.module, event.exception)
        # What is usual, or only hints, is no part of an error.
        kind = one.weight if one.weight >= Weight.WARNS else Weight.OWN
        if one.weight is Weight.PERIODIC:
            kind = Weight.PERIODIC
        series = found.setdefault((one.component, event.node, thing, kind), [])
        if series and event.at - series[-1][-1].event.at <= _TOGETHER:
            series[-1].append(one)
        else:
            series.append([one])
    made = [_episode(members) for series in found.values() for members in series]
    return sorted(made, key=lambda one: one.at)


def _episode(members: Sequence[Witness]) -> Episode:
    """Make an episode; its first traceback shows what it is about, else its first place.

    A traceback that ends in a mere layer shows less than a later one; the places of all are kept.
    """
    traced = [one for one in members if one.raised and (one.places or one.accused)]
    placed = [one for one in members if one.places]
    told = (traced or placed or list(members))[0]
    if told.raised and told.accused is None:
        deep = [one for one in traced if one.place and one.place.is_own and not one.place.is_layer]
        told = (deep or traced or [told])[0]
        others = (place for one in traced if one.accused is None for place in one.places)
        told = replace(told, places=one_of_each([*told.places, *others]))
    return Episode(witnesses=tuple(members), told=told)


def in_rank(episodes: Sequence[Episode], noticed: frozenset[str] = frozenset()) -> list[Episode]:
    """Order episodes: what counts more is first.

    Of what counts alike it is what names a thing that was `noticed`, then what has a traceback,
    then what is earlier. Where clocks cannot show which is earlier, the deeper component is first.
    """

    def order(one: Episode) -> tuple[Weight, bool, bool]:
        return one.weight, not one.ids & noticed, one.told.raised is None

    ranked = sorted(episodes, key=lambda one: (*order(one), one.at))
    if not ranked:
        return ranked
    first = ranked[0]
    tied = [
        one
        for one in ranked
        if order(one) == order(first)
        and one.node != first.node
        and (one.at - first.at).total_seconds() < _error_s(first, one)
    ]
    deeper = max([first, *tied], key=lambda one: one.depth)
    return [deeper, *(one for one in ranked if one is not deeper)]


def _error_s(first: Episode, second: Episode) -> float:
    measured = first.told.event.error_s + second.told.event.error_s
    return measured or CLOCKS_S
