"""Whether Nova hears from a nova-compute: by its record, and by Nova's own clock.

A service that runs reports at an interval. Nova's API does not show that interval, but the reports
of the other services do. Between three reports of another service lie two intervals: in these, a
service that runs has reported too. No time of this machine is compared with one of Nova's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stackward.model.service import NOVA_COMPUTE, ComputeService
from stackward.ports.world import World
from stackward.status.lookups import service_of
from stackward.status.silence import REPORTS_WITHIN_S
from stackward.wording import in_utc

# Nova's default is a report every 10 s: three of them take 30 s at most.
LISTEN_S = 40.0
LONGEST_S = REPORTS_WITHIN_S  # where the others report more seldom
POLL_S = 2.0
REPORTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What came of listening."""

    silent: bool | None  # None: not known
    why: str


def listen(world: World, host: str) -> Heard:
    """Listen for a report of a host's nova-compute, until others have reported often enough."""
    first = service_of(world.nova, host)
    if first is None:
        return Heard(silent=True, why="Nova has no record of it")
    reports: dict[tuple[str, str], list[str | None]] = {}
    began = world.clock.monotonic()
    while True:
        services = world.nova.services()
        own = next((one for one in services if _is_of(one, host)), first)
        if own.updated != first.updated:
            return Heard(silent=False, why=f"Nova hears from its nova-compute still ({_when(own)})")
        others = [one for one in services if one.is_known and one.is_up and not _is_of(one, host)]
        if others and own.is_known and not own.is_up and not own.is_forced_down:
            return Heard(silent=True, why="Nova calls it down, and hears from others")
        _note(reports, others)
        if _has_reported_often(reports):
            return Heard(
                silent=True,
                why=f"Nova has not heard from it since {_when(own)}, "
                f"while others have reported {REPORTS} times",
            )
        listened = world.clock.monotonic() - began
        if listened >= LONGEST_S or (listened >= LISTEN_S and not _may_report(reports, listened)):
            return Heard(
                silent=None,
                why=f"whether Nova hears from its nova-compute still is not known: no other "
                f"service of Nova has reported {REPORTS} times within {listened:.0f} s",
            )
        world.clock.wait(POLL_S)


def _is_of(one: ComputeService, host: str) -> bool:
    return (one.host, one.binary) == (host, NOVA_COMPUTE)


def _when(service: ComputeService) -> str:
    return in_utc(service.updated) if service.updated else "it was made"


def _note(
    reports: dict[tuple[str, str], list[str | None]], others: Iterable[ComputeService]
) -> None:
    """Note for each record how often it has changed."""
    for one in others:
        seen = reports.setdefault((one.binary, one.host), [])
        if not seen or seen[-1] != one.updated:
            seen.append(one.updated)


def _may_report(reports: Mapping[tuple[str, str], list[str | None]], listened: float) -> bool:
    """Say whether the others report, if only seldom: one has, or has had no time for it yet.

    Three reports must fit into the longest wait.
    """
    has_reported = any(len(seen) > 1 for seen in reports.values())
    return bool(reports) and (has_reported or listened < LONGEST_S / REPORTS)


def _has_reported_often(reports: Mapping[tuple[str, str], list[str | None]]) -> bool:
    """Say whether a service has reported often enough; if any is of the same kind, one of these.

    Services of the same kind have the same settings.

    What was read first is a report from before.
    """
    alike = [seen for (binary, _), seen in reports.items() if binary == NOVA_COMPUTE]
    return any(len(seen) > REPORTS for seen in alike or reports.values())
