"""When units began and ended, in the words of systemd: each form is one declared entry.

Known by the journals of Debian 12 and 13 (systemd 252 and 257); older ones say `Succeeded`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from stackward.logs.event import Event

_UNIT = r"(?P<unit>[^\s:]+\.(?:service|socket))"


class Life(StrEnum):
    """What became of a unit."""

    BEGAN = "began"
    ENDED = "ended"  # without an error: somebody, or what it is part of, has stopped it
    FAILED = "failed"


FORMS: tuple[tuple[re.Pattern[str], Life, str], ...] = (
    (
        re.compile(rf"^(?:Started|Listening on) {_UNIT}(?: - |\.)"),
        Life.BEGAN,
        "Started dbus.service - D-Bus System Message Bus.",
    ),
    (
        re.compile(rf"^{_UNIT}: (?:Deactivated successfully|Succeeded)\."),
        Life.ENDED,
        "dbus.service: Deactivated successfully.",
    ),
    (
        re.compile(rf"^(?:Stopped|Closed) {_UNIT}(?: - |\.)"),
        Life.ENDED,
        "Closed dbus.socket - D-Bus System Message Bus Socket.",
    ),
    (
        re.compile(rf"^{_UNIT}: (?:Failed with result '|Main process exited, code=(?:kill|dump))"),
        Life.FAILED,
        "nova-compute.service: Failed with result 'oom-kill'.",
    ),
    (
        re.compile(rf"^Failed to start {_UNIT}(?: - |\.)"),
        Life.FAILED,
        "Failed to start libvirtd.service - libvirt legacy monolithic daemon.",
    ),
)
# What is looked for below the level of a warning: parts of what the forms above have.
WORDS = (
    ".service: Deactivated", ".service: Succeeded", ".service: Main process exited, code=",
    ".socket: Deactivated", ".socket: Succeeded", "Started ", "Listening on ", "Stopped ",
    "Closed ",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A unit was started or has ended."""

    unit: str
    component: str
    node: str
    life: Life
    event: Event

    @property
    def at(self) -> datetime:
        """Return when."""
        return self.event.at


def changes_in(events: Iterable[Event]) -> list[Change]:
    """Return the beginnings and ends of units of components, in the order of time."""
    return [change for change in map(_change, events) if change is not None]


def _change(one: Event) -> Change | None:
    if not one.format.startswith("journal"):
        return None
    for form, life, _ in FORMS:
        if found := form.match(one.message):
            return Change(
                unit=found["unit"],
                component=one.component,
                node=one.node,
                life=life,
                event=one,
            )
    return None


def ended(changes: Iterable[Change]) -> Mapping[tuple[str, str | None], Change]:
    """Return since when units do not run, by component and node: the first that has not come back.

    The words of one end are several; the first of them counts.
    """
    down: dict[tuple[str, str, str], Change] = {}
    for one in changes:
        key = (one.component, one.node, one.unit)
        if one.life is Life.BEGAN:
            down.pop(key, None)
        else:
            down.setdefault(key, one)
    found: dict[tuple[str, str | None], Change] = {}
    for (component, node, _), change in down.items():
        known = found.get((component, node))
        if known is None or change.at < known.at:
            found[component, node] = change
    return found
