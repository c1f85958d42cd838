"""A run that is to be undone: what it did, as its journal has it, and how that stands now."""

from dataclasses import dataclass
from datetime import datetime

from stackward.model.compute import Provider
from stackward.model.maintenance import Drained, Homecoming, ReturningNode
from stackward.model.run import RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoer:
    """Another run that undoes the same one."""

    run: str
    state: RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """A server whose move was begun and never proved, and where it is now."""

    name: str
    host: str | None
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What a return to service changed, so that the node can be taken out again."""

    node: str
    is_uncordoned: bool
    reason: str | None  # for which the node had been out; None where that is not known
    kept_off_by: tuple[str, ...] = ()  # what was taken away, in the words of its plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoing:
    """A run, and all that undoing it has to know; read once."""

    run: str
    title: str
    kind: str  # of its request
    state: RunState
    read_at: datetime
    is_cloud_known: bool = True  # its plan says that it was done here
    is_of_one: bool = False  # one of its servers alone was asked for, or none
    has_changed: bool = False  # it has begun something itself
    undone_by: Undoer | None = None
    unfinished: tuple[str, ...] = ()  # what is in flight or half-way, or that nobody has ended it
    # What it took out of service, and what is there to return it:
    returning: ReturningNode | None = None
    provider: Provider | None = None  # that node's
    own_claims: frozenset[str] = frozenset()  # runs whose claim on it stands for that of this run
    has_kept_off: bool = False
    has_told_ha: bool = False  # it told the instance-HA service of maintenance, and nobody since
    claimed_before: str | None = None  # the reason for which the node was disabled before
    # Whom it moved, by the node that they left, and how they stand:
    homes: tuple[Homecoming, ...] = ()
    homeless: tuple[tuple[Drained, str], ...] = ()  # that node is no more: why
    strays: tuple[Stray, ...] = ()
    returned: Returned | None = None  # where it is a return
