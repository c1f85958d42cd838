"""Parts of a cloud that are made ill, in the ways that differ most: each is seen for what it is.

All others are soak. The table is in `mutants.py`, what makes it true in `mutation.py`, and what a
whole run said on the page `docs/reference/faults-seen.md`.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import pytest

from lab.mutants import Fault, Mutant, Setting
from lab.mutation import Ward, see, try_after
from lab.stage import Stage, scene
from real_lab import until

WELL_S = 240
ILL = {
    "frozen ovn-northd": ("ctl", "ovn-northd.service", Fault.FROZEN),
    "killed ovs-vswitchd": ("c01", "ovs-vswitchd.service", Fault.KILLED),
    "frozen cinder-scheduler": ("ctl", "cinder-scheduler.service", Fault.FROZEN),
    "masked nova-scheduler": ("ctl", "nova-scheduler.service", Fault.MASKED),
    "a store of Glance that takes no writes": (
        "ctl",
        "its store is mounted read-only",
        Fault.TAKES_NO_WRITES,
    ),
}
RESTARTED = ("ctl", "memcached.service", Fault.RESTARTED)


@dataclass(frozen=True, kw_only=True)
class Ill:
    """What looks have said of parts that were ill."""

    rows: dict[str, dict[str, Any] | None]
    restarted: dict[str, Any]


@scene(budget_s=90)
def ill(stage: Stage) -> Generator[Ill]:
    """Make parts ill, and a memcached that systemd starts again: it grows old meanwhile."""
    ward = Ward(stage.lab, ("--timeout", "20"))  # what is told is tested here; elsewhere, how soon
    stage.all_in_service()
    stage.lab.wait_until_all_is_old_enough()  # what starts in the middle is beside a mutant
    well_by_itself(ward)
    table = ward.mutants()
    stage.begins()
    restarted = one_of(table, *RESTARTED)
    rows = {}
    with ward.made(restarted):
        well_by_itself(ward)
        last = restarted
        for what, which in ILL.items():
            mutant = one_of(table, *which)
            rows[what] = try_after(ward, mutant, Setting.AS_IT_IS, last, wait=well_by_itself)
            last = mutant
        well_by_itself(ward)
        yield Ill(rows=rows, restarted=see(ward, restarted, Setting.AS_IT_IS))


def well_by_itself(ward: Ward) -> None:
    """Wait until the lab is well again, without help."""
    until(ward.is_well, within_s=WELL_S)


def one_of(table: list[Mutant], node: str, unit: str, fault: Fault) -> Mutant:
    """Return the one mutant that is meant."""
    [mutant] = [one for one in table if (one.node, one.unit, one.fault) == (node, unit, fault)]
    return mutant


@pytest.mark.parametrize("what", ILL)
def test_what_differs_most_is_seen_for_what_it_is(ill: Ill, what: str) -> None:
    row = ill.rows[what]

    assert row is not None
    assert row["unexpected"] == ()


def test_a_memcached_that_systemd_has_restarted_is_a_note_once_all_is_well(ill: Ill) -> None:
    assert ill.restarted["unexpected"] == ()
