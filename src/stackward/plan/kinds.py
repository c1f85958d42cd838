"""The stored names of steps, checks and requests, and the classes that they mean.

A class that is renamed keeps its `kind`. A kind that goes away stays in the table of its room until
no stored plan can hold it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol, Self

from stackward.errors import BadInput
from stackward.overriding import override


class Stored(Protocol):
    """Everything that is written into a plan by its kind."""

    @property
    def kind(self) -> str:
        """Return the stored name of what it is."""
        ...


class ByKind(Mapping[str, type[Any]]):
    """The classes of a room by their kind; the module of one is imported when it is asked for.

    So a plan is read without the modules of what it does not hold.
    """

    def __init__(self, room: str, places: Mapping[str, str]) -> None:
        """Take the package of the room, and where in it each kind is: `module.Class`."""
        self._room, self._places = room, places

    @override
    def __getitem__(self, kind: str) -> type[Any]:
        module, _, name = self._places[kind].rpartition(".")
        found: type[Any] = getattr(import_module(f"{self._room}.{module}"), name)
        return found

    @override
    def __contains__(self, kind: object) -> bool:
        return kind in self._places

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    @override
    def __len__(self) -> int:
        return len(self._places)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinds:
    """Every kind that this version of Stackward knows."""

    steps: Mapping[str, type[Any]] = field(default_factory=dict)
    checks: Mapping[str, type[Any]] = field(default_factory=dict)
    requests: Mapping[str, type[Any]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        *,
        steps: Iterable[type[Any]] = (),
        checks: Iterable[type[Any]] = (),
        requests: Iterable[type[Any]] = (),
    ) -> Self:
        """Gather classes by their `kind`; two classes of one kind are a defect."""
        return cls(steps=_by_kind(steps), checks=_by_kind(checks), requests=_by_kind(requests))


def _by_kind(classes: Iterable[type[Any]]) -> dict[str, type[Any]]:
    known: dict[str, type[Any]] = {}
    for each in classes:
        if known.setdefault(each.kind, each) is not each:
            message = f"two classes of the kind {each.kind!r}: {known[each.kind]} and {each}"
            raise ValueError(message)
    return known


def class_of(kind: object, known: Mapping[str, type[Any]], what: str) -> type[Any]:
    """Return the class that a stored kind means; an unknown one is refused by its name."""
    if isinstance(kind, str) and kind in known:
        return known[kind]
    raise BadInput(
        f"the plan holds a {what} `{kind}`, which this version of Stackward does not know",
        hint="use the version that made the plan, or plan again",
    )
