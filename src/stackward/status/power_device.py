"""Whether the device that the inventory names for a node is really that node's."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from stackward.model.hardware import Alike, Hardware


class Whose(StrEnum):
    """How it is known whose device it is; the words are stored in a check."""

    IDENTITY = "identity"  # it says what the node said of itself while it was well
    BOOT = "boot"  # it switched the node on once, and that was seen as a new boot of it
    SILENCE = "silence"  # what was heard of the node before the order falls silent by it
    WORD = "word"  # a person says so
    PERSON = "person"  # there is no device: a person says that the machine has no power
    ANOTHERS = "another's"  # it says that it is another machine
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What a node has said of itself while it was well."""

    node: str
    hardware: Hardware
    seen_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchedOn:
    """A power-on by a device that was seen as a new boot of its node."""

    device: str  # in words
    booted: str  # by the node's clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified:
    """Whose device it is, and by what."""

    whose: Whose
    same: tuple[str, ...] = ()  # what is equal, in words
    owner: str | None = None  # the other node that has said the same


def identify(
    told: Hardware, own: Remembered | None, others: Sequence[Remembered], *, is_heard: bool
) -> Identified:
    """Compare what the device says with what nodes once said of themselves.

    What another node has said too identifies nobody: cards that a BMC shows to its own machine have
    the same address in each.
    """
    shared = [one.hardware for one in others]
    told = _without(told, shared) if own and told.compare(own.hardware) is Alike.SAME else told
    alike = told.compare(own.hardware) if own else Alike.UNTOLD
    if own and alike is Alike.SAME:
        return Identified(whose=Whose.IDENTITY, same=told.agreeing(own.hardware))
    owner = next((one.node for one in others if told.compare(one.hardware) is Alike.SAME), None)
    if alike is Alike.DIFFERENT or owner:
        return Identified(whose=Whose.ANOTHERS, owner=owner)
    return Identified(whose=Whose.SILENCE if is_heard else Whose.UNKNOWN)


def _without(told: Hardware, shared: Sequence[Hardware]) -> Hardware:
    return Hardware(
        uuid=None if any(told.uuid == one.uuid for one in shared) else told.uuid,
        serial=None if any(told.serial == one.serial for one in shared) else told.serial,
        macs=told.macs - {mac for one in shared for mac in one.macs},
    )
