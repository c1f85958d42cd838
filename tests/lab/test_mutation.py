"""Each part of a cloud is made ill in every way: never is it called ok, and the cause comes first.

The six that differ most are CI's; all others are soak. The table is in `mutants.py`, what makes it
true in `mutation.py`, and what a whole run said on the page `docs/reference/faults-seen.md`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.mutants import Fault, Mutant, Setting
from lab.mutation import RECORD, Ward, is_missed, key, read_record, run, see, try_after
from real_lab import RealLab, until

WELL_S = 240


@pytest.fixture(scope="module")
def ward(lab: RealLab) -> Ward:
    """Given a lab that is well."""
    ward = Ward(lab, ("--timeout", "20"))  # what is told is tested here; elsewhere, how soon
    lab.wait_until_all_is_old_enough()  # what starts in the middle is beside a mutant
    until(ward.is_well, within_s=WELL_S)
    return ward


@pytest.fixture(scope="module")
def table(ward: Ward) -> list[Mutant]:
    """Given what runs on that lab, and all its mutants."""
    return ward.mutants()


def well_by_itself(ward: Ward) -> None:
    """Wait until the lab is well again, without help."""
    until(ward.is_well, within_s=WELL_S)


def one_of(table: list[Mutant], node: str, unit: str, fault: Fault) -> Mutant:
    """Return the one mutant that is meant."""
    [mutant] = [one for one in table if (one.node, one.unit, one.fault) == (node, unit, fault)]
    return mutant


@pytest.fixture(scope="module")
def restarted(ward: Ward, table: list[Mutant]) -> Iterator[Mutant]:
    """Given a memcached that was killed, and that systemd has started again.

    It grows old enough to be judged while others are ill; those who use it are well again before.
    """
    mutant = one_of(table, "ctl", "memcached.service", Fault.RESTARTED)
    with ward.made(mutant):
        until(ward.is_well, within_s=WELL_S)
        yield mutant


@pytest.fixture(scope="module")
def tried(restarted: Mutant) -> list[Mutant]:
    """Given what was made ill before, the last one at the end; it may still settle."""
    return [restarted]


SCENE = [
    pytest.param(("ctl", "ovn-northd.service", Fault.FROZEN), id="frozen ovn-northd"),
    pytest.param(("c01", "ovs-vswitchd.service", Fault.KILLED), id="killed ovs-vswitchd"),
    pytest.param(("ctl", "cinder-scheduler.service", Fault.FROZEN), id="frozen cinder-scheduler"),
    pytest.param(("ctl", "nova-scheduler.service", Fault.MASKED), id="masked nova-scheduler"),
    pytest.param(
        ("ctl", "its store is mounted read-only", Fault.TAKES_NO_WRITES),
        id="a store of Glance that takes no writes",
    ),
]


@pytest.mark.parametrize("which", SCENE)
def test_the_five_that_differ_most_are_seen_for_what_they_are(
    ward: Ward, table: list[Mutant], tried: list[Mutant], which: tuple[str, str, Fault]
) -> None:
    mutant = one_of(table, *which)
    row = try_after(ward, mutant, Setting.AS_IT_IS, tried[-1], wait=well_by_itself)
    tried.append(mutant)

    assert row is not None
    assert row["unexpected"] == ()


def test_a_memcached_that_systemd_has_restarted_is_a_note_once_all_is_well(
    ward: Ward, restarted: Mutant
) -> None:
    well_by_itself(ward)
    row = see(ward, restarted, Setting.AS_IT_IS)

    assert row["unexpected"] == ()


@pytest.mark.soak
@pytest.mark.parametrize("fault", Fault)
def test_every_part_made_ill_is_seen_for_what_it_is(
    ward: Ward, table: list[Mutant], tmp_path: Path, fault: Fault
) -> None:
    rows = run(
        ward, lambda mutant: mutant.fault is fault, Setting.AS_IT_IS, tmp_path / "record.jsonl"
    )

    assert {key(row)[1:] for row in rows} == {one.key for one in table if one.fault is fault}
    assert [(key(row), row["unexpected"]) for row in rows if row["unexpected"]] == []


@pytest.mark.soak
@pytest.mark.parametrize("setting", [Setting.NO_PINGS, Setting.NO_SUDO])
def test_what_another_setting_hides_is_on_the_page(
    ward: Ward, tmp_path: Path, setting: Setting
) -> None:
    rows = run(
        ward, lambda mutant: mutant.fault is Fault.FROZEN, setting, tmp_path / "record.jsonl"
    )

    missed = {key(row) for row in rows if is_missed(row)}
    assert missed <= {key(row) for row in read_record(RECORD)[1:] if is_missed(row)}
