"""Each part of a cloud is made ill in every way: never is it called ok, and the cause comes first.

The table is in `mutants.py`, what makes it true in `mutation.py`, and what a whole run said on the
page `docs/reference/faults-seen.md`.
"""

from pathlib import Path

import pytest

from lab.mutants import Fault, Mutant, Setting
from lab.mutation import RECORD, Ward, is_missed, key, read_record, run
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


@pytest.mark.parametrize("fault", Fault)
def test_every_part_made_ill_is_seen_for_what_it_is(
    ward: Ward, table: list[Mutant], tmp_path: Path, fault: Fault
) -> None:
    rows = run(
        ward, lambda mutant: mutant.fault is fault, Setting.AS_IT_IS, tmp_path / "record.jsonl"
    )

    assert {key(row)[1:] for row in rows} == {one.key for one in table if one.fault is fault}
    assert [(key(row), row["unexpected"]) for row in rows if row["unexpected"]] == []


@pytest.mark.parametrize("setting", [Setting.NO_PINGS, Setting.NO_SUDO])
def test_what_another_setting_hides_is_on_the_page(
    ward: Ward, tmp_path: Path, setting: Setting
) -> None:
    rows = run(
        ward, lambda mutant: mutant.fault is Fault.FROZEN, setting, tmp_path / "record.jsonl"
    )

    missed = {key(row) for row in rows if is_missed(row)}
    assert missed <= {key(row) for row in read_record(RECORD)[1:] if is_missed(row)}
